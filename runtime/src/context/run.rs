//! What all steps of a run share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::Told;
use crate::graph::NodeId;
use crate::logs::LogBuffer;

/// The resources of a run, by type.
pub(crate) type Resources = HashMap<TypeId, Weak<dyn Any + Send + Sync>>;

/// What all steps of a run share.
#[derive(Debug)]
pub(crate) struct RunContext {
    pub(crate) run_id: String,
    pub(crate) resources: Resources,
    pub(crate) begun: Instant,
    /// Where steps' logs go; `None` in a run that is not recorded.
    pub(crate) logs: Option<Arc<LogBuffer>>,
    progress: Mutex<ProgressTable>,
}

/// The steps that told how far they are, by node and item.
#[derive(Debug, Default)]
struct ProgressTable {
    steps: HashMap<(NodeId, u32), Weak<Told>>,
    /// At how many those that have ended are taken out.
    full_at: usize,
}

impl RunContext {
    /// That of a run that begins now.
    pub(crate) fn new(run_id: String, resources: Resources) -> Self {
        Self { run_id, resources, begun: Instant::now(), logs: None, progress: Mutex::default() }
    }

    /// The time since the run began.
    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Enters a step that tells for the first time how far it is.
    pub(crate) fn has_progress(&self, node: NodeId, item: u32, told: &Arc<Told>) {
        let mut table = self.progress();
        if table.steps.len() >= table.full_at {
            table.steps.retain(|_, told| told.strong_count() > 0);
            table.full_at = (table.steps.len() * 2).max(64);
        }
        table.steps.insert((node, item), Arc::downgrade(told));
    }

    /// How much of a running step is done, and of how much (0 if that is not known); `None` if the step
    /// does not say, or does not run any more.
    pub(crate) fn progress_of(&self, node: NodeId, item: u32) -> Option<(u64, u64)> {
        let told = self.progress().steps.get(&(node, item))?.upgrade();
        told?.progress()
    }

    /// No code of the user's runs under the lock.
    fn progress(&self) -> MutexGuard<'_, ProgressTable> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_have_ended_say_no_progress_and_take_no_room() {
        let run = RunContext::new("r".into(), Resources::new());
        for item in 0..100_000 {
            let told = Arc::new(Told::default());
            told.set_progress(item.into(), 7);
            run.has_progress(NodeId(1), item, &told);
            assert_eq!(run.progress_of(NodeId(1), item), Some((item.into(), 7)));
            drop(told);
            assert_eq!(run.progress_of(NodeId(1), item), None);
        }
        assert!(run.progress().steps.len() <= 64);
    }
}
