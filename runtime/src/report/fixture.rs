//! A small job and its events, by hand, for the tests of what reads them.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::define::{
    ArgDef, ArgForm, JobDef, OpDef, OutputDef, OutputKind, Outputs, ParamDef, ResultDef, Run,
};
use crate::error::OpError;
use crate::event::{Event, EventKind, RunState, Span, StepRef, StepState};
use crate::graph::build::{self, Raw, RawInput};
use crate::graph::{Gather, Graph, NodeId};
use crate::key::Key;
use crate::options::{JobOptions, OpOptions, RetryPolicy};
use crate::shape::Shape;
use crate::step::Path;
use crate::value::{AnyValue, TypeInfo};

const fn op(name: &'static str, outputs: &'static [OutputDef], options: OpOptions) -> OpDef {
    OpDef {
        name,
        module: "jobs",
        function: name,
        file: "jobs.rs",
        line: 1,
        doc: "",
        params: &[ParamDef { name: "input", type_name: "String", optional: false, owned: true }],
        outputs,
        resources: &[],
        options,
        run: Run::Sync(|_, _| Ok(Outputs::None)),
    }
}

const fn output(kind: OutputKind) -> OutputDef {
    OutputDef { name: "result", kind, info: TypeInfo::of::<String>(), optional: false }
}

pub(crate) static LOAD: OpDef = op("load_pieces", &[output(OutputKind::Dynamic)], OpOptions::DEFAULT);
pub(crate) static CLEAN: OpDef = op("clean", &[output(OutputKind::Single)], OpOptions::DEFAULT);
pub(crate) static COMPUTE: OpDef = op(
    "compute_piece",
    &[output(OutputKind::Single)],
    OpOptions {
        retry: Some(RetryPolicy::new(2)),
        pool: Some("api"),
        priority: Some(5),
        timeout: Some(Duration::from_secs(30)),
        tags: &[("team", "red")],
        ..OpOptions::DEFAULT
    },
);
pub(crate) static MERGE: OpDef = op("merge", &[output(OutputKind::Single)], OpOptions::DEFAULT);

const fn arg(name: &'static str, default: fn() -> AnyValue) -> ArgDef {
    ArgDef {
        name,
        doc: "",
        info: TypeInfo::of::<char>(),
        default: Some(default),
        form: ArgForm::Value,
        choices: &[],
        from_texts: |texts| {
            texts[0].parse::<char>().map(|it| Arc::new(it) as AnyValue).map_err(|e| e.to_string())
        },
        from_json: |json| {
            serde_json::from_value::<char>(json.clone())
                .map(|it| Arc::new(it) as AnyValue)
                .map_err(|e| e.to_string())
        },
        to_json: |value| value.downcast_ref::<char>().map(char::to_string).into(),
        show: |value| value.downcast_ref::<char>().map(char::to_string).unwrap_or_default(),
    }
}

/// `merge(load(from, to).map(|p| compute(clean(p))).collect())`.
pub(crate) static LETTERS: JobDef = LETTERS_ROW;
pub(crate) const LETTERS_ROW: JobDef = JobDef {
    name: "letters",
    module: "jobs",
    file: "jobs.rs",
    line: 7,
    doc: "Upper-cases a range of letters.",
    args: &[arg("from", || Arc::new('a')), arg("to", || Arc::new('z'))],
    results: &[ResultDef { info: TypeInfo::of::<String>(), read: |value| value }],
    options: JobOptions::DEFAULT,
    on_success: None,
    on_failure: None,
    build: letters,
    panic_aborts: false,
};

fn letters() -> Vec<Raw> {
    let [from, to] = [0, 1].map(|index| RawInput::Handle(build::argument(index, TypeInfo::of::<char>())));
    let pieces = build::call_op(&LOAD, vec![from, to])[0];
    let computed = build::map(pieces, |item| {
        let clean = build::call_op(&CLEAN, vec![RawInput::Handle(item[0])])[0];
        build::call_op(&COMPUTE, vec![RawInput::Handle(clean)])
    })[0];
    let all = build::gather(computed, Gather::List, TypeInfo::of::<Vec<String>>(), "collect");
    build::call_op(&MERGE, vec![RawInput::Handle(all)])
}

pub(crate) fn graph() -> Graph {
    build::build(&LETTERS).unwrap()
}

