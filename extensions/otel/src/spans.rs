//! The trace: a span for the run, and spans for steps, made when they have ended.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use fanfold::graph::NodeId;
use fanfold::{ErrorKind, OpError, RunState, Shape, StepRef};
use opentelemetry::trace::{Event, Span, SpanBuilder, Status, TraceContextExt as _, Tracer};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};

pub(crate) struct Spans<T: Tracer> {
    tracer: T,
    pub(crate) per_second: u32,
    /// What was current where the sink was made.
    outside: Context,
    /// The run's id, and the time of day that all others count from.
    run: Option<(String, SystemTime)>,
    root: Option<Root<T::Span>>,
    /// Attempts that failed, of steps that are not at their end.
    failed: HashMap<(NodeId, u32), Failed>,
    /// A second of the run, and how many spans were made of it.
    second: (u64, u32),
    left_out: u64,
}

struct Root<S> {
    span: S,
    /// What the spans of steps lie in.
    inside: Context,
}

/// The attempts of a step so far.
#[derive(Debug, Default)]
struct Failed {
    /// When the first began.
    started: Option<Duration>,
    /// Which was the last.
    attempt: u32,
    events: Vec<Event>,
}

/// How a step ended that ran.
pub(crate) struct Ended<'a> {
    pub(crate) state: &'static str,
    pub(crate) attempt: u32,
    /// The begin of its last attempt.
    pub(crate) started: Duration,
    pub(crate) end: Duration,
    pub(crate) error: Option<&'a OpError>,
}

impl<T> Spans<T>
where
    T: Tracer,
{
    pub(crate) fn new(tracer: T, per_second: u32) -> Self {
        Self {
            tracer,
            per_second,
            outside: Context::current(),
            run: None,
            root: None,
            failed: HashMap::new(),
            second: (0, 0),
            left_out: 0,
        }
    }

    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Which run it is, and when it was begun first.
    pub(crate) fn known(&mut self, run: String, started: SystemTime) {
        self.run = Some((run, started));
    }

    fn time(&self, since: Duration) -> SystemTime {
        self.run.as_ref().map_or(SystemTime::UNIX_EPOCH, |(_, started)| *started) + since
    }

    /// Begins the span of the run.
    pub(crate) fn open(&mut self, shape: &Shape, at: SystemTime, resumed: bool) {
        self.failed.clear();
        let run = self.run.as_ref().map(|(run, _)| run.clone()).unwrap_or_default();
        let builder = SpanBuilder::from_name(shape.job.clone()).with_start_time(at).with_attributes([
            KeyValue::new("fanfold.run.id", run),
            KeyValue::new("fanfold.job", shape.job.clone()),
            KeyValue::new("fanfold.resumed", resumed),
        ]);
        let span = self.tracer.build_with_context(builder, &self.outside);
        let inside = self.outside.with_remote_span_context(span.span_context().clone());
        self.root = Some(Root { span, inside });
    }

    /// Ends the span of the run.
    pub(crate) fn close(&mut self, state: RunState, at: Duration) {
        let end = self.time(at);
        let Some(Root { mut span, .. }) = self.root.take() else { return };
        let state = match state {
            RunState::Succeeded => "succeeded",
            RunState::Failed => "failed",
            RunState::Cancelled => "cancelled",
        };
        span.set_attribute(KeyValue::new("fanfold.state", state));
        span.set_attribute(KeyValue::new("fanfold.spans.left_out", number(self.left_out)));
        span.set_status(if state == "failed" { Status::error("steps failed") } else { Status::Ok });
        span.end_with_timestamp(end);
    }

    /// An attempt failed, and another follows.
    pub(crate) fn attempt_failed(
        &mut self,
        step: &StepRef,
        attempt: u32,
        (started, took): (Duration, Duration),
        error: &OpError,
        due: Duration,
    ) {
        let wait = due.saturating_sub(started + took).as_secs_f64();
        let event = Event::new(
            "attempt_failed",
            self.time(started + took),
            vec![
                KeyValue::new("fanfold.attempt", i64::from(attempt)),
                KeyValue::new("error.type", kind(error)),
                KeyValue::new("error.message", error.message().to_owned()),
                KeyValue::new("fanfold.retry.after", wait),
            ],
            0,
        );
        let failed = self.failed.entry((step.node, step.path.number())).or_default();
        failed.started.get_or_insert(started);
        failed.attempt = attempt;
        failed.events.push(event);
    }

    /// A step ended; it has a span if it failed, was tried again, or there is room.
    pub(crate) fn step(&mut self, shape: &Shape, step: &StepRef, ended: &Ended<'_>) {
        let failed = self.failed.remove(&(step.node, step.path.number()));
        let matters = ended.error.is_some() || failed.is_some();
        if self.has_room(ended.end) || matters {
            self.span(shape, step, ended, failed.unwrap_or_default());
        } else {
            self.left_out += 1;
        }
    }

    /// A step will not run, or no more: then what it did before is told.
    pub(crate) fn not_run(&mut self, shape: &Shape, step: &StepRef, state: &'static str, at: Duration) {
        if let Some(failed) = self.failed.remove(&(step.node, step.path.number())) {
            let ended = Ended { state, attempt: failed.attempt, started: at, end: at, error: None };
            self.span(shape, step, &ended, failed);
        }
    }

    /// Whether the second that a step ended in has room for another span, which it takes.
    fn has_room(&mut self, end: Duration) -> bool {
        if self.second.0 != end.as_secs() {
            self.second = (end.as_secs(), 0);
        }
        let room = self.second.1 < self.per_second;
        self.second.1 += u32::from(room);
        room
    }

    fn span(&self, shape: &Shape, step: &StepRef, ended: &Ended<'_>, failed: Failed) {
        let Some(root) = &self.root else { return };
        let op = shape.node(step.node).name.to_string();
        let keys: Vec<StringValue> = step.path.keys().iter().map(|key| key.to_string().into()).collect();
        let mut attributes = vec![
            KeyValue::new("fanfold.op", op.clone()),
            KeyValue::new("fanfold.step", step.name(shape).to_string()),
            KeyValue::new("fanfold.keys", Value::Array(Array::String(keys))),
            KeyValue::new("fanfold.attempt", i64::from(ended.attempt)),
            KeyValue::new("fanfold.state", ended.state),
        ];
        if let Some(error) = ended.error {
            attributes.push(KeyValue::new("error.type", kind(error)));
        }
        let started = failed.started.unwrap_or(ended.started);
        let builder = SpanBuilder::from_name(op)
            .with_start_time(self.time(started))
            .with_attributes(attributes)
            .with_events(failed.events);
        let mut span = self.tracer.build_with_context(builder, &root.inside);
        match (ended.error, ended.state) {
            (Some(error), _) => span.set_status(Status::error(error.message().to_owned())),
            (None, "succeeded") => span.set_status(Status::Ok),
            (None, _) => {}
        }
        span.end_with_timestamp(self.time(ended.end));
    }
}

/// What kind of error it is, in a word.
fn kind(error: &OpError) -> &'static str {
    match error.kind() {
        ErrorKind::Op => "op",
        ErrorKind::Permanent => "permanent",
        ErrorKind::RetryAfter(_) => "retry_after",
        ErrorKind::Panic => "panic",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Key => "key",
        ErrorKind::Codec => "codec",
        ErrorKind::Poison => "poison",
        _ => "_OTHER",
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
