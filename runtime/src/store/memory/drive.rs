//! The right to drive one run of a store in memory.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::{Hold, Kept, NAME, Shelf, lock};
use crate::record::chain::link;
use crate::store::{
    Commit, CommitHead, Drive, Hash, LogRow, NewCommit, StoreError, cut_in_hand, released, seal,
};

pub(super) struct MemoryDrive {
    shelf: Arc<Mutex<Shelf>>,
    run: String,
    epoch: u64,
    hold: Arc<Hold>,
    left: Vec<Vec<u8>>,
    /// The head, and why the right is worth nothing any more.
    state: Mutex<State>,
}

struct State {
    head: (u64, Hash),
    spoilt: Option<StoreError>,
}

impl MemoryDrive {
    pub(super) fn new(shelf: Arc<Mutex<Shelf>>, kept: &Kept, hold: Arc<Hold>, left: Vec<Vec<u8>>) -> Self {
        let state = Mutex::new(State { head: (kept.row.head, kept.hash), spoilt: None });
        Self { shelf, run: kept.row.id.clone(), epoch: kept.epoch, hold, left, state }
    }

    /// Does something to the run, if this right to it still holds.
    fn with<T>(&self, what: impl FnOnce(&mut Kept) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state = lock(&self.state);
        if let Some(why) = &state.spoilt {
            return Err(why.clone());
        }
        let mut shelf = lock(&self.shelf);
        let done = shelf.kept_mut(&self.run).and_then(|kept| {
            self.check(kept)?;
            let done = what(kept)?;
            state.head = (kept.row.head, kept.hash);
            Ok(done)
        });
        state.spoilt = done.as_ref().err().cloned();
        done
    }

    fn check(&self, kept: &Kept) -> Result<(), StoreError> {
        if kept.epoch != self.epoch && !cfg!(defect = "no_fence") {
            return Err(StoreError::Fenced { run: self.run.clone(), holder: kept.row.holder.clone() });
        }
        if self.hold.dead.load(Relaxed) {
            let what = format!("the holder of run {} is dead", self.run);
            return Err(StoreError::Failed { store: NAME.to_owned(), what });
        }
        Ok(())
    }
}

impl Drive for MemoryDrive {
    fn run(&self) -> &str {
        &self.run
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn head(&self) -> (u64, Hash) {
        lock(&self.state).head
    }

    fn append(&self, commit: NewCommit<'_>) -> Result<(), StoreError> {
        self.with(|kept| {
            if !commit.block.is_empty() {
                if commit.follows != kept.hash {
                    return Err(super::super::not_the_head(NAME, &self.run, kept.row.head));
                }
                kept.push(self.epoch, &commit);
            }
            kept.note(commit);
            Ok(())
        })
    }

    fn put_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
        let hash = seal::of(bytes);
        self.with(|kept| {
            kept.blobs.insert(hash, bytes.to_vec());
            Ok(hash)
        })
    }

    fn cancel_requested(&self) -> Result<Option<String>, StoreError> {
        let shelf = lock(&self.shelf);
        let kept = shelf.kept(&self.run)?;
        self.check(kept)?;
        Ok(kept.request.clone())
    }

    fn beat(&self) {
        self.hold.beats.fetch_add(1, Relaxed);
    }

    fn in_hand(&self, worker: usize, steps: &[u8]) {
        let mut in_hand = lock(&self.hold.in_hand);
        if worker >= crate::store::IN_HAND_WORKERS {
            return;
        }
        if in_hand.len() <= worker {
            in_hand.resize(worker + 1, Vec::new());
        }
        in_hand[worker] = cut_in_hand(steps).into_owned();
    }

    fn left_in_hand(&self) -> &[Vec<u8>] {
        &self.left
    }

    fn release(&self) {
        let released = released(NAME, &self.run);
        lock(&self.state).spoilt.get_or_insert(released);
        let mut shelf = lock(&self.shelf);
        if let Ok(kept) = shelf.kept_mut(&self.run) {
            kept.holder.take_if(|hold| Arc::ptr_eq(hold, &self.hold));
        }
    }
}

impl Kept {
    /// Adds a commit to the chain.
    fn push(&mut self, epoch: u64, commit: &NewCommit<'_>) {
        self.hash = link(&self.hash, commit.block);
        self.row.head += 1;
        let head = CommitHead {
            seq: self.row.head,
            epoch,
            hash: self.hash,
            index: commit.index,
            bytes: u32::try_from(commit.block.len()).unwrap_or(u32::MAX),
        };
        self.commits.push(Commit { head, block: commit.block.to_vec() });
    }

    /// Takes over all that is not in the chain.
    fn note(&mut self, commit: NewCommit<'_>) {
        for line in commit.logs {
            self.lines += 1;
            self.logs.push(LogRow { number: self.lines, ..line.clone() });
        }
        if let Some(summary) = commit.summary {
            self.summary = Some((self.row.head, summary.to_vec()));
        }
        if let Some(counts) = commit.counts {
            self.row.counts = counts.to_owned();
        }
        if let Some(state) = commit.state {
            self.state = state;
        }
        self.row.changed = SystemTime::now();
    }
}

impl Drop for MemoryDrive {
    fn drop(&mut self) {
        self.release();
    }
}

impl std::fmt::Debug for MemoryDrive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryDrive").field("run", &self.run).field("epoch", &self.epoch).finish()
    }
}
