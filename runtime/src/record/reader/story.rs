//! All that is recorded of one step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::blocks::At;
use super::{ReadError, Reader};
use crate::error::OpError;
use crate::event::{EventKind, StepRef, StepState};
use crate::graph::NodeId;
use crate::key::Key;
use crate::record::decode::event;
use crate::record::raw::{Raw, RawRecord, RawStep};
use crate::shape::Shape;
use crate::step::{Path, StepName};
#[cfg(feature = "cli")]
use crate::store::Standing;
use crate::store::{CommitHead, CommitIndex};

/// All that is recorded of a step.
#[derive(Debug, Clone)]
pub struct Told {
    /// The step.
    pub step: StepRef,
    /// How it stands; `None` if it has not begun, or must begin anew.
    pub state: Option<StepState>,
    /// What happened to it, in order.
    pub turns: Vec<(Duration, Turn)>,
    /// The step that failed and that it needed.
    pub cause: Option<StepRef>,
    /// What is recorded of what it gave; empty if nothing is.
    pub record: Vec<u8>,
}

impl Told {
    /// How the step stands in a run that stands so: one that ran when its process died runs no more.
    #[cfg(feature = "cli")]
    pub(crate) fn standing(&self, run: Standing) -> StepState {
        match self.state {
            Some(StepState::Running) if run != Standing::Running => StepState::Waiting,
            Some(state) => state,
            None => StepState::Waiting,
        }
    }
}

/// Something that happened to a step.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Turn {
    /// An attempt began, and what became of it is not recorded, or is yet to come.
    Started {
        /// Which.
        attempt: u32,
    },
    /// An attempt ended.
    Ended {
        /// Which.
        attempt: u32,
        /// When it began.
        started: Duration,
        /// How long it took.
        took: Duration,
        /// Why it failed; `None` if it succeeded.
        error: Option<Arc<OpError>>,
        /// When the next was due.
        due: Option<Duration>,
        /// Whether its thread did not return.
        left_behind: bool,
    },
    /// It ended without having run, or was stopped.
    NotRun {
        /// Skipped, upstream failed or cancelled.
        state: StepState,
    },
    /// What it gave was copied from the run that is run again.
    Reused,
    /// It had succeeded, and runs again: its value was never recorded.
    Remade,
    /// Its item was not given again, or with another value.
    Superseded,
    /// The run was resumed: if it had not succeeded, it begins anew.
    Resumed,
}

impl Reader {
    /// All that is recorded of a step; `None` if the run has none of that name.
    ///
    /// # Errors
    /// The run cannot be read.
    pub fn step(&self, name: &StepName) -> Result<Option<Told>, ReadError> {
        let Some(node) = self.shape.steps().find(|node| *self.shape.node(*node).name == *name.op()) else {
            return Ok(None);
        };
        let heads = self.heads()?;
        let mask = self.nodes_that_tell_of(node);
        let wanted =
            |head: &CommitHead| head.index.nodes & mask != 0 || head.index.states & CommitIndex::UNDONE != 0;
        let mut listener = Listener::new(&self.shape, node, name.keys());
        self.scan(&heads, wanted, |_, at| {
            listener.hear(&at);
            true
        })?;
        let Some(item) = listener.item else { return Ok(None) };
        let items = [item].into_iter().chain(listener.cause.map(|cause| cause.item));
        let paths = self.paths(&heads, items.collect())?;
        Ok(Some(Told {
            step: StepRef { node, path: paths.get(item) },
            state: listener.state,
            turns: listener.turns,
            cause: listener.cause.map(|cause| StepRef { node: cause.node, path: paths.get(cause.item) }),
            record: listener.record,
        }))
    }

    /// What commits that `wanted` admits tell of a step whose item is open, and counts. `path` gives the
    /// item of a number.
    ///
    /// # Errors
    /// They cannot be read.
    #[cfg(feature = "ui")]
    pub(crate) fn step_by(
        &self,
        step: StepRef,
        heads: &[CommitHead],
        wanted: impl Fn(&CommitHead) -> bool,
        path: impl Fn(u32) -> Path,
    ) -> Result<Told, ReadError> {
        let mut listener = Listener::of_item(step.node, step.path.number());
        self.scan(heads, wanted, |_, at| {
            listener.hear(&at);
            true
        })?;
        Ok(Told {
            step,
            state: listener.state,
            turns: listener.turns,
            cause: listener.cause.map(|cause| StepRef { node: cause.node, path: path(cause.item) }),
            record: listener.record,
        })
    }

    /// The nodes whose events a step's story is told by: itself, and what opens the items around it.
    fn nodes_that_tell_of(&self, node: NodeId) -> u64 {
        let around = self.shape.outwards(self.shape.node(node).scope);
        let openers = around.filter_map(|scope| self.shape.scope(scope).fan.map(|(node, _)| node));
        openers.chain([node]).fold(0, |mask, node| mask | 1 << (node.0 % 64))
    }
}

/// Follows the events of one step.
struct Listener<'a> {
    node: NodeId,
    /// The outputs that open the items around it: the same key may be given by others, too.
    fans: Vec<(NodeId, u16)>,
    keys: &'a [Key],
    /// The items whose keys are the first of the step's keys, and how many of them.
    prefixes: BTreeMap<u32, usize>,
    /// The step's item; `None` until it is opened.
    item: Option<u32>,
    state: Option<StepState>,
    turns: Vec<(Duration, Turn)>,
    cause: Option<RawStep>,
    record: Vec<u8>,
}

