//! A shape, and random runs of it, for the tests of this room.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

#[cfg(feature = "ui")]
use super::Encoder;
use super::facts::{FACTS_VERSION, Facts, RunFacts};
use crate::error::{ErrorKind, OpError};
use crate::event::{Batch, Below, Event, EventKind, RunState, Span, StepRef, StepState};
use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::shape::{Shape, ShapeKind, ShapeNode, ShapeScope};
use crate::step::Path;
use crate::store::NewRun;
#[cfg(feature = "ui")]
use crate::store::{Drive, MemoryStore, NewCommit, Store};

pub(crate) const ROOT_OP: NodeId = NodeId(0);
/// An emitter with two outputs that are mapped, in the root.
pub(crate) const EMIT: NodeId = NodeId(1);
pub(crate) const FIRST: NodeId = NodeId(2);
pub(crate) const SECOND: NodeId = NodeId(3);
/// An emitter in each item of the first output.
pub(crate) const INNER_EMIT: NodeId = NodeId(4);
pub(crate) const INNER: NodeId = NodeId(5);
pub(crate) const OTHER: NodeId = NodeId(6);
/// Holds items of several keys in the root, and opens them in each item of the first output.
pub(crate) const HELD: NodeId = NodeId(7);
pub(crate) const IN_HELD: NodeId = NodeId(8);
pub(crate) const ZIP: NodeId = NodeId(9);
pub(crate) const IN_ZIP: NodeId = NodeId(10);
pub(crate) const COLLECT: NodeId = NodeId(11);

/// The fan-outs: by their scopes, 1 and on.
pub(crate) const FANS: [(NodeId, u16, u32); 5] =
    [(EMIT, 0, 0), (EMIT, 1, 0), (INNER_EMIT, 0, 1), (HELD, 0, 1), (ZIP, 0, 0)];

/// The shape with all of these.
pub(crate) fn shape() -> Shape {
    let node = |name: &str, scope: u32, kind: ShapeKind| ShapeNode {
        name: name.into(),
        scope: ScopeId(scope),
        kind,
        op: String::new(),
        retries: 0,
        reads: Vec::new(),
        after: Vec::new(),
        takes: Vec::new(),
        outputs: Vec::new(),
        pool: None,
        priority: 0,
        tags: Vec::new(),
    };
    let (op, fold) = (ShapeKind::Op, ShapeKind::Fold);
    Shape {
        job: "sample".to_owned(),
        nodes: vec![
            node("root", 0, op),
            node("emit", 0, op),
            node("first", 1, op),
            node("second", 1, op),
            node("inner_emit", 1, op),
            node("inner", 3, op),
            node("other", 2, op),
            node("held", 0, ShapeKind::Held),
            node("in_held", 4, op),
            node("zip", 0, ShapeKind::Zip),
            node("in_zip", 5, fold),
            node("list", 0, ShapeKind::Collect),
        ],
        scopes: std::iter::once(ShapeScope { parent: None, fan: None })
            .chain(FANS.map(|(node, output, parent)| ShapeScope {
                parent: Some(ScopeId(parent)),
                fan: Some((node, output)),
            }))
            .collect(),
    }
}

/// A run of a shape that is to be recorded.
pub(crate) fn new_run(shape: &Shape) -> NewRun {
    let facts = Facts {
        version: FACTS_VERSION,
        program: "jobs".to_owned(),
        shape: shape.clone(),
        args: Vec::new(),
        secrets: Vec::new(),
        options: RunFacts::default(),
    };
    NewRun {
        id: "7k2m".to_owned(),
        job: shape.job.clone(),
        started: UNIX_EPOCH,
        parent: None,
        facts: facts.to_json(),
        tags: Vec::new(),
    }
}

/// A store with a random run, of so many commits of so many events, that goes on until the drive is
/// dropped.
#[cfg(feature = "ui")]
pub(crate) fn recorded(seed: u64, commits: usize, events: usize) -> (Arc<dyn Store>, Arc<dyn Drive>) {
    let store = Arc::new(MemoryStore::new());
    let drive = record(&*store, seed, commits, events);
    (store, drive)
}

