//! How SQLite is opened: for writing with all that durability needs, or for reading only.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::fault::Fault;
use super::lock;
use super::place::Place;
use super::{file, schema};
use crate::store::StoreError;

/// How long SQLite's own lock is waited for. No process of ours keeps it: they wait for their turn.
pub(super) const BUSY: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(2) };

/// What is asked of SQLite for writing, and what it must answer then.
const FOR_WRITING: [(&str, &str, i64); 7] = [
    // What is acknowledged survives a power cut.
    ("synchronous", "FULL", 2),
    // Checkpoints are made by a thread of their own, not in the middle of a commit.
    ("wal_autocheckpoint", "0", 0),
    ("foreign_keys", "ON", 1),
    // Where a plain sync does not reach the disk.
    ("fullfsync", "ON", 1),
    ("checkpoint_fullfsync", "ON", 1),
    // A damaged or forged file is noticed early, and runs nothing.
    ("cell_size_check", "ON", 1),
    ("trusted_schema", "OFF", 0),
];

/// What is asked for reading.
const FOR_READING: [(&str, &str, i64); 3] =
    [("cell_size_check", "ON", 1), ("trusted_schema", "OFF", 0), ("query_only", "ON", 1)];

/// A connection that writes.
pub(super) fn writing(place: &Place) -> Result<Connection, Fault> {
    let conn = Connection::open_with_flags(
        place.db(),
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // A log that cannot be read must not be deleted when this is closed.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.busy_timeout(BUSY)?;
    file::judge(place, schema::application(&conn)?, schema::version(&conn)?)?;
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(place
            .refused(format!("SQLite keeps no WAL there, but `{mode}`: use a local disk"))
            .into());
    }
    insist(place, &conn, &FOR_WRITING)?;
    Ok(conn)
}

/// A connection that only reads.
pub(super) fn reading(place: &Place) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    read_with(place, Connection::open_with_flags(place.db(), flags)?)
}

/// Makes a connection ready for reading.
pub(super) fn read_with(place: &Place, conn: Connection) -> Result<Connection, Fault> {
    conn.busy_timeout(BUSY)?;
    file::judge(place, schema::application(&conn)?, schema::version(&conn)?)?;
    insist(place, &conn, &FOR_READING)?;
    Ok(conn)
}

/// Sets what is wanted, and reads it back.
fn insist(place: &Place, conn: &Connection, wanted: &[(&str, &str, i64)]) -> Result<(), Fault> {
    for (pragma, value, answer) in wanted {
        conn.pragma_update(None, pragma, value)?;
        let got: i64 = conn.pragma_query_value(None, pragma, |row| row.get(0))?;
        if got != *answer {
            let why =
                format!("SQLite did not take `{pragma} = {value}`: its build lacks what a record needs");
            return Err(place.refused(why).into());
        }
    }
    Ok(())
}

/// The durability that is in force, for `doctor`.
pub(super) fn in_force(conn: &Connection) -> rusqlite::Result<String> {
    let mut all = vec![format!(
        "journal_mode = {}",
        conn.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))?
    )];
    for (pragma, ..) in FOR_WRITING {
        let value: i64 = conn.pragma_query_value(None, pragma, |row| row.get(0))?;
        all.push(format!("{pragma} = {value}"));
    }
    Ok(all.join(", "))
}

/// The stores that this process has open.
///
/// Global, since what it guards is: the system gives up all of a *process's* locks on a file when any
/// handle of that file is closed, also one that was opened for a look at its header. Then another
/// process could take SQLite's log away under this one.
static OPEN: Mutex<BTreeMap<PathBuf, usize>> = Mutex::new(BTreeMap::new());

/// Says that the process has a store open, until it is dropped.
#[derive(Debug)]
pub(super) struct Handle(PathBuf);

/// Opens a store by `open`, which is told whether this process has it open already and must not touch
/// the file but through SQLite.
pub(super) fn register<T>(
    place: &Place,
    open: impl FnOnce(bool) -> Result<T, StoreError>,
) -> Result<(T, Handle), StoreError> {
    let mut all = lock(&OPEN);
    let opened = open(all.contains_key(place.db()))?;
    *all.entry(place.db().to_owned()).or_default() += 1;
    Ok((opened, Handle(place.db().to_owned())))
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut all = lock(&OPEN);
        if let Some(count) = all.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.0);
            }
        }
    }
}
