use std::collections::BTreeMap;

use super::*;
use crate::event::{Event, EventKind, StepRef, StepState};
use crate::graph::NodeId;
use crate::record::Encoder;
use crate::record::samples::{self, new_run, seed};
use crate::step::Path;
use crate::store::{MemoryStore, NewCommit};

/// A run that was recorded: the reader, and what was written.
struct Recorded {
    reader: Reader,
    events: Vec<Event>,
}

fn record(batches: Vec<Batch>, shape: &Shape, mut keep_summary: impl FnMut() -> bool) -> Recorded {
    let store = Arc::new(MemoryStore::new());
    let drive = store.create(new_run(shape)).unwrap();
    let (mut encoder, mut summary, mut events) = (Encoder::new(), Summary::new(shape), Vec::new());
    for batch in batches {
        let mut block = Vec::new();
        let index = encoder.encode(shape, &batch, &mut block);
        summary.apply(shape, &batch.events);
        let bytes = keep_summary().then(|| summary.to_bytes());
        let follows = drive.head().1;
        let commit =
            NewCommit { block: &block, index, follows, summary: bytes.as_deref(), ..NewCommit::default() };
        drive.append(commit).unwrap();
        events.extend(batch.events);
    }
    Recorded { reader: Reader::open(store, "7k2m").unwrap(), events }
}

fn sample(seed: u64) -> Recorded {
    let mut run = samples::Run::new(seed);
    let batches: Vec<_> = (0..20).map(|_| run.batch(1 << (seed % 9))).collect();
    let mut random = fastrand::Rng::with_seed(seed);
    record(batches, &samples::shape(), || random.u32(..4) == 0)
}

/// The ends that count, in order: told again without any index.
fn ends(events: &[Event]) -> Vec<(StepRef, StepState)> {
    let mut ends: Vec<(StepRef, StepState)> = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::StepSucceeded { step, .. } | EventKind::StepReused { step, .. } => {
                ends.push((step.clone(), StepState::Succeeded));
            }
            EventKind::StepFailed { step, .. } => ends.push((step.clone(), StepState::Failed)),
            EventKind::StepNotRun { step, state, .. } => ends.push((step.clone(), *state)),
            EventKind::RunResumed { .. } => ends.retain(|(_, state)| *state == StepState::Succeeded),
            EventKind::ItemSuperseded { item, .. } => {
                ends.retain(|(step, _)| !numbers(&step.path).contains(&item.number()));
            }
            EventKind::StepRemade { step } => ends.retain(|(other, _)| other.numbers() != step.numbers()),
            _ => {}
        }
    }
    ends
}

fn numbers(path: &Path) -> Vec<u32> {
    std::iter::successors(Some(path), |path| path.outer())
        .map(Path::number)
        .filter(|number| *number > 0)
        .collect()
}

#[test]
fn pages_of_steps_are_what_ended_and_counts() {
    let seed = seed();
    for run in 0..40 {
        let Recorded { reader, events } = sample(seed + run);
        let mut random = fastrand::Rng::with_seed(seed + run);
        let shape = Arc::clone(reader.shape());
        let all = ends(&events);
        for _ in 0..12 {
            let any = |random: &mut fastrand::Rng| random.u32(..3) > 0;
            let filter = StepFilter {
                nodes: if any(&mut random) { vec![] } else { vec![NodeId(random.u32(..11)), NodeId(2)] },
                state: if any(&mut random) { None } else { Some(StepState::ALL[random.usize(..5)]) },
                key: if any(&mut random) {
                    None
                } else {
                    Some(["1", "part-", "out", ""][random.usize(..4)].into())
                },
            };
            let wanted = all.iter().filter(|(step, state)| {
                (filter.nodes.is_empty() || filter.nodes.contains(&step.node))
                    && filter.state.is_none_or(|asked| asked == *state)
                    && filter
                        .key
                        .as_ref()
                        .is_none_or(|key| step.path.keys().iter().any(|own| own.to_string().starts_with(key)))
            });
            let text = |step: &StepRef, state: StepState| format!("{} {state:?}", step.name(&shape));
            let wanted: Vec<_> = wanted.map(|(step, state)| text(step, *state)).collect();
            let (skip, limit) = (random.usize(..60), random.usize(1..60));
            let page = reader.steps(&filter, skip as u64, limit).unwrap();
            let found: Vec<_> = page.steps.iter().map(|row| text(&row.step, row.state)).collect();
            let here: Vec<_> = wanted.iter().skip(skip).take(limit).cloned().collect();
            assert_eq!(found, here, "FANFOLD_SEED={seed}, run {run}, {filter:?}, {skip} + {limit}");
            assert_eq!(page.more, wanted.len() > skip + limit, "FANFOLD_SEED={seed}, run {run}, {filter:?}");
        }
    }
}

