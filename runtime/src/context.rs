//! What an op can know of the step that it runs as, and what it can tell of it.

pub(crate) mod current;
mod metadata;
mod notes;
mod run;
mod told;

use std::any::{Any, TypeId};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::graph::NodeId;
use crate::key::Key;
use crate::logs::StepLog;
use crate::step::{Path, StepName};

pub use metadata::Metadata;
pub use notes::{MAX_METADATA_BYTES, NOTES_VERSION, Note, Notes, NotesError};
pub(crate) use run::{Resources, RunContext};
pub(crate) use told::Told;

/// The step that an op runs as: who it is, which attempt this is, and whether to stop.
///
/// An op takes it as `ctx: &OpContext`. In a unit test, [`OpContext::for_test`] makes one.
#[derive(Debug)]
pub struct OpContext {
    run: Arc<RunContext>,
    node: NodeId,
    name: Arc<str>,
    path: Path,
    attempt: u32,
    cancel: CancellationToken,
    /// Made when there is something to tell, or another context of the same attempt.
    told: OnceLock<Arc<Told>>,
}

impl Clone for OpContext {
    fn clone(&self) -> Self {
        Self {
            run: Arc::clone(&self.run),
            node: self.node,
            name: Arc::clone(&self.name),
            path: self.path.clone(),
            attempt: self.attempt,
            cancel: self.cancel.clone(),
            told: Arc::clone(self.told()).into(),
        }
    }
}

impl OpContext {
    pub(crate) fn new(
        run: Arc<RunContext>,
        (node, name): (NodeId, Arc<str>),
        path: Path,
        attempt: u32,
        cancel: CancellationToken,
    ) -> Self {
        Self { run, node, name, path, attempt, cancel, told: OnceLock::new() }
    }

    /// Makes it the context of another step of the same run, told by the same token: what all steps
    /// share is not counted again for each of them.
    pub(crate) fn turn_to(&mut self, (node, name): (NodeId, &Arc<str>), path: Path, attempt: u32) {
        if !Arc::ptr_eq(&self.name, name) {
            self.name = Arc::clone(name);
        }
        self.node = node;
        self.path = path;
        self.attempt = attempt;
        self.told.take();
    }

    fn told(&self) -> &Arc<Told> {
        self.told.get_or_init(Arc::default)
    }

