//! Runs of fanfold's jobs as OpenTelemetry traces and metrics.
//!
//! [`Telemetry`] is a [`Sink`]: it is given to a run, and told what happened after it is durable. Steps pay
//! nothing for it; a run without it pays nothing at all. The providers, and with them exporters and batching,
//! are the program's own.
//!
//! ```
//! use fanfold::prelude::*;
//! use fanfold_otel::Telemetry;
//! use opentelemetry::metrics::MeterProvider as _;
//! use opentelemetry_sdk::metrics::SdkMeterProvider;
//! use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
//!
//! #[op]
//! fn greet(name: &str) -> String {
//!     format!("hello {name}")
//! }
//!
//! #[job]
//! fn greeting(name: Out<String>) -> Out<String> {
//!     greet(name)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spans = InMemorySpanExporter::default();
//! let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
//! let meters = SdkMeterProvider::default();
//!
//! let telemetry = Telemetry::new(&tracers, &meters.meter("greetings"));
//! greeting::job().args(("you".to_owned(),)).sink(telemetry).run().await?;
//!
//! let names: Vec<_> = spans.get_finished_spans()?.into_iter().map(|span| span.name).collect();
//! assert_eq!(names, ["greet", "greeting"]);
//! # Ok(()) }
//! ```
//!
//! A program of `fanfold::main()` says `fanfold::main_with` instead, which takes the sinks of each run:
//!
//! ```text
//! fn main() -> std::process::ExitCode {
//!     let (tracers, meters) = exporters();
//!     let meter = meters.meter("greetings");
//!     let code = fanfold::main_with(|| vec![Box::new(Telemetry::new(&tracers, &meter))]);
//!     let _ = tracers.shutdown(); // sends what is left
//!     code
//! }
//! ```
//!
//! # The trace
//!
//! A run is one span, named as the job, below the span that is current where [`Telemetry::new`] is called. A
//! run that goes on later is another, as it may be another process. In it lies a span for each step that ran,
//! named as its op, from the begin of its first attempt to the end of its last:
//!
//! | attribute | of | |
//! |---|---|---|
//! | `fanfold.run.id`, `fanfold.job` | run | |
//! | `fanfold.resumed` | run | whether it goes on with what was recorded before |
//! | `fanfold.state` | both | `succeeded`, `failed`, `cancelled` |
//! | `fanfold.spans.left_out` | run | how many steps have no span |
//! | `fanfold.op`, `fanfold.step` | step | `resize`, `resize[a.jpg]` |
//! | `fanfold.keys` | step | the keys of its items, outermost first |
//! | `fanfold.attempt` | step | which attempt was the last |
//! | `error.type` | step | `op`, `panic`, `timeout`, … |
//!
//! An attempt that failed is an event `attempt_failed` of the step's span. Of each second of the run so many
//! steps have a span ([`SPANS_PER_SECOND`]); those that failed or were tried again always have one.
//!
//! # The metrics
//!
//! | instrument | | attributes |
//! |---|---|---|
//! | `fanfold.steps` | counter of steps that ended | `fanfold.job`, `fanfold.op`, `fanfold.state` |
//! | `fanfold.step.duration` | histogram, seconds of the last attempt | the same |
//! | `fanfold.steps.running` | gauge | `fanfold.job` |
//! | `fanfold.spans.left_out` | counter | `fanfold.job` |
//!
//! Short steps that run in one batch are not seen running, only ended. States also count `skipped`,
//! `upstream_failed`, and `reused` for what a rerun took from the run before.

mod instruments;
mod spans;

use std::collections::HashSet;
use std::sync::Arc;

use fanfold::graph::{Graph, NodeId};
use fanfold::{Batch, Event, EventKind, Shape, Sink, StepRef, Summary};
use opentelemetry::metrics::Meter;
use opentelemetry::trace::{Span, Tracer, TracerProvider};

use instruments::Instruments;
use spans::{Ended, Spans};

/// How many steps of a second have a span, unless something else is asked for: ten times what is looked at,
/// a tenth of what a collector takes.
pub const SPANS_PER_SECOND: u32 = 1_000;