/// Records such a run in a store.
pub(crate) fn record(store: &dyn Store, seed: u64, commits: usize, events: usize) -> Arc<dyn Drive> {
    let (mut run, shape, mut encoder) = (Run::new(seed), shape(), Encoder::new());
    let drive = store.create(new_run(&shape)).unwrap();
    for _ in 0..commits {
        let mut block = Vec::new();
        let index = encoder.encode(&shape, &run.batch(events), &mut block);
        let follows = drive.head().1;
        drive.append(NewCommit { block: &block, index, follows, ..NewCommit::default() }).unwrap();
    }
    drive
}

/// The seed of random tests: `FANFOLD_SEED`, or always the same.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("FANFOLD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("FANFOLD_SEED={seed}");
    seed
}

/// A run that is made up, event by event; legal by construction.
pub(crate) struct Run {
    pub(crate) random: fastrand::Rng,
    at: Duration,
    items: Vec<Item>,
    resumed: u32,
    closed: Vec<(u32, usize)>,
    begun: bool,
    ended: bool,
}

struct Item {
    path: Path,
    scope: u32,
    parent: u32,
    alive: bool,
    yielded: [u32; FANS.len()],
    steps: Vec<(NodeId, Step)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Idle(u32),
    Running(u32),
    Ended(u32, StepState),
    /// The attempt that succeeded.
    Succeeded(u32),
}

impl Run {
    pub(crate) fn new(seed: u64) -> Self {
        let mut run = Self {
            random: fastrand::Rng::with_seed(seed),
            at: Duration::ZERO,
            items: Vec::new(),
            resumed: 0,
            closed: Vec::new(),
            begun: false,
            ended: false,
        };
        run.open(Path::root(), 0, 0);
        run
    }

    fn open(&mut self, path: Path, scope: u32, parent: u32) {
        let shape = shape();
        let steps = shape
            .steps()
            .filter(|node| shape.node(*node).scope.0 == scope)
            .map(|node| (node, Step::Idle(0)))
            .collect();
        self.items.push(Item { path, scope, parent, alive: true, yielded: [0; FANS.len()], steps });
    }

    /// The next events, at most `most`.
    pub(crate) fn batch(&mut self, most: usize) -> Batch {
        let mut batch = Batch::default();
        while batch.events.len() < most {
            if self.random.u32(..3) > 0 {
                self.at += Duration::from_nanos(self.random.u64(..20_000));
            }
            if self.random.u32(..100) == 0 {
                self.at += Duration::from_secs(self.random.u64(..3_000));
            }
            if let Some(kind) = self.event(&mut batch.data) {
                batch.events.push(Event { at: self.at, kind });
            }
        }
        batch
    }

    fn event(&mut self, data: &mut Vec<u8>) -> Option<EventKind> {
        if !self.begun {
            self.begun = true;
            let args = vec![("from".to_owned(), "é\n".to_owned()), (String::new(), String::new())];
            let started = UNIX_EPOCH + Duration::new(1_800_000_000, 123_456_789);
            return Some(EventKind::RunStarted { run: "run-1".into(), started, args });
        }
        if self.ended || self.random.u32(..300) == 0 {
            return Some(self.resume());
        }
        match self.random.u32(..1_000) {
            0 => {
                self.ended = true;
                let states = [RunState::Succeeded, RunState::Failed, RunState::Cancelled];
                Some(EventKind::RunEnded { state: states[self.random.usize(..3)] })
            }
            1 => Some(EventKind::RunCancelling { reason: "asked".to_owned() }),
            2..10 => self.supersede(),
            10..30 => self.close(),
            30..300 => self.yielded(data),
            _ => self.step(data),
        }
    }

    fn resume(&mut self) -> EventKind {
        self.ended = false;
        self.resumed += 1;
        self.closed.clear();
        for (_, step) in self.items.iter_mut().flat_map(|item| &mut item.steps) {
            *step = match *step {
                Step::Running(attempt) | Step::Ended(attempt, _) => Step::Idle(attempt),
                other => other,
            };
        }
        // Before 1970, with a part of a second.
        let earlier = Duration::new(u64::from(self.resumed), 999_999_999);
        let last = self.items[self.items.len() - 1].path.clone();
        let in_hand = [(ROOT_OP, Path::root()), (FIRST, last)].map(|(node, path)| StepRef { node, path });
        let in_hand = in_hand.into_iter().take(self.random.usize(..3)).collect();
        EventKind::RunResumed { resumed: UNIX_EPOCH - earlier, in_hand }
    }

    fn is_alive(&self, item: u32) -> bool {
        let item = &self.items[item as usize];
        item.alive && (item.path.number() == 0 || self.is_alive(item.parent))
    }

