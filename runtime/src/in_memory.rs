//! Running a job from a program or a test, and looking at what its steps gave.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::define::{JobDef, Outputs};
use crate::engine::{RunHandle, StartError, start};
use crate::event::{Batch, Event, EventKind, RunState, StepRef, StepState};
use crate::graph::{BuildErrors, build};
use crate::job::Job;
use crate::run::{RunOptions, RunReport, Sink};
use crate::runs::{Begin, Runs, RunsError};
use crate::shape::Shape;
use crate::step::StepName;
use crate::value::AnyValue;

/// Why a job could not be run at all.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Its graph cannot be built.
    #[error(transparent)]
    Build(#[from] BuildErrors),
    /// The run did not begin.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The run could not be recorded.
    #[error(transparent)]
    Record(#[from] RunsError),
    /// The run ended without the job's output.
    #[error(transparent)]
    NoOutput(#[from] NoOutput),
}

/// A run that ended without its job's output.
#[derive(Debug, Clone, thiserror::Error)]
pub struct NoOutput(Box<RunReport>);

impl NoOutput {
    /// How the run ended.
    pub fn report(&self) -> &RunReport {
        &self.0
    }
}

/// How many errors a message holds.
const TOLD_ERRORS: usize = 10;

impl fmt::Display for NoOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report();
        let how = match report.state {
            RunState::Succeeded => "skipped what it returns",
            RunState::Failed => "failed",
            RunState::Cancelled => "was cancelled",
        };
        write!(f, "the run of job `{}` {how}", report.job)?;
        for group in report.summary.errors().iter().take(TOLD_ERRORS) {
            let step = group.examples.first().map(|step| step.name(&report.shape).to_string());
            write!(f, "\n  {}: {}", step.unwrap_or_default(), group.first_error)?;
            if group.count > 1 {
                write!(f, " (and {} more like it)", group.count - 1)?;
            }
        }
        Ok(())
    }
}

/// The values that a job gave, all of them or none; what has no value by nature is `()`.
fn results(report: &RunReport) -> Option<Vec<AnyValue>> {
    let ended = report.state == RunState::Succeeded;
    let results = report.graph.results.iter().zip(&report.outputs).zip(report.graph.job.results);
    results
        .map(|((result, value), def)| match result.source {
            None => ended.then(|| Arc::new(()) as AnyValue),
            // A list may have been gathered: it is read as the type that the job returns.
            Some(_) => value.clone().map(def.read),
        })
        .collect()
}

impl<A, R> Job<A, R> {
    /// The job with its arguments, ready to run.
    pub fn args(self, args: A) -> JobRun<R> {
        JobRun {
            job: self.def(),
            args: self.erased(args),
            read: self.reader(),
            options: RunOptions::default(),
            sinks: Vec::new(),
            record: None,
        }
    }
}

/// A job with its arguments: say how to run it, then run it.
pub struct JobRun<R> {
    job: &'static JobDef,
    args: Vec<AnyValue>,
    read: fn(Vec<AnyValue>) -> R,
    options: RunOptions,
    sinks: Vec<Box<dyn Sink>>,
    record: Option<Runs>,
}

impl<R> JobRun<R> {
    /// Records the run.
    #[must_use]
    pub fn record(mut self, runs: &Runs) -> Self {
        self.record = Some(runs.clone());
        self
    }

    /// How to run it.
    #[must_use]
    pub fn options(mut self, options: RunOptions) -> Self {
        self.options = options;
        self
    }

    /// Something that is told what happens.
    #[must_use]
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Begins the run, in the tokio runtime of the caller, and gives a handle to cancel it and to
    /// wait for its end.
    ///
    /// # Errors
    /// The graph cannot be built, or the run cannot begin.
    pub async fn start(self) -> Result<RunHandle, RunError> {
        let graph = Arc::new(build::build(self.job)?);
        let (options, sinks) = (self.options, self.sinks);
        match self.record {
            Some(runs) => {
                Ok(runs.begin(graph, self.args, Begin { options, sinks, ..Begin::default() }).await?)
            }
            None => Ok(start(graph, self.args, options, sinks).await?),
        }
    }

    /// Runs the job, in the tokio runtime of the caller, and gives what it gave.
    ///
    /// ```
    /// use fanfold::prelude::*;
    ///
    /// #[op]
    /// fn greet(name: &str) -> String {
    ///     format!("hello {name}")
    /// }
    ///
    /// #[job]
    /// fn greeting(name: Out<String>) -> Out<String> {
    ///     greet(name)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), fanfold::RunError> {
    /// let text = greeting::job().args(("you".to_string(),)).run().await?;
    /// assert_eq!(text, "hello you");
    /// # Ok(()) }
    /// ```
    /// # Errors
    /// The graph cannot be built, the run cannot begin, or it gave no output: it failed, was
    /// cancelled, or skipped what the job returns.
    pub async fn run(self) -> Result<R, RunError> {
        let read = self.read;
        let report = self.start().await?.wait().await;
        match results(&report) {
            Some(results) => {
                // Whoever holds a value besides would make it necessary to copy it.
                drop(report);
                Ok(read(results))
            }
            None => Err(RunError::NoOutput(NoOutput(Box::new(report)))),
        }
    }

