use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::event::{Event, EventKind, StepState};
use crate::graph::NodeId;
use crate::key::Key;
use crate::record::reader::StepFilter;
use crate::record::samples::{self, FANS, new_run, seed};
use crate::record::{Encoder, Reader};
use crate::shape::Shape;
use crate::step::Path;
use crate::store::{Drive, MemoryStore, NewCommit, Store};
use crate::summary::Summary;

/// A run that is told commit by commit, and what a reader of every event knows of it.
struct Told {
    run: samples::Run,
    shape: Shape,
    encoder: Encoder,
    store: Arc<dyn Store>,
    drive: Arc<dyn Drive>,
    naive: Naive,
    summary: Summary,
}

/// All steps, told again without any place.
#[derive(Default)]
struct Naive {
    /// Path, scope and the keys of each around it; by their numbers.
    items: Vec<(Path, u32)>,
    gone: Vec<u32>,
    steps: BTreeMap<(u32, u32), Step>,
    ended: bool,
    superseded: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Step {
    state: Option<StepState>,
    attempts: u32,
    started: u64,
    took: u64,
    reused: bool,
    retrying: bool,
}

fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

impl Naive {
    fn tell(&mut self, event: &Event) {
        if self.items.is_empty() {
            self.items.push((Path::root(), 0));
        }
        let at = micros(event.at);
        match &event.kind {
            EventKind::ItemYielded { step, output, item, .. } => {
                let fan = FANS.iter().position(|(node, own, _)| (*node, *own) == (step.node, *output));
                self.items.push((item.clone(), fan.unwrap() as u32 + 1));
            }
            EventKind::ItemSuperseded { item, .. } => {
                self.gone.push(item.number());
                self.superseded = true;
            }
            EventKind::StepStarted { step, attempt } => {
                let reused = Step { attempts: *attempt, started: at, ..Step::default() };
                self.steps.insert(step.numbers(), Step { state: Some(StepState::Running), ..reused });
            }
            EventKind::StepSucceeded { step, attempt, started, took, .. } => {
                self.attempt(step.numbers(), StepState::Succeeded, *attempt, *started, *took);
            }
            EventKind::StepFailed { step, attempt, started, took, .. } => {
                self.attempt(step.numbers(), StepState::Failed, *attempt, *started, *took);
            }
            EventKind::AttemptFailed { step, attempt, started, took, .. } => {
                self.attempt(step.numbers(), StepState::Waiting, *attempt, *started, *took);
                self.steps.get_mut(&step.numbers()).unwrap().retrying = true;
            }
            EventKind::StepNotRun { step, state, .. } => {
                let step = self.steps.entry(step.numbers()).or_default();
                if step.state == Some(StepState::Running) {
                    step.took = at.saturating_sub(step.started);
                }
                (step.state, step.retrying) = (Some(*state), false);
            }
            EventKind::StepReused { step, .. } => {
                let step = self.steps.entry(step.numbers()).or_default();
                (step.state, step.reused, step.retrying) = (Some(StepState::Succeeded), true, false);
            }
            EventKind::StepRemade { step } => {
                let step = self.steps.get_mut(&step.numbers()).unwrap();
                (step.state, step.reused) = (None, false);
            }
            EventKind::RunResumed { .. } => {
                self.ended = false;
                let undone = |step: &&mut Step| step.state != Some(StepState::Succeeded);
                for step in self.steps.values_mut().filter(undone) {
                    (step.state, step.retrying) = (None, false);
                }
            }
            EventKind::RunEnded { .. } => self.ended = true,
            _ => {}
        }
    }

    fn attempt(&mut self, step: (u32, u32), state: StepState, attempts: u32, at: Duration, took: Duration) {
        let (started, took) = (micros(at), micros(took));
        let step = self.steps.entry(step).or_default();
        *step = Step { state: Some(state), attempts, started, took, reused: false, retrying: false };
    }

    /// The steps that count, in the order in which they opened: node, item, how it stands.
    fn standing(&self, shape: &Shape) -> Vec<(NodeId, Path, Step)> {
        let mut steps = Vec::new();
        for (path, scope) in &self.items {
            if path.numbers().any(|number| self.gone.contains(&number)) {
                continue;
            }
            for node in shape.steps().filter(|node| shape.node(*node).scope.0 == *scope) {
                let mut step = self.steps.get(&(node.0, path.number())).copied().unwrap_or_default();
                let state = step.state.unwrap_or(StepState::Waiting);
                step.state = Some(state);
                if state != StepState::Waiting || !self.ended {
                    steps.push((node, path.clone(), step));
                }
            }
        }
        steps
    }
}

impl Told {
    fn new(seed: u64) -> Self {
        let (run, shape) = (samples::Run::new(seed), samples::shape());
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let drive = store.create(new_run(&shape)).unwrap();
        let summary = Summary::new(&shape);
        Self { run, shape, encoder: Encoder::new(), store, drive, naive: Naive::default(), summary }
    }