impl<'a> Listener<'a> {
    fn new(shape: &Shape, node: NodeId, keys: &'a [Key]) -> Self {
        let around = shape.outwards(shape.node(node).scope);
        Self {
            node,
            fans: around.filter_map(|scope| shape.scope(scope).fan).collect(),
            keys,
            prefixes: BTreeMap::from([(0, 0)]),
            item: keys.is_empty().then_some(0),
            state: None,
            turns: Vec::new(),
            cause: None,
            record: Vec::new(),
        }
    }

    /// Of a step whose item is known: no other item is looked for.
    #[cfg(feature = "ui")]
    fn of_item(node: NodeId, item: u32) -> Self {
        Self {
            node,
            fans: Vec::new(),
            keys: &[],
            prefixes: BTreeMap::new(),
            item: Some(item),
            state: None,
            turns: Vec::new(),
            cause: None,
            record: Vec::new(),
        }
    }

    fn hear(&mut self, at: &At<'_, '_>) {
        match &at.raw {
            Raw::ItemYielded { step, output, .. } if self.fans.contains(&(step.node, *output)) => {
                self.open(step.item, at);
            }
            Raw::ItemSuperseded { step, .. } => self.supersede(step.item, at),
            Raw::RunResumed { .. } if self.state.is_some_and(|state| state != StepState::Succeeded) => {
                self.undo(at, Turn::Resumed);
            }
            raw => {
                if let Some(step) = raw.step()
                    && step.node == self.node
                    && Some(step.item) == self.item
                    && let Some(turn) = Turn::of(&event(raw.clone(), 0, &|_| Path::root()))
                {
                    self.take(at, turn);
                }
            }
        }
    }

    fn open(&mut self, around: u32, at: &At<'_, '_>) {
        let Some(known) = self.prefixes.get(&around).copied() else { return };
        let parts = at.parts();
        let keys = self.keys.get(known..known + parts.len());
        if keys.is_some_and(|keys| keys.iter().eq(parts.iter().map(|(key, _)| key))) {
            let known = known + parts.len();
            self.prefixes.insert(at.items, known);
            if known == self.keys.len() {
                self.item = Some(at.items);
            }
        }
    }

    fn supersede(&mut self, item: u32, at: &At<'_, '_>) {
        // What lies below the item is left where it is: nothing more is said of it.
        if self.prefixes.remove(&item).is_some() && self.state.is_some() {
            self.undo(at, Turn::Superseded);
        }
    }

    fn undo(&mut self, at: &At<'_, '_>, turn: Turn) {
        self.turns.push((at.block.at(), turn));
        (self.state, self.cause) = (None, None);
        self.record.clear();
    }

    fn take(&mut self, at: &At<'_, '_>, turn: Turn) {
        // An attempt whose start is told apart is one turn with its end.
        if let (Turn::Ended { attempt, .. }, Some((_, Turn::Started { attempt: begun }))) =
            (&turn, self.turns.last())
            && attempt == begun
        {
            self.turns.pop();
        }
        (self.state, self.cause) = (Some(turn.state()), None);
        match &at.raw {
            Raw::StepSucceeded { record, .. } | Raw::StepReused { record, .. } => {
                self.record = bytes(record, at.bytes);
            }
            Raw::StepNotRun { cause, .. } => self.cause = *cause,
            _ => {}
        }
        self.turns.push((at.block.at(), turn));
    }
}

fn bytes(record: &RawRecord, block: &[u8]) -> Vec<u8> {
    let start = record.span.start as usize;
    block.get(start..start + record.span.len as usize).unwrap_or_default().to_vec()
}

impl Turn {
    /// What an event says of the step that it is about.
    pub(crate) fn of(kind: &EventKind) -> Option<Self> {
        Some(match kind {
            EventKind::StepStarted { attempt, .. } => Self::Started { attempt: *attempt },
            EventKind::StepSucceeded { attempt, started, took, .. } => Self::Ended {
                attempt: *attempt,
                started: *started,
                took: *took,
                error: None,
                due: None,
                left_behind: false,
            },
            EventKind::AttemptFailed { attempt, started, took, error, due, .. } => Self::Ended {
                attempt: *attempt,
                started: *started,
                took: *took,
                error: Some(Arc::clone(error)),
                due: Some(*due),
                left_behind: false,
            },
            EventKind::StepFailed { attempt, started, took, error, left_behind, .. } => Self::Ended {
                attempt: *attempt,
                started: *started,
                took: *took,
                error: Some(Arc::clone(error)),
                due: None,
                left_behind: *left_behind,
            },
            EventKind::StepNotRun { state, .. } => Self::NotRun { state: *state },
            EventKind::StepReused { .. } => Self::Reused,
            EventKind::StepRemade { .. } => Self::Remade,
            _ => return None,
        })
    }

    /// How the step stands after it.
    fn state(&self) -> StepState {
        match self {
            Self::Started { .. } => StepState::Running,
            Self::Ended { error: None, .. } | Self::Reused => StepState::Succeeded,
            Self::Ended { due: None, .. } => StepState::Failed,
            Self::NotRun { state } => *state,
            Self::Ended { .. } | Self::Remade | Self::Superseded | Self::Resumed => StepState::Waiting,
        }
    }
}
