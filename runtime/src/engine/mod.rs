//! The engine: drives a [`Machine`] with threads, tasks, timers and the clock.
//!
//! Sync ops and emitters run on threads of the run's own, async ops as tasks of the tokio runtime
//! that the run was started in, whatever its flavour. Whoever has finished something applies it to
//! the machine, under its one lock, and takes the next work in the same breath.

mod attempt;
mod emitter;
mod recorder;
mod resources;
mod shared;
mod supervisor;
mod timekeeper;
mod values;
mod worker;

pub use resources::ResourceError;
pub(crate) use shared::from_hand;
pub(crate) use values::{Recorded, Values};

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::oneshot;

use crate::context::RunContext;
use crate::define::ArgDef;
use crate::event::{EventKind, StepRef};
use crate::graph::Graph;
use crate::machine::{Config, Limits, Machine, Recall, Suspects};
use crate::options::{DEFAULT_MAX_CONCURRENT, OPEN_ITEMS};
use crate::panics::contained;
use crate::record::{Encoder, State};
use crate::run::{RunOptions, RunReport, Sink};
use crate::shape::Shape;
use crate::store::{Drive, Store};
use crate::summary::Summary;
use crate::value::AnyValue;

use shared::Shared;

/// Why a run did not begin.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A limit of zero would let nothing run.
    #[error("{what} is 0, which would let nothing run: give 1 or more")]
    ZeroLimit {
        /// Which limit.
        what: String,
    },
    /// The wrong number of arguments.
    #[error("job `{job}` takes {takes} arguments, and is given {given}")]
    Arguments {
        /// The job.
        job: &'static str,
        /// How many it takes.
        takes: usize,
        /// How many were given.
        given: usize,
    },
    /// A resource is not there.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// The system gives the program no more threads.
    #[error(
        "there is no room for the threads of a run: {why}; end other programs, or raise the limit (`ulimit -u`, `ulimit -v`)"
    )]
    Threads {
        /// What the system says.
        why: String,
    },
}

/// A run that has begun. Dropping it cancels the run.
#[derive(Debug)]
pub struct RunHandle {
    shared: Arc<Shared>,
    report: oneshot::Receiver<RunReport>,
    /// Kept until the run has ended; dropped last-built first.
    resources: resources::Built,
}

/// Begins a run of a graph in the tokio runtime of the caller.
///
/// # Errors
/// A limit is zero, an argument is missing, or a resource cannot be built. Nothing has run then.
///
/// # Panics
/// There is no tokio runtime.
pub async fn start(
    graph: Arc<Graph>,
    args: Vec<AnyValue>,
    options: RunOptions,
    sinks: Vec<Box<dyn Sink>>,
) -> Result<RunHandle, StartError> {
    start_session(graph, args, options, sinks, None).await
}

/// One process's part in a recorded run.
#[derive(Debug)]
pub(crate) struct Session {
    /// The right to write the record.
    pub(crate) drive: Arc<dyn Drive>,
    /// What is known, and where its large values lie: the store, and the run.
    pub(crate) recall: Option<(Recall, Arc<dyn Store>, String)>,
    /// What happened in the run so far, if it goes on.
    pub(crate) summary: Option<Summary>,
    /// The steps that the process had in hand when it died, if it did.
    pub(crate) in_hand: Vec<StepRef>,
    pub(crate) suspects: Suspects,
}