    fn commit(&mut self, events: usize) {
        let batch = self.run.batch(events);
        let mut block = Vec::new();
        let index = self.encoder.encode(&self.shape, &batch, &mut block);
        self.summary.apply(&self.shape, &batch.events);
        let summary = (self.run.random.u32(..4) == 0).then(|| self.summary.to_bytes());
        let follows = self.drive.head().1;
        let summary = summary.as_deref();
        let commit = NewCommit { block: &block, index, follows, summary, ..NewCommit::default() };
        self.drive.append(commit).unwrap();
        batch.events.iter().for_each(|event| self.naive.tell(event));
    }

    fn open(&self) -> OpenRun {
        OpenRun::open(Arc::clone(&self.store), "7k2m").unwrap()
    }
}

fn shown(shape: &Shape, (node, path, step): &(NodeId, Path, Step)) -> String {
    let name = crate::event::StepRef { node: *node, path: path.clone() }.name(shape);
    let started = (step.attempts > 0).then_some(step.started);
    let took = started.filter(|_| step.state != Some(StepState::Running)).map(|_| step.took);
    format!(
        "{name} {} {:?} {} {started:?} {took:?} {} {}",
        path.number(),
        step.state.unwrap(),
        step.attempts,
        step.reused,
        step.retrying
    )
}

fn found(run: &OpenRun, place: u32) -> String {
    let step = run.step(place).unwrap();
    let (node, item) = run.index().numbers(place);
    assert_eq!((step.step.node, step.step.path.number()), (node, item));
    assert_eq!(run.index().place_of(node, item), Some(place));
    assert_eq!(run.index().name(place), step.step.name(run.reader().shape()).to_string());
    format!(
        "{} {item} {:?} {} {:?} {:?} {} {}",
        run.index().name(place),
        step.state,
        step.attempts,
        step.started.map(micros),
        step.took.map(micros),
        step.reused,
        step.retrying
    )
}

#[test]
fn after_every_commit_each_step_stands_as_the_events_said() {
    let seed = seed();
    for number in 0..30 {
        let mut told = Told::new(seed + number);
        told.commit(1);
        let mut open = told.open();
        for commit in 0..15 {
            told.commit(1 << (number % 8));
            assert!(open.refresh().unwrap());
            assert!(!open.refresh().unwrap(), "nothing happened since");
            let wanted: Vec<_> =
                told.naive.standing(&told.shape).iter().map(|step| shown(&told.shape, step)).collect();
            let places = &open.find(&Query::default()).places;
            let steps: Vec<_> = places.iter().map(|place| found(&open, *place)).collect();
            assert_eq!(steps, wanted, "FANFOLD_SEED={seed}, run {number}, commit {commit}");
            assert_eq!(open.seq(), commit + 2);
        }
        let anew: Vec<_> = {
            let mut anew = told.open();
            let places = anew.find(&Query::default());
            places.places.iter().map(|place| found(&anew, *place)).collect()
        };
        let places = open.find(&Query::default());
        let grown: Vec<_> = places.places.iter().map(|place| found(&open, *place)).collect();
        assert_eq!(anew, grown, "FANFOLD_SEED={seed}, run {number}");
    }
}

#[test]
fn it_counts_as_the_summary_does_and_ends_as_the_reader_tells() {
    let seed = seed();
    let mut compared = 0;
    for number in 0..40 {
        let mut told = Told::new(seed + number);
        told.commit(1);
        let mut open = told.open();
        for commit in 0..12 {
            told.commit(1 << (number % 7));
            open.refresh().unwrap();
            let reader = Reader::open(Arc::clone(&told.store), "7k2m").unwrap();
            let all = reader.summary().unwrap();
            for state in StepState::ALL {
                let counted = open.summary().total(&told.shape, state);
                assert_eq!(counted, all.total(&told.shape, state), "FANFOLD_SEED={seed}, run {number}");
            }
            compared += usize::from(told.naive.superseded && !told.naive.ended);
            for node in told.shape.steps() {
                let counts = open.index().counts_below(0, node, true);
                let wanted = StepState::ALL.map(|state| all.count(node, state));
                assert_eq!(counts, wanted, "FANFOLD_SEED={seed}, run {number}, commit {commit}");
            }
            let page = reader.steps(&StepFilter::default(), 0, usize::MAX - 1).unwrap();
            let mut wanted: Vec<_> =
                page.steps.iter().map(|row| (row.step.numbers(), row.state, row.reused)).collect();
            let places = open.find(&Query::default());
            let steps = places.places.iter().map(|place| open.step(*place).unwrap());
            let ended = steps.filter(|step| !matches!(step.state, StepState::Running | StepState::Waiting));
            let mut ended: Vec<_> =
                ended.map(|step| (step.step.numbers(), step.state, step.reused)).collect();
            wanted.sort_unstable();
            ended.sort_unstable();
            assert_eq!(ended, wanted, "FANFOLD_SEED={seed}, run {number}, commit {commit}");
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn a_step_is_found_by_its_name() {
    let seed = seed();
    for number in 0..20 {
        let mut told = Told::new(seed + number);
        (0..8).for_each(|_| told.commit(60));
        let mut open = told.open();
        let places = open.find(&Query::default());
        for place in places.places.iter().step_by(7) {
            let step = open.step(*place).unwrap();
            let name = step.step.name(&told.shape);
            let other = open.place(&name).unwrap();
            // Random keys come twice: the item that came last has the name.
            assert!(other >= *place);
            assert_eq!(open.index().name(other), name.to_string(), "FANFOLD_SEED={seed}, run {number}");
        }
        for name in ["nothing", "first[no such key]", "root[0]", "inner"] {
            assert_eq!(open.place(&name.parse().unwrap()), None, "{name}");
        }
    }
}

#[test]
fn what_lies_below_an_item_is_found_and_what_lies_around_it() {
    let seed = seed();
    for number in 0..20 {
        let mut told = Told::new(seed + number);
        (0..8).for_each(|_| told.commit(60));
        let open = told.open();
        let items = || told.naive.items.iter().map(|(path, scope)| (path.number(), path, *scope));
        let alive = |path: &Path| !path.numbers().any(|number| told.naive.gone.contains(&number));
        for (item, _, _) in items().step_by(5) {
            for scope in 0..told.shape.scopes.len() as u32 {
                let below: Vec<_> = open.index().below(item, crate::graph::ScopeId(scope)).collect();
                let is_below = |path: &Path| item == 0 || path.numbers().any(|around| around == item);
                let wanted: Vec<_> = items()
                    .filter(|(_, path, own)| *own == scope && is_below(path) && alive(path))
                    .map(|(number, ..)| number)
                    .collect();
                assert_eq!(below, wanted, "FANFOLD_SEED={seed}, run {number}, item {item}");
                for below in below {
                    let around = told.naive.items[item as usize].1;
                    assert_eq!(open.index().around(below, crate::graph::ScopeId(around)), Some(item));
                }
            }
        }
    }
}

/// The steps that a query asks for, by looking at each name.
fn asked(told: &Told, query: &Query, last: u64) -> Vec<String> {
    let mut steps = told.naive.standing(&told.shape);
    steps.retain(|(node, _, step)| {
        (query.nodes.is_empty() || query.nodes.contains(node))
            && query.state.is_none_or(|state| step.state == Some(state))
    });
    let name = |(node, path, _): &(NodeId, Path, Step)| {
        crate::event::StepRef { node: *node, path: path.clone() }.name(&told.shape)
    };
    if let Some(text) = &query.text {
        let begins = |step: &(NodeId, Path, Step)| {
            let name = name(step);
            name.to_string().starts_with(text)
                || name.keys().iter().any(|key| key.to_string().starts_with(text))
        };
        if steps.iter().any(begins) {
            steps.retain(begins);
        } else {
            let key = |key: &Key| key.to_string().contains(text);
            steps.retain(|step| name(step).to_string().contains(text) || name(step).keys().iter().any(key));
        }
    }
    let value = |(node, path, step): &(NodeId, Path, Step)| {
        let ran = step.attempts > 0;
        let running = step.state == Some(StepState::Running);
        let took = if running { last.saturating_sub(step.started) } else { step.took };
        Some(match query.sort.by {
            By::Start => (ran.then_some(step.started)?, String::new()),
            By::Duration => (ran.then_some(took)?, String::new()),
            By::Attempts => (u64::from(step.attempts), String::new()),
            By::State => {
                let place = StepState::ALL.iter().position(|state| Some(*state) == step.state);
                (place.unwrap() as u64, String::new())
            }
            By::Op => (0, told.shape.node(*node).name.to_string()),
            By::Opened => (u64::from(path.number()), format!("{:09}", node.0)),
            By::Key => (0, String::new()),
        })
    };
    steps.sort_by(|a, b| match (value(a), value(b)) {
        (Some(a), Some(b)) if query.sort.down => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    if query.sort.by == By::Key {
        // Each item with those around it: a list of keys and numbers.
        let places = |(_, path, _): &(NodeId, Path, Step)| {
            let mut around: Vec<(Vec<Key>, u32)> = Vec::new();
            for path in std::iter::successors(Some(path), |path| path.outer()) {
                let Some(key) = path.key() else { continue };
                match around.last_mut().filter(|last| last.1 == path.number()) {
                    Some(last) => last.0.insert(0, key.clone()),
                    None => around.push((vec![key.clone()], path.number())),
                }
            }
            around.reverse();
            around
        };
        steps.sort_by(|a, b| {
            let order = places(a).cmp(&places(b));
            if query.sort.down { order.reverse() } else { order }
        });
    }
    steps.iter().map(|step| shown(&told.shape, step)).collect()
}

#[test]
fn what_is_asked_for_is_found_in_its_order() {
    let seed = seed();
    let bys = [By::Opened, By::Start, By::Duration, By::Key, By::Op, By::State, By::Attempts];
    for number in 0..25 {
        let mut told = Told::new(seed + number);
        (0..6).for_each(|_| told.commit(70));
        let mut open = told.open();
        let mut random = fastrand::Rng::with_seed(seed + number);
        let texts = ["1", "part-", "ut", "first[", "inner[0][", "][", "t[part-0000", "in", "no such", "-7"];
        for _ in 0..30 {
            let any = random.u32(..3) > 0;
            let query = Query {
                nodes: if any { vec![] } else { vec![NodeId(2), NodeId(random.u32(..11))] },
                state: (random.u32(..3) == 0).then(|| StepState::ALL[random.usize(..7)]),
                text: random.bool().then(|| texts[random.usize(..texts.len())].to_owned()),
                sort: Sort { by: bys[random.usize(..bys.len())], down: random.bool() },
            };
            let places = open.find(&query);
            let steps: Vec<_> = places.places.iter().map(|place| found(&open, *place)).collect();
            let wanted = asked(&told, &query, open.index().elapsed());
            assert_eq!(steps, wanted, "FANFOLD_SEED={seed}, run {number}, {query:?}");
            assert!(Arc::ptr_eq(&places, &open.find(&query)), "the last answers are kept");
        }
    }
}

#[test]
fn where_nobody_drives_the_run_nothing_runs() {
    let mut told = Told::new(7);
    (0..6).for_each(|_| told.commit(70));
    let mut open = told.open();
    let of = |state| Query { state: Some(state), ..Query::default() };
    let count = |open: &mut OpenRun| {
        [StepState::Running, StepState::Waiting].map(|state| open.find(&of(state)).places.len())
    };
    let [running, waiting] = count(&mut open);
    assert!(running > 0);
    told.drive.release();
    assert!(open.refresh().unwrap());
    assert_eq!(count(&mut open), [0, running + waiting]);
}

#[test]
fn the_commit_of_a_step_has_what_it_gave_and_why_it_failed() {
    let seed = seed();
    let mut compared = [0; 3];
    for number in 0..10 {
        let mut told = Told::new(seed + number);
        (0..10).for_each(|_| told.commit(40));
        let mut open = told.open();
        let places = open.find(&Query::default());
        let endings =
            open.endings(&places.places, std::time::Instant::now() + Duration::from_secs(60)).unwrap();
        let page = open.reader().steps(&StepFilter::default(), 0, usize::MAX - 1).unwrap();
        for row in page.steps {
            let (node, item) = row.step.numbers();
            let place = open.index().place_of(NodeId(node), item).unwrap();
            let ending = &endings[&place];
            assert_eq!(ending.error, row.error, "FANFOLD_SEED={seed}, run {number}");
            let cause = ending.cause.map(|place| open.index().name(place));
            assert_eq!(cause, row.cause.map(|cause| cause.name(&told.shape).to_string()));
            compared[0] += usize::from(!ending.record.is_empty());
            compared[1] += usize::from(ending.error.is_some());
            compared[2] += usize::from(ending.cause.is_some());
        }
    }
    assert!(compared.iter().all(|count| *count > 0), "{compared:?}");
}

#[test]
fn a_run_that_is_gone_is_told_so() {
    let mut told = Told::new(7);
    told.commit(20);
    let mut open = told.open();
    told.drive.release();
    told.store.remove("7k2m", false).unwrap();
    let error = open.refresh().unwrap_err();
    assert!(error.to_string().contains("there is no run"), "{error}");
}
