use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::super::samples::{
    COLLECT, EMIT, FIRST, IN_ZIP, INNER, INNER_EMIT, ROOT_OP, Run, SECOND, ZIP, seed, shape,
};
use super::super::{Encoder, Past, RecordError, StepPast};
use super::log::{
    Log, begins, closed, ended, fails, not_run, remade, resumed, step, succeeds, superseded, yielded,
};
use crate::event::{Batch, Event, EventKind, RunState, StepState};
use crate::graph::NodeId;
use crate::key::Key;
use crate::step::Path;

/// What is told of each step, by hand: attempt, failed attempts, due time, and its record.
#[derive(Debug, Default)]
struct Told {
    attempt: u32,
    failed: u32,
    due: Option<Duration>,
    record: Option<Vec<u8>>,
}

fn tell(told: &mut HashMap<(u32, NodeId), Told>, batch: &Batch) {
    for event in &batch.events {
        match &event.kind {
            EventKind::StepStarted { step, attempt } => {
                let told = told.entry((step.path.number(), step.node)).or_default();
                (told.attempt, told.due) = (*attempt, None);
            }
            EventKind::AttemptFailed { step, attempt, due, .. } => {
                let told = told.entry((step.path.number(), step.node)).or_default();
                (told.attempt, told.failed) = (*attempt, told.failed + 1);
                told.due = Some(Duration::from_micros(due.as_micros() as u64));
            }
            EventKind::StepFailed { step, attempt, .. } => {
                let told = told.entry((step.path.number(), step.node)).or_default();
                (told.attempt, told.failed, told.due) = (*attempt, 0, None);
            }
            EventKind::StepSucceeded { step, attempt, record, .. } => {
                let told = told.entry((step.path.number(), step.node)).or_default();
                (told.attempt, told.record) = (*attempt, Some(batch.data(*record).to_vec()));
            }
            EventKind::StepRemade { step } => {
                let told = told.entry((step.path.number(), step.node)).or_default();
                (told.failed, told.due, told.record) = (0, None, None);
            }
            EventKind::StepReused { step, record } => {
                let told = told.entry((step.path.number(), step.node)).or_default();
                (told.attempt, told.record) = (1, Some(batch.data(*record).to_vec()));
            }
            _ => {}
        }
    }
}

#[test]
fn what_is_known_of_each_step_and_item_is_what_the_events_said() {
    let (seed, shape) = (seed(), shape());
    for run in 0..20 {
        let (mut made, mut encoder) = (Run::new(seed + run), Encoder::new());
        let (mut past, mut told, mut items) = (Past::new(&shape), HashMap::new(), Vec::new());
        for _ in 0..10 {
            let most = made.random.usize(1..300);
            let (batch, mut block) = (made.batch(most), Vec::new());
            encoder.encode(&shape, &batch, &mut block);
            past.take(block).unwrap_or_else(|error| panic!("{error}, run {run}, FANFOLD_SEED={seed}"));
            tell(&mut told, &batch);
            for event in &batch.events {
                if let EventKind::ItemYielded { item, record, .. } = &event.kind {
                    items.push((item.clone(), batch.data(*record).to_vec()));
                }
            }
        }
        for ((item, node), told) in &told {
            let expected = match told {
                Told { attempt, record: Some(_), .. } => StepPast::Succeeded { attempt: *attempt },
                Told { attempt, failed, due, .. } => {
                    StepPast::Tried { attempt: *attempt, failed: *failed, due: *due }
                }
            };
            assert_eq!(past.step(*item, *node), expected, "{item} {node:?}, run {run}, FANFOLD_SEED={seed}");
            assert_eq!(past.step_record(*item, *node), told.record.as_deref());
        }
        assert_eq!(past.last_item() as usize, items.len());
        for (number, (item, record)) in (1..).zip(&items) {
            assert_eq!(format!("{item:?}"), format!("{:?}", past.path(number)));
            assert_eq!((past.item_record(number), past.index(number)), (&record[..], item.index().unwrap()));
            let (node, output, parent) = past.opener(number);
            let among = past.items(parent, node, output).contains(&number);
            assert_eq!(among, past.state().is_alive(number));
            // Keys are made up, and may be given twice.
            let found = past.find(parent, node, output, &past.parts(number));
            assert!(!among || found.is_some_and(|found| past.parts(found) == past.parts(number)));
        }
    }
}

#[test]
fn s4_7_attempts_go_on_and_a_final_failure_gives_a_new_allowance() {
    let root = Path::root();
    let mut log = Log::begun();
    let (node, other) = (ROOT_OP, EMIT);
    log.takes(fails(node, &root, true));
    log.takes(begins(other, &root));
    let past = log.past();
    let due = Some(Duration::ZERO);
    assert_eq!(past.step(0, node), StepPast::Tried { attempt: 1, failed: 1, due });
    assert_eq!(past.step(0, other), StepPast::Tried { attempt: 1, failed: 0, due: None });
    log.takes(fails(node, &root, false));
    log.takes(not_run(other, &root));
    log.takes(ended());
    let past = log.past();
    assert_eq!(past.step(0, node), StepPast::Tried { attempt: 1, failed: 0, due: None });
    assert_eq!(past.step(0, other), StepPast::Tried { attempt: 1, failed: 0, due: None });
    assert_eq!((past.step(0, ZIP), past.step(7, ZIP)), (StepPast::Never, StepPast::Never));
    assert_eq!(past.ended(), Some(RunState::Failed));
    log.takes(resumed());
    assert_eq!(log.past().ended(), None);
}

