//! What it costs to answer about runs of a million steps.

use std::path::Path as File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Query;
use serde::Serialize;

use super::params::Params;
use super::{steps, timeline};
use crate::error::OpError;
use crate::event::{Batch, Event, EventKind, Span, StepRef};
use crate::graph::NodeId;
use crate::index::{By, OpenRun, Query as StepQuery, Sort};
use crate::key::Key;
use crate::record::Encoder;
use crate::record::samples::{self, new_run};
use crate::shape::Shape;
use crate::step::Path;
use crate::store::{NewCommit, SqliteStore, Store};
use crate::summary::Summary;

/// A run whose emitter gives items, and in each of them these nodes have a step.
struct Fan {
    shape: Shape,
    output: u16,
    emitter: NodeId,
    nodes: Vec<NodeId>,
    key: fn(u32) -> Key,
}

/// A build with its checks on is no measure: there it is only seen that all of it is answered.
const STEPS: u32 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

impl Fan {
    /// Records a run of a million steps, a thousand items a commit; one step in a thousand fails.
    fn record(&self, folder: &File) -> Arc<dyn Store> {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.join("runs.db")).unwrap());
        let drive = store.create(new_run(&self.shape)).unwrap();
        let (mut encoder, mut summary) = (Encoder::new(), Summary::new(&self.shape));
        let mut random = fastrand::Rng::with_seed(7);
        let (items, error) = (STEPS / self.nodes.len() as u32, Arc::new(OpError::new("time out")));
        for first in (1..=items).step_by(1_000) {
            let mut batch = Batch::default();
            batch.data.extend(b"\x01\x0212");
            let record = Span { start: 0, len: 4 };
            if first == 1 {
                let (run, started) = ("7k2m".into(), std::time::UNIX_EPOCH);
                let kind = EventKind::RunStarted { run, started, args: Vec::new() };
                batch.events.push(Event { at: Duration::ZERO, kind });
            }
            for number in first..first + 1_000 {
                let at = Duration::from_micros(u64::from(number) * 1_000);
                let item = Path::root().item((self.key)(number), number - 1, number);
                let (step, output) = (StepRef { node: self.emitter, path: Path::root() }, self.output);
                let kind = EventKind::ItemYielded { step, output, item: item.clone(), record };
                batch.events.push(Event { at, kind });
                for node in &self.nodes {
                    let took = Duration::from_micros(random.u64(..50_000));
                    let (step, started) =
                        (StepRef { node: *node, path: item.clone() }, at.saturating_sub(took));
                    let kind = if random.u32(..1_000) == 0 {
                        let (error, left_behind) = (Arc::clone(&error), false);
                        EventKind::StepFailed { step, attempt: 3, started, took, error, left_behind }
                    } else {
                        EventKind::StepSucceeded { step, attempt: 1, started, took, outputs: None, record }
                    };
                    batch.events.push(Event { at, kind });
                }
            }
            let mut block = Vec::new();
            let index = encoder.encode(&self.shape, &batch, &mut block);
            summary.apply(&self.shape, &batch.events);
            let last = (first + 1_000 > items).then(|| summary.to_bytes());
            let (follows, summary) = (drive.head().1, last.as_deref());
            drive
                .append(NewCommit { block: &block, index, follows, summary, ..NewCommit::default() })
                .unwrap();
        }
        store
    }
}

fn params(pairs: &[(&str, &str)], known: &[&str]) -> Params {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Params::of(Query(pairs.collect()), known).unwrap()
}

/// How long this thread was at work so far: other processes do not count.
fn at_work() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

/// Prints how long answers take, the 19th of 20, and how many bytes the longest of them has.
fn print<T: Serialize>(what: &str, mut answer: impl FnMut(u32) -> T) {
    let mut times: Vec<_> = (0..20)
        .map(|number| {
            let (begin, work) = (Instant::now(), at_work());
            let bytes = serde_json::to_vec(&answer(number)).unwrap().len();
            (at_work() - work, begin.elapsed(), bytes)
        })
        .collect();
    let first = times[0];
    times.sort_unstable();
    let bytes = times.iter().map(|(.., bytes)| *bytes).max().unwrap();
    println!(
        "  {what}: first {:?}, p95 {:?} at work, {:?} in all, {} KiB",
        first.0,
        times[18].0,
        times[18].1,
        bytes >> 10
    );
    assert!(bytes <= 256 << 10, "{what} is {bytes} bytes");
}

fn cost(name: &str, fan: &Fan) {
    let folder = std::env::temp_dir().join(format!("fanfold-cost-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = fan.record(&folder);
    let (begin, work) = (Instant::now(), at_work());
    let mut run = OpenRun::open(Arc::clone(&store), "7k2m").unwrap();
    let room = run.index().room() as f64 / f64::from(STEPS);
    let work = at_work() - work;
    println!("{name}: open {work:?} at work, {:?} in all, {room:.1} bytes a step", begin.elapsed());
    print("nothing new", |_| run.refresh().unwrap());
    // What was found before is kept: another part of the text each time.
    let mut page = |what: &str, ask: &dyn Fn(&str) -> Vec<(&'static str, String)>| {
        print(what, |number| {
            let pairs = ask(&number.to_string());
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let params = params(&pairs, &["op", "state", "q", "sort", "after", "limit"]);
            steps::page(&mut run, &params).unwrap()
        });
    };
    let text = |text: &str| ("q", text.to_owned());
    page("a page", &|number| vec![("after", format!("{number}0000"))]);
    page("a key prefix", &|number| vec![text(&format!("{}{number}", (fan.key)(4999)))]);
    page("a text within", &|number| vec![text(&format!("99{number}"))]);
    page("a text that is not there", &|number| vec![text(&format!("x{number}x"))]);
    page("a text with brackets", &|number| vec![text(&format!("99{number}]"))]);
    page("failures", &|number| vec![("state", "failed".to_owned()), ("after", number.to_owned())]);
    for by in [By::Duration, By::Start, By::Key, By::Op, By::State, By::Attempts] {
        // As if nothing were kept.
        for down in [false, true] {
            let query = StepQuery { sort: Sort { by, down }, ..StepQuery::default() };
            print(&format!("in the order of {by:?}, {down}"), |_| {
                run.index().find(&query, true).places.len()
            });
        }
    }
    let time = |what: &str, pairs: &[(&str, &str)]| {
        let params = params(pairs, &["from", "to", "px", "lanes", "op"]);
        print(what, |_| timeline::told(&run, timeline::window(&run, &params).unwrap(), timeline::STEPS));
    };
    time("the timeline", &[("px", "2000")]);
    time("a tenth of it", &[("px", "2000"), ("from", "3"), ("to", "103")]);
    time("single steps of it", &[("px", "2000"), ("from", "3"), ("to", "4.8")]);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Not a test: `cargo test --release -p fanfold --lib cost_of_answers -- --ignored --nocapture`.
#[test]
#[ignore = "prints what it costs to answer about a run of a million steps"]
fn cost_of_answers() {
    let shape = samples::shape();
    let (emitter, nodes) = (samples::EMIT, vec![samples::OTHER]);
    cost("numbers, a step each", &Fan { shape, output: 1, emitter, nodes, key: |number| Key::new(number) });
    let shape = Shape::clone(&crate::report::fixture::shape());
    let (emitter, nodes) = (NodeId(0), vec![NodeId(1), NodeId(2)]);
    let key = |number: u32| Key::new(format_args!("part-{number}"));
    cost("texts, two steps each", &Fan { shape, output: 0, emitter, nodes, key });
}
