//! Which store an address names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{MemoryStore, Store, StoreError};

/// What an address can be, for messages.
const FORMS: &str = "write `sqlite:PATH` for a file on this machine, or `memory` for nothing that lasts";

/// Opens the store that an address names, and makes it if there is none: `sqlite:PATH` or `memory`.
///
/// # Errors
/// The address has another form, or the store cannot be opened.
pub fn open(address: &str) -> Result<Arc<dyn Store>, StoreError> {
    match place(address)? {
        Address::Memory => Ok(Arc::new(MemoryStore::new())),
        Address::Sqlite(path) => sqlite(address, path, false),
    }
}

/// Opens the store that an address names for reading only: nothing of it is changed.
///
/// # Errors
/// As [`open`]; and there is no store.
pub fn open_read_only(address: &str) -> Result<Arc<dyn Store>, StoreError> {
    match place(address)? {
        Address::Memory => Err(refused(address, "what was recorded in memory is gone with its process")),
        Address::Sqlite(path) => sqlite(address, path, true),
    }
}

/// The address of the store that is used if none is named: `runs.db` in the folder that the environment
/// variable `FANFOLD_HOME` names, else in `.fanfold` of the working directory. To be asked for at the
/// start: an op may change the working directory.
pub fn default_address() -> String {
    let home = std::env::var_os("FANFOLD_HOME").filter(|home| !home.is_empty());
    let folder = home.map_or_else(|| PathBuf::from(".fanfold"), PathBuf::from);
    let path = folder.join("runs.db");
    format!("sqlite:{}", std::path::absolute(&path).unwrap_or(path).display())
}

enum Address<'a> {
    Memory,
    Sqlite(&'a Path),
}

fn place(address: &str) -> Result<Address<'_>, StoreError> {
    if address == "memory" {
        return Ok(Address::Memory);
    }
    match address.split_once(':') {
        Some(("sqlite", "")) => Err(refused(address, "it names no file: write `sqlite:PATH`")),
        Some(("sqlite", path)) => Ok(Address::Sqlite(Path::new(path))),
        Some(("postgres" | "postgresql", _)) => {
            // An address like this may hold a password.
            Err(refused("postgres:…", &format!("this binary is built without PostgreSQL; {FORMS}")))
        }
        _ => Err(refused(address, &format!("it is no address of a store: {FORMS}"))),
    }
}

fn refused(address: &str, why: &str) -> StoreError {
    StoreError::Refused { store: address.to_owned(), why: why.to_owned() }
}

#[cfg(feature = "sqlite")]
fn sqlite(_: &str, path: &Path, read_only: bool) -> Result<Arc<dyn Store>, StoreError> {
    use super::SqliteStore;

    let store = if read_only { SqliteStore::open_read_only(path)? } else { SqliteStore::open(path)? };
    Ok(Arc::new(store))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(address: &str, _: &Path, _: bool) -> Result<Arc<dyn Store>, StoreError> {
    Err(refused(address, "this binary is built without it: add the feature `sqlite` of fanfold"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(address: &str) -> String {
        open(address).expect_err("this is no store").to_string()
    }

    #[test]
    fn an_address_of_no_known_form_is_answered_with_the_forms() {
        assert!(said("runs.db").contains("write `sqlite:PATH`"), "{}", said("runs.db"));
        assert!(said("/tmp/runs.db").contains("write `sqlite:PATH`"));
        assert!(said("sqlite:").contains("names no file"));
        assert!(open("memory").is_ok());
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let said = said("postgres://me:hunter2@host/db");
        assert!(said.contains("PostgreSQL") && !said.contains("hunter2"), "{said}");
    }
}
