//! Events as bytes.
//!
//! Times are kept to the microsecond, and how long an attempt took to the nanosecond. What a step gave
//! in memory ([`Outputs`](crate::define::Outputs)) is not kept: its record is.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::differences::{Differences, micros};
use super::format::{
    ATTEMPT_FAILED, BELOW, FAN_OUT_CLOSED, FORMAT, ITEM_MOVED, ITEM_SUPERSEDED, LEFT_BEHIND, RUN_CANCELLING,
    RUN_ENDED, RUN_RESUMED, RUN_STARTED, STEP_FAILED, STEP_REMADE, STEP_REUSED, STEP_STARTED, STEP_SUCCEEDED,
};
use super::starts::Starts;
use super::varint::{write, write_bytes, zigzag};
use crate::error::OpError;
use crate::event::{Batch, Below, Event, EventKind, StepRef, StepState};
use crate::shape::Shape;
use crate::store::CommitIndex;

/// Writes the events of one run, block after block.
#[derive(Debug, Clone)]
pub struct Encoder {
    items: u32,
    steps: u64,
    at: u64,
    starts: Starts,
    last: Differences,
    /// The last error of the block.
    error: Option<Arc<OpError>>,
    json: Vec<u8>,
}

impl Encoder {
    /// For a run that begins.
    pub fn new() -> Self {
        Self::resume(0, 0, Duration::ZERO)
    }

    /// For a run that goes on: how many items were opened, how many steps have ended, as
    /// [`State`](super::State) counts them, and the time of the last event.
    pub fn resume(items_so_far: u32, steps_so_far: u64, at: Duration) -> Self {
        Self {
            items: items_so_far,
            steps: steps_so_far,
            at: micros(at),
            starts: Starts::default(),
            last: Differences::default(),
            error: None,
            json: Vec::new(),
        }
    }

    /// Adds one block that holds the events of a batch, and says what it can be found by. The start of an
    /// attempt that ends in the same batch is left out. A batch without events adds nothing.
    pub fn encode(&mut self, shape: &Shape, batch: &Batch, block: &mut Vec<u8>) -> CommitIndex {
        let mut index = CommitIndex {
            steps_before: self.steps,
            items_before: self.items,
            from: batch.events.first().map_or(self.at, |event| micros(event.at)),
            ..CommitIndex::default()
        };
        if !batch.events.is_empty() {
            self.last.begin(index.from);
            self.error = None;
            block.reserve(batch.data.len() + 12 * batch.events.len());
            block.push(FORMAT);
            write(block, u64::from(self.items));
            write(block, index.from);
            self.starts.look_at(&batch.events);
            self.write_events(shape, batch, block, &mut index);
            self.at = self.last.at;
        }
        self.steps += u64::from(index.steps);
        index.to = self.at;
        index
    }

    fn write_events(&mut self, shape: &Shape, batch: &Batch, block: &mut Vec<u8>, index: &mut CommitIndex) {
        let mut place = 0;
        while let Some(event) = batch.events.get(place) {
            if self.starts.is_left_out(place) {
                place += 1;
                continue;
            }
            let events = match event.kind {
                EventKind::StepNotRun { .. } => alike(&batch.events[place..]),
                _ => std::slice::from_ref(event),
            };
            events.iter().for_each(|event| note(index, event, shape));
            self.write_event(batch, events, block);
            place += events.len();
        }
        index.items = self.items - index.items_before;
    }

    /// Writes an event, or several that say of steps of one item that they were not run.
    fn write_event(&mut self, batch: &Batch, events: &[Event], out: &mut Vec<u8>) {
        let at = micros(events[0].at);
        let last = &mut self.last;
        match &events[0].kind {
            EventKind::StepSucceeded { step, attempt, started, took, record, .. } => {
                last.write_attempt(out, at, STEP_SUCCEEDED, step, *attempt);
                write_times(out, at, *started, *took);
                write_bytes(out, batch.data(*record));
            }
            EventKind::ItemYielded { step, output, item, record } => {
                self.items += 1;
                debug_assert_eq!(item.number(), self.items, "items are opened in the order of their numbers");
                last.write_item(out, at, step, *output, item);
                write_bytes(out, batch.data(*record));
            }
            EventKind::StepStarted { step, attempt } => {
                last.write_attempt(out, at, STEP_STARTED, step, *attempt);
            }
            EventKind::StepReused { step, record } => {
                last.write_step(out, at, STEP_REUSED, step.path.number(), step.node);
                write_bytes(out, batch.data(*record));
            }
            EventKind::StepRemade { step } => {
                last.write_step(out, at, STEP_REMADE, step.path.number(), step.node);
            }
            EventKind::AttemptFailed { step, attempt, started, took, error, due } => {
                last.write_attempt(out, at, ATTEMPT_FAILED, step, *attempt);
                write_times(out, at, *started, *took);
                write(out, zigzag(micros(*due).wrapping_sub(at) as i64));
                self.write_error(out, error);
            }
            EventKind::StepFailed { step, attempt, started, took, error, left_behind } => {
                let flag = if *left_behind { LEFT_BEHIND } else { 0 };
                last.write_attempt(out, at, STEP_FAILED | flag, step, *attempt);
                write_times(out, at, *started, *took);
                self.write_error(out, error);
            }
            EventKind::StepNotRun { step, state, cause } => {
                last.write_not_run(out, at, step, *state, cause.as_ref(), events);
            }
            EventKind::FanOutClosed { step, output, items } => {
                last.write_step(out, at, FAN_OUT_CLOSED, step.path.number(), step.node);
                write(out, u64::from(*output));
                write(out, *items);
            }
            EventKind::ItemMoved { step, output, item, index } => {
                last.write_step(out, at, ITEM_MOVED, item.number(), step.node);
                write(out, u64::from(*output));
                write(out, u64::from(*index));
            }
            EventKind::ItemSuperseded { step, output, item, ended, below } => {
                let flag = if below.is_empty() { 0 } else { BELOW };
                last.write_step(out, at, ITEM_SUPERSEDED | flag, item.number(), step.node);
                write(out, u64::from(*output));
                write(out, ended.len() as u64);
                for (node, state) in ended {
                    write(out, u64::from(node.0));
                    out.push(*state as u8);
                }
                write_below(out, below);
            }
            EventKind::RunStarted { run, started, args } => {
                last.write_head(out, at, RUN_STARTED);
                write_bytes(out, run.as_bytes());
                write_time_of_day(out, *started);
                write(out, args.len() as u64);
                for text in args.iter().flat_map(|(name, value)| [name, value]) {
                    write_bytes(out, text.as_bytes());
                }
            }
            EventKind::RunResumed { resumed, in_hand } => {
                last.write_head(out, at, RUN_RESUMED);
                write_time_of_day(out, *resumed);
                write(out, in_hand.len() as u64);
                for step in in_hand {
                    write(out, zigzag(i64::from(step.path.number())));
                    write(out, u64::from(step.node.0));
                }
            }
            EventKind::RunCancelling { reason } => {
                last.write_head(out, at, RUN_CANCELLING);
                write_bytes(out, reason.as_bytes());
            }
            EventKind::RunEnded { state } => {
                last.write_head(out, at, RUN_ENDED);
                out.push(*state as u8);
            }
        }
    }

