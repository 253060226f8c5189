//! Writing the record of one run, under the right to drive it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::catalogue::{self, Entry};
use super::fault::Fault;
use super::live::Live;
use super::{Inner, blobs, lines, lock, number, record};
use crate::crash::crash_point;
use crate::record::chain::link;
use crate::store::{CommitHead, Drive, Hash, NewCommit, StoreError, not_the_head, released};

pub(super) struct SqliteDrive {
    inner: Arc<Inner>,
    run: String,
    number: i64,
    epoch: u64,
    live: Live,
    left: Vec<Vec<u8>>,
    state: Mutex<State>,
    released: AtomicBool,
}

struct State {
    head: (u64, Hash),
    /// The number of the last line.
    lines: u64,
    /// Why the right is worth nothing any more.
    spoilt: Option<StoreError>,
}

impl SqliteDrive {
    /// The right to a run whose epoch was raised for it.
    pub(super) fn new(
        inner: &Arc<Inner>,
        run: &str,
        entry: &Entry,
        live: Live,
        left: Vec<Vec<u8>>,
        lines: u64,
    ) -> Self {
        let state = Mutex::new(State { head: (entry.head, entry.hash), lines, spoilt: None });
        Self {
            inner: inner.clone(),
            run: run.to_owned(),
            number: entry.number,
            epoch: entry.epoch,
            live,
            left,
            state,
            released: AtomicBool::new(false),
        }
    }

    fn try_append(&self, state: &mut State, commit: &NewCommit<'_>) -> Result<(), StoreError> {
        let head = self.next(state, commit)?;
        let (seq, hash) = head.as_ref().map_or(state.head, |head| (head.seq, head.hash));
        self.inner.writer()?.write(size(commit), |tx| {
            self.move_head(tx, state.head, (seq, hash), commit)?;
            if let Some(head) = &head {
                record::insert(tx, self.number, head, commit.block)?;
            }
            lines::insert(tx, self.number, state.lines + 1, commit.logs)?;
            if let Some(summary) = commit.summary {
                lines::put_summary(tx, self.number, seq, summary)?;
            }
            Ok(())
        })?;
        crash_point!("before_acknowledgement");
        state.head = (seq, hash);
        state.lines += commit.logs.len() as u64;
        if head.is_some() {
            self.live.acknowledge(seq, &hash);
        }
        Ok(())
    }

    /// The head of a commit that is to be written; `None` for one without a block.
    fn next(&self, state: &State, commit: &NewCommit<'_>) -> Result<Option<CommitHead>, StoreError> {
        let (seq, before) = state.head;
        if commit.block.is_empty() {
            return Ok(None);
        }
        if commit.follows != before {
            return Err(not_the_head(self.inner.place.shown(), &self.run, seq));
        }
        let Ok(bytes) = u32::try_from(commit.block.len()) else {
            return Err(self.inner.place.failed("a commit of more than 4 GB cannot be written"));
        };
        let hash = link(&before, commit.block);
        Ok(Some(CommitHead { seq: seq + 1, epoch: self.epoch, hash, index: commit.index, bytes }))
    }

    /// Moves the run's row on, if it is still where this holder left it.
    fn move_head(
        &self,
        tx: &Transaction<'_>,
        from: (u64, Hash),
        to: (u64, Hash),
        commit: &NewCommit<'_>,
    ) -> Result<(), Fault> {
        let moved = tx.execute(
            "UPDATE runs SET head = ?1, hash = ?2, changed = ?3, counts = coalesce(?4, counts),
                 state = CASE WHEN ?5 THEN ?6 ELSE state END
             WHERE number = ?7 AND epoch = ?8 AND head = ?9 AND hash = ?10",
            params![
                number(to.0),
                &to.1[..],
                catalogue::micros(SystemTime::now()),
                commit.counts,
                commit.state.is_some(),
                commit.state.flatten().map(catalogue::word),
                self.number,
                number(self.epoch),
                number(from.0),
                &from.1[..],
            ],
        )?;
        if moved == 1 { catalogue::seal_standing(tx, self.number) } else { Err(self.why_not(tx, from.0)) }
    }

    /// Why the run's row could not be moved on.
    fn why_not(&self, conn: &Connection, head: u64) -> Fault {
        let place = &self.inner.place;
        match catalogue::entry(conn, place, &self.run) {
            Err(fault) => fault,
            Ok(entry) if entry.epoch != self.epoch => {
                StoreError::Fenced { run: self.run.clone(), holder: entry.holder }.into()
            }
            Ok(_) => not_the_head(place.shown(), &self.run, head).into(),
        }
    }

    /// Does something, unless the right is worth nothing; and makes it worth nothing if that fails.
    fn with<T>(&self, what: impl FnOnce(&mut State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state = lock(&self.state);
        if let Some(why) = &state.spoilt {
            return Err(why.clone());
        }
        let done = what(&mut state);
        state.spoilt = done.as_ref().err().cloned();
        done
    }
}

/// About how much is written for a commit.
fn size(commit: &NewCommit<'_>) -> usize {
    let lines: usize = commit.logs.iter().map(|line| 40 + line.text.len() + line.fields.len()).sum();
    commit.block.len() + lines + commit.summary.map_or(0, <[u8]>::len) + commit.counts.map_or(0, str::len)
}

impl Drive for SqliteDrive {
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
        self.with(|state| self.try_append(state, &commit))
    }

    fn put_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
        self.with(|_| Ok(()))?;
        // Not under the lock: commits go on while a large value is on its way to the disk.
        let put = blobs::put(&self.inner.place, &self.run, bytes);
        match put {
            Ok(hash) => Ok(hash),
            Err(error) => self.with(|_| Err(error)),
        }
    }

    fn cancel_requested(&self) -> Result<Option<String>, StoreError> {
        self.inner.readers.read(|conn| {
            // Whoever woke up and has nothing to write is to know it, too.
            let entry = catalogue::entry(conn, &self.inner.place, &self.run)?;
            if entry.epoch != self.epoch {
                return Err(StoreError::Fenced { run: self.run.clone(), holder: entry.holder }.into());
            }
            let query = "SELECT reason FROM requests WHERE run = ?1 ORDER BY number LIMIT 1";
            Ok(conn.query_row(query, [self.number], |row| row.get(0)).optional()?)
        })
    }

    fn beat(&self) {
        // The file may be another holder's now.
        if !self.released.load(Relaxed) {
            self.live.beat();
        }
    }

    fn in_hand(&self, worker: usize, steps: &[u8]) {
        if !self.released.load(Relaxed) {
            self.live.in_hand(worker, steps);
        }
    }

    fn left_in_hand(&self) -> &[Vec<u8>] {
        &self.left
    }

    fn release(&self) {
        if !self.released.swap(true, Relaxed) {
            let released = released(self.inner.place.shown(), &self.run);
            lock(&self.state).spoilt.get_or_insert(released);
            self.live.end();
            lock(&self.inner.ended).push(self.run.clone());
        }
    }
}

impl Drop for SqliteDrive {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for SqliteDrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDrive").field("run", &self.run).field("epoch", &self.epoch).finish()
    }
}