/// As [`start`], recorded.
pub(crate) async fn start_session(
    graph: Arc<Graph>,
    args: Vec<AnyValue>,
    options: RunOptions,
    sinks: Vec<Box<dyn Sink>>,
    session: Option<Session>,
) -> Result<RunHandle, StartError> {
    let mut config = config(&graph, &options)?;
    config.recording = session.is_some();
    config.suspects = session.as_ref().map(|session| session.suspects.clone()).unwrap_or_default();
    if args.len() != graph.job.args.len() {
        return Err(StartError::Arguments {
            job: graph.job.name,
            takes: graph.job.args.len(),
            given: args.len(),
        });
    }
    let resources = resources::build(&graph).await?;
    crate::panics::install_hook();
    let id = session.as_ref().map_or_else(run_id, |session| session.drive.run().to_owned());
    let mut run = RunContext::new(id, resources.by_type());
    run.logs = session.is_some().then(Arc::default);
    let shape = Arc::new(graph.shape());
    let beginning = beginning(&graph, &args, &shape, sinks, &run.run_id, session.as_ref());
    let values = values_of(session);
    let recall = values.recall.clone();
    let mut machine = Machine::recalling(graph, args, config, recall);
    run.before = machine.begins_at();
    machine.set_grace(options.grace.unwrap_or(crate::run::GRACE));
    let (sender, report) = oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    let shared = Arc::new(Shared::new(machine, run, Arc::new(values), options.grace, runtime));
    recorder::spawn(Arc::clone(&shared), beginning, sender).map_err(no_thread)?;
    timekeeper::spawn(Arc::clone(&shared));
    if let Err(error) = shared.begin().and_then(|()| supervisor::spawn(Arc::clone(&shared))) {
        shared.cancel("there is no room for its threads", Some(std::time::Duration::ZERO));
        return Err(no_thread(error));
    }
    Ok(RunHandle { shared, report, resources })
}

fn no_thread(error: std::io::Error) -> StartError {
    StartError::Threads { why: error.to_string() }
}

/// What the recorder begins with.
fn beginning(
    graph: &Graph,
    args: &[AnyValue],
    shape: &Arc<Shape>,
    sinks: Vec<Box<dyn Sink>>,
    run: &str,
    session: Option<&Session>,
) -> recorder::Beginning {
    let going_on = session
        .and_then(|session| session.recall.as_ref())
        .filter(|(recall, ..)| recall.goes_on() && recall.past.has_begun());
    let log = session.map(|session| {
        let drive = Arc::clone(&session.drive);
        match going_on {
            Some((recall, ..)) => recorder::Log::after(drive, &recall.past),
            None => recorder::Log::new(drive, State::new(shape), Encoder::new()),
        }
    });
    let now = SystemTime::now();
    let shown = |(arg, value): (&ArgDef, _)| (arg.name.to_owned(), (arg.show)(value));
    let in_hand = session.map(|session| session.in_hand.clone()).unwrap_or_default();
    let mut first = Vec::new();
    // A process that died before its first commit has begun nothing that is known.
    if going_on.is_none() {
        let args = graph.job.args.iter().zip(args).map(shown).collect();
        first.push(EventKind::RunStarted { run: run.into(), started: now, args });
    }
    if going_on.is_some() || !in_hand.is_empty() {
        first.push(EventKind::RunResumed { resumed: now, in_hand });
    }
    let known = session.and_then(|session| session.summary.clone());
    let summary = known.unwrap_or_else(|| Summary::new(shape));
    recorder::Beginning { sinks, shape: Arc::clone(shape), summary, log, first }
}

/// Where the values of a run are recorded, and read back from.
fn values_of(session: Option<Session>) -> Values {
    let Some(Session { drive, recall, .. }) = session else {
        return Values { drive: None, recall: None, known: None };
    };
    let (recall, known) = match recall {
        Some((recall, store, run)) => (Some(recall), Some((store, run))),
        None => (None, None),
    };
    Values { drive: Some(drive), recall, known }
}

impl RunHandle {
    /// The run's id.
    pub fn run_id(&self) -> &str {
        &self.shared.run.run_id
    }

    /// Cancels the run: no new step starts, running ones are told and given the grace period.
    pub fn cancel(&self, reason: &str) {
        self.shared.cancel(reason, None);
    }

    /// Ends the run at once: nobody waits for running steps.
    pub fn cancel_now(&self, reason: &str) {
        self.shared.cancel(reason, Some(std::time::Duration::ZERO));
    }

    /// Something that can cancel the run while this handle waits for its end.
    pub fn canceller(&self) -> Canceller {
        Canceller(Arc::clone(&self.shared))
    }

    /// What running steps say of how far they are, for whoever shows it while this handle waits.
    pub fn steps(&self) -> RunningSteps {
        RunningSteps(Arc::clone(&self.shared))
    }