    /// The step's log, if the run's logs are recorded.
    pub(crate) fn log(&self) -> Option<StepLog<'_>> {
        let buffer = self.run.logs.as_deref()?;
        let (node, item, attempt) = (self.node, self.path.number(), self.attempt);
        Some(StepLog { run: &self.run, buffer, told: self.told(), node, item, attempt })
    }

    /// Ends the step's log: nothing of this attempt is to be logged any more.
    pub(crate) fn close_log(&self) {
        if self.told.get().is_some()
            && let Some(log) = self.log()
        {
            log.close();
        }
    }

    /// A context for a unit test: run `test`, step `test`, first attempt, no resources. What the op
    /// says of its step can be read with [`notes`](Self::notes).
    pub fn for_test() -> Self {
        let run = RunContext::new("test".into(), Resources::new());
        Self::new(Arc::new(run), (NodeId(0), "test".into()), Path::root(), 1, CancellationToken::new())
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
        StepName::new(Arc::clone(&self.name), &self.path).to_string()
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
    /// ```
    /// use fanfold::prelude::*;
    /// # struct Bank;
    /// # impl Bank {
    /// #     fn pay(&self, key: &str, cents: u64) -> Result<(), OpError> {
    /// #         assert_eq!((key, cents), ("test/test", 250));
    /// #         Ok(())
    /// #     }
    /// # }
    /// # #[resource]
    /// # fn bank() -> Bank {
    /// #     Bank
    /// # }
    ///
    /// #[op(retry(max = 5, delay = "1s"))]
    /// fn pay(ctx: &OpContext, #[resource] bank: &Bank, cents: u64) -> Result<(), OpError> {
    ///     // A bank that knows the key already answers as it did, and pays nothing.
    ///     bank.pay(&ctx.idempotency_key(), cents)
    /// }
    /// # pay::call(&OpContext::for_test(), &Bank, 250).unwrap();
    /// ```
    /// A run that is resumed keeps its id, and so its keys; a rerun is another run.
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

    /// The step that the calling code is part of, for code that is not handed its context; `None`
    /// outside all steps, and on threads and tasks that an op made without [`run`](Self::run) or
    /// [`scope`](Self::scope).
    pub fn current() -> Option<Self> {
        current::with(Self::clone)
    }

    /// Runs code as part of this step on a thread that the op made: what it logs is the step's.
    ///
    /// On the thread that the op itself runs on there is no need for it.
    ///
    /// ```
    /// use fanfold::prelude::*;
    ///
    /// #[op]
    /// fn measure(ctx: &OpContext, files: Vec<String>) -> usize {
    ///     std::thread::scope(|threads| {
    ///         for file in &files {
    ///             threads.spawn(move || ctx.run(|| tracing::info!(file, "measured")));
    ///         }
    ///     });
    ///     files.len()
    /// }
    /// # assert_eq!(measure::call(&OpContext::for_test(), vec!["a".into(), "b".into()]), 2);
    /// ```
    pub fn run<R>(&self, code: impl FnOnce() -> R) -> R {
        let _current = current::enter(Rc::new(self.clone()));
        code()
    }

    /// A future as part of this step, wherever it is polled: what it logs is the step's.
    ///
    /// What an async op awaits needs no scope; a task that it spawns does, since it is polled by
    /// itself.
    ///
    /// ```
    /// use fanfold::prelude::*;
    ///
    /// #[op]
    /// async fn fetch_both(ctx: &OpContext) -> usize {
    ///     let other = tokio::spawn(ctx.scope(async {
    ///         tracing::info!("fetching the other");
    ///         1
    ///     }));
    ///     1 + other.await.unwrap_or_default()
    /// }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # assert_eq!(fetch_both::call(&OpContext::for_test()).await, 2);
    /// # });
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let mut context = Some(Box::new(self.clone()));
        async move {
            let mut future = pin!(future);
            poll_fn(|polled| {
                let _current = current::enter_own(&mut context);
                future.as_mut().poll(polled)
            })
            .await
        }
    }

    /// The context of a fold that goes on: what it told before counts.
    pub(crate) fn going_on(self) -> Self {
        let before = self.run.fold_goes_on(self.node, self.path.number());
        Self { told: before.map_or_else(|| self.told, OnceLock::from), ..self }
    }

    /// The fold goes on later.
    pub(crate) fn rest(&self) {
        if let Some(told) = self.told.get() {
            self.run.fold_rests(self.node, self.path.number(), told);
        }
    }

    /// Tells how far the step is: `done` of `total`, in whatever the op counts; a `total` of 0 if that
    /// is not known. Cheap enough for each turn of a loop.
    ///
    /// ```
    /// use fanfold::prelude::*;
    ///
    /// #[op]
    /// fn total(ctx: &OpContext, files: Vec<u64>) -> u64 {
    ///     let mut total = 0;
    ///     for (done, size) in files.iter().enumerate() {
    ///         ctx.progress(done, files.len());
    ///         total += size;
    ///     }
    ///     ctx.metadata("mean", total as f64 / files.len() as f64);
    ///     total
    /// }
    ///
    /// let ctx = OpContext::for_test();
    /// assert_eq!(total::call(&ctx, vec![1, 2, 6]), 9);
    /// assert_eq!(ctx.notes().get("mean"), Some(&3.0.into()));
    /// assert_eq!(ctx.notes().progress, Some((2, 3)));
    /// ```
    pub fn progress(&self, done: impl TryInto<u64>, total: impl TryInto<u64>) {
        // What is below zero is not known.
        let (done, total) = (done.try_into().unwrap_or(0), total.try_into().unwrap_or(0));
        if self.told().set_progress(done, total) {
            self.run.has_progress(self.node, self.path.number(), self.told());
        }
    }

    /// Says something of the step beside its value: recorded and shown with it. A name that was given
    /// before gets the new value. Only the metadata of the attempt that the record keeps counts.
    ///
    /// A step has at most [`MAX_METADATA_BYTES`](crate::MAX_METADATA_BYTES); what is over it is cut, and
    /// the metadata says so. A [`Secret`](crate::Secret) is refused by the compiler.
    pub fn metadata(&self, name: impl Into<String>, value: impl Into<Metadata>) {
        self.told().add(Note { output: None, name: name.into(), value: value.into() });
    }

    /// As [`metadata`](Self::metadata), of one of the step's outputs.
    pub fn output_metadata(
        &self,
        output: impl Into<String>,
        name: impl Into<String>,
        value: impl Into<Metadata>,
    ) {
        self.told().add(Note { output: Some(output.into()), name: name.into(), value: value.into() });
    }

    /// What the step has said of itself up to now: for unit tests.
    pub fn notes(&self) -> Notes {
        self.told.get().map(|told| told.notes()).unwrap_or_default()
    }

    /// What is recorded of what the step said of itself, to be asked when it has ended: read by
    /// [`Notes::read`]. `None` if it said nothing.
    pub(crate) fn take_notes(&self) -> Option<Vec<u8>> {
        self.told.get()?.notes().written()
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
