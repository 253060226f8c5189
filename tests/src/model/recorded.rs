//! What the core tells, written as a record is and read again: each event must be one that may follow
//! those before it, and must come back as it was.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fanfold::graph::Graph;
use fanfold::record::{Decoder, Encoder, Past, State};

use fanfold::{Batch, Event, EventKind, Shape};

use super::beneath::Beneath;

/// The record of one run.
#[derive(Debug)]
pub struct Recorded {
    shape: Shape,
    state: State,
    encoder: Encoder,
    decoder: Decoder,
    past: Past,
    beneath: Beneath,
}

impl Recorded {
    /// Of a run of `graph` that begins.
    ///
    /// # Errors
    /// Nothing can be recorded of it.
    pub fn new(graph: &Graph) -> Result<Self, String> {
        let shape = graph.shape();
        let mut this = Self {
            state: State::new(&shape),
            encoder: Encoder::new(),
            decoder: Decoder::new(&shape),
            past: Past::new(&shape),
            beneath: Beneath::default(),
            shape,
        };
        let kind = EventKind::RunStarted {
            run: Arc::from("run"),
            started: SystemTime::UNIX_EPOCH,
            args: Vec::new(),
        };
        this.take(&Batch { events: vec![Event { at: Duration::ZERO, kind }], data: Vec::new() })?;
        Ok(this)
    }

    /// Takes what was told next.
    ///
    /// # Errors
    /// An event cannot follow those before it, or is not read back as it was.
    pub fn take(&mut self, batch: &Batch) -> Result<(), String> {
        for event in &batch.events {
            self.beneath.look(&self.state, &self.shape, &event.kind)?;
            self.state.next(&self.shape, event).map_err(|illegal| illegal.to_string())?;
        }
        if batch.events.is_empty() {
            return Ok(());
        }
        let mut block = Vec::new();
        self.encoder.encode(&self.shape, batch, &mut block);
        let read = self.decoder.decode(&block).map_err(|error| error.to_string())?;
        let (told, read) = (ends(&self.shape, batch), ends(&self.shape, &read));
        if told != read {
            return Err(format!("read back as {read:?}, and was {told:?}"));
        }
        self.past.take(block).map_err(|error| error.to_string())
    }
}

/// What is told of steps and items, but for starts, which a record may leave out, and for places in
/// yield order, which change.
fn ends(shape: &Shape, batch: &Batch) -> Vec<String> {
    let text = |event: &Event| {
        Some(match &event.kind {
            EventKind::StepStarted { .. } => return None,
            EventKind::StepSucceeded { step, attempt, took, record, .. } => {
                format!("{} succeeded {attempt} {took:?} {:?}", step.name(shape), batch.data(*record))
            }
            EventKind::AttemptFailed { step, attempt, error, .. } => {
                format!("{} is tried again after {attempt} {error:?}", step.name(shape))
            }
            EventKind::StepFailed { step, attempt, error, left_behind, .. } => {
                format!("{} failed {attempt} {error:?} {left_behind}", step.name(shape))
            }
            EventKind::StepNotRun { step, state, cause } => {
                let cause = cause.as_ref().map(|cause| cause.name(shape).to_string());
                format!("{} is {state:?} by {cause:?}", step.name(shape))
            }
            EventKind::ItemYielded { step, output, item, record } => {
                let record = batch.data(*record);
                format!("{} {output} gave {:?} {record:?}", step.name(shape), item.keys())
            }
            EventKind::ItemSuperseded { step, output, item, ended, below } => {
                format!("{} {output} took {:?} back, {ended:?}, {below:?}", step.name(shape), item.keys())
            }
            EventKind::FanOutClosed { step, output, items } => {
                format!("{} {output} closed after {items}", step.name(shape))
            }
            other => format!("{other:?}"),
        })
    };
    batch.events.iter().filter_map(text).collect()
}
