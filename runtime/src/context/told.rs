//! What one attempt of a step has told of itself, shared by all clones of its context.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::notes::{Note, Noted, Notes};
use crate::logs::LogBudget;

/// What one attempt of a step has told of itself.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) log: LogBudget,
    has_progress: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    noted: Mutex<Noted>,
}

impl Told {
    /// So much is done; whether this is the first time that it says so.
    pub(crate) fn set_progress(&self, done: u64, total: u64) -> bool {
        // Read by people now and then: halves of two tellings do no harm.
        self.done.store(done, Relaxed);
        self.total.store(total, Relaxed);
        !self.has_progress.swap(true, Relaxed)
    }

    /// How much is done, and of how much.
    pub(crate) fn progress(&self) -> Option<(u64, u64)> {
        let has_progress = self.has_progress.load(Relaxed);
        has_progress.then(|| (self.done.load(Relaxed), self.total.load(Relaxed)))
    }

    pub(crate) fn add(&self, note: Note) {
        self.noted().add(note);
    }

    pub(crate) fn notes(&self) -> Notes {
        Notes { metadata: self.noted().notes(), progress: self.progress() }
    }

    /// No code of the user's runs under the lock.
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