    /// Runs the job and keeps all that happens and all that its steps give: for tests.
    ///
    /// # Errors
    /// The graph cannot be built, or the run cannot begin. A run that fails is no error here: look
    /// at [`InMemory::state`].
    pub async fn run_in_memory(mut self) -> Result<InMemory<R>, RunError> {
        self.options.keep_values = true;
        let kept = Kept::default();
        self.sinks.push(Box::new(kept.clone()));
        let read = self.read;
        let report = self.start().await?.wait().await;
        let events = std::mem::take(&mut *kept.lock());
        Ok(InMemory { report, events, read })
    }
}

impl<R> fmt::Debug for JobRun<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRun")
            .field("job", &self.job.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// A sink that keeps everything.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Event>>>);

impl Kept {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Kept {
    fn events(&mut self, _shape: &Shape, batch: &Batch) {
        self.lock().extend_from_slice(&batch.events);
    }
}

/// A run that has ended, with all that happened and all that its steps gave.
pub struct InMemory<R> {
    report: RunReport,
    events: Vec<Event>,
    read: fn(Vec<AnyValue>) -> R,
}

impl<R> InMemory<R> {
    /// How the run ended.
    pub fn state(&self) -> RunState {
        self.report.state
    }

    /// How the run ended, with its summary.
    pub fn report(&self) -> &RunReport {
        &self.report
    }

    /// Everything that happened, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What the job gave.
    ///
    /// # Panics
    /// The job gave nothing, as the run failed or a step was skipped: the message says which steps
    /// failed.
    pub fn output(&self) -> R {
        match results(&self.report) {
            Some(results) => (self.read)(results),
            None => panic!("{}", NoOutput(Box::new(self.report.clone()))),
        }
    }

    /// What a step gave; `None` if it did not succeed, or gave nothing.
    ///
    /// # Panics
    /// The value is of another type, or the step has several outputs.
    pub fn step<T: Any + Clone>(&self, name: &str) -> Option<T> {
        self.succeeded().find(|(step, _)| self.name(step).to_string() == name).and_then(|(step, outputs)| {
            match outputs {
                Outputs::None => None,
                Outputs::One(value) => value.as_ref().map(|value| self.read_as(step, value)),
                Outputs::Many(_) => panic!("step `{name}` has several outputs"),
            }
        })
    }

    /// What all steps of an op gave, in yield order.
    ///
    /// # Panics
    /// The values are of another type, or the op has several outputs.
    pub fn outputs_of<T: Any + Clone>(&self, op: &str) -> Vec<T> {
        let steps = self.succeeded().filter(|(step, _)| self.name(step).op() == op);
        let mut values: Vec<_> = steps
            .filter_map(|(step, outputs)| match outputs {
                Outputs::None => None,
                Outputs::One(value) => value.as_ref().map(|value| (&step.path, self.read_as(step, value))),
                Outputs::Many(_) => panic!("op `{op}` has several outputs"),
            })
            .collect();
        values.sort_by(|(a, _), (b, _)| a.cmp_places(b));
        values.into_iter().map(|(_, value)| value).collect()
    }

    /// How a step ended; `None` if the graph never called for it.
    pub fn state_of(&self, name: &str) -> Option<StepState> {
        self.events.iter().rev().find_map(|event| {
            let (step, state) = match &event.kind {
                EventKind::StepSucceeded { step, .. } => (step, StepState::Succeeded),
                EventKind::StepFailed { step, .. } => (step, StepState::Failed),
                EventKind::StepNotRun { step, state, .. } => (step, *state),
                _ => return None,
            };
            (self.name(step).to_string() == name).then_some(state)
        })
    }

    fn succeeded(&self) -> impl Iterator<Item = (&StepRef, &Outputs)> {
        self.events.iter().filter_map(|event| match &event.kind {
            EventKind::StepSucceeded { step, outputs: Some(outputs), .. } => Some((step, outputs)),
            _ => None,
        })
    }

    fn name(&self, step: &StepRef) -> StepName {
        step.name(&self.report.shape)
    }

    fn read_as<T: Any + Clone>(&self, step: &StepRef, value: &AnyValue) -> T {
        value.downcast_ref::<T>().cloned().unwrap_or_else(|| {
            panic!("step `{}` gave no value of type `{}`", self.name(step), std::any::type_name::<T>())
        })
    }
}

impl<R> fmt::Debug for InMemory<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory").field("report", &self.report).finish_non_exhaustive()
    }
}
