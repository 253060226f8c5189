//! Brings what is in SQLite's log into the database, beside the commits and not among them.

use std::fs;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::fault::Fault;
use super::place::Place;
use super::turn::{LONGEST, Turns};
use super::writer::Spoilt;
use super::{connection, lock};

/// After so much was written, a checkpoint is due.
pub(super) const DUE: u64 = 4 << 20;

/// A log that is longer is cut, in between two commits: while commits go on, a checkpoint never reaches
/// their end, and the log would grow for ever.
const LONG: u64 = 16 << 20;

/// How long a reader of the old log is waited for, while nobody can write.
const READERS: Duration = Duration::from_millis(100);

/// A thread that makes checkpoints; begun with the first.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    place: Place,
    spoilt: Spoilt,
    asked: Mutex<Asked>,
    news: Condvar,
}

#[derive(Default)]
struct Asked {
    due: bool,
    end: bool,
}

impl Checkpointer {
    pub(super) fn new(place: Place, spoilt: Spoilt) -> Self {
        let shared = Shared { place, spoilt, asked: Mutex::default(), news: Condvar::new() };
        Self { shared: Arc::new(shared), thread: Mutex::default() }
    }

    /// Asks for a checkpoint.
    pub(super) fn wake(&self) {
        lock(&self.shared.asked).due = true;
        self.shared.news.notify_one();
        let mut thread = lock(&self.thread);
        if thread.is_none() {
            let shared = self.shared.clone();
            // Without a thread the log grows until there is one again: the next time asks anew.
            *thread =
                thread::Builder::new().name("fanfold-checkpoint".to_owned()).spawn(move || shared.run()).ok();
        }
    }

    /// Ends the thread, after the checkpoint that it is at.
    pub(super) fn stop(&self) {
        lock(&self.shared.asked).end = true;
        self.shared.news.notify_one();
        if let Some(thread) = lock(&self.thread).take() {
            // It holds no lock while it could panic, and says what went wrong through `spoilt`.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut conn = None;
        let mut turns = Turns::new(self.place.write_lock());
        while self.await_asked() {
            if self.spoilt.get().is_some() {
                return;
            }
            if let Err(fault) = self.checkpoint(&mut conn, &mut turns) {
                // The log stays as it is, for the process that comes next.
                if fault.spoils() {
                    let _ = self.spoilt.set(self.place.said(fault));
                }
            }
        }
    }

    /// Waits until a checkpoint is due; false at the end.
    fn await_asked(&self) -> bool {
        let mut asked = lock(&self.asked);
        while !asked.due && !asked.end {
            asked = self.news.wait(asked).unwrap_or_else(PoisonError::into_inner);
        }
        asked.due = false;
        !asked.end
    }

    fn checkpoint(&self, conn: &mut Option<Connection>, turns: &mut Turns) -> Result<(), Fault> {
        let conn = match conn {
            Some(conn) => conn,
            None => conn.insert(self.connect()?),
        };
        run(conn, "PRAGMA wal_checkpoint(PASSIVE)")?;
        if fs::metadata(self.place.wal()).is_ok_and(|wal| wal.len() > LONG)
            && let Ok(Some(_turn)) = turns.take(LONGEST)
        {
            // Little is left to do, so that the others wait for little.
            run(conn, "PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        Ok(())
    }

    fn connect(&self) -> Result<Connection, Fault> {
        let conn = connection::writing(&self.place)?;
        conn.busy_timeout(READERS)?;
        Ok(conn)
    }
}

/// Brings all of the log into the database and empties it, unless a reader needs it; whether it did.
pub(super) fn all(conn: &Connection) -> Result<bool, Fault> {
    conn.busy_timeout(READERS)?;
    run(conn, "PRAGMA wal_checkpoint(TRUNCATE)")
}

/// Whether it was done; if not, somebody was reading or writing.
fn run(conn: &Connection, checkpoint: &str) -> Result<bool, Fault> {
    let busy: i64 = conn.query_row(checkpoint, [], |row| row.get(0))?;
    Ok(busy == 0)
}
