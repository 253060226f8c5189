//! What all steps of a run share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use tokio::time::Instant;

/// The resources of a run, by type.
pub(crate) type Resources = HashMap<TypeId, Weak<dyn Any + Send + Sync>>;

/// What all steps of a run share.
#[derive(Debug)]
pub(crate) struct RunContext {
    pub(crate) run_id: String,
    pub(crate) resources: Resources,
    pub(crate) begun: Instant,
}

impl RunContext {
    /// That of a run that begins now.
    pub(crate) fn new(run_id: String, resources: Resources) -> Self {
        Self { run_id, resources, begun: Instant::now() }
    }

    /// The time since the run began.
    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}