#[test]
fn s4_7_a_wait_goes_on_while_nobody_drives_the_run() {
    let mut log = Log::begun();
    let mut failed = fails(ROOT_OP, &Path::root(), true);
    if let EventKind::AttemptFailed { due, .. } = &mut failed {
        *due = Duration::from_secs(60);
    }
    log.takes(failed);
    for (away, left) in [(0, 60), (50, 10), (100, 0)] {
        let mut past = log.past();
        past.goes_on_at(SystemTime::UNIX_EPOCH + Duration::from_secs(away));
        let due = Some(Duration::from_secs(left));
        assert_eq!(past.step(0, ROOT_OP), StepPast::Tried { attempt: 1, failed: 1, due });
    }
}

#[test]
fn s4_8_items_of_a_later_attempt_have_their_places_among_those_before() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let give = |log: &mut Log, key: &str, index: u32| {
        let item = root.item(Key::new(key), index, log.state.items() + 1);
        log.takes(yielded(0, &root, &item));
        item
    };
    give(&mut log, "a", 0);
    let changed = give(&mut log, "b", 1);
    give(&mut log, "c", 2);
    // The second attempt gives a, x, y, c and another b.
    give(&mut log, "x", 1);
    give(&mut log, "y", 2);
    log.takes(superseded(0, &Path::root(), &changed));
    give(&mut log, "b", 4);
    let past = log.past();
    let order: Vec<_> = past.items(0, EMIT, 0).iter().map(|item| past.parts(*item)[0].to_string()).collect();
    assert_eq!(order, ["a", "x", "y", "c", "b"]);
    let b = [Key::new("b")];
    assert_eq!((past.find(0, EMIT, 0, &b), past.generation(0, EMIT, 0, &b)), (Some(6), 1));
    assert_eq!((past.find(0, EMIT, 1, &b), past.generation(0, EMIT, 1, &b)), (None, 0));
    assert_eq!((past.find(9, EMIT, 0, &b), past.items(9, EMIT, 0)), (None, &[][..]));
}

#[test]
fn pairs_of_a_zip_are_in_the_order_of_its_left_side() {
    let mut log = Log::begun();
    let root = log.root.clone();
    for (number, index) in [(1, 5), (2, 0), (3, 3)] {
        log.takes(yielded(4, &root, &root.item(Key::new(index), index, number)));
    }
    assert_eq!(log.past().items(0, ZIP, 0), [2, 3, 1]);
}

#[test]
fn many_items_are_found_by_their_keys() {
    let mut log = Log::begun();
    let root = log.root.clone();
    for index in 0..1_000 {
        log.takes(yielded(0, &root, &root.item(Key::new(format_args!("k{index}")), index, index + 1)));
    }
    let past = log.past();
    let find = |key: String| past.find(0, EMIT, 0, &[Key::new(key)]);
    assert!((0..1_000).all(|index| find(format!("k{index}")) == Some(index + 1)));
    assert_eq!((find("k1000".to_owned()), find("7".to_owned())), (None, None));
}

#[test]
fn what_succeeded_below_an_item_is_told_of_what_counts() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let item = log.item(0, &root, "a");
    let (kept, gone) = (log.item(2, &item, "x"), log.item(2, &item, "y"));
    for kind in [
        succeeds(FIRST, &item),
        fails(SECOND, &item, false),
        succeeds(INNER, &kept),
        succeeds(INNER, &gone),
        superseded(2, &item, &gone),
        succeeds(ROOT_OP, &root),
    ] {
        log.takes(kind);
    }
    let below = log.past().succeeded_below(1);
    assert_eq!(below, [FIRST, INNER].map(|node| (node, StepState::Succeeded)));
    assert_eq!(step(INNER_EMIT, &item).path.number(), 1);
}

#[test]
fn s6_1_a_step_that_is_made_again_has_no_record_and_goes_on_with_its_attempts() {
    let mut log = Log::begun();
    let root = log.root.clone();
    log.takes(succeeds(ROOT_OP, &root));
    assert!(log.past().step_record(0, ROOT_OP).is_some());
    log.takes(resumed());
    log.takes(remade(ROOT_OP, &root));
    let past = log.past();
    assert_eq!(past.step(0, ROOT_OP), StepPast::Tried { attempt: 1, failed: 0, due: None });
    assert_eq!(past.step_record(0, ROOT_OP), None);
}