pub(crate) fn shape() -> Arc<Shape> {
    Arc::new(graph().shape())
}

pub(crate) fn step(shape: &Shape, op: &str, key: Option<(&str, u32)>) -> StepRef {
    let node = shape.nodes.iter().position(|node| &*node.name == op).unwrap();
    let path = key.map_or_else(Path::root, |(key, index)| Path::root().item(Key::new(key), index, index + 1));
    StepRef { node: NodeId(u32::try_from(node).unwrap()), path }
}

/// Text for `expect!`, which would take away an indentation that all lines share.
pub(crate) fn framed(text: &str) -> String {
    format!("--\n{text}")
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn at(at: u64, kind: EventKind) -> Event {
    Event { at: millis(at), kind }
}

pub(crate) fn run_started() -> Event {
    at(
        0,
        EventKind::RunStarted {
            run: "7k2m".into(),
            started: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            args: vec![("from".to_owned(), "a".into()), ("to".to_owned(), "z".into())],
        },
    )
}

pub(crate) fn succeeded(step: StepRef, end: u64, took: u64) -> Event {
    let started = millis(end - took);
    let kind = EventKind::StepSucceeded {
        step,
        attempt: 1,
        started,
        took: millis(took),
        outputs: None,
        record: Span::default(),
    };
    at(end, kind)
}

pub(crate) fn failed(step: StepRef, end: u64, took: u64, error: &str) -> Event {
    let kind = EventKind::StepFailed {
        step,
        attempt: 3,
        started: millis(end - took),
        took: millis(took),
        error: Arc::new(OpError::new(error)),
        left_behind: false,
    };
    at(end, kind)
}

/// An attempt that began at 30 ms, to be followed by another 2 s after its end.
pub(crate) fn attempt_failed(step: StepRef, end: u64) -> Event {
    let took = end - 30;
    let kind = EventKind::AttemptFailed {
        step,
        attempt: 1,
        started: millis(30),
        took: millis(took),
        error: Arc::new(OpError::new(format_args!("api time out after {took} ms"))),
        due: millis(end + 2_000),
    };
    at(end, kind)
}

pub(crate) fn yielded(shape: &Shape, end: u64, key: &str, index: u32) -> Event {
    let kind = EventKind::ItemYielded {
        step: step(shape, "load_pieces", None),
        output: 0,
        item: Path::root().item(Key::new(key), index, index + 1),
        record: Span::default(),
    };
    at(end, kind)
}

/// Three letters while the emitter still runs: `a` done, `b` waiting for its retry, `c` running.
pub(crate) fn half_way() -> (Arc<Shape>, Vec<Event>) {
    let shape = shape();
    let load = step(&shape, "load_pieces", None);
    let mut events = vec![run_started(), at(0, EventKind::StepStarted { step: load, attempt: 1 })];
    for (key, index) in [("a", 0), ("b", 1), ("c", 2)] {
        events.push(yielded(&shape, 10, key, index));
        events.push(succeeded(step(&shape, "clean", Some((key, index))), 20, 5));
        let compute = step(&shape, "compute_piece", Some((key, index)));
        events.push(at(30, EventKind::StepStarted { step: compute, attempt: 1 }));
    }
    events.push(succeeded(step(&shape, "compute_piece", Some(("a", 0))), 400, 370));
    events.push(attempt_failed(step(&shape, "compute_piece", Some(("b", 1))), 500));
    (shape, events)
}

/// The whole run: `b` failed, and so `merge` had nothing to merge.
pub(crate) fn failing_letters() -> (Arc<Shape>, Vec<Event>) {
    let (shape, mut events) = half_way();
    let load = step(&shape, "load_pieces", None);
    events.push(at(600, EventKind::FanOutClosed { step: load.clone(), output: 0, items: 3 }));
    events.push(succeeded(load, 600, 600));
    events.push(succeeded(step(&shape, "compute_piece", Some(("c", 2))), 900, 870));
    let b = step(&shape, "compute_piece", Some(("b", 1)));
    events.push(failed(b.clone(), 3_000, 500, "api time out after 500 ms"));
    events.push(at(
        3_000,
        EventKind::StepNotRun {
            step: step(&shape, "merge", None),
            state: StepState::UpstreamFailed,
            cause: Some(b),
        },
    ));
    events.push(at(3_001, EventKind::RunEnded { state: RunState::Failed }));
    (shape, events)
}