    fn pick(&mut self) -> Option<u32> {
        let near = self.items.len().saturating_sub(20);
        let from = if self.random.bool() { near } else { 0 };
        let item = self.random.usize(from..self.items.len()) as u32;
        self.is_alive(item).then_some(item)
    }

    fn fan(&mut self) -> Option<(u32, usize)> {
        let fan = self.random.usize(..FANS.len());
        let item = if FANS[fan].2 == 0 { 0 } else { self.pick()? };
        let open = self.items[item as usize].scope == FANS[fan].2 && !self.closed.contains(&(item, fan));
        open.then_some((item, fan))
    }

    fn close(&mut self) -> Option<EventKind> {
        let (item, fan) = self.fan()?;
        if item == 0 && self.random.u32(..20) > 0 {
            return None;
        }
        self.closed.push((item, fan));
        let step = StepRef { node: FANS[fan].0, path: self.items[item as usize].path.clone() };
        Some(EventKind::FanOutClosed { step, output: FANS[fan].1, items: self.random.u64(..1 << 40) })
    }

    fn yielded(&mut self, data: &mut Vec<u8>) -> Option<EventKind> {
        let (parent, fan) = self.fan()?;
        let (node, output, _) = FANS[fan];
        let around = &mut self.items[parent as usize];
        let succeeded =
            around.steps.iter().any(|(step, state)| *step == node && matches!(state, Step::Succeeded(_)));
        if succeeded && node != ZIP {
            return None;
        }
        let index = if self.random.u32(..20) == 0 { self.random.u32(..) } else { around.yielded[fan] };
        around.yielded[fan] = index.wrapping_add(1);
        let (path, number) = (around.path.clone(), self.items.len() as u32);
        let key = match self.random.u32(..4) {
            0 => Key::new(self.random.i64(..)),
            1 => Key::new(format_args!("part-{index:05}")),
            _ => Key::new(index),
        };
        let mut around = path.clone();
        if node == HELD {
            around = around.item(Key::new(self.random.u32(..2)), self.random.u32(..2), number);
            around = around.item(Key::new("outer"), 3, number);
        }
        let item = around.item(key, index, number);
        self.open(item.clone(), fan as u32 + 1, parent);
        let record = self.record(data);
        Some(EventKind::ItemYielded { step: StepRef { node, path }, output, item, record })
    }

    fn record(&mut self, data: &mut Vec<u8>) -> Span {
        let len = self.random.u32(..200) * u32::from(self.random.bool());
        let start = if len == 0 { 0 } else { data.len() as u32 };
        data.extend((0..len).map(|_| self.random.u8(..)));
        Span { start, len }
    }

    fn supersede(&mut self) -> Option<EventKind> {
        let number = self.pick().filter(|item| *item > 0)?;
        let gone: Vec<u32> = (number..self.items.len() as u32)
            .filter(|item| self.lies_in(*item, number) && self.is_alive(*item))
            .collect();
        let steps = gone.iter().flat_map(|item| &self.items[*item as usize].steps);
        let ended = steps.filter_map(|(node, step)| match step {
            Step::Succeeded(_) => Some((*node, StepState::Succeeded)),
            Step::Ended(_, state) => Some((*node, *state)),
            Step::Idle(_) | Step::Running(_) => None,
        });
        let (ended, below) = (ended.collect(), self.below(number, &gone));
        let item = &mut self.items[number as usize];
        item.alive = false;
        let (node, output, _) = FANS[item.scope as usize - 1];
        let (parent, item) = (item.parent, item.path.clone());
        let step = StepRef { node, path: self.items[parent as usize].path.clone() };
        Some(EventKind::ItemSuperseded { step, output, item, ended, below })
    }

    fn lies_in(&self, item: u32, around: u32) -> bool {
        item == around || item > around && self.lies_in(self.items[item as usize].parent, around)
    }

    /// What was told of the fan-outs in an item that is gone with all these.
    fn below(&self, number: u32, gone: &[u32]) -> Vec<Below> {
        let scopes = (1..=FANS.len()).map(|scope| {
            let is_of = |item: &&u32| **item != number && self.items[**item as usize].scope as usize == scope;
            let closed = self.closed.iter().filter(|(item, fan)| fan + 1 == scope && gone.contains(item));
            let (items, closed) = (gone.iter().filter(is_of).count() as u64, closed.count() as u64);
            Below { scope: ScopeId(scope as u32), items, closed }
        });
        scopes.filter(|below| (below.items, below.closed) != (0, 0)).collect()
    }

