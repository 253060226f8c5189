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
    /// When this process began with it.
    pub(crate) begun: Instant,
    /// How long it had gone on then.
    pub(crate) before: Duration,
    /// Where steps' logs go; `None` in a run that is not recorded.
    pub(crate) logs: Option<Arc<LogBuffer>>,
    progress: Mutex<ProgressTable>,
    /// What folds told that have not ended: each takes its items with many contexts.
    folds: Mutex<HashMap<(NodeId, u32), Arc<Told>>>,
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
        Self {
            run_id,
            resources,
            begun: Instant::now(),
            before: Duration::ZERO,
            logs: None,
            progress: Mutex::default(),
            folds: Mutex::default(),
        }
    }

    /// The time since the run began.
    pub(crate) fn now(&self) -> Duration {
        self.before + self.begun.elapsed()
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

    /// What a fold has told with its last context; it is taken.
    pub(super) fn fold_goes_on(&self, node: NodeId, item: u32) -> Option<Arc<Told>> {
        self.folds.lock().unwrap_or_else(PoisonError::into_inner).remove(&(node, item))
    }

    /// Keeps what a fold has told for its next context, where it is recorded.
    pub(super) fn fold_rests(&self, node: NodeId, item: u32, told: &Arc<Told>) {
        if self.logs.is_some() {
            let mut folds = self.folds.lock().unwrap_or_else(PoisonError::into_inner);
            folds.insert((node, item), Arc::clone(told));
        }
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

    #[test]
    fn a_fold_goes_on_with_what_it_told() {
        let mut run = RunContext::new("r".into(), Resources::new());
        run.logs = Some(Arc::default());
        let run = Arc::new(run);
        let context = || {
            let cancel = tokio_util::sync::CancellationToken::new();
            let node = (NodeId(1), "add".into());
            super::super::OpContext::new(Arc::clone(&run), node, crate::Path::root(), 1, cancel).going_on()
        };
        let first = context();
        first.metadata("items", 1);
        first.rest();
        let second = context();
        second.progress(2, 3);
        assert_eq!((second.notes().get("items"), second.notes().progress), (Some(&1.into()), Some((2, 3))));
        assert_eq!(context().notes(), crate::Notes::default(), "it ended");
    }
}
