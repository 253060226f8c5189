//! How long the core takes for a step: `emit(n) → map(inc) → map(double) → fold`, or `→ collect`, on
//! one thread. Only the time inside the core counts, not that of the ops.
//!
//! `cargo run --release -p fanfold-tests --example core_speed -- 1000000 fold`

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll as Polled, Waker};
use std::time::{Duration, Instant};

use fanfold::define::{BoxFuture, Emission, Inputs, OpDef, OutputDef, OutputKind, Outputs, ParamDef, Run};
use fanfold::graph::Gather;
use fanfold::graph::build::{self, RawInput};
use fanfold::machine::{
    Config, FoldDone, Grant, Limits, Machine, PollDone, PollOutcome, StepDone, StepId, Want,
};
use fanfold::{AnyValue, Key, OpContext, OpError, OpOptions, Order, Span, TypeInfo};

const PARAM: ParamDef = ParamDef { name: "p", type_name: "i64", optional: false, owned: true };

const fn op(
    name: &'static str,
    params: &'static [ParamDef],
    outputs: &'static [OutputDef],
    run: Run,
) -> OpDef {
    OpDef {
        name,
        module: "speed",
        function: name,
        file: file!(),
        line: 1,
        doc: "",
        params,
        outputs,
        resources: &[],
        options: OpOptions::DEFAULT,
        run,
    }
}

const SINGLE: OutputDef =
    OutputDef { name: "result", kind: OutputKind::Single, info: TypeInfo::of::<i64>(), optional: false };
const MANY: OutputDef = OutputDef { kind: OutputKind::Dynamic, ..SINGLE };

static EMIT: OpDef = op("emit", &[PARAM], &[MANY], Run::Emitter(emit));
static INC: OpDef = op("inc", &[PARAM], &[SINGLE], Run::Sync(inc));
static DOUBLE: OpDef = op("double", &[PARAM], &[SINGLE], Run::Sync(double));
static ADD: OpDef = op("add", &[PARAM, PARAM], &[SINGLE], Run::Sync(add));
static COUNT: OpDef = op("count", &[PARAM], &[SINGLE], Run::Sync(count));

fn number(input: &Option<AnyValue>) -> i64 {
    *input.as_ref().and_then(|input| input.downcast_ref::<i64>()).expect("a number")
}

fn one(number: i64) -> Result<Outputs, OpError> {
    Ok(Outputs::One(Some(Arc::new(number))))
}

fn emit(
    inputs: Vec<Option<AnyValue>>,
    _: OpContext,
    emission: Emission,
) -> BoxFuture<Result<Outputs, OpError>> {
    Box::pin(async move {
        for item in 0..number(&inputs[0]) {
            emission.send(0, Key::new(item), Arc::new(item)).await;
        }
        one(0)
    })
}

fn inc(inputs: &mut Inputs, _: &OpContext) -> Result<Outputs, OpError> {
    one(number(&inputs[0]) + 1)
}

fn double(inputs: &mut Inputs, _: &OpContext) -> Result<Outputs, OpError> {
    one(number(&inputs[0]) * 2)
}

fn add(inputs: &mut Inputs, _: &OpContext) -> Result<Outputs, OpError> {
    one(number(&inputs[0]) + number(&inputs[1]))
}

fn count(inputs: &mut Inputs, _: &OpContext) -> Result<Outputs, OpError> {
    let list = inputs[0].as_ref().and_then(|list| list.downcast_ref::<fanfold::Gathered>()).expect("a list");
    one(list.0.len() as i64)
}

