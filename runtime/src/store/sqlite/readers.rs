//! The connections that read: one for each query at a time, kept for the next.

use std::fmt;
use std::sync::Mutex;

use rusqlite::{Connection, Transaction};

use super::fault::Fault;
use super::frozen::Frozen;
use super::place::Place;
use super::{connection, lock};
use crate::store::StoreError;

/// So many are kept open when nobody reads.
const KEPT: usize = 4;

/// What reads.
pub(super) struct Readers {
    place: Place,
    idle: Mutex<Vec<Connection>>,
    watch: Mutex<Watch>,
    /// How it is read where SQLite cannot make its files beside it.
    frozen: Option<Frozen>,
}

/// A connection that looks for changes and does nothing else: SQLite counts what others do for each
/// connection of its own.
#[derive(Default)]
struct Watch {
    conn: Option<Connection>,
    /// How many there were before: their counts are told apart by it.
    before: u64,
}

impl Readers {
    /// Reads the database where it is.
    pub(super) fn new(place: Place) -> Self {
        Self { place, idle: Mutex::default(), watch: Mutex::default(), frozen: None }
    }

    /// Reads the database wherever it can be read, also where nothing can be written.
    pub(super) fn wherever(place: Place) -> Result<Self, StoreError> {
        let mut readers = Self::new(place.clone());
        match readers.read(|_| Ok(())) {
            Err(StoreError::Failed { .. }) => {
                readers.frozen = Some(Frozen::new(&place)?);
                readers.read(|_| Ok(()))?;
            }
            other => other?,
        }
        Ok(readers)
    }

    /// Asks something of the store as it stands at one instant.
    pub(super) fn read<T>(
        &self,
        what: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.ask(what).map_err(|fault| self.place.said(fault))
    }

    fn ask<T>(&self, what: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let idle = lock(&self.idle).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => self.connect()?,
        };
        let tx = conn.unchecked_transaction()?;
        let answer = what(&tx)?;
        tx.finish()?;
        let mut idle = lock(&self.idle);
        if idle.len() < KEPT {
            idle.push(conn);
        }
        Ok(answer)
    }

    fn connect(&self) -> Result<Connection, Fault> {
        match &self.frozen {
            Some(frozen) => frozen.connect(&self.place),
            None => connection::reading(&self.place),
        }
    }

    /// A number that is another one after any change.
    pub(super) fn version(&self) -> Result<u64, StoreError> {
        let mut watch = lock(&self.watch);
        let version = self.count(&mut watch);
        if version.is_err() && watch.conn.take().is_some() {
            watch.before += 1;
        }
        version.map_err(|fault| self.place.said(fault))
    }

    fn count(&self, watch: &mut Watch) -> Result<u64, Fault> {
        let conn = match &mut watch.conn {
            Some(conn) => conn,
            none => none.insert(self.connect()?),
        };
        let count: u32 = conn.pragma_query_value(None, "data_version", |row| row.get(0))?;
        Ok(watch.before << u32::BITS | u64::from(count))
    }

    /// Closes all that nobody reads with.
    pub(super) fn close(&self) {
        lock(&self.idle).clear();
        lock(&self.watch).conn = None;
    }

    /// What is special about how the store is read, for `doctor`.
    pub(super) fn frozen(&self) -> Option<&Frozen> {
        self.frozen.as_ref()
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("place", &self.place).finish_non_exhaustive()
    }
}
