//! A store that is asked to write, and answers when somebody opens a gate.

use std::sync::Arc;

use fanfold::store::{
    Commit, CommitHead, Drive, Finding, Hash, LogFilter, LogRow, NewCommit, NewRun, RunFilter, RunRow, Store,
    StoreError,
};

use crate::common::Gate;

#[derive(Debug)]
pub(crate) struct SlowStore {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) answers: &'static Gate,
}

#[derive(Debug)]
struct SlowDrive(Arc<dyn Drive>, &'static Gate);

impl Store for SlowStore {
    fn name(&self) -> String {
        self.store.name()
    }

    fn create(&self, run: NewRun) -> Result<Arc<dyn Drive>, StoreError> {
        Ok(Arc::new(SlowDrive(self.store.create(run)?, self.answers)))
    }

    fn drive(&self, run: &str, take_over: bool) -> Result<Arc<dyn Drive>, StoreError> {
        Ok(Arc::new(SlowDrive(self.store.drive(run, take_over)?, self.answers)))
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        self.store.runs(filter)
    }

    fn ids(&self, prefix: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.store.ids(prefix, limit)
    }

    fn run(&self, id: &str) -> Result<RunRow, StoreError> {
        self.store.run(id)
    }

    fn heads(&self, run: &str, after: u64) -> Result<Vec<CommitHead>, StoreError> {
        self.store.heads(run, after)
    }

    fn commits(&self, run: &str, after: u64, limit: usize) -> Result<Vec<Commit>, StoreError> {
        self.store.commits(run, after, limit)
    }

    fn summary(&self, run: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.store.summary(run)
    }

    fn logs(
        &self,
        run: &str,
        filter: &LogFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        self.store.logs(run, filter, after, limit)
    }

    fn last_logs(
        &self,
        run: &str,
        filter: &LogFilter,
        before: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        self.store.last_logs(run, filter, before, limit)
    }

    fn count_logs(&self, run: &str, filter: &LogFilter) -> Result<u64, StoreError> {
        self.store.count_logs(run, filter)
    }

    fn blob(&self, run: &str, hash: &Hash) -> Result<Vec<u8>, StoreError> {
        self.store.blob(run, hash)
    }

    fn version(&self) -> Result<u64, StoreError> {
        self.store.version()
    }

    fn request_cancel(&self, run: &str, reason: &str) -> Result<(), StoreError> {
        self.store.request_cancel(run, reason)
    }

    fn remove(&self, run: &str, logs_only: bool) -> Result<(), StoreError> {
        self.store.remove(run, logs_only)
    }

    fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        self.store.examine()
    }
}

impl Drive for SlowDrive {
    fn run(&self) -> &str {
        self.0.run()
    }

    fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    fn head(&self) -> (u64, Hash) {
        self.0.head()
    }

    fn append(&self, commit: NewCommit<'_>) -> Result<(), StoreError> {
        self.1.pass();
        self.0.append(commit)
    }

    fn put_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
        self.0.put_blob(bytes)
    }

    fn cancel_requested(&self) -> Result<Option<String>, StoreError> {
        self.0.cancel_requested()
    }

    fn beat(&self) {
        self.0.beat();
    }

    fn in_hand(&self, worker: usize, steps: &[u8]) {
        self.0.in_hand(worker, steps);
    }

    fn left_in_hand(&self) -> &[Vec<u8>] {
        self.0.left_in_hand()
    }

    fn release(&self) {
        self.0.release();
    }
}
