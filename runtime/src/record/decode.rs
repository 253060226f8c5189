//! Bytes as events.

use super::error::RecordError;
use super::layout::Layout;
use super::raw::{Raw, RawStep, Reader};
use crate::event::{Batch, Event, EventKind, StepRef};
use crate::graph::ScopeId;
use crate::shape::Shape;
use crate::step::Path;

/// Reads the blocks of one run, from its first on.
///
/// It keeps the path of each item, so what it takes in memory follows the number of items.
#[derive(Debug, Clone)]
pub struct Decoder {
    shape: Shape,
    layout: Layout,
    /// Each item by its number: its path, and the scope that it is an instance of. The first is what lies
    /// outside all fan-outs.
    items: Vec<(Path, ScopeId)>,
}

impl Decoder {
    /// For a run that was recorded under a shape.
    pub fn new(shape: &Shape) -> Self {
        let items = vec![(Path::root(), ScopeId::ROOT)];
        Self { shape: shape.clone(), layout: Layout::new(shape), items }
    }

    /// The events of the next block. Starts of attempts that ended in the same block are not among them.
    /// The spans of the events lie in the data of the batch.
    ///
    /// # Errors
    /// The bytes are not the next block of such a run. The decoder then stands where it stood before.
    pub fn decode(&mut self, block: &[u8]) -> Result<Batch, RecordError> {
        let before = self.items.len();
        let mut events = Vec::new();
        match self.read(block, &mut events) {
            Ok(()) => Ok(Batch { events, data: block.to_vec() }),
            Err(error) => {
                self.items.truncate(before);
                Err(error)
            }
        }
    }

    fn read(&mut self, block: &[u8], events: &mut Vec<Event>) -> Result<(), RecordError> {
        let mut reader = Reader::new(block, &self.shape, (self.items.len() - 1) as u32)?;
        while let Some(raw) = reader.next()? {
            if let Raw::ItemYielded { step, output, key, index, outer, .. } = &raw {
                let (around, scope) = &self.items[step.item as usize];
                let Some(scope) = self.layout.opened_by(*scope, step.node, *output) else {
                    return Err(reader.wrong("an item was yielded where there is no fan-out"));
                };
                let outer = if *outer { reader.outer() } else { &[] };
                let number = self.items.len() as u32;
                let around = outer
                    .iter()
                    .rev()
                    .fold(around.clone(), |path, (key, index)| path.item(key.clone(), *index, number));
                self.items.push((around.item(key.clone(), *index, number), scope));
            }
            events.push(Event { at: reader.at(), kind: self.event(raw) });
        }
        Ok(())
    }

    fn event(&self, raw: Raw<'_>) -> EventKind {
        event(raw, self.items.len() as u32 - 1, &|item| self.items[item as usize].0.clone())
    }
}

/// The event, whose items are all known; `last` is the number of the last.
pub(crate) fn event(raw: Raw<'_>, last: u32, path: &dyn Fn(u32) -> Path) -> EventKind {
    let name = |step: RawStep| StepRef { node: step.node, path: path(step.item) };
    match raw {
        Raw::RunStarted { run, started, args } => EventKind::RunStarted { run: run.into(), started, args },
        Raw::RunResumed { resumed, in_hand } => {
            EventKind::RunResumed { resumed, in_hand: in_hand.into_iter().map(name).collect() }
        }
        Raw::StepStarted { step, attempt } => EventKind::StepStarted { step: name(step), attempt },
        Raw::StepSucceeded { step, attempt, times, record } => EventKind::StepSucceeded {
            step: name(step),
            attempt,
            started: times.started,
            took: times.took,
            outputs: None,
            record: record.span,
        },
        Raw::StepReused { step, record } => EventKind::StepReused { step: name(step), record: record.span },
        Raw::StepRemade { step } => EventKind::StepRemade { step: name(step) },
        Raw::AttemptFailed { step, attempt, times, error, due } => EventKind::AttemptFailed {
            step: name(step),
            attempt,
            started: times.started,
            took: times.took,
            error,
            due,
        },
        Raw::StepFailed { step, attempt, times, error, left_behind } => EventKind::StepFailed {
            step: name(step),
            attempt,
            started: times.started,
            took: times.took,
            error,
            left_behind,
        },
        Raw::StepNotRun { step, state, cause } => {
            EventKind::StepNotRun { step: name(step), state, cause: cause.map(name) }
        }
        Raw::ItemYielded { step, output, record, .. } => {
            let item = path(last);
            EventKind::ItemYielded { step: name(step), output, item, record: record.span }
        }
        Raw::FanOutClosed { step, output, items } => {
            EventKind::FanOutClosed { step: name(step), output, items }
        }
        Raw::ItemMoved { step, output, index } => {
            let item = path(step.item);
            item.move_to(index);
            let step = StepRef { node: step.node, path: parent(&item) };
            EventKind::ItemMoved { step, output, item, index }
        }
        Raw::ItemSuperseded { step, output, ended, below } => {
            let item = path(step.item);
            let step = StepRef { node: step.node, path: parent(&item) };
            EventKind::ItemSuperseded { step, output, item, ended, below }
        }
        Raw::RunCancelling { reason } => EventKind::RunCancelling { reason: reason.to_owned() },
        Raw::RunEnded { state } => EventKind::RunEnded { state },
    }
}

/// What lies around an item that may have several keys.
fn parent(item: &Path) -> Path {
    let mut around = item.clone();
    while around.number() == item.number()
        && let Some(outer) = around.outer()
    {
        around = outer.clone();
    }
    around
}
