//! What an op can know of the step that it runs as.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

use crate::key::Key;
use crate::step::{Path, StepName};

/// The resources of a run, by type.
pub(crate) type Resources = HashMap<TypeId, Weak<dyn Any + Send + Sync>>;

/// What all steps of a run share.
#[derive(Debug, Default)]
pub(crate) struct RunContext {
    pub(crate) run_id: String,
    pub(crate) resources: Resources,
}

/// The step that an op runs as: who it is, which attempt this is, and whether to stop.
///
/// An op takes it as `ctx: &OpContext`. In a unit test, [`OpContext::for_test`] makes one.
#[derive(Debug, Clone)]
pub struct OpContext {
    run: Arc<RunContext>,
    node: Arc<str>,
    path: Path,
    attempt: u32,
    cancel: CancellationToken,
}

impl OpContext {
    pub(crate) fn new(
        run: Arc<RunContext>,
        node: Arc<str>,
        path: Path,
        attempt: u32,
        cancel: CancellationToken,
    ) -> Self {
        Self { run, node, path, attempt, cancel }
    }

    /// Makes it the context of another step of the same run, told by the same token: what all steps
    /// share is not counted again for each of them.
    pub(crate) fn turn_to(&mut self, node: &Arc<str>, path: Path, attempt: u32) {
        if !Arc::ptr_eq(&self.node, node) {
            self.node = Arc::clone(node);
        }
        self.path = path;
        self.attempt = attempt;
    }

    /// A context for a unit test: run `test`, step `test`, first attempt, no resources.
    pub fn for_test() -> Self {
        let run = RunContext { run_id: "test".into(), resources: Resources::new() };
        Self::new(Arc::new(run), "test".into(), Path::root(), 1, CancellationToken::new())
    }

    /// The same on a later attempt: for a unit test of an op that asks which attempt it is.
    #[must_use]
    pub fn with_attempt(self, attempt: u32) -> Self {
        Self { attempt, ..self }
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        &self.run.run_id
    }

    /// The step's name: `op`, `op[key]`, `op[outer][inner]`.
    pub fn step_name(&self) -> String {
        StepName::new(Arc::clone(&self.node), &self.path).to_string()
    }

    /// The mapping key of the item that this copy stands for; of the innermost one, if nested.
    pub fn mapping_key(&self) -> Option<&Key> {
        self.path.key()
    }

    /// Which attempt this is; 1 is the first.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Run and step: the same on each attempt and each resume, so that a side effect can be made
    /// idempotent. A step may run more than once, though it is recorded once.
    ///
    /// Where another attempt of an emitter gives the step's item with another value, the effect is
    /// another one, and so is the key.
    pub fn idempotency_key(&self) -> String {
        match self.path.generation() {
            0 => format!("{}/{}", self.run_id(), self.step_name()),
            generation => format!("{}~{generation}/{}", self.run_id(), self.step_name()),
        }
    }

    /// Whether the step has been asked to stop: the run is being cancelled, or its time is over.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Ends when the step is asked to stop.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// The resource of type `T`.
    ///
    /// # Panics
    /// There is none: a run refuses to start without the resources that its ops take.
    #[doc(hidden)]
    pub fn resource<T: Any + Send + Sync>(&self) -> Arc<T> {
        self.run
            .resources
            .get(&TypeId::of::<T>())
            .and_then(|resource| resource.upgrade()?.downcast().ok())
            .unwrap_or_else(|| panic!("no resource of type `{}` was built", std::any::type_name::<T>()))
    }
}
