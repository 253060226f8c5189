//! What is counted of one node, and of one scope.

use std::time::Duration;

use super::Durations;
use crate::event::StepState;
use crate::graph::ScopeId;

/// What happened at one node of a graph. The numbers that depend on the fan-outs around it are
/// asked of the [`Summary`](crate::Summary).
#[derive(Debug, Clone)]
pub struct NodeSummary {
    pub(super) scope: ScopeId,
    /// How many steps ended in each state.
    pub(super) ended: [u64; StepState::ALL.len()],
    pub(super) running: u64,
    pub(super) retrying: u64,
    /// How many attempts are running or waited for: while it is 0, no list need be searched.
    pub(super) open: u64,
    /// How many of those that succeeded were not run, but copied from another run.
    pub(super) reused: u64,
    pub(super) retries: u64,
    pub(super) retry_wait: Duration,
    pub(super) more_attempts: u64,
    pub(super) left_behind: u64,
    pub(super) durations: Durations,
    /// The scopes that its outputs open.
    pub(super) fans: Vec<(u16, ScopeId)>,
}

impl NodeSummary {
    /// What has not succeeded has no state any more: the run goes on after an end.
    pub(super) fn resume(&mut self) {
        let succeeded = self.ended[StepState::Succeeded as usize];
        self.ended = [0; StepState::ALL.len()];
        self.ended[StepState::Succeeded as usize] = succeeded;
        (self.running, self.retrying, self.open) = (0, 0, 0);
    }

    pub(super) const NOTHING: Self = Self::of(ScopeId::ROOT);

    pub(super) const fn of(scope: ScopeId) -> Self {
        Self {
            scope,
            ended: [0; StepState::ALL.len()],
            running: 0,
            retrying: 0,
            open: 0,
            reused: 0,
            retries: 0,
            retry_wait: Duration::ZERO,
            more_attempts: 0,
            left_behind: 0,
            durations: Durations::NONE,
            fans: Vec::new(),
        }
    }

    /// How many steps have ended, in whichever state.
    pub fn ended(&self) -> u64 {
        self.ended.iter().sum()
    }

    /// How many steps run now and were told to have started.
    pub fn running(&self) -> u64 {
        self.running
    }

    /// How many steps wait for their next attempt now.
    pub fn retrying(&self) -> u64 {
        self.retrying
    }

    /// How many of the steps that succeeded were not run: what they gave was copied from another run.
    pub fn reused(&self) -> u64 {
        self.reused.min(self.ended[StepState::Succeeded as usize])
    }

    /// How many attempts failed and were followed by another.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// How many steps ended after more than one attempt.
    pub fn more_than_one_attempt(&self) -> u64 {
        self.more_attempts
    }

    /// How long its steps waited for their next attempts, all together.
    pub fn retry_wait(&self) -> Duration {
        self.retry_wait
    }

    /// How many threads did not return by their deadline and were left behind.
    pub fn left_behind(&self) -> u64 {
        self.left_behind
    }

    /// How long its attempts took.
    pub fn durations(&self) -> &Durations {
        &self.durations
    }
}

/// How many instances of a scope there are.
#[derive(Debug, Clone)]
pub(super) struct ScopeSummary {
    pub(super) parent: Option<ScopeId>,
    pub(super) opened: u64,
    /// How many of the fan-outs that open them have closed.
    pub(super) closed: u64,
}

impl ScopeSummary {
    pub(super) fn new(parent: Option<ScopeId>) -> Self {
        Self { parent, opened: 0, closed: 0 }
    }
}
