//! Which attempts run, and which steps wait for their next: bounded by what is in flight.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::time::Duration;

use super::NodeSummary;
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

#[derive(Debug, Clone, Default)]
pub(super) struct Attempts(HashMap<Open, Standing, BuildHasherDefault<Mix>>);

#[derive(Debug, Clone)]
struct Open(StepRef);

#[derive(Debug, Clone, Copy)]
enum Standing {
    Running { attempt: u32, started: Duration },
    Retrying,
}

impl Attempts {
    pub(super) fn start(&mut self, node: &mut NodeSummary, step: &StepRef, attempt: u32, started: Duration) {
        node.running += 1;
        self.set(node, step, Some(Standing::Running { attempt, started }));
    }

    pub(super) fn wait(&mut self, node: &mut NodeSummary, step: &StepRef) {
        node.retrying += 1;
        self.set(node, step, Some(Standing::Retrying));
    }

    pub(super) fn end(&mut self, node: &mut NodeSummary, step: &StepRef) {
        self.set(node, step, None);
    }

    /// Puts `standing` in the place of what the step's was.
    fn set(&mut self, node: &mut NodeSummary, step: &StepRef, standing: Option<Standing>) {
        let before = match standing {
            Some(standing) => {
                node.open += 1;
                self.0.insert(Open(step.clone()), standing)
            }
            None => self.0.remove(&Open(step.clone())),
        };
        match before {
            Some(Standing::Running { .. }) => node.running -= 1,
            Some(Standing::Retrying) => node.retrying -= 1,
            None => return,
        }
        node.open -= 1;
    }

    /// The steps of an item, or below it, by keys alone.
    pub(super) fn below(&self, item: &Path) -> Vec<StepRef> {
        let depth = item.depth();
        let keys = item.keys();
        let below = |open: &&Open| open.0.path.depth() >= depth && open.0.path.keys()[..depth] == keys;
        self.0.keys().filter(below).map(|open| open.0.clone()).collect()
    }

    pub(super) fn longest(&self, limit: usize) -> Vec<RunningStep> {
        let mut running: Vec<_> =
            self.0.iter().filter_map(|(open, standing)| open.running(standing)).collect();
        running.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.step.node.cmp(&b.step.node)));
        running.truncate(limit);
        running
    }
}

impl Open {
    fn running(&self, standing: &Standing) -> Option<RunningStep> {
        match *standing {
            Standing::Running { attempt, started } => {
                Some(RunningStep { step: self.0.clone(), attempt, started })
            }
            Standing::Retrying => None,
        }
    }

    /// The path and those around it, innermost first.
    fn paths(&self) -> impl Iterator<Item = &Path> {
        std::iter::successors(Some(&self.0.path), |path| path.outer())
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.0.node == other.0.node && self.paths().map(Path::key).eq(other.paths().map(Path::key))
    }
}

impl Eq for Open {}

/// By places in yield order, which one step never changes: cheaper than the text of keys.
impl Hash for Open {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.0.node.0);
        for index in self.paths().filter_map(Path::index) {
            state.write_u32(index);
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
