//! A trace of attempts, in the JSON form of Chrome's trace events, that <https://ui.perfetto.dev> opens.

mod lanes;
mod running;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::event::{Batch, Event, EventKind, StepRef, StepState};
use crate::export::Export;
use crate::shape::Shape;
use crate::step::Brackets;

use lanes::Lanes;
use running::Running;

/// There is one process, the run.
const RUN: u32 = 1;

/// Writes what ran when as a trace.
///
/// Each attempt is a slice with the name of its step, `FAILED` before it if it failed. Its category is
/// the op; its arguments are the keys, the attempt, the state and the error. Attempts that ran at the
/// same time lie in different lanes, as many as were needed: a lane is not a worker. Two counters show
/// how many steps ran, as the peak of each millisecond, and how many had ended, by state. Times are
/// microseconds since the run began. What had begun when the run was interrupted, and has no end,
/// lasts until then.
#[derive(Debug)]
pub struct PerfettoTrace<W> {
    out: W,
    begun: bool,
    name: String,
    lanes: Lanes,
    running: Running,
    /// What has begun and not ended, by node and item.
    open: HashMap<(u32, u32), Begun>,
    ended: Ended,
    /// The time of the last event.
    now: u64,
}

#[derive(Debug)]
struct Begun {
    at: u64,
    slice: Slice,
}

/// One attempt, without its times.
#[derive(Debug)]
struct Slice {
    step: String,
    op: String,
    keys: String,
    attempt: u32,
    state: &'static str,
    error: Option<String>,
}

/// How many steps have ended, and of which that was told last.
#[derive(Debug, Default)]
struct Ended {
    counts: [u64; 5],
    told: Option<u64>,
    changed: bool,
}

/// The states that are counted, in the order of [`Ended::counts`].
const COUNTED: [StepState; 5] = [
    StepState::Succeeded,
    StepState::Failed,
    StepState::UpstreamFailed,
    StepState::Skipped,
    StepState::Cancelled,
];

