//! A store that lives as long as its process: for tests, and for runs that nobody wants recorded.
//!
//! It keeps the same rules as the others. A holder is the [`Drive`] itself: dropped, it is gone.

mod drive;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::drive::MemoryDrive;
use super::standstill::{self, Pulse, Watched};
use super::{
    Commit, CommitHead, Drive, Finding, Hash, LogFilter, LogRow, NewRun, RunFilter, RunRow, STANDSTILL,
    Standing, Store, StoreError, seal,
};
use crate::event::RunState;

/// What messages call it.
const NAME: &str = "memory";

/// Runs kept in memory.
#[derive(Clone)]
pub struct MemoryStore {
    shelf: Arc<Mutex<Shelf>>,
    standstill: Duration,
}

/// All that is kept.
#[derive(Default)]
struct Shelf {
    runs: BTreeMap<u64, Kept>,
    numbers: HashMap<String, u64>,
    last: u64,
    /// How often anything was changed.
    changes: u64,
}

/// One run.
struct Kept {
    row: RunRow,
    state: Option<RunState>,
    epoch: u64,
    hash: Hash,
    commits: Vec<Commit>,
    logs: Vec<LogRow>,
    lines: u64,
    summary: Option<(u64, Vec<u8>)>,
    blobs: HashMap<Hash, Vec<u8>>,
    request: Option<String>,
    holder: Option<Arc<Hold>>,
    left: Vec<Vec<u8>>,
}

