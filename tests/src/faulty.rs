//! A store that fails at a write that was chosen, as a disk does, or as a process dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use fanfold::store::{
    Commit, CommitHead, Drive, Finding, Hash, LogFilter, LogRow, NewCommit, NewRun, RunFilter, RunRow, Store,
    StoreError,
};

/// What happens at the write that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails, with nothing written.
    Error,
    /// It and all later writes fail, with nothing written: a disk that is full.
    ErrorFromThenOn,
    /// The process dies before it: nothing is written, and nothing is answered any more.
    DiesBefore,
    /// The process dies after it: it is written, and nobody was told.
    DiesAfter,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Error, Self::ErrorFromThenOn, Self::DiesBefore, Self::DiesAfter];
}

/// A store with a fault.
///
/// Writes are `create`, `drive`, `append`, `put_blob`, `request_cancel` and `remove`, counted together.
#[derive(Debug)]
pub struct FaultyStore {
    store: Arc<dyn Store>,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Plan {
    at: u64,
    fault: Fault,
    writes: AtomicU64,
    dead: AtomicBool,
    after_error: AtomicU64,
}

impl FaultyStore {
    /// Lets the write number `at` fail; 1 is the first, 0 none.
    pub fn new(store: Arc<dyn Store>, at: u64, fault: Fault) -> Self {
        let plan = Plan { at, fault, writes: 0.into(), dead: false.into(), after_error: 0.into() };
        Self { store, plan: Arc::new(plan) }
    }

    /// How many writes there were.
    pub fn writes(&self) -> u64 {
        self.plan.writes.load(SeqCst)
    }

    /// Whether the fault was met.
    pub fn was_met(&self) -> bool {
        self.plan.at != 0 && self.writes() >= self.plan.at
    }

    /// How often somebody tried to write with a right to drive that an error had made worthless.
    pub fn tries_after_error(&self) -> u64 {
        self.plan.after_error.load(SeqCst)
    }
}

impl Plan {
    /// A write that may fail.
    fn write<T>(&self, write: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.alive()?;
        let number = self.writes.fetch_add(1, SeqCst) + 1;
        let (at, from) = (number == self.at, self.at != 0 && number >= self.at);
        match self.fault {
            Fault::Error if at => Err(failed("the disk failed")),
            Fault::ErrorFromThenOn if from => Err(failed("the disk is full")),
            Fault::DiesBefore if at => self.die(),
            Fault::DiesAfter if at => write().and_then(|_| self.die()),
            _ => write(),
        }
    }

    fn die<T>(&self) -> Result<T, StoreError> {
        self.dead.store(true, SeqCst);
        Err(failed("the process is dead"))
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.dead.load(SeqCst) { self.die() } else { Ok(()) }
    }

    fn drive(self: &Arc<Self>, drive: Arc<dyn Drive>) -> Arc<dyn Drive> {
        Arc::new(FaultyDrive { drive, plan: self.clone(), spoilt: AtomicBool::new(false) })
    }
}

fn failed(what: &str) -> StoreError {
    StoreError::Failed { store: "faulty".to_owned(), what: what.to_owned() }
}

impl Store for FaultyStore {
    fn name(&self) -> String {
        self.store.name()
    }

    fn create(&self, run: NewRun) -> Result<Arc<dyn Drive>, StoreError> {
        Ok(self.plan.drive(self.plan.write(|| self.store.create(run))?))
    }

    fn drive(&self, run: &str, take_over: bool) -> Result<Arc<dyn Drive>, StoreError> {
        Ok(self.plan.drive(self.plan.write(|| self.store.drive(run, take_over))?))
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        self.plan.alive()?;
        self.store.runs(filter)
    }

    fn ids(&self, prefix: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.plan.alive()?;
        self.store.ids(prefix, limit)
    }

    fn run(&self, id: &str) -> Result<RunRow, StoreError> {
        self.plan.alive()?;
        self.store.run(id)
    }

    fn heads(&self, run: &str, after: u64) -> Result<Vec<CommitHead>, StoreError> {
        self.plan.alive()?;
        self.store.heads(run, after)
    }

    fn commits(&self, run: &str, after: u64, limit: usize) -> Result<Vec<Commit>, StoreError> {
        self.plan.alive()?;
        self.store.commits(run, after, limit)
    }

    fn summary(&self, run: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.plan.alive()?;
        self.store.summary(run)
    }

    fn logs(
        &self,
        run: &str,
        filter: &LogFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        self.plan.alive()?;
        self.store.logs(run, filter, after, limit)
    }

    fn last_logs(
        &self,
        run: &str,
        filter: &LogFilter,
        before: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        self.plan.alive()?;
        self.store.last_logs(run, filter, before, limit)
    }

    fn count_logs(&self, run: &str, filter: &LogFilter) -> Result<u64, StoreError> {
        self.plan.alive()?;
        self.store.count_logs(run, filter)
    }

    fn blob(&self, run: &str, hash: &Hash) -> Result<Vec<u8>, StoreError> {
        self.plan.alive()?;
        self.store.blob(run, hash)
    }

    fn version(&self) -> Result<u64, StoreError> {
        self.plan.alive()?;
        self.store.version()
    }

    fn request_cancel(&self, run: &str, reason: &str) -> Result<(), StoreError> {
        self.plan.write(|| self.store.request_cancel(run, reason))
    }

    fn remove(&self, run: &str, logs_only: bool) -> Result<(), StoreError> {
        self.plan.write(|| self.store.remove(run, logs_only))
    }

    fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        self.plan.alive()?;
        self.store.examine()
    }
}

#[derive(Debug)]
struct FaultyDrive {
    drive: Arc<dyn Drive>,
    plan: Arc<Plan>,
    /// After an error the right is worth nothing, as of any store.
    spoilt: AtomicBool,
}

impl FaultyDrive {
    fn write<T>(&self, write: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.spoilt.load(SeqCst) {
            self.plan.after_error.fetch_add(1, SeqCst);
            return Err(failed("the right is worth nothing after an error"));
        }
        let done = self.plan.write(write);
        // Another thread's write may have gone well since.
        self.spoilt.fetch_or(done.is_err(), SeqCst);
        done
    }
}

impl Drive for FaultyDrive {
    fn run(&self) -> &str {
        self.drive.run()
    }

    fn epoch(&self) -> u64 {
        self.drive.epoch()
    }

    fn head(&self) -> (u64, Hash) {
        self.drive.head()
    }

    fn append(&self, commit: NewCommit<'_>) -> Result<(), StoreError> {
        self.write(|| self.drive.append(commit))
    }

    fn put_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
        self.write(|| self.drive.put_blob(bytes))
    }

    fn cancel_requested(&self) -> Result<Option<String>, StoreError> {
        self.plan.alive()?;
        self.drive.cancel_requested()
    }

    fn beat(&self) {
        if self.plan.alive().is_ok() {
            self.drive.beat();
        }
    }

    fn in_hand(&self, worker: usize, steps: &[u8]) {
        if self.plan.alive().is_ok() {
            self.drive.in_hand(worker, steps);
        }
    }

    fn left_in_hand(&self) -> &[Vec<u8>] {
        self.drive.left_in_hand()
    }

    fn release(&self) {
        self.drive.release();
    }
}