impl<W: Write> PerfettoTrace<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        Self {
            out,
            begun: false,
            name: String::new(),
            lanes: Lanes::default(),
            running: Running::default(),
            open: HashMap::new(),
            ended: Ended::default(),
            now: 0,
        }
    }

    fn write(&mut self, event: &Value) -> io::Result<()> {
        let before = if std::mem::replace(&mut self.begun, true) {
            ",\n"
        } else {
            "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
        };
        self.out.write_all(before.as_bytes())?;
        serde_json::to_writer(&mut self.out, event)?;
        Ok(())
    }

    fn event(&mut self, shape: &Shape, event: &Event) -> io::Result<()> {
        let before = self.now;
        self.now = self.now.max(micros(event.at));
        match &event.kind {
            EventKind::RunStarted { run, .. } => {
                self.name = format!("{} {run}", shape.job);
                let args = json!({ "name": self.name });
                self.write(&json!({ "ph": "M", "pid": RUN, "name": "process_name", "args": args }))
            }
            EventKind::RunResumed { .. } => {
                self.ended.resume();
                self.interrupted(before)?;
                self.mark("the run goes on")
            }
            EventKind::RunCancelling { reason } => self.mark(&format!("cancelling: {reason}")),
            EventKind::StepStarted { step, attempt } => {
                let at = micros(event.at);
                self.running.begins(at);
                let slice = Slice::new(shape, step, *attempt, "unfinished");
                self.open.insert(step.numbers(), Begun { at, slice });
                Ok(())
            }
            EventKind::StepSucceeded { step, attempt, started, took, .. } => {
                self.ended.add(StepState::Succeeded);
                let slice = Slice::new(shape, step, *attempt, "succeeded");
                self.attempt(shape, step, slice, *started, *took, event.at)
            }
            EventKind::AttemptFailed { step, attempt, started, took, error, .. } => {
                let error = Some(error.to_string());
                let slice = Slice { error, ..Slice::new(shape, step, *attempt, "attempt_failed") };
                self.attempt(shape, step, slice, *started, *took, event.at)
            }
            EventKind::StepFailed { step, attempt, started, took, error, .. } => {
                self.ended.add(StepState::Failed);
                let error = Some(error.to_string());
                let slice = Slice { error, ..Slice::new(shape, step, *attempt, "failed") };
                self.attempt(shape, step, slice, *started, *took, event.at)
            }
            EventKind::StepNotRun { step, state, .. } => {
                self.ended.add(*state);
                match self.open.remove(&step.numbers()) {
                    Some(Begun { at, slice }) => {
                        let slice = Slice { state: state.name(), ..slice };
                        self.running.ends(self.now);
                        self.slice(&slice, at, self.now)
                    }
                    None => Ok(()),
                }
            }
            EventKind::StepRemade { .. } => {
                self.ended.take(StepState::Succeeded);
                Ok(())
            }
            EventKind::ItemSuperseded { ended, .. } => {
                ended.iter().for_each(|(_, state)| self.ended.take(*state));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn attempt(
        &mut self,
        shape: &Shape,
        step: &StepRef,
        slice: Slice,
        started: Duration,
        took: Duration,
        at: Duration,
    ) -> io::Result<()> {
        // What an emitter took are its polls; between them it waited, and was not yet at its end.
        let emits = shape.node(step.node).outputs.iter().any(|output| output.dynamic);
        let end = if emits { at } else { at.min(started.saturating_add(took)) };
        let (start, end) = (micros(started), micros(end.max(started)));
        if self.open.remove(&step.numbers()).is_none() {
            self.running.begins(start);
        }
        self.running.ends(end);
        self.slice(&slice, start, end)
    }

    fn slice(&mut self, slice: &Slice, start: u64, end: u64) -> io::Result<()> {
        let (lane, is_new) = self.lanes.take(start, end);
        if is_new {
            let name = json!({ "name": format!("lane {lane}") });
            self.write(&json!({ "ph": "M", "pid": RUN, "tid": lane, "name": "thread_name", "args": name }))?;
            let place = json!({ "sort_index": lane });
            self.write(
                &json!({ "ph": "M", "pid": RUN, "tid": lane, "name": "thread_sort_index", "args": place }),
            )?;
        }
        self.write(&slice.event(lane, start, end))
    }

    /// What had begun when the process died has no end: it lasts until the last sign of life.
    fn interrupted(&mut self, until: u64) -> io::Result<()> {
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by(|a, b| (a.at, &a.slice.step).cmp(&(b.at, &b.slice.step)));
        for Begun { at, slice } in open {
            self.running.ends(until.max(at));
            self.slice(&slice, at, until.max(at))?;
        }
        Ok(())
    }

    /// A mark through all lanes.
    fn mark(&mut self, name: &str) -> io::Result<()> {
        self.write(&json!({ "ph": "i", "s": "p", "pid": RUN, "tid": 0, "ts": self.now, "name": name }))
    }

    fn counters(&mut self, all: bool) -> io::Result<()> {
        for (at, steps) in self.running.told(self.now, all) {
            let args = json!({ "running": steps });
            self.write(&json!({ "ph": "C", "pid": RUN, "ts": at, "name": "running steps", "args": args }))?;
        }
        if let Some(args) = self.ended.told(self.now, all) {
            self.write(
                &json!({ "ph": "C", "pid": RUN, "ts": self.now, "name": "ended steps", "args": args }),
            )?;
        }
        Ok(())
    }
}

impl<W: Write> Export for PerfettoTrace<W> {
    fn batch(&mut self, shape: &Shape, batch: &Batch) -> io::Result<()> {
        for event in &batch.events {
            self.event(shape, event)?;
        }
        self.counters(false)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.interrupted(self.now)?;
        self.counters(true)?;
        if !self.begun {
            let args = json!({ "name": "a run without events" });
            self.write(&json!({ "ph": "M", "pid": RUN, "name": "process_name", "args": args }))?;
        }
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}

impl Slice {
    fn new(shape: &Shape, step: &StepRef, attempt: u32, state: &'static str) -> Self {
        let name = step.name(shape);
        let (op, keys) = (name.op().to_owned(), Brackets(name.keys()).to_string());
        Self { step: name.to_string(), op, keys, attempt, state, error: None }
    }

    fn event(&self, lane: u32, start: u64, end: u64) -> Value {
        let failed = if self.error.is_some() { "FAILED " } else { "" };
        let mut args = json!({ "keys": self.keys, "attempt": self.attempt, "state": self.state });
        if let Some(error) = &self.error {
            args["error"] = json!(error);
        }
        json!({
            "ph": "X", "pid": RUN, "tid": lane, "ts": start, "dur": end - start,
            "name": format!("{failed}{}", self.step), "cat": self.op, "args": args,
        })
    }
}

impl Ended {
    fn add(&mut self, state: StepState) {
        self.change(state, |count| *count += 1);
    }

    /// A state that no longer counts.
    fn take(&mut self, state: StepState) {
        self.change(state, |count| *count = count.saturating_sub(1));
    }

    /// What had not succeeded has no state any more.
    fn resume(&mut self) {
        self.counts[1..].fill(0);
        self.changed = true;
    }

    fn change(&mut self, state: StepState, change: impl FnOnce(&mut u64)) {
        if let Some(place) = COUNTED.iter().position(|counted| *counted == state) {
            change(&mut self.counts[place]);
            self.changed = true;
        }
    }

    /// The counts, if they changed, at most once a millisecond.
    fn told(&mut self, now: u64, all: bool) -> Option<Value> {
        let early = self.told.is_some_and(|told| now < told.saturating_add(running::BUCKET));
        if !self.changed || (early && !all) {
            return None;
        }
        (self.told, self.changed) = (Some(now), false);
        let counts = COUNTED.iter().zip(self.counts);
        Some(
            counts
                .map(|(state, count)| (state.name().to_owned(), json!(count)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        )
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
