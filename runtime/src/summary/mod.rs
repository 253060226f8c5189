//! The fold over events that every face reads: what happened in a run so far, counted.
//!
//! Terminal, `--json`, report and page all read this one fold, so they cannot disagree. It is fed
//! in the engine's hot path: an event that a step succeeded costs a few additions, and memory
//! follows the job and what is in flight, never the number of steps.

mod counts;
mod durations;
mod failures;
mod fold;
mod node;
mod open;
mod stored;
#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use durations::Durations;
pub use failures::{EXAMPLES, ErrorGroup, MAX_ERROR_GROUPS};
pub use node::NodeSummary;
pub use open::RunningStep;
pub use stored::StoredError;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::event::{Event, RunState, StepRef, StepState};
use crate::graph::{NodeId, ScopeId};
use crate::shape::Shape;

use failures::Failures;
use node::ScopeSummary;
use open::Attempts;

/// How many of the slowest steps a summary keeps: as many as fit under a table.
pub const SLOWEST: usize = 5;

/// What happened in a run so far, counted.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    run_id: Option<Arc<str>>,
    started: Option<SystemTime>,
    sessions: u32,
    resumed: Option<SystemTime>,
    args: Vec<(String, String)>,
    elapsed: Duration,
    cancelling: Option<String>,
    state: Option<RunState>,
    nodes: Vec<NodeSummary>,
    scopes: Vec<ScopeSummary>,
    attempts: Attempts,
    failures: Failures,
    slowest: Vec<SlowStep>,
}

/// A step that took long.
#[derive(Debug, Clone)]
pub struct SlowStep {
    /// The step.
    pub step: StepRef,
    /// How long its last attempt took.
    pub took: Duration,
}

impl Summary {
    /// Nothing has happened yet in the run of a job.
    pub fn new(shape: &Shape) -> Self {
        let mut summary = Self::default();
        summary.prepare(shape);
        summary
    }

    /// Takes the next events of the run of the job that the summary was made for.
    pub fn apply(&mut self, shape: &Shape, events: &[Event]) {
        for event in events {
            self.elapsed = self.elapsed.max(event.at);
            self.apply_one(shape, event);
        }
    }

    /// The run's id, once it began.
    pub fn run_id(&self) -> Option<&str> {
        self.run_id.as_deref()
    }

    /// When the run began.
    pub fn started(&self) -> Option<SystemTime> {
        self.started
    }

    /// How many times the run was begun or resumed.
    pub fn sessions(&self) -> u32 {
        self.sessions
    }

    /// When the run was last resumed, if it ever was.
    pub fn resumed(&self) -> Option<SystemTime> {
        self.resumed
    }

    /// The job's arguments: name, and value as text.
    pub fn args(&self) -> &[(String, String)] {
        &self.args
    }

    /// The time of the last event: the time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Why the run is being cancelled, if it is.
    pub fn cancelling(&self) -> Option<&str> {
        self.cancelling.as_deref()
    }

    /// How the run ended, if it has.
    pub fn state(&self) -> Option<RunState> {
        self.state
    }

    /// What happened at one node.
    pub fn node(&self, node: NodeId) -> &NodeSummary {
        static NOTHING: NodeSummary = NodeSummary::NOTHING;
        self.nodes.get(node.index()).unwrap_or(&NOTHING)
    }

    /// How many steps the node stands for, as far as is known: one for each item opened so far. When
    /// the run is over: those that ended.
    pub fn known(&self, node: NodeId) -> u64 {
        let node = self.node(node);
        let seen = node.ended() + node.running;
        if self.state.is_some() {
            return seen;
        }
        let opened = self.scopes.get(node.scope.index()).map_or(0, |scope| scope.opened);
        opened.max(seen)
    }

    /// Whether [`known`](Self::known) may still rise: a fan-out around the node has not closed.
    pub fn is_growing(&self, node: NodeId) -> bool {
        self.state.is_none() && !self.is_whole(self.node(node).scope)
    }

    /// How many steps of the node are in a state.
    pub fn count(&self, node: NodeId, state: StepState) -> u64 {
        let counts = self.node(node);
        match state {
            StepState::Waiting => self.known(node).saturating_sub(counts.ended() + counts.running),
            StepState::Running => counts.running,
            ended => counts.ended[ended as usize],
        }
    }

    /// How many items an emitter, or a zip, has given so far.
    pub fn items(&self, node: NodeId) -> u64 {
        self.node(node).fans.iter().map(|(_, scope)| self.scopes[scope.index()].opened).sum()
    }

    /// Whether the node opens fan-outs: an emitter, or a zip.
    pub fn gives_items(&self, node: NodeId) -> bool {
        !self.node(node).fans.is_empty()
    }

    /// Whether every step of the node has ended, and no other can come.
    pub fn is_done(&self, node: NodeId) -> bool {
        !self.is_growing(node) && self.node(node).ended() >= self.known(node)
    }

    /// How many steps of the whole run are in a state.
    pub fn total(&self, shape: &Shape, state: StepState) -> u64 {
        shape.steps().map(|node| self.count(node, state)).sum()
    }

    /// How many steps of the whole run were copied from another run.
    pub fn reused(&self, shape: &Shape) -> u64 {
        shape.steps().map(|node| self.node(node).reused()).sum()
    }

    /// How many steps of the whole run have ended.
    pub fn ended(&self, shape: &Shape) -> u64 {
        shape.steps().map(|node| self.node(node).ended()).sum()
    }

    /// How many steps the run has, as far as is known.
    pub fn known_total(&self, shape: &Shape) -> u64 {
        shape.steps().map(|node| self.known(node)).sum()
    }

    /// Whether the run may still get more steps.
    pub fn is_any_growing(&self, shape: &Shape) -> bool {
        shape.steps().any(|node| self.is_growing(node))
    }

    /// The slowest steps of the run, slowest first; at most [`SLOWEST`].
    pub fn slowest(&self) -> &[SlowStep] {
        &self.slowest
    }

    /// The failures, by op and by what their errors have in common, in the order in which the
    /// first of each came.
    pub fn errors(&self) -> &[ErrorGroup] {
        self.failures.groups()
    }

    /// How many failures came after [`MAX_ERROR_GROUPS`] groups were full, and fitted none.
    pub fn ungrouped_errors(&self) -> u64 {
        self.failures.ungrouped()
    }

    /// The steps that run now and whose start was told, longest first; at most `limit`.
    pub fn running(&self, limit: usize) -> Vec<RunningStep> {
        self.attempts.longest(limit)
    }

    /// Whether all instances of a scope are open: each fan-out that opens them has closed.
    fn is_whole(&self, scope: ScopeId) -> bool {
        let Some(here) = self.scopes.get(scope.index()) else { return false };
        let Some(parent) = here.parent else { return true };
        self.is_whole(parent) && here.closed >= self.scopes[parent.index()].opened
    }
}
