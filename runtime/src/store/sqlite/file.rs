//! What lies at the place of a store, and the making of a new one.
//!
//! A file is looked at before SQLite opens it, so that one which is not ours stays byte for byte as it
//! is. A new store is built under another name and takes its own when it is whole: whoever dies on the
//! way leaves nothing half.

use std::fs::{self, File};
use std::io::{self, Read};

use rusqlite::Connection;

use super::fault::Fault;
use super::place::{Place, sync_folder};
use super::schema;
use crate::store::StoreError;

/// How a SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where its header holds the number of the schema.
const VERSION_AT: usize = 60;
/// Where its header holds whose file it is.
const APPLICATION_AT: usize = 68;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A store that can be opened.
    Store,
    /// Nothing, or an empty file.
    Nothing,
}

/// Looks at the file, without SQLite.
///
/// The process must not have the file open in SQLite: closing any handle of a file gives up all of a
/// process's locks on it.
pub(super) fn look(place: &Place) -> Result<Found, StoreError> {
    let path = place.db();
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(place.io("cannot look at", path, &error)),
        Ok(found) if found.is_dir() => {
            return Err(place.refused("it is a folder: name a file in it, like `sqlite:FOLDER/runs.db`"));
        }
        Ok(found) if !found.is_file() => return Err(place.refused("it is not a file: name another")),
        Ok(found) if found.len() == 0 => return Ok(Found::Nothing),
        Ok(_) => {}
    }
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(not_sqlite(place)),
        Err(error) => Err(place.io("cannot read", path, &error)),
        Ok(()) if !header.starts_with(MAGIC) => Err(not_sqlite(place)),
        Ok(()) => {
            judge(place, number(&header, APPLICATION_AT), number(&header, VERSION_AT))?;
            Ok(Found::Store)
        }
    }
}

/// Refuses what is not ours, or too new.
pub(super) fn judge(place: &Place, application: u32, version: u32) -> Result<(), StoreError> {
    if application != schema::APPLICATION {
        return Err(place.refused(
            "it is a SQLite database of another program's, and stays as it is: name another file with `--store`",
        ));
    }
    if version > schema::VERSION {
        return Err(place.refused(format!(
            "a newer fanfold wrote it (schema {version}; this one knows up to {}), and it stays as it is: \
             build with that version, or name another file with `--store`",
            schema::VERSION
        )));
    }
    Ok(())
}

/// Builds an empty store. To be called under the write lock.
pub(super) fn create(place: &Place) -> Result<(), StoreError> {
    if look(place)? == Found::Store {
        return Ok(());
    }
    let scaffold = place.scaffold();
    clear(place)?;
    build(place).map_err(|fault| place.said(fault))?;
    let named = File::open(&scaffold)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&scaffold, place.db()))
        .and_then(|()| sync_folder(place.folder()));
    named.map_err(|error| place.io("cannot create", place.db(), &error))
}

/// Removes what one that died left behind, or a deleted store: a log of that name would be taken for
/// the new one's.
fn clear(place: &Place) -> Result<(), StoreError> {
    let journal = scaffold_journal(place);
    for path in [place.scaffold(), journal, place.wal(), place.shm()] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(place.io("cannot remove", &path, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn scaffold_journal(place: &Place) -> std::path::PathBuf {
    let mut path = place.scaffold().into_os_string();
    path.push("-journal");
    path.into()
}

fn build(place: &Place) -> Result<(), Fault> {
    let mut conn = Connection::open(place.scaffold())?;
    schema::migrate(&mut conn)?;
    // Last of all, so that the header names the owner before there is a log.
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn not_sqlite(place: &Place) -> StoreError {
    place.refused("it is not a SQLite database, and stays as it is: name another file with `--store`")
}

fn number(header: &[u8; 100], at: usize) -> u32 {
    header[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}
