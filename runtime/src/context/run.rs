//! What all steps of a run share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::logs::LogBuffer;

/// The resources of a run, by type.
pub(crate) type Resources = HashMap<TypeId, Weak<dyn Any + Send + Sync>>;

/// What all steps of a run share.
#[derive(Debug)]
pub(crate) struct RunContext {
    pub(crate) run_id: String,
    pub(crate) resources: Resources,
    pub(crate) begun: Instant,
    /// Where steps' logs go; `None` in a run that is not recorded.
    pub(crate) logs: Option<Arc<LogBuffer>>,
}

impl RunContext {
    /// That of a run that begins now.
    pub(crate) fn new(run_id: String, resources: Resources) -> Self {
        Self { run_id, resources, begun: Instant::now(), logs: None }
    }

    /// The time since the run began.
    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}
