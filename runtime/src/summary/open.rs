//! Which attempts run, and which steps wait for their next: bounded by what is in flight.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use super::NodeSummary;
use super::stored::{StoredAttempt, StoredStep, nanos, stored_step};
use crate::event::StepRef;
use crate::step::Path;

/// A step that runs now.
#[derive(Debug, Clone)]
pub struct RunningStep {
    /// The step.
    pub step: StepRef,
    /// Which attempt.
    pub attempt: u32,
    /// When it began: the time since the run began.
    pub started: Duration,
}

/// By node and item, as [`StepRef::numbers`] has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts(HashMap<(u32, u32), Open, BuildHasherDefault<Mix>>);

#[derive(Debug, Clone)]
struct Open {
    step: StepRef,
    standing: Standing,
}

#[derive(Debug, Clone, Copy)]
enum Standing {
    Running { attempt: u32, started: Duration },
    Retrying,
}

impl Attempts {
    pub(super) fn start(&mut self, node: &mut NodeSummary, step: &StepRef, attempt: u32, started: Duration) {
        node.running += 1;
        self.open(node, step, Standing::Running { attempt, started });
    }

    pub(super) fn wait(&mut self, node: &mut NodeSummary, step: &StepRef) {
        node.retrying += 1;
        self.open(node, step, Standing::Retrying);
    }

    pub(super) fn end(&mut self, node: &mut NodeSummary, step: &StepRef) {
        let before = self.0.remove(&step.numbers());
        close(node, before);
    }

    fn open(&mut self, node: &mut NodeSummary, step: &StepRef, standing: Standing) {
        node.open += 1;
        let before = self.0.insert(step.numbers(), Open { step: step.clone(), standing });
        close(node, before);
    }

    /// The steps of an item, or below it.
    pub(super) fn below(&self, item: &Path) -> Vec<StepRef> {
        let below = |open: &&Open| open.step.path.numbers().any(|number| number == item.number());
        self.0.values().filter(below).map(|open| open.step.clone()).collect()
    }

    pub(super) fn longest(&self, limit: usize) -> Vec<RunningStep> {
        let mut running: Vec<_> = self.0.values().filter_map(Open::running).collect();
        running.sort_by_key(|running| (running.started, running.step.numbers()));
        running.truncate(limit);
        running
    }

    /// What is open, in the order of nodes and items.
    pub(super) fn stored(&self) -> Vec<StoredAttempt> {
        let mut open: Vec<_> = self.0.values().collect();
        open.sort_by_key(|open| open.step.numbers());
        open.into_iter()
            .map(|open| {
                let running = open.running().map(|running| (running.attempt, nanos(running.started)));
                StoredAttempt(stored_step(&open.step), running)
            })
            .collect()
    }

    /// Opens what was stored, and counts it at its node; `None` if a step cannot be.
    pub(super) fn read(
        stored: Vec<StoredAttempt>,
        nodes: &mut [NodeSummary],
        step: impl Fn(&StoredStep) -> Option<StepRef>,
    ) -> Option<Self> {
        let mut attempts = Self::default();
        for StoredAttempt(stored, running) in stored {
            let step = step(&stored)?;
            let node = nodes.get_mut(step.node.index())?;
            match running {
                Some((attempt, started)) => {
                    attempts.start(node, &step, attempt, Duration::from_nanos(started));
                }
                None => attempts.wait(node, &step),
            }
        }
        Some(attempts)
    }
}

/// Counts off what was open.
fn close(node: &mut NodeSummary, before: Option<Open>) {
    match before.map(|open| open.standing) {
        Some(Standing::Running { .. }) => node.running -= 1,
        Some(Standing::Retrying) => node.retrying -= 1,
        None => return,
    }
    node.open -= 1;
}

impl Open {
    fn running(&self) -> Option<RunningStep> {
        match self.standing {
            Standing::Running { attempt, started } => {
                Some(RunningStep { step: self.step.clone(), attempt, started })
            }
            Standing::Retrying => None,
        }
    }
}

/// A hash of a few small numbers that no user chooses, so it need not resist anybody.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        let mixed = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 29);
    }
}
