//! Which store a command reads or writes.

use std::sync::Arc;

use clap::Args;

use super::problem::Problem;
use crate::record::ReadError;
use crate::store::{self, Store, StoreError};

/// The flag that every command has that reads or writes runs.
#[derive(Debug, Args)]
pub(super) struct StoreFlags {
    /// Where runs are recorded: `sqlite:PATH`, or `memory` [default: .fanfold/runs.db, or in FANFOLD_HOME]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) store: Option<String>,
}

impl StoreFlags {
    /// The store's address.
    pub(super) fn address(&self) -> String {
        self.store.clone().unwrap_or_else(store::default_address)
    }

    /// Whether others can open what is recorded there.
    pub(super) fn lasts(&self) -> bool {
        self.address() != "memory"
    }

    /// The store, to be read alone.
    pub(super) fn reading(&self) -> Result<Arc<dyn Store>, Problem> {
        Ok(store::open_read_only(&self.address())?)
    }

    /// The store, if there is one: asking does not make it.
    pub(super) fn existing(&self) -> Result<Arc<dyn Store>, Problem> {
        self.reading()?;
        self.writing()
    }

    /// The store.
    pub(super) fn writing(&self) -> Result<Arc<dyn Store>, Problem> {
        Ok(store::open(&self.address())?)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(in_full(&error))
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Store(error) => Self::Store(in_full(error)),
            ReadError::Commit { .. } => Self::Store(format!("{error}\nhelp: {DAMAGED}")),
            _ => Self::Store(error.to_string()),
        }
    }
}

/// What to do with a damaged store.
const DAMAGED: &str = "`doctor` says what is damaged, and `export` writes what is whole";

/// What a store says, with what to do if it is damaged.
pub(super) fn in_full(error: &StoreError) -> String {
    let text = error.to_string();
    match error {
        StoreError::Damaged { .. } if !text.contains("`export`") => format!("{text}\nhelp: {DAMAGED}"),
        _ => text,
    }
}
