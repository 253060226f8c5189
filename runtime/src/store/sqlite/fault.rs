//! What SQLite complains of, in the words of a store.

use rusqlite::{Error, ErrorCode};

use super::place::Place;
use crate::store::StoreError;

/// What can come up between a query and its answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite says it.
    Sql(Error),
    /// It is said already.
    Store(StoreError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// Whether after it nothing that this process believes about the file may be trusted: what it
    /// wrote may be gone from memory and yet not be on the disk.
    pub(super) fn spoils(&self) -> bool {
        use ErrorCode::{CannotOpen, DatabaseCorrupt, DiskFull, NotADatabase, SystemIoFailure};
        let Self::Sql(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(SystemIoFailure | DiskFull | DatabaseCorrupt | NotADatabase | CannotOpen)
        )
    }
}

/// The error, with what to do.
pub(super) fn in_words(place: &Place, error: &Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            place.damaged(format!("{error}: nothing was changed; `export` reads what is whole"))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => place.failed(busy(place)),
        Some(ErrorCode::DiskFull) => place.failed("the disk is full: make room, then resume"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => place.failed(format!(
            "{error}: give yourself the right to write there, or name another place with `--store`"
        )),
        Some(ErrorCode::CannotOpen) => {
            place.failed(format!("{error} ({} and the files beside it)", place.db().display()))
        }
        Some(_) => place.failed(error.to_string()),
        None if is_about_a_value(error) => place.damaged(format!("a row cannot be read: {error}")),
        None => place.failed(error.to_string()),
    }
}

/// A row holds something that was never written there.
fn is_about_a_value(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    )
}

fn busy(place: &Place) -> String {
    let who = super::foreign::holders(place);
    let who = match &who[..] {
        [] => "another program".to_owned(),
        _ => format!("another program ({})", who.join(", ")),
    };
    format!("{who} holds SQLite's lock on it, which no fanfold process keeps: close it there, then try again")
}
