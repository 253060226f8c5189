//! The runs that were asked for last, decoded: the first answer about a run reads all of it, the next
//! only what came since.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::refused::Refused;
use crate::index::OpenRun;
use crate::store::Store;

/// How many bytes all of them may take; of the one that was asked for last it is not asked.
const ROOM: usize = 256 << 20;

/// Runs by their ids.
#[derive(Debug, Default)]
pub(crate) struct OpenRuns(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    runs: HashMap<String, Slot>,
    /// Counts the requests.
    clock: u64,
}

#[derive(Debug, Default)]
struct Slot {
    /// `None` until it is read: whoever asks meanwhile waits for it.
    run: Arc<Mutex<Option<OpenRun>>>,
    used: u64,
    room: usize,
}

impl OpenRuns {
    /// Answers from a run as it stands now. A run that is gone, or cannot be read, is forgotten.
    pub(crate) fn with<T>(
        &self,
        store: &Arc<dyn Store>,
        id: &str,
        answer: impl FnOnce(&mut OpenRun) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let slot = self.slot(id);
        // An answer that panicked says nothing of the run, but may have left it half done.
        let mut open = slot.lock().unwrap_or_else(|poisoned| {
            slot.clear_poison();
            let mut open = poisoned.into_inner();
            *open = None;
            open
        });
        let run = match open.take() {
            None => OpenRun::open(Arc::clone(store), id),
            Some(mut run) => run.refresh().map(|_| run),
        };
        let run = run.map_err(|error| {
            self.forget(id);
            Refused::from(error)
        })?;
        let run = open.insert(run);
        let answer = answer(run);
        self.make_room(id, run.room());
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, id: &str) -> Arc<Mutex<Option<OpenRun>>> {
        let mut open = self.lock();
        open.clock += 1;
        let now = open.clock;
        let slot = open.runs.entry(id.to_owned()).or_default();
        slot.used = now;
        Arc::clone(&slot.run)
    }

    fn forget(&self, id: &str) {
        self.lock().runs.remove(id);
    }

    /// Forgets those that were not asked for longest, until the others fit.
    fn make_room(&self, id: &str, room: usize) {
        let mut open = self.lock();
        if let Some(slot) = open.runs.get_mut(id) {
            slot.room = room;
        }
        while open.runs.values().map(|slot| slot.room).sum::<usize>() > ROOM {
            let others = open.runs.iter().filter(|(other, _)| *other != id);
            let Some(oldest) = others.min_by_key(|(_, slot)| slot.used).map(|(id, _)| id.clone()) else {
                return;
            };
            open.runs.remove(&oldest);
        }
    }
}
