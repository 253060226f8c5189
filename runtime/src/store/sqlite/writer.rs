//! The one connection that writes: each write is one transaction, in its turn, and durable when it is
//! done.

use std::fs;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::checkpoint::{self, Checkpointer};
use super::fault::Fault;
use super::place::Place;
use super::turn::{LONGEST, Turns};
use super::{connection, lock, schema};
use crate::crash::crash_point;
use crate::store::StoreError;

/// How long closing waits for its turn: another process can do what it would have done.
const CLOSING: Duration = Duration::from_secs(1);

/// What each transaction writes beside its data: a few pages.
const PAGES: u64 = 3 * 4096;

/// Why nothing is written any more, once something went wrong.
pub(super) type Spoilt = Arc<OnceLock<StoreError>>;

/// What writes.
pub(super) struct Writer {
    place: Place,
    pen: Mutex<Pen>,
    spoilt: Spoilt,
    /// A forked child has the same connection in memory, and must not touch it.
    process: u32,
    checkpointer: Checkpointer,
}

struct Pen {
    conn: Connection,
    turns: Turns,
    files: Files,
    /// How much was written since the last checkpoint, roughly.
    written: u64,
}

/// Which files are written, to notice that they were replaced or deleted.
struct Files {
    db: Option<FileId>,
    wal: Option<FileId>,
}

impl Writer {
    /// Opens the database for writing, and brings its schema up to date.
    pub(super) fn open(place: &Place) -> Result<Self, StoreError> {
        let mut conn = connection::writing(place).map_err(|fault| place.said(fault))?;
        let mut turns = Turns::new(place.write_lock());
        if schema::version(&conn).map_err(|error| place.said(error.into()))? < schema::VERSION {
            let _turn = take(place, &mut turns)?;
            schema::migrate(&mut conn).map_err(|fault| place.said(fault))?;
        }
        let files = Files { db: file_id(place.db()), wal: None };
        let written = fs::metadata(place.wal()).map_or(0, |wal| wal.len());
        let spoilt = Spoilt::default();
        Ok(Self {
            place: place.clone(),
            pen: Mutex::new(Pen { conn, turns, files, written }),
            checkpointer: Checkpointer::new(place.clone(), spoilt.clone()),
            spoilt,
            process: std::process::id(),
        })
    }

    /// Does `what` in one transaction, which is durable when this returns. `bytes` is about how much it
    /// writes. After a failure of the disk nothing is written any more: a failed sync is never tried
    /// again, as the system may have dropped what was to be synced.
    pub(super) fn write<T>(
        &self,
        bytes: usize,
        what: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.check()?;
        let mut pen = lock(&self.pen);
        self.check()?;
        let done = pen.write(&self.place, what).map_err(|failure| match failure {
            Failure::Here(fault) if fault.spoils() => self.spoil(self.place.said(fault)),
            Failure::Here(fault) => self.place.said(fault),
            Failure::Store(error) => self.spoil(error),
        });
        pen.written += PAGES + bytes as u64;
        if pen.written >= checkpoint::DUE {
            pen.written = 0;
            self.checkpointer.wake();
        }
        done
    }

    /// Asks the writing connection something.
    pub(super) fn ask<T>(
        &self,
        what: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        what(&lock(&self.pen).conn).map_err(|error| self.place.said(error.into()))
    }

    /// Whether this process may write, and can.
    fn check(&self) -> Result<(), StoreError> {
        if self.process != std::process::id() {
            return Err(self.place.failed("a forked child cannot write it: open the store in the child"));
        }
        self.spoilt.get().map_or(Ok(()), |why| Err(why.clone()))
    }

    fn spoil(&self, why: StoreError) -> StoreError {
        self.spoilt.get_or_init(|| why).clone()
    }

    /// Brings all that was written into the database itself and closes it; whether that was done.
    pub(super) fn close(&self) -> bool {
        self.checkpointer.stop();
        if self.check().is_err() {
            return false;
        }
        let mut pen = lock(&self.pen);
        let Pen { conn, turns, files, .. } = &mut *pen;
        let Ok(Some(_turn)) = turns.take(CLOSING) else { return false };
        crash_point!("before_checkpoint");
        let whole = files.check(&self.place).is_ok() && checkpoint::all(conn).unwrap_or(false);
        crash_point!("after_checkpoint");
        if whole {
            // There is nothing in the log: whoever closes last may delete it. If not, it stays, empty.
            let _ = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        }
        whole
    }
}

/// Who failed: this transaction alone, or the store as this process sees it.
enum Failure {
    Here(Fault),
    Store(StoreError),
}

impl Pen {
    fn write<T>(
        &mut self,
        place: &Place,
        what: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Failure> {
        let _turn = take(place, &mut self.turns).map_err(|error| Failure::Here(error.into()))?;
        self.files.check(place).map_err(Failure::Store)?;
        crash_point!("before_transaction");
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| Failure::Here(error.into()))?;
        let done = what(&tx).map_err(Failure::Here)?;
        crash_point!("in_transaction");
        tx.commit().map_err(|error| Failure::Store(place.said(error.into())))?;
        if self.files.wal.is_none() {
            self.files.wal = file_id(&place.wal());
        }
        Ok(done)
    }
}

fn take<'a>(place: &Place, turns: &'a mut Turns) -> Result<super::turn::Turn<'a>, StoreError> {
    let lock = place.write_lock();
    match turns.take(LONGEST) {
        Ok(Some(turn)) => Ok(turn),
        Ok(None) => Err(place.failed(format!(
            "another process has been writing for {} s, so it stands still: end it, then try again \
             (`lsof {}` shows which)",
            LONGEST.as_secs(),
            lock.display()
        ))),
        Err(error) => Err(place.io("cannot lock", &lock, &error)),
    }
}

impl Files {
    /// Notices that what is written to is not what others will find.
    fn check(&self, place: &Place) -> Result<(), StoreError> {
        let gone = if file_id(place.db()) != self.db {
            place.db().to_owned()
        } else if self.wal.is_some() && file_id(&place.wal()) != self.wal {
            place.wal()
        } else {
            return Ok(());
        };
        Err(place.failed(format!(
            "{} was deleted or replaced while it was open: what is written now would be lost; put it back, \
             then resume",
            gone.display()
        )))
    }
}

/// What tells one file from another of the same name.
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &std::path::Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// An open file cannot be replaced there; that it is missing can still be seen.
#[cfg(not(unix))]
fn file_id(path: &std::path::Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|_| (0, 0))
}
