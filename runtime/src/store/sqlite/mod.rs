//! A store in a SQLite file, on this machine.
//!
//! Beside the database lie `write.lock`, which every write is made under, `live/RUN` for each run that is
//! driven, and `blobs/RUN` with its large values. It answers for the rules of a [`Store`]; what a block
//! says is not its business. It is not made for network file systems, where locks and shared memory do
//! not hold.

mod blobs;
mod catalogue;
mod checkpoint;
mod connection;
mod drive;
mod examine;
mod fault;
mod file;
mod foreign;
mod frozen;
mod holder;
mod lines;
mod live;
mod place;
mod readers;
mod record;
mod remove;
mod schema;
mod taking;
mod turn;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Row, params};

use self::connection::Handle;
use self::fault::Fault;
use self::file::Found;
use self::lines::From;
use self::live::Live;
use self::place::Place;
use self::readers::Readers;
use self::record::Record;
use self::turn::{LONGEST, Turns};
use self::writer::Writer;
use super::rules::is_id;
use super::{
    Commit, CommitHead, Drive, Finding, Hash, LogFilter, LogRow, NewRun, RunFilter, RunRow, STANDSTILL,
    Store, StoreError,
};
use crate::event::RunState;

/// Runs recorded in a SQLite file.
pub struct SqliteStore {
    inner: Arc<Inner>,
}

/// What the store and the rights to drive its runs share.
struct Inner {
    place: Place,
    readers: Readers,
    /// Nothing, if it was opened for reading.
    writer: Option<Writer>,
    standstill: Duration,
    /// Runs that were driven and given up in order.
    ended: Mutex<Vec<String>>,
    tidied: AtomicBool,
    /// Given up last.
    _handle: Handle,
}

impl SqliteStore {
    /// Opens the store at `path`, and makes it, with its folder, if there is nothing or an empty file.
    /// A store of an older schema is brought up to today's.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if something else lies there, which then stays as it is; or it cannot be
    /// read or written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_folder_of(path)?;
        let place = Place::new(path)?;
        let (writer, handle) = connection::register(&place, |is_open| {
            if !is_open && file::look(&place)? == Found::Nothing {
                create(&place)?;
            }
            Writer::open(&place)
        })?;
        if let Some(network) = examine::network(place.folder()) {
            tracing::warn!(store = place.shown(), "{network}");
        }
        Ok(Self::new(Readers::new(place.clone()), place, Some(writer), handle))
    }

    /// Opens the store at `path` for reading only: nothing of it is changed, also where nothing can be.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if there is no store there; or it cannot be read.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let place = Place::new(path)?;
        let (readers, handle) = connection::register(&place, |is_open| {
            if !is_open && file::look(&place)? == Found::Nothing {
                return Err(place.refused(
                    "nothing is recorded there yet: run a job first, or name another store with `--store`",
                ));
            }
            Readers::wherever(place.clone())
        })?;
        Ok(Self::new(readers, place, None, handle))
    }

    fn new(readers: Readers, place: Place, writer: Option<Writer>, handle: Handle) -> Self {
        let ended = Mutex::default();
        let tidied = AtomicBool::new(false);
        let inner = Inner { place, readers, writer, standstill: STANDSTILL, ended, tidied, _handle: handle };
        Self { inner: Arc::new(inner) }
    }

    /// With another time after which a holder that does not move can be taken over: for tests, before
    /// anything else is done with the store.
    #[doc(hidden)]
    pub fn with_standstill(mut self, standstill: Duration) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.standstill = standstill;
        }
        self
    }

    /// Without waiting for the disk: what is acknowledged may be lost when the power is cut. For the
    /// tests that must find that out.
    #[doc(hidden)]
    pub fn with_weak_sync(self) -> Result<Self, StoreError> {
        self.inner.writer()?.ask(|conn| conn.pragma_update(None, "synchronous", "NORMAL"))?;
        Ok(self)
    }
}

fn make_folder_of(path: &Path) -> Result<(), StoreError> {
    let made = std::path::absolute(path).and_then(|whole| whole.parent().map_or(Ok(()), place::make_folder));
    made.map_err(|error| StoreError::Failed {
        store: format!("sqlite:{}", path.display()),
        what: format!("cannot make its folder: {error}: name another place with `--store`"),
    })
}

/// Makes an empty store, unless another process just did.
fn create(place: &Place) -> Result<(), StoreError> {
    let path = place.write_lock();
    let mut turns = Turns::new(path.clone());
    let turn = turns.take(LONGEST).map_err(|error| place.io("cannot lock", &path, &error))?;
    if turn.is_none() {
        return Err(place.failed("another process that makes it stands still: end it, then try again"));
    }
    file::create(place)
}

impl Inner {
    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(|| self.place.refused("it was opened for reading only"))
    }

    /// Asks something of a run's record.
    fn record<T>(
        &self,
        run: &str,
        what: impl FnOnce(Record<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        // In this order: what was acknowledged before can be seen after.
        let acknowledged = is_id(run).then(|| live::acknowledged_at(&self.place.live(run))).flatten();
        self.readers.read(|conn| what(Record::new(conn, &self.place, run, acknowledged)?))
    }

    fn is_driven(&self, run: &str) -> bool {
        is_id(run) && live::is_held(&self.place.live(run))
    }
}