#[test]
fn a_step_is_told_as_it_stands() {
    let seed = seed();
    for run in 0..20 {
        let Recorded { reader, events } = sample(seed + run);
        let shape = Arc::clone(reader.shape());
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (step, state) in ends(&events) {
            by_name.entry(step.name(&shape)).or_default().push((step, state));
        }
        let (mut known, mut told) = (0, 0);
        for (name, steps) in by_name.iter().step_by(1 + by_name.len() / 60) {
            let [(step, state)] = steps.as_slice() else { continue };
            let found = reader.step(name).unwrap().unwrap();
            // Random keys come twice: the item that came last has the name.
            if found.step.numbers() != step.numbers() {
                continue;
            }
            known += 1;
            told += usize::from(found.turns.iter().any(|(_, turn)| matches!(turn, Turn::Ended { .. })));
            assert_eq!(found.state, Some(*state), "FANFOLD_SEED={seed}, run {run}, {name}: {found:#?}");
            assert_eq!(found.step.path.keys(), step.path.keys());
        }
        assert!(known == 0 || told > 0 || known < 5, "{told} of {known} have an attempt");
    }
}

#[test]
fn a_summary_is_that_of_all_that_is_recorded_wherever_it_was_kept() {
    let seed = seed();
    for run in 0..40 {
        let Recorded { reader, events } = sample(seed + run);
        let shape = Arc::clone(reader.shape());
        let told = reader.batches(0).collect::<Result<Vec<_>, _>>().unwrap();
        let mut whole = Summary::new(&shape);
        // As it is recorded: without the starts that ended in one commit, times in microseconds.
        told.iter().for_each(|(_, batch)| whole.apply(&shape, &batch.events));
        let summary = reader.summary().unwrap();
        for state in StepState::ALL {
            let (found, wanted) = (summary.total(&shape, state), whole.total(&shape, state));
            assert_eq!(found, wanted, "FANFOLD_SEED={seed}, run {run}: {state:?}");
        }
        assert_eq!(summary.sessions(), whole.sessions());
        let since = reader.batches(3).map(|batch| batch.unwrap().0.seq);
        assert!(since.eq(4..=told.len() as u64));
        assert!(events.len() >= told.iter().map(|(_, batch)| batch.events.len()).sum());
    }
}

#[test]
fn a_step_that_never_was_is_none() {
    let Recorded { reader, .. } = sample(7);
    for name in ["nothing", "first[no such key]", "root[0]"] {
        assert!(reader.step(&name.parse().unwrap()).unwrap().is_none(), "{name}");
    }
    let root = reader.step(&"root".parse().unwrap()).unwrap().unwrap();
    assert_eq!(root.step.path.depth(), 0);
}

/// Not a test: `cargo test --release -p fanfold --lib cost_of_reading -- --ignored --nocapture`.
#[cfg(feature = "sqlite")]
#[test]
#[ignore = "prints what it costs to read a run of a million steps"]
fn cost_of_reading() {
    use crate::event::Span;
    use crate::key::Key;
    use crate::store::SqliteStore;
    use std::time::{Duration, Instant};

    let folder = std::env::temp_dir().join(format!("fanfold-cost-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.join("runs.db")).unwrap());
    let shape = crate::report::fixture::shape();
    let drive = store.create(new_run(&shape)).unwrap();
    let step = |node, path: &Path| StepRef { node: NodeId(node), path: path.clone() };
    let (mut encoder, mut number) = (Encoder::new(), 0);
    for _ in 0..500 {
        let mut batch = Batch::default();
        batch.data.extend(b"\x01\x0212");
        let record = Span { start: 0, len: 4 };
        for _ in 0..1_000 {
            number += 1;
            let at = Duration::from_micros(u64::from(number));
            let item = Path::root().item(Key::new(format_args!("part-{number}")), number - 1, number);
            let took = Duration::from_micros(7);
            let kind = EventKind::ItemYielded {
                step: step(0, &Path::root()),
                output: 0,
                item: item.clone(),
                record,
            };
            batch.events.push(Event { at, kind });
            for node in [1, 2] {
                let (step, outputs) = (step(node, &item), None);
                let kind = EventKind::StepSucceeded { step, attempt: 1, started: at, took, outputs, record };
                batch.events.push(Event { at, kind });
            }
        }
        let mut block = Vec::new();
        let index = encoder.encode(&shape, &batch, &mut block);
        drive
            .append(NewCommit { block: &block, index, follows: drive.head().1, ..NewCommit::default() })
            .unwrap();
    }
    let reader = Reader::open(store, "7k2m").unwrap();
    let time = |what: &str, run: &dyn Fn() -> usize| {
        let begin = Instant::now();
        let found = run();
        println!("{what}: {found}, {:?}", begin.elapsed());
    };
    let steps = |filter: &StepFilter, skip| reader.steps(filter, skip, 100).unwrap().steps.len();
    let key = |key: &str| StepFilter { key: Some(key.to_owned()), ..StepFilter::default() };
    for _ in 0..2 {
        time("page 3 500", &|| steps(&StepFilter::default(), 350_000));
        time("a key prefix that few have", &|| steps(&key("part-49999"), 0));
        time("an op, page 4 000", &|| {
            steps(&StepFilter { nodes: vec![NodeId(2)], ..StepFilter::default() }, 400_000)
        });
        time("failures, of which there are none", &|| {
            steps(&StepFilter { state: Some(StepState::Failed), ..StepFilter::default() }, 0)
        });
        time("one step", &|| {
            reader.step(&"clean[part-400000]".parse().unwrap()).unwrap().unwrap().turns.len()
        });
        time("the summary, of all", &|| reader.summary().unwrap().items(NodeId(0)) as usize);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