    /// Waits for the end of the run, and of the job's hook.
    ///
    /// # Panics
    /// A sink panicked.
    pub async fn wait(mut self) -> RunReport {
        let report = (&mut self.report).await.expect("the supervisor reports before it ends");
        self.resources.tear_down();
        let job = report.graph.job;
        let hook = match report.state {
            crate::RunState::Succeeded => job.on_success,
            crate::RunState::Failed => job.on_failure,
            crate::RunState::Cancelled => None,
        };
        if let Some(hook) = hook {
            // The run has ended as it did, whatever becomes of the hook.
            contained(|| (hook.0)(report.clone())).await;
        }
        report
    }
}

impl Drop for RunHandle {
    fn drop(&mut self) {
        self.shared.cancel("its handle was dropped", Some(std::time::Duration::ZERO));
    }
}

/// Cancels a run from elsewhere.
#[derive(Debug, Clone)]
pub struct Canceller(Arc<Shared>);

impl Canceller {
    /// As [`RunHandle::cancel`].
    pub fn cancel(&self, reason: &str) {
        self.0.cancel(reason, None);
    }

    /// As [`RunHandle::cancel_now`].
    pub fn cancel_now(&self, reason: &str) {
        self.0.cancel(reason, Some(std::time::Duration::ZERO));
    }
}

/// What running steps say of themselves.
#[derive(Debug, Clone)]
pub struct RunningSteps(Arc<Shared>);

impl RunningSteps {
    /// How much of a running step is done, and of how much (0 if that is not known); `None` if the step
    /// does not say, or does not run.
    pub fn progress_of(&self, step: &StepRef) -> Option<(u64, u64)> {
        self.0.run.progress_of(step.node, step.path.number())
    }
}

/// What the options say, else the job, else the defaults.
fn config(graph: &Graph, options: &RunOptions) -> Result<Config, StartError> {
    let job = &graph.job.options;
    let max_concurrent = options.max_concurrent.or(job.max_concurrent).unwrap_or(DEFAULT_MAX_CONCURRENT);
    let mut limits = Limits { max_concurrent, ..Limits::default() };
    limits.pools.extend(job.pools.iter().map(|(name, limit)| ((*name).to_owned(), *limit)));
    limits.pools.extend(options.pools.clone());
    limits.tags.extend(
        job.tag_limits.iter().map(|(name, value, max)| (((*name).to_owned(), (*value).to_owned()), *max)),
    );
    limits.tags.extend(options.tag_limits.clone());
    refuse_zeros(&limits)?;
    let workers = cores().min(max_concurrent);
    Ok(Config {
        limits,
        order: options.order.or(job.order).unwrap_or_default(),
        fail_fast: options.fail_fast.unwrap_or(job.fail_fast),
        keep_values: options.keep_values,
        open_items: OPEN_ITEMS.max(max_concurrent.saturating_mul(2)),
        recording: false,
        suspects: Suspects::default(),
        workers,
        seed: options.seed.unwrap_or_else(|| fastrand::u64(..)),
    })
}

fn refuse_zeros(limits: &Limits) -> Result<(), StartError> {
    let zero = |what: String| Err(StartError::ZeroLimit { what });
    if limits.max_concurrent == 0 {
        return zero("`max_concurrent`".to_owned());
    }
    for (name, limit) in &limits.pools {
        if limit.max == Some(0) || limit.rate.is_some_and(|rate| rate.starts == 0) {
            return zero(format!("the limit of pool `{name}`"));
        }
    }
    for ((name, value), max) in &limits.tags {
        if *max == 0 {
            return zero(format!("the limit of tag `{name}` = `{value}`"));
        }
    }
    Ok(())
}

/// How many cores there are.
fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

/// Twelve letters and digits that are hard to confuse (Crockford's base 32): 60 random bits, so that
/// a few letters tell runs apart. Order comes from elsewhere: ids that begin with the time share
/// their first letters for hours.
pub(crate) fn run_id() -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    (0..12).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())])).collect()
}