fn main() {
    let mut args = std::env::args().skip(1);
    let items: i64 = args.next().and_then(|items| items.parse().ok()).unwrap_or(1_000_000);
    let folds = args.next().is_none_or(|end| end == "fold");
    let job = fanfold_tests::model::to_graph::job(None);
    let graph = build::build_with(job, || {
        let emitted = build::call_op(&EMIT, vec![RawInput::Constant(Arc::new(items))])[0];
        let map =
            |over, op| build::map(over, |items| build::call_op(op, vec![RawInput::Handle(items[0])]))[0];
        let doubled = map(map(emitted, &INC), &DOUBLE);
        if folds {
            vec![build::fold(doubled, RawInput::Constant(Arc::new(0_i64)), &ADD)]
        } else {
            let list = build::gather(doubled, Gather::List, TypeInfo::of::<i64>(), "collect");
            build::call_op(&COUNT, vec![RawInput::Handle(list)])
        }
    });
    let config = Config {
        limits: Limits { max_concurrent: 64, ..Limits::default() },
        order: Order::DepthFirst,
        fail_fast: false,
        keep_values: false,
        recording: false,
        suspects: Default::default(),
        open_items: 1_024,
        workers: 1,
        seed: 1,
    };
    let began = Instant::now();
    let mut core = Core { in_it: Duration::ZERO, calls: 0 };
    let mut machine = Machine::new(Arc::new(graph.expect("the job is right")), vec![], config);
    let mut emitters: HashMap<StepId, (Emission, BoxFuture<Result<Outputs, OpError>>)> = HashMap::new();
    let mut events = 0;
    while machine.ended().is_none() {
        let now = began.elapsed();
        let grant = core.time(|| machine.next(now, Want::Any)).expect("nothing waits for anything else");
        match grant {
            Grant::Steps(steps) => {
                let done = run_steps(steps, began);
                core.time(|| machine.finish(began.elapsed(), done, vec![]));
            }
            Grant::Poll(mut poll) => {
                if let Some(work) = poll.begin.take() {
                    let Run::Emitter(run) = work.op.run else { unreachable!() };
                    let emission = Emission::default();
                    let future = run(work.inputs, OpContext::for_test(), emission.clone());
                    emitters.insert(poll.id, (emission, future));
                }
                let (emission, future) = emitters.get_mut(&poll.id).expect("it was begun");
                emission.grant_room(poll.room as usize);
                let outcome = match Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
                    Polled::Ready(result) => PollOutcome::Ended(result),
                    Polled::Pending => PollOutcome::WantsRoom,
                };
                let (items, ..) = emission.take();
                let took = Duration::from_nanos(100);
                let done =
                    PollDone { id: poll.id, took, items, room: poll.room, outcome, record: Span::default() };
                core.time(|| machine.polled(began.elapsed(), done));
            }
            Grant::Fold(work) => {
                let ctx = OpContext::for_test();
                let mut value = work.value;
                for item in work.items {
                    let Ok(Outputs::One(Some(next))) = add(&mut [Some(value), Some(item)], &ctx) else {
                        unreachable!("it gives a value")
                    };
                    value = next;
                }
                let done = FoldDone {
                    id: work.step.id,
                    took: Duration::from_nanos(100),
                    result: Ok(value),
                    record: Span::default(),
                };
                core.time(|| machine.folded(began.elapsed(), done));
            }
            Grant::Async(_) => unreachable!("no op is async"),
        }
        if machine.waiting_events() > 1_000 {
            drop(machine.take_spent());
            let taken = core.time(|| machine.take_events());
            events += taken.events.len();
        }
    }
    let steps = 2 * items;
    let (all, inside) = (began.elapsed(), core.in_it);
    println!(
        "{steps} steps in {all:?}, {:.0} ns each, of which the core {:.0} ns, in {} calls; {events} events; gave {:?}",
        all.as_nanos() as f64 / steps as f64,
        inside.as_nanos() as f64 / steps as f64,
        core.calls,
        machine.take_outputs()[0].as_ref().and_then(|value| value.downcast_ref::<i64>()),
    );
}

fn run_steps(steps: Vec<fanfold::machine::StepWork>, began: Instant) -> Vec<StepDone> {
    let ctx = OpContext::for_test();
    let mut fed: Option<(u32, AnyValue)> = None;
    let mut done: Vec<StepDone> = Vec::with_capacity(steps.len());
    let started = began.elapsed();
    for mut work in steps {
        if let (Some((parameter, value)), true) = (fed.take(), work.fed) {
            work.inputs[parameter as usize] = Some(value);
        }
        let Run::Sync(run) = work.op.run else { unreachable!("the op is sync") };
        let mut result = run(&mut work.inputs, &ctx);
        let mut passed_on = false;
        if let (Some(parameter), Ok(Outputs::One(value))) = (work.feeds, &mut result) {
            passed_on = work.passes_on;
            let given = if passed_on { value.take() } else { value.clone() };
            fed = given.map(|given| (parameter, given));
        }
        done.push(StepDone {
            id: work.id,
            started,
            took: Duration::from_nanos(100),
            result,
            passed_on,
            record: Span::default(),
        });
    }
    done
}

struct Core {
    in_it: Duration,
    calls: u64,
}

impl Core {
    fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let given = call();
        self.in_it += before.elapsed();
        self.calls += 1;
        given
    }
}