/// What a holder says about itself.
#[derive(Default)]
struct Hold {
    beats: AtomicU64,
    in_hand: Mutex<Vec<Vec<u8>>>,
    dead: AtomicBool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { shelf: Arc::default(), standstill: STANDSTILL }
    }

    /// With another time after which a holder that does not move can be taken over: for tests.
    #[doc(hidden)]
    pub fn with_standstill(mut self, standstill: Duration) -> Self {
        self.standstill = standstill;
        self
    }

    /// Lets every holder die, as if the process were killed: nothing that they say counts any more.
    #[doc(hidden)]
    pub fn kill_holders(&self) {
        for kept in self.shelf().runs.values_mut() {
            if let Some(hold) = kept.holder.take() {
                hold.dead.store(true, Relaxed);
                kept.left = lock(&hold.in_hand).clone();
            }
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.shelf)
    }

    /// Whether the holder of a run that is held stands still; looks for as long as that takes.
    fn await_standstill(&self, run: &str) -> Result<Watched, StoreError> {
        standstill::watch(self.standstill, || {
            let shelf = self.shelf();
            let holder = &shelf.kept(run)?.holder;
            Ok(holder.as_ref().map_or(Pulse::Gone, |hold| Pulse::Beats(hold.beats.load(Relaxed))))
        })
    }

    fn take(&self, run: &str, from: Option<u64>) -> Result<Arc<dyn Drive>, StoreError> {
        let mut shelf = self.shelf();
        let kept = shelf.kept_mut(run)?;
        if let Some(hold) = kept.holder.take_if(|hold| Some(hold.beats.load(Relaxed)) == from) {
            kept.left = lock(&hold.in_hand).clone();
        }
        if kept.holder.is_some() {
            return Err(StoreError::Held { run: run.to_owned(), holder: kept.row.holder.clone() });
        }
        kept.epoch += 1;
        kept.request = None;
        Ok(self.held(kept))
    }

    /// Gives the right to a run whose epoch was raised.
    fn held(&self, kept: &mut Kept) -> Arc<dyn Drive> {
        let hold = Arc::new(Hold::default());
        kept.holder = Some(hold.clone());
        kept.row.holder = format!("taking {} in process {}", kept.epoch, std::process::id());
        let mut left = std::mem::take(&mut kept.left);
        while left.pop_if(|steps| steps.is_empty()).is_some() {}
        Arc::new(MemoryDrive::new(self.shelf.clone(), kept, hold, left))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl Shelf {
    fn kept(&self, run: &str) -> Result<&Kept, StoreError> {
        let number = self.numbers.get(run).ok_or_else(|| no_run(run))?;
        self.runs.get(number).ok_or_else(|| no_run(run))
    }

    /// A run that is about to be changed.
    fn kept_mut(&mut self, run: &str) -> Result<&mut Kept, StoreError> {
        self.changes += 1;
        let number = self.numbers.get(run).ok_or_else(|| no_run(run))?;
        self.runs.get_mut(number).ok_or_else(|| no_run(run))
    }
}

impl Kept {
    fn new(number: u64, mut run: NewRun) -> Self {
        run.tags.sort();
        run.tags.dedup();
        let row = RunRow {
            id: run.id,
            number,
            job: run.job,
            started: run.started,
            changed: run.started,
            standing: Standing::Interrupted,
            parent: run.parent,
            facts: run.facts,
            tags: run.tags,
            counts: String::new(),
            head: 0,
            holder: String::new(),
        };
        Self {
            row,
            state: None,
            epoch: 1,
            hash: [0; 32],
            commits: Vec::new(),
            logs: Vec::new(),
            lines: 0,
            summary: None,
            blobs: HashMap::new(),
            request: None,
            holder: None,
            left: Vec::new(),
        }
    }

    fn row(&self) -> RunRow {
        let standing = match (self.state, &self.holder) {
            (Some(state), _) => Standing::Ended(state),
            (None, Some(_)) => Standing::Running,
            (None, None) => Standing::Interrupted,
        };
        RunRow { standing, ..self.row.clone() }
    }
}

impl Store for MemoryStore {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn create(&self, run: NewRun) -> Result<Arc<dyn Drive>, StoreError> {
        super::check_id(NAME, &run.id)?;
        let mut shelf = self.shelf();
        if shelf.numbers.contains_key(&run.id) {
            return Err(super::taken(NAME, &run.id));
        }
        shelf.last += 1;
        shelf.changes += 1;
        let number = shelf.last;
        shelf.numbers.insert(run.id.clone(), number);
        let mut kept = Kept::new(number, run);
        let drive = self.held(&mut kept);
        shelf.runs.insert(number, kept);
        Ok(drive)
    }

    fn drive(&self, run: &str, take_over: bool) -> Result<Arc<dyn Drive>, StoreError> {
        let still = match take_over.then(|| self.await_standstill(run)).transpose()? {
            Some(Watched::Still(beat)) => Some(beat),
            _ => None,
        };
        self.take(run, still)
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        let shelf = self.shelf();
        let rows = shelf.runs.values().rev().map(Kept::row).filter(|row| filter.admits(row));
        Ok(rows.take(filter.at_most()).collect())
    }

    fn ids(&self, prefix: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let shelf = self.shelf();
        let ids = shelf.runs.values().rev().map(|kept| &kept.row.id);
        Ok(ids.filter(|id| id.starts_with(prefix)).take(limit).cloned().collect())
    }

    fn run(&self, id: &str) -> Result<RunRow, StoreError> {
        Ok(self.shelf().kept(id)?.row())
    }

    fn heads(&self, run: &str, after: u64) -> Result<Vec<CommitHead>, StoreError> {
        let shelf = self.shelf();
        let commits = shelf.kept(run)?.commits.iter().map(|commit| commit.head);
        Ok(commits.filter(|head| head.seq > after).collect())
    }

    fn commits(&self, run: &str, after: u64, limit: usize) -> Result<Vec<Commit>, StoreError> {
        let shelf = self.shelf();
        let commits = shelf.kept(run)?.commits.iter();
        Ok(commits.filter(|commit| commit.head.seq > after).take(limit).cloned().collect())
    }

    fn summary(&self, run: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        Ok(self.shelf().kept(run)?.summary.clone())
    }

    fn logs(
        &self,
        run: &str,
        filter: &LogFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        let shelf = self.shelf();
        let lines = shelf.kept(run)?.logs.iter().filter(|line| line.number > after && filter.admits(line));
        Ok(lines.take(limit).cloned().collect())
    }

    fn last_logs(
        &self,
        run: &str,
        filter: &LogFilter,
        before: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        let shelf = self.shelf();
        let lines = shelf.kept(run)?.logs.iter().rev();
        let lines = lines.filter(|line| line.number < before && filter.admits(line));
        Ok(lines.take(limit).cloned().collect())
    }

    fn count_logs(&self, run: &str, filter: &LogFilter) -> Result<u64, StoreError> {
        let shelf = self.shelf();
        Ok(shelf.kept(run)?.logs.iter().filter(|line| filter.admits(line)).count() as u64)
    }

    fn blob(&self, run: &str, hash: &Hash) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::Damaged {
            store: NAME.to_owned(),
            what: format!("the large value {} of run {run} is missing", seal::hex(hash)),
        };
        self.shelf().kept(run)?.blobs.get(hash).cloned().ok_or_else(missing)
    }

    fn version(&self) -> Result<u64, StoreError> {
        Ok(self.shelf().changes)
    }

    fn request_cancel(&self, run: &str, reason: &str) -> Result<(), StoreError> {
        self.shelf().kept_mut(run)?.request.get_or_insert_with(|| reason.to_owned());
        Ok(())
    }

    fn remove(&self, run: &str, logs_only: bool) -> Result<(), StoreError> {
        let mut shelf = self.shelf();
        let kept = shelf.kept_mut(run)?;
        if kept.holder.is_some() {
            return Err(StoreError::Held { run: run.to_owned(), holder: kept.row.holder.clone() });
        }
        if logs_only {
            kept.logs.clear();
            return Ok(());
        }
        let number = kept.row.number;
        shelf.numbers.remove(run);
        shelf.runs.remove(&number);
        Ok(())
    }

    fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        let text = format!("{} runs, gone when this process ends", self.shelf().runs.len());
        Ok(vec![Finding { good: true, what: "store".to_owned(), text }])
    }
}

fn no_run(run: &str) -> StoreError {
    StoreError::NoRun { run: run.to_owned(), store: NAME.to_owned() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
