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
#[derive(Debug)]
pub(crate) struct OpenRuns {
    open: Mutex<Open>,
    /// How many bytes they may take.
    room: usize,
}

impl Default for OpenRuns {
    fn default() -> Self {
        Self { open: Mutex::default(), room: ROOM }
    }
}

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
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
        while open.runs.values().map(|slot| slot.room).sum::<usize>() > self.room {
            let others = open.runs.iter().filter(|(other, _)| *other != id);
            let Some(oldest) = others.min_by_key(|(_, slot)| slot.used).map(|(id, _)| id.clone()) else {
                return;
            };
            open.runs.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::recorded;
    use axum::http::StatusCode;

    fn known(runs: &OpenRuns) -> usize {
        runs.lock().runs.len()
    }

    #[test]
    fn a_run_is_read_once_and_forgotten_when_it_is_gone() {
        let (store, drive) = recorded(7, 3, 20);
        let runs = OpenRuns::default();
        let mut first = 0;
        for _ in 0..2 {
            let open = runs.with(&store, "7k2m", |run| Ok(std::ptr::from_ref(run.index()).addr())).unwrap();
            assert!(first == 0 || first == open);
            first = open;
        }
        assert_eq!(known(&runs), 1);
        drive.release();
        store.remove("7k2m", false).unwrap();
        let refused = runs.with(&store, "7k2m", |_| Ok(())).unwrap_err();
        assert_eq!((refused.status, known(&runs)), (StatusCode::NOT_FOUND, 0));
    }

    #[test]
    fn those_that_were_not_asked_for_longest_go_first() {
        let (one, _drive) = recorded(7, 3, 20);
        let (other, _other) = recorded(8, 3, 20);
        let runs = OpenRuns { room: 1, ..OpenRuns::default() };
        runs.with(&one, "7k2m", |_| Ok(())).unwrap();
        assert_eq!(known(&runs), 1, "the one that was asked for last stays");
        assert!(runs.with(&other, "7k2n", |_| Ok(())).is_err());
        assert_eq!(known(&runs), 1);
    }

    #[test]
    fn an_answer_that_panicked_spoils_no_other() {
        let (store, _drive) = recorded(7, 3, 20);
        let runs = OpenRuns::default();
        let panics = std::panic::AssertUnwindSafe(|| {
            runs.with(&store, "7k2m", |_| -> Result<(), Refused> { panic!("on purpose") })
        });
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(runs.with(&store, "7k2m", |run| Ok(run.seq())).unwrap(), 3);
    }
}
