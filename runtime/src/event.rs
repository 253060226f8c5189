//! What happens in a run: the one vocabulary between engine, record, terminal and `--json`.
//!
//! Events come in the order in which the engine applied them. Each step that the graph called for
//! ends in exactly one of [`StepSucceeded`](EventKind::StepSucceeded),
//! [`StepFailed`](EventKind::StepFailed) and [`StepNotRun`](EventKind::StepNotRun).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::define::Outputs;
use crate::error::OpError;
use crate::graph::{NodeId, ScopeId};
use crate::shape::Shape;
use crate::step::{Path, StepName};

/// The version of this vocabulary, as `--json` prints it. It rises when a kind or a field changes
/// its meaning or goes away; new kinds and fields do not raise it.
pub const EVENT_VERSION: u32 = 1;

/// Events in order, with the recorded form of what they carry.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// What happened.
    pub events: Vec<Event>,
    /// What the [`Span`]s of the events lie in; empty where nothing is recorded.
    pub data: Vec<u8>,
}

impl Batch {
    /// The bytes of a span of one of the events.
    pub fn data(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        &self.data[start..start + span.len as usize]
    }
}

/// A piece of the data of a [`Batch`]; empty where nothing is recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: u32,
    /// How many bytes it has.
    pub len: u32,
}

impl Span {
    /// The same piece in data that has `start` bytes before it.
    pub fn after(self, start: u32) -> Self {
        Self { start: self.start + start, ..self }
    }
}

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub struct Event {
    /// When: the time since the run began.
    pub at: Duration,
    /// What.
    pub kind: EventKind,
}

/// What lay below an item in one of the scopes inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Below {
    /// The scope.
    pub scope: ScopeId,
    /// How many items of it were yielded.
    pub items: u64,
    /// How many fan-outs that open items of it have closed since the run began or was resumed.
    pub closed: u64,
}

/// A step: a node of the graph, and the items around it.
#[derive(Debug, Clone)]
pub struct StepRef {
    /// The node.
    pub node: NodeId,
    /// The items.
    pub path: Path,
}

impl StepRef {
    /// The step's name.
    pub fn name(&self, shape: &Shape) -> StepName {
        StepName::new(&*shape.node(self.node).name, &self.path)
    }

    /// The step in numbers: its node, and its item in the run. They never change.
    pub(crate) fn numbers(&self) -> (u32, u32) {
        (self.node.0, self.path.number())
    }
}

/// What can happen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EventKind {
    /// The run began.
    RunStarted {
        /// The run's id.
        run: Arc<str>,
        /// The time of day.
        started: SystemTime,
        /// The job's arguments: name, and value as text.
        args: Vec<(String, String)>,
    },
    /// The run goes on after it ended, or after the process that drove it died. Steps that had not
    /// succeeded have no state any more, and fan-outs are closed anew.
    RunResumed {
        /// The time of day.
        resumed: SystemTime,
        /// The steps that were in hand when the process before died; none if it ended by itself.
        in_hand: Vec<StepRef>,
    },
    /// A worker began an attempt of a step. Short steps that run in one batch have no such event;
    /// their end tells when they began.
    StepStarted {
        /// The step.
        step: StepRef,
        /// Which attempt; 1 is the first.
        attempt: u32,
    },
    /// A step ended with a value.
    StepSucceeded {
        /// The step.
        step: StepRef,
        /// Which attempt succeeded.
        attempt: u32,
        /// When this attempt began.
        started: Duration,
        /// How long it took: for an emitter, all its polls together.
        took: Duration,
        /// What it gave; `None` where nobody asked to keep values.
        outputs: Option<Outputs>,
        /// What is recorded of it: its outputs, metadata and progress.
        record: Span,
    },
    /// A step that had succeeded runs again, as its value was never recorded and is needed.
    StepRemade {
        /// The step.
        step: StepRef,
    },
    /// A step of a rerun was not run: what it gave was copied from the run that is run again.
    StepReused {
        /// The step.
        step: StepRef,
        /// What is recorded of it.
        record: Span,
    },
    /// An attempt failed, and another will follow.
    AttemptFailed {
        /// The step.
        step: StepRef,
        /// Which attempt.
        attempt: u32,
        /// When it began.
        started: Duration,
        /// How long it took.
        took: Duration,
        /// Why.
        error: Arc<OpError>,
        /// When the next attempt is due: the time since the run began.
        due: Duration,
    },
    /// A step ended without a value: its last attempt failed.
    StepFailed {
        /// The step.
        step: StepRef,
        /// How many attempts were made.
        attempt: u32,
        /// When the last began.
        started: Duration,
        /// How long it took.
        took: Duration,
        /// Why.
        error: Arc<OpError>,
        /// Whether its thread did not return and was left behind.
        left_behind: bool,
    },
    /// A step ended without having run, or was stopped.
    StepNotRun {
        /// The step.
        step: StepRef,
        /// Skipped, upstream failed or cancelled.
        state: StepState,
        /// For upstream failed: a step that failed and that it needed.
        cause: Option<StepRef>,
    },
    /// An emitter gave an item; its copies may start.
    ItemYielded {
        /// The emitter, or the zip.
        step: StepRef,
        /// Which of its outputs.
        output: u16,
        /// The item: its innermost key is the mapping key.
        item: Path,
        /// What is recorded of its value.
        record: Span,
    },
    /// A fan-out has all its items.
    FanOutClosed {
        /// The emitter, or the zip.
        step: StepRef,
        /// Which of its outputs.
        output: u16,
        /// How many items there are.
        items: u64,
    },
    /// Another attempt of an emitter gave an item again, with the same value and at another place.
    ItemMoved {
        /// The emitter.
        step: StepRef,
        /// Which of its outputs.
        output: u16,
        /// The item.
        item: Path,
        /// Its place in yield order now; 0 is the first.
        index: u32,
    },
    /// An item of an earlier attempt was not given again, or with another value: it and all below
    /// it no longer count.
    ItemSuperseded {
        /// The emitter.
        step: StepRef,
        /// Which of its outputs.
        output: u16,
        /// The item.
        item: Path,
        /// The steps of the item, and below it, that had ended: their states no longer count.
        ended: Vec<(NodeId, StepState)>,
        /// What lay below the item, by scope: neither items nor closings count any more.
        below: Vec<Below>,
    },
    /// No new step starts from here on, and running ones were told to stop.
    RunCancelling {
        /// Why: who asked for it, or what went wrong.
        reason: String,
    },
    /// The run ended; nothing follows.
    RunEnded {
        /// How.
        state: RunState,
    },
}