    fn step(&mut self, data: &mut Vec<u8>) -> Option<EventKind> {
        let number = self.pick()?;
        let steps = self.items[number as usize].steps.len();
        let which = self.random.usize(..steps.max(1));
        let (node, state) = self.items[number as usize].steps.get(which).copied()?;
        let step = StepRef { node, path: self.items[number as usize].path.clone() };
        let started = self.at.saturating_sub(Duration::from_nanos(self.random.u64(..100_000)));
        let digits = self.random.u32(1..40);
        let took = Duration::from_nanos(self.random.u64(..1 << digits));
        let (attempt, running) = match state {
            Step::Idle(before) => (before + 1, false),
            Step::Running(attempt) => (attempt, true),
            Step::Succeeded(attempt) if self.random.u32(..20) == 0 => {
                self.items[number as usize].steps[which].1 = Step::Idle(attempt);
                return Some(EventKind::StepRemade { step });
            }
            Step::Ended(..) | Step::Succeeded(_) => return None,
        };
        let error = Arc::new(self.error());
        let (next, event) = match self.random.u32(..20) {
            0..4 if !running => (Step::Running(attempt), EventKind::StepStarted { step, attempt }),
            0..2 => {
                let due = self.at + Duration::from_micros(self.random.u64(..1 << 40));
                let event = EventKind::AttemptFailed { step, attempt, started, took, error, due };
                (Step::Idle(attempt), event)
            }
            2..5 => {
                let left_behind = self.random.bool();
                let event = EventKind::StepFailed { step, attempt, started, took, error, left_behind };
                (Step::Ended(attempt, StepState::Failed), event)
            }
            5 => return self.not_run(number, which),
            6 => (Step::Succeeded(1), EventKind::StepReused { step, record: self.record(data) }),
            _ => {
                let record = self.record(data);
                let outputs = None;
                let event = EventKind::StepSucceeded { step, attempt, started, took, outputs, record };
                (Step::Succeeded(attempt), event)
            }
        };
        self.items[number as usize].steps[which].1 = next;
        Some(event)
    }

    fn not_run(&mut self, number: u32, which: usize) -> Option<EventKind> {
        let item = &mut self.items[number as usize];
        let (node, state) = &mut item.steps[which];
        let (Step::Idle(attempt) | Step::Running(attempt)) = *state else { return None };
        let states = [StepState::Cancelled, StepState::Skipped, StepState::UpstreamFailed];
        let how = states[self.random.usize(..3)];
        *state = Step::Ended(attempt, how);
        let step = StepRef { node: *node, path: item.path.clone() };
        let cause = StepRef { node: ROOT_OP, path: Path::root() };
        Some(EventKind::StepNotRun { step, state: how, cause: self.random.bool().then_some(cause) })
    }

    fn error(&mut self) -> OpError {
        match self.random.u32(..4) {
            0 => OpError::of_kind(ErrorKind::Panic, "it panicked: \"no\", at jobs.rs:7:3"),
            1 => OpError::retry_after(Duration::from_millis(1_500), "too many"),
            2 => OpError::from_error(&std::io::Error::other("the disk is full")),
            _ => OpError::new(format_args!("line {}\n\u{1b}[2J é", self.random.u8(..))),
        }
    }
}

/// An event as text, with times as they are recorded and spans as their bytes: two that are the same
/// event have the same text.
pub(crate) fn shown(batch: &Batch, event: &Event) -> String {
    let mut event = event.clone();
    let micros = |time: &mut Duration| *time = Duration::from_micros(time.as_micros() as u64);
    micros(&mut event.at);
    let at = event.at;
    let bytes = match &mut event.kind {
        EventKind::StepSucceeded { record, .. }
        | EventKind::StepReused { record, .. }
        | EventKind::ItemYielded { record, .. } => batch.data(std::mem::take(record)).to_vec(),
        _ => Vec::new(),
    };
    match &mut event.kind {
        EventKind::AttemptFailed { started, due, .. } => {
            micros(started);
            micros(due);
        }
        EventKind::StepSucceeded { started, .. } | EventKind::StepFailed { started, .. } => micros(started),
        _ => {}
    }
    format!("{at:?} {:?} {bytes:?}", event.kind)
}