    /// Writes an error after its length and one; 0 stands for the error before in the block.
    fn write_error(&mut self, out: &mut Vec<u8>, error: &Arc<OpError>) {
        if self.error.as_ref() == Some(error) {
            out.push(0);
            return;
        }
        self.json.clear();
        serde_json::to_writer(&mut self.json, &**error).expect("texts and numbers are JSON");
        write(out, self.json.len() as u64 + 1);
        out.extend_from_slice(&self.json);
        self.error = Some(Arc::clone(error));
    }
}

/// Writes what lay below a superseded item; nothing if nothing did.
fn write_below(out: &mut Vec<u8>, below: &[Below]) {
    if !below.is_empty() {
        write(out, below.len() as u64);
    }
    for Below { scope, items, closed } in below {
        write(out, u64::from(scope.0));
        write(out, *items);
        write(out, *closed);
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The first event, and those that follow it and say the same of other steps of its item: that they were
/// not run.
fn alike(events: &[Event]) -> &[Event] {
    let Some(Event { at, kind: EventKind::StepNotRun { step, state, cause } }) = events.first() else {
        return events;
    };
    let why = |cause: &Option<StepRef>| cause.as_ref().map(|step| (step.node, step.path.number()));
    let others = events.iter().take_while(|event| match &event.kind {
        EventKind::StepNotRun { step: other, state: how, cause: reason } => {
            step.path.number() == other.path.number()
                && state == how
                && why(cause) == why(reason)
                && micros(event.at) == micros(*at)
        }
        _ => false,
    });
    &events[..others.count()]
}

fn note(index: &mut CommitIndex, event: &Event, shape: &Shape) {
    if let EventKind::RunResumed { .. } | EventKind::ItemSuperseded { .. } | EventKind::StepRemade { .. } =
        event.kind
    {
        index.states |= CommitIndex::UNDONE;
    }
    let (step, state) = match &event.kind {
        EventKind::StepSucceeded { step, .. } | EventKind::StepReused { step, .. } => {
            (step, Some(StepState::Succeeded))
        }
        EventKind::StepFailed { step, .. } => (step, Some(StepState::Failed)),
        EventKind::StepNotRun { step, state, .. } => (step, Some(*state)),
        EventKind::StepStarted { step, .. } => {
            index.states |= 1 << StepState::Running as u8;
            (step, None)
        }
        EventKind::AttemptFailed { step, .. } => {
            index.states |= 1 << StepState::Waiting as u8;
            (step, None)
        }
        EventKind::ItemYielded { step, .. }
        | EventKind::StepRemade { step }
        | EventKind::FanOutClosed { step, .. }
        | EventKind::ItemMoved { step, .. }
        | EventKind::ItemSuperseded { step, .. } => (step, None),
        EventKind::RunStarted { .. }
        | EventKind::RunResumed { .. }
        | EventKind::RunCancelling { .. }
        | EventKind::RunEnded { .. } => return,
    };
    debug_assert!(step.node.index() < shape.nodes.len(), "{:?} is a node of the shape", step.node);
    index.nodes |= 1 << (step.node.0 % 64);
    if let Some(state) = state {
        index.steps += 1;
        index.states |= u8::from(state != StepState::Succeeded) << state as u8;
    }
}

/// Writes how long before `at` an attempt began, and how long it took.
fn write_times(out: &mut Vec<u8>, at: u64, started: Duration, took: Duration) {
    write(out, at.saturating_sub(micros(started)));
    let nanos = took.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(took.subsec_nanos()));
    write(out, nanos);
}

/// Writes the seconds since 1970, and the nanoseconds after them.
fn write_time_of_day(out: &mut Vec<u8>, time: SystemTime) {
    let (seconds, nanos) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (since.as_secs() as i64, since.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            let part = before.subsec_nanos();
            let (more, nanos) = if part == 0 { (0, 0) } else { (1, 1_000_000_000 - part) };
            (-(before.as_secs() as i64) - more, nanos)
        }
    };
    write(out, zigzag(seconds));
    write(out, u64::from(nanos));
}
