//! A run that is looked at again and again, and read only when something was changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::state::State;
use crate::web::App;
use crate::web::refused::Refused;

/// How often it is looked whether who drives a run still lives, which changes nothing in the store.
pub(super) const PULSE: Duration = Duration::from_secs(1);

/// A run that is looked at again and again.
#[derive(Debug)]
pub(super) struct Follow {
    app: Arc<App>,
    run: String,
    /// The store's version before the run was read last.
    version: Option<u64>,
    /// When it was read last.
    looked: Instant,
    state: Option<Arc<State>>,
}

impl Follow {
    pub(super) fn new(app: Arc<App>, run: &str) -> Self {
        Self { app, run: run.to_owned(), version: None, looked: Instant::now(), state: None }
    }

    /// The run's state, if it is another one than when it was looked at last.
    ///
    /// # Errors
    /// It is gone, or cannot be read.
    pub(super) fn look(&mut self) -> Result<Option<Arc<State>>, Refused> {
        // In this order: what is changed after the version was asked for is seen the next time.
        let version = Some(self.app.store.version()?);
        if version == self.version && self.looked.elapsed() < PULSE {
            return Ok(None);
        }
        let before = self.state.as_deref();
        let state = self.app.run(&self.run, |open| {
            let (row, seq) = (open.reader().row(), open.seq());
            if before.is_some_and(|before| before.is_of(row, seq)) {
                return Ok(None);
            }
            Ok(Some(Arc::new(State::new(row, seq, open.summary(), open.reader().shape(), before))))
        })?;
        (self.version, self.looked) = (version, Instant::now());
        if state.is_some() {
            self.state.clone_from(&state);
        }
        Ok(state)
    }
}