impl Inner {
    /// Brings all that was acknowledged into the database: there is no log to lose it with. Once.
    fn tidy(&self) {
        let Some(writer) = self.writer.as_ref().filter(|_| !self.tidied.swap(true, Relaxed)) else { return };
        if !writer.close() {
            return;
        }
        for run in lock(&self.ended).drain(..) {
            let live = Live::take(&self.place.live(&run)).ok().flatten();
            // Another holder may have come and died since.
            if let Some(live) = live.filter(Live::ended_in_order) {
                // It does no harm: it speaks of commits that are there.
                let _ = live.remove();
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.readers.close();
        self.tidy();
    }
}

impl Store for SqliteStore {
    fn name(&self) -> String {
        self.inner.place.shown().to_owned()
    }

    fn create(&self, run: NewRun) -> Result<Arc<dyn Drive>, StoreError> {
        Ok(Arc::new(taking::create(&self.inner, &run)?))
    }

    fn drive(&self, run: &str, take_over: bool) -> Result<Arc<dyn Drive>, StoreError> {
        Ok(Arc::new(taking::drive(&self.inner, run, take_over)?))
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        let is_driven = |run: &str| self.inner.is_driven(run);
        self.inner.readers.read(|conn| catalogue::rows(conn, &self.inner.place, filter, is_driven))
    }

    fn each_run(&self, filter: &RunFilter) -> Result<Vec<Result<RunRow, StoreError>>, StoreError> {
        let is_driven = |run: &str| self.inner.is_driven(run);
        self.inner.readers.read(|conn| catalogue::each_row(conn, &self.inner.place, filter, is_driven))
    }

    fn jobs(&self) -> Result<Vec<String>, StoreError> {
        self.inner.readers.read(|conn| catalogue::jobs(conn))
    }

    fn ended(&self) -> Result<Vec<(String, RunState, u64)>, StoreError> {
        self.inner.readers.read(|conn| catalogue::ended(conn))
    }

    fn ids(&self, prefix: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.inner.readers.read(|conn| catalogue::ids(conn, prefix, limit))
    }

    fn run(&self, id: &str) -> Result<RunRow, StoreError> {
        let is_driven = |run: &str| self.inner.is_driven(run);
        self.inner.readers.read(|conn| catalogue::row(conn, &self.inner.place, id, is_driven))
    }

    fn heads(&self, run: &str, after: u64) -> Result<Vec<CommitHead>, StoreError> {
        self.inner.record(run, |record| record.heads(after))
    }

    fn commits(&self, run: &str, after: u64, limit: usize) -> Result<Vec<Commit>, StoreError> {
        self.inner.record(run, |record| record.commits(after, limit))
    }

    fn summary(&self, run: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.inner.readers.read(|conn| lines::summary(conn, &self.inner.place, run))
    }

    fn logs(
        &self,
        run: &str,
        filter: &LogFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        let from = From::After(after);
        self.inner.readers.read(|conn| lines::read(conn, &self.inner.place, run, filter, from, limit))
    }

    fn last_logs(
        &self,
        run: &str,
        filter: &LogFilter,
        before: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        let from = From::Before(before);
        self.inner.readers.read(|conn| lines::read(conn, &self.inner.place, run, filter, from, limit))
    }

    fn count_logs(&self, run: &str, filter: &LogFilter) -> Result<u64, StoreError> {
        self.inner.readers.read(|conn| lines::count(conn, &self.inner.place, run, filter))
    }

    fn blob(&self, run: &str, hash: &Hash) -> Result<Vec<u8>, StoreError> {
        // Only what is in the catalogue names a folder.
        self.inner.readers.read(|conn| Ok(catalogue::entry(conn, &self.inner.place, run)?.number))?;
        blobs::get(&self.inner.place, run, hash)
    }

    fn version(&self) -> Result<u64, StoreError> {
        self.inner.readers.version()
    }

    fn request_cancel(&self, run: &str, reason: &str) -> Result<(), StoreError> {
        self.inner.writer()?.write(reason.len(), |tx| {
            let entry = catalogue::entry(tx, &self.inner.place, run)?;
            tx.execute(
                "INSERT INTO requests (run, reason, at) VALUES (?1, ?2, ?3)",
                params![entry.number, reason, catalogue::micros(SystemTime::now())],
            )?;
            Ok(())
        })
    }

    fn remove(&self, run: &str, logs_only: bool) -> Result<(), StoreError> {
        remove::remove(&self.inner, run, logs_only)
    }

    fn tidy(&self) {
        self.inner.tidy();
    }

    fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        examine::examine(&self.inner)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteStore").field(&self.inner.place.shown()).finish()
    }
}

/// A number as SQLite keeps it: none of ours is too large for it.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A column that is never below zero.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
