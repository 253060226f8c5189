//! Events given one by one.

use std::time::{Duration, SystemTime};

use super::super::samples::{FANS, shape};
use super::super::{Encoder, Illegal, Past, State};
use crate::event::{Batch, Event, EventKind, RunState, Span, StepRef, StepState};
use crate::graph::NodeId;
use crate::key::Key;
use crate::step::Path;

/// A run whose events are given one by one.
pub(super) struct Log {
    pub(super) state: State,
    pub(super) root: Path,
    pub(super) kinds: Vec<EventKind>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { state: State::new(&shape()), root: Path::root(), kinds: Vec::new() }
    }

    pub(super) fn begun() -> Self {
        let mut log = Self::new();
        log.takes(started());
        log
    }

    pub(super) fn next(&mut self, kind: EventKind) -> Result<(), Illegal> {
        self.state.next(&shape(), &Event { at: Duration::ZERO, kind })
    }

    pub(super) fn takes(&mut self, kind: EventKind) {
        self.kinds.push(kind.clone());
        self.next(kind).expect("the event is legal");
    }

    /// The event is refused, and changes nothing.
    pub(super) fn refuses(&mut self, kind: EventKind, why: &str) {
        let before = (self.state.items(), self.state.steps_ended(), self.state.is_ended());
        let illegal = self.next(kind).expect_err(why);
        assert_eq!(illegal.why, why, "{illegal}");
        assert_eq!(before, (self.state.items(), self.state.steps_ended(), self.state.is_ended()));
    }

    /// What is known after these events.
    pub(super) fn past(&self) -> Past {
        let at = |kind: &EventKind| Event { at: Duration::ZERO, kind: kind.clone() };
        let batch = Batch { events: self.kinds.iter().map(at).collect(), data: Vec::new() };
        let (shape, mut block) = (shape(), Vec::new());
        Encoder::new().encode(&shape, &batch, &mut block);
        let mut past = Past::new(&shape);
        past.take(block).expect("the events are legal");
        past
    }

    /// An item of one of the fan-outs in an item.
    pub(super) fn item(&mut self, fan: usize, around: &Path, key: &str) -> Path {
        let item = around.item(Key::new(key), 0, self.state.items() + 1);
        self.takes(yielded(fan, around, &item));
        item
    }
}

pub(super) fn started() -> EventKind {
    EventKind::RunStarted { run: "run".into(), started: SystemTime::UNIX_EPOCH, args: Vec::new() }
}

pub(super) fn resumed() -> EventKind {
    EventKind::RunResumed { resumed: SystemTime::UNIX_EPOCH, in_hand: Vec::new() }
}

pub(super) fn ended() -> EventKind {
    EventKind::RunEnded { state: RunState::Failed }
}

pub(super) fn step(node: NodeId, path: &Path) -> StepRef {
    StepRef { node, path: path.clone() }
}

pub(super) fn begins(node: NodeId, path: &Path) -> EventKind {
    EventKind::StepStarted { step: step(node, path), attempt: 1 }
}

pub(super) fn remade(node: NodeId, path: &Path) -> EventKind {
    EventKind::StepRemade { step: step(node, path) }
}

pub(super) fn succeeds(node: NodeId, path: &Path) -> EventKind {
    EventKind::StepSucceeded {
        step: step(node, path),
        attempt: 1,
        started: Duration::ZERO,
        took: Duration::ZERO,
        outputs: None,
        record: Span::default(),
    }
}

pub(super) fn fails(node: NodeId, path: &Path, again: bool) -> EventKind {
    let (step, attempt, started, took) = (step(node, path), 1, Duration::ZERO, Duration::ZERO);
    let error = std::sync::Arc::new(crate::OpError::new("no"));
    if again {
        EventKind::AttemptFailed { step, attempt, started, took, error, due: took }
    } else {
        EventKind::StepFailed { step, attempt, started, took, error, left_behind: false }
    }
}

pub(super) fn not_run(node: NodeId, path: &Path) -> EventKind {
    EventKind::StepNotRun { step: step(node, path), state: StepState::Skipped, cause: None }
}

pub(super) fn yielded(fan: usize, around: &Path, item: &Path) -> EventKind {
    let (node, output, _) = FANS[fan];
    EventKind::ItemYielded { step: step(node, around), output, item: item.clone(), record: Span::default() }
}

pub(super) fn closed(fan: usize, around: &Path) -> EventKind {
    let (node, output, _) = FANS[fan];
    EventKind::FanOutClosed { step: step(node, around), output, items: 0 }
}

pub(super) fn superseded(fan: usize, around: &Path, item: &Path) -> EventKind {
    let (node, output, _) = FANS[fan];
    EventKind::ItemSuperseded {
        step: step(node, around),
        output,
        item: item.clone(),
        ended: Vec::new(),
        below: vec![],
    }
}
