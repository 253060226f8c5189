//! Reading a store in a folder that cannot be written: on a read-only disk, or of another user's.
//!
//! SQLite needs a file beside the database to read it together with its log. Without a log the database
//! is all there is, and is read as it lies; with one, both are copied to where SQLite can write.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::connection;
use super::fault::Fault;
use super::place::Place;
use crate::store::StoreError;

/// So often it is tried to copy a store that changes meanwhile.
const TRIES: usize = 5;

/// How the store is read.
#[derive(Debug)]
pub(super) enum Frozen {
    /// As it lies: there is no log, and nobody here can write one.
    AsItLies,
    /// From a copy, of the state that it had then.
    Copied(Folder),
}

/// A folder that is removed with this.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Frozen {
    pub(super) fn new(place: &Place) -> Result<Self, StoreError> {
        let has_log = fs::metadata(place.wal()).is_ok_and(|wal| wal.len() > 0);
        if !has_log {
            return Ok(Self::AsItLies);
        }
        let folder = Folder::new()
            .map_err(|error| place.io("cannot make a folder in", &std::env::temp_dir(), &error))?;
        copy(place, &folder).map_err(|error| place.io("cannot copy", place.db(), &error))?;
        Ok(Self::Copied(folder))
    }

    pub(super) fn connect(&self, place: &Place) -> Result<Connection, Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = match self {
            Self::Copied(folder) => Connection::open_with_flags(folder.db(), flags)?,
            Self::AsItLies => {
                Connection::open_with_flags(uri(place.db())?, flags | OpenFlags::SQLITE_OPEN_URI)?
            }
        };
        connection::read_with(place, conn)
    }

    /// How it is read, for `doctor`.
    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::AsItLies => "nothing can be written there: read as it lies",
            Self::Copied(_) => "nothing can be written there: read from a copy of what was there at first",
        }
    }
}

impl Folder {
    fn new() -> io::Result<Self> {
        let name = format!("fanfold-{}-{:016x}", std::process::id(), fastrand::u64(..));
        let folder = std::env::temp_dir().join(name);
        let mut builder = fs::DirBuilder::new();
        // What is recorded may be nobody else's business.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        Ok(Self(folder))
    }

    fn db(&self) -> PathBuf {
        self.0.join("runs.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder for things that may vanish: what is left there harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies the database and its log, both of one instant: none of them changed meanwhile.
fn copy(place: &Place, folder: &Folder) -> io::Result<()> {
    let (db, wal) = (place.db(), place.wal());
    for _ in 0..TRIES {
        let before = (state(db), state(&wal));
        fs::copy(db, folder.db())?;
        fs::copy(&wal, folder.0.join("runs.db-wal"))?;
        if before == (state(db), state(&wal)) {
            return Ok(());
        }
    }
    Err(io::Error::other("another process keeps writing to it"))
}

fn state(path: &Path) -> Option<(u64, std::time::SystemTime)> {
    fs::metadata(path).ok().and_then(|found| Some((found.len(), found.modified().ok()?)))
}

/// The address under which SQLite takes a file for one that never changes.
fn uri(path: &Path) -> Result<String, Fault> {
    let text = path.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(path.to_owned()))?;
    let mut uri = String::from("file:");
    if cfg!(windows) {
        uri.push('/');
    }
    for c in text.chars() {
        match c {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            '\\' if cfg!(windows) => uri.push('/'),
            c => uri.push(c),
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}