impl EventKind {
    /// The name of the kind, as `--json` has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run_started",
            Self::RunResumed { .. } => "run_resumed",
            Self::StepReused { .. } => "step_reused",
            Self::StepRemade { .. } => "step_remade",
            Self::StepStarted { .. } => "step_started",
            Self::StepSucceeded { .. } => "step_succeeded",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::StepFailed { .. } => "step_failed",
            Self::StepNotRun { .. } => "step_not_run",
            Self::ItemYielded { .. } => "item_yielded",
            Self::FanOutClosed { .. } => "fan_out_closed",
            Self::ItemMoved { .. } => "item_moved",
            Self::ItemSuperseded { .. } => "item_superseded",
            Self::RunCancelling { .. } => "run_cancelling",
            Self::RunEnded { .. } => "run_ended",
        }
    }

    /// The step that it is about, if it is about one.
    #[cfg(feature = "ui")]
    pub(crate) fn step(&self) -> Option<&StepRef> {
        match self {
            Self::StepStarted { step, .. }
            | Self::StepSucceeded { step, .. }
            | Self::StepRemade { step }
            | Self::StepReused { step, .. }
            | Self::AttemptFailed { step, .. }
            | Self::StepFailed { step, .. }
            | Self::StepNotRun { step, .. }
            | Self::ItemYielded { step, .. }
            | Self::FanOutClosed { step, .. }
            | Self::ItemMoved { step, .. }
            | Self::ItemSuperseded { step, .. } => Some(step),
            Self::RunStarted { .. }
            | Self::RunResumed { .. }
            | Self::RunCancelling { .. }
            | Self::RunEnded { .. } => None,
        }
    }
}

/// How a step stands, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It waits for its inputs, for a worker, for a limit or for its next attempt.
    Waiting,
    /// It runs.
    Running,
    /// It gave its value.
    Succeeded,
    /// Its last attempt failed.
    Failed,
    /// Something that it needs gave nothing.
    Skipped,
    /// Something that it needs failed.
    UpstreamFailed,
    /// The run was cancelled, or stopped at the first failure, before it could end.
    Cancelled,
}

impl StepState {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Succeeded,
        Self::Failed,
        Self::UpstreamFailed,
        Self::Skipped,
        Self::Cancelled,
        Self::Running,
        Self::Waiting,
    ];

    /// The state's name in data: `upstream_failed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::UpstreamFailed => "upstream_failed",
            other => other.words(),
        }
    }

    /// The state in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::UpstreamFailed => "upstream failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// No step failed, but for failures that a `collect_results` took.
    Succeeded,
    /// A step failed.
    Failed,
    /// It was stopped before its end.
    Cancelled,
}
