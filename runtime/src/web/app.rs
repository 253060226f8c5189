//! What every request is answered from.

use std::path::PathBuf;
use std::sync::Arc;

use super::refused::Refused;
use crate::cli::again::Again;
use crate::store::{Store, default_address};

/// The server's knowledge of itself and of its store.
#[derive(Debug)]
pub(crate) struct App {
    /// Where runs are read: read-only, and never the connection of a run.
    pub(crate) store: Arc<dyn Store>,
    /// The store's address, for the processes that are started.
    pub(crate) address: String,
    /// The program's name, for command lines that are shown.
    pub(crate) program: String,
    /// The program, to be started again.
    pub(crate) executable: PathBuf,
    /// Whether nothing may be begun or cancelled.
    pub(crate) read_only: bool,
}

impl App {
    /// This program at this store, for the command lines that are shown.
    pub(crate) fn again(&self) -> Again {
        let named = (self.address != default_address()).then_some(self.address.as_str());
        Again::of(&self.program, named, &self.store)
    }

    /// Answers on a thread that may wait for the disk.
    pub(crate) async fn blocking<T, F>(self: Arc<Self>, answer: F) -> Result<T, Refused>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, Refused> + Send + 'static,
    {
        let answer = tokio::task::spawn_blocking(move || answer(&self));
        answer.await.unwrap_or_else(|_| Err(Refused::broken("the answer could not be made")))
    }
}
