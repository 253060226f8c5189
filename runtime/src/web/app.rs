//! What every request is answered from.

use std::path::PathBuf;
use std::sync::Arc;

use super::drawings::Drawings;
use super::live::Watchers;
use super::open_runs::OpenRuns;
use super::refused::Refused;
use crate::cli::again::Again;
use crate::index::OpenRun;
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
    /// Who looks at runs for the streams that tell of them.
    pub(crate) watchers: Watchers,
    /// The runs that were asked for last, decoded.
    pub(crate) runs: OpenRuns,
    /// The graphs that were asked for last, laid out.
    pub(crate) drawings: Drawings,
    /// Held while a rerun is planned: all of a run is read for it, so it is one at a time.
    pub(crate) planning: Arc<tokio::sync::Mutex<()>>,
}

impl App {
    /// Nothing was asked for yet.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        address: String,
        program: &str,
        executable: PathBuf,
        read_only: bool,
    ) -> Self {
        Self {
            store,
            address,
            program: program.to_owned(),
            executable,
            read_only,
            runs: OpenRuns::default(),
            watchers: Watchers::default(),
            drawings: Drawings::default(),
            planning: Arc::default(),
        }
    }

    /// Answers from a run, by its whole id, as it stands now.
    pub(crate) fn run<T>(
        &self,
        id: &str,
        answer: impl FnOnce(&mut OpenRun) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.runs.with(&self.store, id, answer)
    }

    /// This program at this store, for the command lines that are shown.
    pub(crate) fn again(&self) -> Again {
        let usual = default_address();
        let path = usual.strip_prefix("sqlite:").and_then(|path| std::path::absolute(path).ok());
        let usual = path.map_or(usual, |path| format!("sqlite:{}", path.display()));
        let named = (self.address != usual).then_some(self.address.as_str());
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