/// A sink that makes a trace and metrics of one run.
pub struct Telemetry<T: Tracer> {
    spans: Spans<T>,
    instruments: Instruments,
    /// The steps that a worker is known to have, by node and number.
    running: HashSet<(NodeId, u32)>,
    left_out: u64,
}

impl<T: Tracer> Telemetry<T> {
    /// Tells of a run to a tracer of these providers, and by instruments of this meter.
    pub fn new(tracers: &impl TracerProvider<Tracer = T>, meter: &Meter) -> Self {
        Self {
            spans: Spans::new(tracers.tracer("fanfold"), SPANS_PER_SECOND),
            instruments: Instruments::new(meter),
            running: HashSet::new(),
            left_out: 0,
        }
    }

    /// Gives a span to at most so many steps of a second of the run, besides those that failed; 0 for these
    /// alone.
    #[must_use]
    pub fn spans_per_second(mut self, most: u32) -> Self {
        self.spans.per_second = most;
        self
    }
}

impl<T> Sink for Telemetry<T>
where
    T: Tracer + Send,
    T::Span: Span + Send + Sync + 'static,
{
    fn begins(&mut self, _: &Arc<Graph>, so_far: &Summary) {
        if let (Some(run), Some(started)) = (so_far.run_id(), so_far.started()) {
            self.spans.known(run.to_owned(), started);
        }
    }

    fn events(&mut self, shape: &Shape, batch: &Batch) {
        for event in &batch.events {
            self.event(shape, event);
        }
        self.instruments.running(&shape.job, self.running.len());
        let left_out = self.spans.left_out();
        self.instruments.left_out(&shape.job, left_out - self.left_out);
        self.left_out = left_out;
    }
}

impl<T> Telemetry<T>
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    fn event(&mut self, shape: &Shape, event: &Event) {
        let at = event.at;
        match &event.kind {
            EventKind::RunStarted { run, started, .. } => {
                self.spans.known(run.to_string(), *started);
                self.spans.open(shape, *started, false);
            }
            EventKind::RunResumed { resumed, .. } => {
                self.running.clear();
                self.spans.open(shape, *resumed, true);
            }
            EventKind::StepStarted { step, .. } => _ = self.running.insert(key(step)),
            EventKind::AttemptFailed { step, attempt, started, took, error, due } => {
                self.running.remove(&key(step));
                self.spans.attempt_failed(step, *attempt, (*started, *took), error, *due);
            }
            EventKind::StepSucceeded { step, attempt, started, took, .. } => {
                // The polls of an emitter are not all of its time.
                let dynamic = shape.node(step.node).outputs.iter().any(|output| output.dynamic);
                let end = if dynamic { at } else { *started + *took };
                let ended =
                    Ended { state: "succeeded", attempt: *attempt, started: *started, end, error: None };
                self.spans.step(shape, step, &ended);
                self.ended(shape, step, "succeeded", Some(*took));
            }
            EventKind::StepFailed { step, attempt, started, took, error, .. } => {
                let end = *started + *took;
                let ended =
                    Ended { state: "failed", attempt: *attempt, started: *started, end, error: Some(error) };
                self.spans.step(shape, step, &ended);
                self.ended(shape, step, "failed", Some(*took));
            }
            EventKind::StepNotRun { step, state, .. } => {
                let state = state.name();
                self.spans.not_run(shape, step, state, at);
                self.ended(shape, step, state, None);
            }
            EventKind::StepReused { step, .. } => self.ended(shape, step, "reused", None),
            EventKind::RunEnded { state } => {
                self.running.clear();
                self.spans.close(*state, at);
            }
            // What else happens ends no step; what is new to this crate is passed over.
            _ => {}
        }
    }

    fn ended(
        &mut self,
        shape: &Shape,
        step: &StepRef,
        state: &'static str,
        took: Option<std::time::Duration>,
    ) {
        self.running.remove(&key(step));
        self.instruments.ended(shape, step.node, state, took);
    }
}

fn key(step: &StepRef) -> (NodeId, u32) {
    (step.node, step.path.number())
}
