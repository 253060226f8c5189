//! Where the parts of a store lie: the database, and beside it the locks, the live files, the blobs.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::store::StoreError;

/// The paths of one store.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// As messages show it: as it was given.
    shown: String,
    /// The database: absolute, links followed.
    db: PathBuf,
}

impl Place {
    /// The place of the database at `path`.
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let shown = format!("sqlite:{}", path.display());
        match whole(path) {
            Ok(db) => Ok(Self { shown, db }),
            Err(error) => Err(StoreError::Failed { store: shown, what: error.to_string() }),
        }
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn db(&self) -> &Path {
        &self.db
    }

    /// The folder that all of it lies in.
    pub(super) fn folder(&self) -> &Path {
        self.db.parent().unwrap_or(Path::new("."))
    }

    /// SQLite's log of what is not yet in the database.
    pub(super) fn wal(&self) -> PathBuf {
        beside(&self.db, "-wal")
    }

    /// What processes that have the store open share.
    pub(super) fn shm(&self) -> PathBuf {
        beside(&self.db, "-shm")
    }

    /// Where a new database is built before it takes its name.
    pub(super) fn scaffold(&self) -> PathBuf {
        beside(&self.db, ".new")
    }

    /// The lock that every write is made under.
    pub(super) fn write_lock(&self) -> PathBuf {
        self.folder().join("write.lock")
    }

    /// What says that a run is driven.
    pub(super) fn live(&self, run: &str) -> PathBuf {
        self.folder().join("live").join(run)
    }

    /// The large values of a run.
    pub(super) fn blobs(&self, run: &str) -> PathBuf {
        self.folder().join("blobs").join(run)
    }

    pub(super) fn refused(&self, why: impl Into<String>) -> StoreError {
        StoreError::Refused { store: self.shown.clone(), why: why.into() }
    }

    pub(super) fn failed(&self, what: impl Into<String>) -> StoreError {
        StoreError::Failed { store: self.shown.clone(), what: what.into() }
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> StoreError {
        StoreError::Damaged { store: self.shown.clone(), what: what.into() }
    }

    pub(super) fn no_run(&self, run: &str) -> StoreError {
        StoreError::NoRun { run: run.to_owned(), store: self.shown.clone() }
    }

    /// A failure to do something with a file, in words.
    pub(super) fn io(&self, doing: &str, path: &Path, error: &io::Error) -> StoreError {
        let remedy = match error.kind() {
            io::ErrorKind::StorageFull => ": make room on the disk, then resume",
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                ": give yourself the right to write there, or name another place with `--store`"
            }
            _ => "",
        };
        self.failed(format!("{doing} {}: {error}{remedy}", path.display()))
    }

    /// A fault that came up while the store was used, in words.
    pub(super) fn said(&self, fault: Fault) -> StoreError {
        match fault {
            Fault::Store(error) => error,
            Fault::Sql(error) => super::fault::in_words(self, &error),
        }
    }
}

/// A path with links followed, as far as there is something.
fn whole(path: &Path) -> io::Result<PathBuf> {
    if let Ok(whole) = path.canonicalize() {
        return Ok(whole);
    }
    let whole = std::path::absolute(path)?;
    Ok(match (whole.parent().map(Path::canonicalize), whole.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        // A folder that is not there holds no store: whoever looks for one will say so.
        _ => whole,
    })
}

/// A path with something added to its last part.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut whole = OsString::from(path);
    whole.push(end);
    whole.into()
}

/// Makes a folder with those above it, and all their names durable.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folder(above)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => sync_folder(above)?,
        }
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and its names need no sync of their own.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
