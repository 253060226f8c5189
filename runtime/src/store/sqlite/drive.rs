//! The right to drive one run: taking it, writing under it, giving it up.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::catalogue::{self, Entry};
use super::fault::Fault;
use super::holder::Holder;
use super::live::{self, Left, Live};
use super::place::Place;
use super::{Inner, blobs, lock, log, number};
use crate::store::standstill::{self, Pulse, Watched};
use crate::store::{
    CommitHead, Drive, Hash, NewCommit, NewRun, StoreError, chain, check_id, not_the_head, taken,
};

pub(super) struct SqliteDrive {
    inner: Arc<Inner>,
    run: String,
    number: i64,
    epoch: u64,
    live: Live,
    left: Vec<Vec<u8>>,
    state: Mutex<State>,
}

struct State {
    head: (u64, Hash),
    /// The number of the last line.
    lines: u64,
    /// Why the right is worth nothing any more.
    spoilt: Option<StoreError>,
}

/// Enters a run and takes it.
pub(super) fn create(inner: &Arc<Inner>, run: &NewRun) -> Result<SqliteDrive, StoreError> {
    let place = &inner.place;
    check_id(place.shown(), &run.id)?;
    let is_taken = || taken(place.shown(), &run.id);
    let live = take(place, &run.id)?.ok_or_else(is_taken)?;
    let holder = Holder::this();
    let number = inner.writer()?.write(run.facts.len(), |tx| {
        catalogue::insert(tx, run, &holder.to_string())?.ok_or_else(|| is_taken().into())
    })?;
    let entry = Entry { number, epoch: 1, head: 0, hash: [0; 32], holder: String::new() };
    begin(inner, &run.id, live, &holder, entry, Left::default(), 0)
}

/// Takes a run that is there.
pub(super) fn drive(inner: &Arc<Inner>, run: &str, take_over: bool) -> Result<SqliteDrive, StoreError> {
    let place = &inner.place;
    inner.writer()?;
    let entry = inner.readers.read(|conn| catalogue::entry(conn, place, run))?;
    if let Some(live) = take(place, run)? {
        return take_free(inner, run, live);
    }
    let path = place.live(run);
    let watched = live::identity(&path);
    match take_over.then(|| await_standstill(inner, run)) {
        Some(Watched::Still(beats)) => replace(inner, run, watched, beats),
        Some(Watched::Gone) if let Some(live) = take(place, run)? => take_free(inner, run, live),
        _ => Err(held(place, run, &entry.holder)),
    }
}

/// Takes a run whose lock this process has.
fn take_free(inner: &Arc<Inner>, run: &str, live: Live) -> Result<SqliteDrive, StoreError> {
    let place = &inner.place;
    let left = live.left().map_err(|error| place.io("cannot read", &place.live(run), &error))?;
    let holder = Holder::this();
    let (entry, lines) = inner.writer()?.write(0, |tx| raise(tx, place, run, &holder, &left))?;
    begin(inner, run, live, &holder, entry, left, lines)
}

/// Takes a run from a holder that stands still: in one turn, so that of two takers one sees the other.
fn replace(
    inner: &Arc<Inner>,
    run: &str,
    watched: Option<(u64, u64)>,
    beats: u64,
) -> Result<SqliteDrive, StoreError> {
    let place = &inner.place;
    let path = place.live(run);
    let holder = Holder::this();
    let (live, entry, left, lines) = inner.writer()?.write(0, |tx| {
        let still = live::identity(&path) == watched && live::look(&path).is_some_and(|look| look.0 == beats);
        if !still {
            return Err(held(place, run, "another process").into());
        }
        let failed = |error| place.io("cannot replace", &path, &error);
        let left = live::left_at(&path).map_err(failed)?;
        let (entry, lines) = raise(tx, place, run, &holder, &left)?;
        let live = Live::replace(&path).map_err(failed)?;
        let live = live.ok_or_else(|| held(place, run, "another process"))?;
        Ok((live, entry, left, lines))
    })?;
    begin(inner, run, live, &holder, entry, left, lines)
}

/// Raises the epoch of a run, and compares what is recorded with what was acknowledged.
fn raise(
    tx: &Transaction<'_>,
    place: &Place,
    run: &str,
    holder: &Holder,
    left: &Left,
) -> Result<(Entry, u64), Fault> {
    let mut entry = catalogue::entry(tx, place, run)?;
    check_head(tx, place, run, &entry)?;
    if let Some(acknowledged) = left.acknowledged {
        check_acknowledged(tx, place, run, &entry, acknowledged)?;
    }
    entry.epoch += 1;
    tx.execute(
        "UPDATE runs SET epoch = ?2, holder = ?3 WHERE number = ?1",
        params![entry.number, number(entry.epoch), holder.to_string()],
    )?;
    tx.execute("DELETE FROM requests WHERE run = ?1", [entry.number])?;
    let lines = log::last_line(tx, entry.number)?;
    Ok((entry, lines))
}