#[test]
fn a_node_is_whole_when_no_step_of_it_can_be_left() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let whole = |log: &Log, node: NodeId| log.past().whole_nodes()[node.index()];
    let (item, gone) = (log.item(0, &root, "a"), log.item(0, &root, "b"));
    let inner = log.item(2, &item, "x");
    log.takes(superseded(0, &root, &gone));
    log.takes(succeeds(FIRST, &item));
    log.takes(succeeds(INNER, &inner));
    assert!(!whole(&log, FIRST), "the emitter may give more items");
    log.takes(succeeds(EMIT, &root));
    assert!(whole(&log, EMIT) && whole(&log, FIRST) && !whole(&log, SECOND));
    assert!(!whole(&log, INNER), "the inner emitter may give more items");
    log.takes(succeeds(INNER_EMIT, &item));
    assert!(whole(&log, INNER));
    log.takes(succeeds(ZIP, &root));
    assert!(!whole(&log, IN_ZIP), "a zip opens its last pairs when it has ended");
    log.takes(closed(4, &root));
    assert!(whole(&log, IN_ZIP) && !whole(&log, COLLECT));
}

#[test]
fn a_record_that_tells_what_cannot_have_happened_is_refused() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let item = log.item(0, &root, "a");
    log.takes(succeeds(FIRST, &item));
    log.kinds.push(succeeds(FIRST, &item));
    let (shape, mut block) = (shape(), Vec::new());
    let events = log.kinds.into_iter().map(|kind| Event { at: Duration::ZERO, kind }).collect();
    Encoder::new().encode(&shape, &Batch { events, data: Vec::new() }, &mut block);
    let error = Past::new(&shape).take(block).expect_err("a step succeeds once");
    assert!(matches!(error, RecordError::Illegal(_)));
    assert!(error.to_string().contains("`StepSucceeded` of first[a]"), "{error}");
}

#[test]
fn damaged_blocks_are_taken_or_refused() {
    let (seed, shape) = (seed(), shape());
    let mut made = Run::new(seed);
    let mut block = Vec::new();
    Encoder::new().encode(&shape, &made.batch(400), &mut block);
    for _ in 0..1_000 {
        let mut damaged = block.clone();
        for _ in 0..made.random.u32(1..4) {
            let at = made.random.usize(..damaged.len());
            damaged[at] = made.random.u8(..);
        }
        let mut past = Past::new(&shape);
        if past.take(damaged).is_ok() {
            past.whole_nodes();
            for item in 0..=past.last_item() {
                past.succeeded_below(item);
                past.path(item);
                past.item_record(item);
                for node in shape.steps() {
                    past.step_record(item, node);
                }
            }
        }
    }
}

#[test]
fn a_past_is_shared_between_threads() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    is_shared(&Log::begun().past());
}

/// Not a test: `cargo test --release -p fanfold --lib cost_of_a_past -- --ignored --nocapture`.
#[test]
#[ignore = "prints what a million items cost"]
fn cost_of_a_past() {
    let (shape, root) = (shape(), Path::root());
    let (mut encoder, mut blocks) = (Encoder::new(), Vec::new());
    let mut encoding = Duration::MAX;
    for first in (0..1_000_000).step_by(1_000) {
        let mut batch = Batch::default();
        if first == 0 {
            batch.events.push(Event { at: Duration::ZERO, kind: super::log::started() });
        }
        for index in first..first + 1_000 {
            let item = root.item(Key::new(index), index, index + 1);
            let at = Duration::from_micros(u64::from(index) * 10);
            let mut record = || super::record(&mut batch.data, 20);
            let spans = [record(), record(), record()];
            let mut kinds = [yielded(0, &root, &item), succeeds(FIRST, &item), succeeds(SECOND, &item)];
            for (kind, span) in kinds.iter_mut().zip(spans) {
                if let EventKind::ItemYielded { record, .. } | EventKind::StepSucceeded { record, .. } = kind
                {
                    *record = span;
                }
            }
            batch.events.extend(kinds.map(|kind| Event { at, kind }));
        }
        let (begin, mut block) = (std::time::Instant::now(), Vec::new());
        encoder.encode(&shape, &batch, &mut block);
        encoding = encoding.min(begin.elapsed());
        blocks.push(block);
    }
    let bytes: usize = blocks.iter().map(Vec::len).sum();
    println!("encoding: {:?} an event at best, {bytes} bytes", encoding / 3_000);
    let begin = std::time::Instant::now();
    let mut past = Past::new(&shape);
    for block in blocks {
        past.take(block).expect("the block is whole");
    }
    println!("loading: {:?}", begin.elapsed());
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmRSS")).for_each(|line| println!("{line}"));
    }
    let begin = std::time::Instant::now();
    assert_eq!(past.items(0, EMIT, 0).len(), 1_000_000);
    println!("fan-outs: {:?}", begin.elapsed());
    let begin = std::time::Instant::now();
    assert!((0..1_000_000).all(|key| past.find(0, EMIT, 0, &[Key::new(key)]) == Some(key + 1)));
    println!("finding: {:?}", begin.elapsed());
}