/// The last commit that is there is the one that the run's row names.
fn check_head(conn: &Connection, place: &Place, run: &str, entry: &Entry) -> Result<(), Fault> {
    let last = conn
        .query_row(
            "SELECT seq, hash FROM commits WHERE run = ?1 ORDER BY seq DESC LIMIT 1",
            [entry.number],
            |row| Ok((super::unsigned(row, 0)?, row.get::<_, Hash>(1)?)),
        )
        .optional()?;
    if last.unwrap_or((0, [0; 32])) == (entry.head, entry.hash) {
        return Ok(());
    }
    Err(place.damaged(format!("the last commit of run {run} is not the one that its row names")).into())
}

fn check_acknowledged(
    conn: &Connection,
    place: &Place,
    run: &str,
    entry: &Entry,
    (seq, hash): (u64, Hash),
) -> Result<(), Fault> {
    let path = place.live(run);
    let remedy = format!("to go on from what is there, delete {}", path.display());
    if let Some(missing) = seq.checked_sub(entry.head).filter(|missing| *missing > 0) {
        return Err(place
            .damaged(format!(
                "{missing} of {seq} acknowledged commits of run {run} are gone from its end (was `{}` deleted, \
                 or an old copy put back?): {remedy}",
                place.wal().display()
            ))
            .into());
    }
    let query = "SELECT hash FROM commits WHERE run = ?1 AND seq = ?2";
    let there: Option<Hash> =
        conn.query_row(query, params![entry.number, number(seq)], |row| row.get(0)).optional()?;
    if seq == 0 || there == Some(hash) {
        return Ok(());
    }
    Err(place
        .damaged(format!("commit {seq} of run {run} is not the one that was acknowledged: {remedy}"))
        .into())
}

fn begin(
    inner: &Arc<Inner>,
    run: &str,
    live: Live,
    holder: &Holder,
    entry: Entry,
    left: Left,
    lines: u64,
) -> Result<SqliteDrive, StoreError> {
    let head = (entry.head, entry.hash);
    live.begin(holder, head)
        .map_err(|error| inner.place.io("cannot write", &inner.place.live(run), &error))?;
    blobs::clear_unnamed(&inner.place, run);
    Ok(SqliteDrive {
        inner: inner.clone(),
        run: run.to_owned(),
        number: entry.number,
        epoch: entry.epoch,
        live,
        left: left.in_hand,
        state: Mutex::new(State { head, lines, spoilt: None }),
    })
}

fn take(place: &Place, run: &str) -> Result<Option<Live>, StoreError> {
    let path = place.live(run);
    Live::take(&path).map_err(|error| place.io("cannot lock", &path, &error))
}

fn await_standstill(inner: &Inner, run: &str) -> Watched {
    let path = inner.place.live(run);
    let look = || {
        let beats = live::look(&path).map_or(0, |look| look.0);
        Ok::<_, std::convert::Infallible>(if live::is_held(&path) {
            Pulse::Beats(beats)
        } else {
            Pulse::Gone
        })
    };
    let Ok(watched) = standstill::watch(inner.standstill, look);
    watched
}

/// The run is driven: by whom, says its live file, or else the last one that said so in the store.
pub(super) fn held(place: &Place, run: &str, holder: &str) -> StoreError {
    let there = live::look(&place.live(run)).and_then(|look| look.1).map(|holder| holder.to_string());
    StoreError::Held { run: run.to_owned(), holder: there.unwrap_or_else(|| holder.to_owned()) }
}

impl SqliteDrive {
    fn try_append(&self, state: &mut State, commit: &NewCommit<'_>) -> Result<(), StoreError> {
        let head = self.next(state, commit)?;
        let (seq, hash) = head.as_ref().map_or(state.head, |head| (head.seq, head.hash));
        let lines: usize = commit.logs.iter().map(|line| 40 + line.text.len() + line.fields.len()).sum();
        let bytes = commit.block.len() + lines + commit.summary.map_or(0, <[u8]>::len);
        self.inner.writer()?.write(bytes, |tx| {
            self.move_head(tx, state.head, (seq, hash), commit)?;
            if let Some(head) = &head {
                log::insert(tx, self.number, head, commit.block)?;
            }
            log::insert_lines(tx, self.number, state.lines + 1, commit.logs)?;
            if let Some(summary) = commit.summary {
                log::put_summary(tx, self.number, seq, summary)?;
            }
            Ok(())
        })?;
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
        let hash = chain::link(&before, commit.block);
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
        if moved == 1 { Ok(()) } else { Err(self.why_not(tx, from.0)) }
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
            let query = "SELECT reason FROM requests WHERE run = ?1 ORDER BY number LIMIT 1";
            Ok(conn.query_row(query, [self.number], |row| row.get(0)).optional()?)
        })
    }

    fn beat(&self) {
        self.live.beat();
    }

    fn in_hand(&self, worker: usize, steps: &[u8]) {
        self.live.in_hand(worker, steps);
    }

    fn left_in_hand(&self) -> &[Vec<u8>] {
        &self.left
    }
}

impl Drop for SqliteDrive {
    fn drop(&mut self) {
        self.live.end();
        lock(&self.inner.ended).push(self.run.clone());
    }
}

impl fmt::Debug for SqliteDrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDrive").field("run", &self.run).field("epoch", &self.epoch).finish()
    }
}
