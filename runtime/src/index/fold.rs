//! What each event changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::entry::{Entry, MANY};
use super::keys::Keys;
use super::make_room;
use crate::event::{Event, StepState};
use crate::record::decode::event;
use crate::record::raw::{Raw, RawStep, RawTimes, Reader};
use crate::record::state::{Change, named};
use crate::record::{Illegal, RecordError, State};
use crate::shape::Shape;

/// Every step of a run, as the blocks so far tell.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub(super) shape: Arc<Shape>,
    /// Where each step has its place, and which items count.
    pub(super) state: State,
    pub(super) steps: Vec<Entry>,
    pub(super) keys: Keys,
    /// The attempts of steps that had very many.
    pub(super) many: HashMap<u32, u32>,
    /// The last commit that was taken.
    pub(super) seq: u64,
    /// The time of the last event, in microseconds.
    pub(super) elapsed: u64,
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Index {
    /// Nothing is known yet of a run of a shape.
    pub(crate) fn new(shape: Arc<Shape>) -> Self {
        let state = State::new(&shape);
        let steps = vec![Entry::NEW; state.slots()];
        Self { shape, state, steps, keys: Keys::default(), many: HashMap::new(), seq: 0, elapsed: 0 }
    }

    /// Takes the block of the next commit, and adds its events to `told`, if somebody wants them.
    ///
    /// # Errors
    /// The bytes are not the next block of such a run, or tell what cannot have happened. What was taken
    /// in before the error is then of no use.
    pub(crate) fn take(
        &mut self,
        seq: u64,
        block: &[u8],
        mut told: Option<&mut Vec<Event>>,
    ) -> Result<(), RecordError> {
        let shape = Arc::clone(&self.shape);
        let mut reader = Reader::new(block, &shape, self.state.items())?;
        while let Some(raw) = reader.next()? {
            if let Raw::ItemYielded { step, output, key, outer, .. } = &raw {
                self.open(*step, *output)?;
                let outer = if *outer { reader.outer() } else { &[] };
                self.keys.push(outer.iter().rev().map(|(key, _)| key), key);
            } else {
                self.take_one(seq, &raw, micros(reader.at()))?;
            }
            if let Some(told) = told.as_deref_mut() {
                let kind = event(raw, self.state.items(), &|item| self.path(item));
                told.push(Event { at: reader.at(), kind });
            }
        }
        self.elapsed = self.elapsed.max(micros(reader.at()));
        self.seq = seq;
        Ok(())
    }

    fn open(&mut self, RawStep { item: parent, node }: RawStep, output: u16) -> Result<(), RecordError> {
        // The number was checked to be a number when the item was read.
        let number = self.state.items() + 1;
        self.apply("ItemYielded", Change::Yielded { parent, node, output, number })?;
        let (slots, before) = (self.state.slots(), self.steps.len());
        make_room(&mut self.steps, slots - before);
        self.steps.resize(slots, Entry::NEW);
        Ok(())
    }

    fn take_one(&mut self, seq: u64, raw: &Raw<'_>, at: u64) -> Result<(), RecordError> {
        use StepState::{Failed, Running, Succeeded, Waiting};
        let numbers = |step: &RawStep| (step.item, step.node);
        match raw {
            Raw::StepSucceeded { step, attempt, times, .. } => {
                let (item, node) = numbers(step);
                let place = self.change("StepSucceeded", Change::Succeeded { item, node })?;
                self.attempt(place, *attempt, Some(times));
                self.steps[place].come_to(Succeeded, seq);
            }
            Raw::StepReused { step, .. } => {
                let (item, node) = numbers(step);
                let place = self.change("StepReused", Change::Succeeded { item, node })?;
                self.steps[place].come_to(Succeeded, seq);
                self.steps[place].set_reused();
            }
            Raw::StepStarted { step, attempt } => {
                let (item, node) = numbers(step);
                let place = self.change("StepStarted", Change::Started { item, node })?;
                self.attempt(place, *attempt, None);
                self.steps[place].set_times(at, 0);
                self.steps[place].come_to(Running, seq);
            }
            Raw::StepRemade { step } => {
                let (item, node) = numbers(step);
                let place = self.change("StepRemade", Change::Remade { item, node })?;
                self.steps[place].come_to(Waiting, seq);
            }
            Raw::AttemptFailed { step, attempt, times, .. } => {
                let (item, node) = numbers(step);
                let place = self.change("AttemptFailed", Change::AttemptFailed { item, node })?;
                self.attempt(place, *attempt, Some(times));
                self.steps[place].come_to(Waiting, seq);
                self.steps[place].set_retrying();
            }
            Raw::StepFailed { step, attempt, times, .. } => {
                let (item, node) = numbers(step);
                let place = self.change("StepFailed", Change::Ended { item, node })?;
                self.attempt(place, *attempt, Some(times));
                self.steps[place].come_to(Failed, seq);
            }
            Raw::StepNotRun { step, state, .. } => {
                let (item, node) = numbers(step);
                let place = self.change("StepNotRun", Change::Ended { item, node })?;
                let entry = &mut self.steps[place];
                if entry.state() == Running {
                    // It was stopped.
                    entry.set_times(entry.started(), at.saturating_sub(entry.started()));
                }
                entry.come_to(*state, seq);
            }
            Raw::FanOutClosed { step, output, .. } => {
                let (parent, node) = numbers(step);
                self.apply("FanOutClosed", Change::Closed { parent, node, output: *output })?;
            }
            Raw::ItemMoved { step, output, .. } => {
                let (item, node) = numbers(step);
                let (parent, output) = (self.state.parent_of(item), *output);
                self.apply("ItemMoved", Change::Moved { parent, node, output, item })?;
            }
            Raw::ItemSuperseded { step, output, .. } => {
                let (item, node) = numbers(step);
                let (parent, output) = (self.state.parent_of(item), *output);
                self.apply("ItemSuperseded", Change::Superseded { parent, node, output, item })?;
            }
            Raw::RunResumed { .. } => {
                self.apply("RunResumed", Change::RunResumed)?;
                self.steps.iter_mut().for_each(Entry::resume);
            }
            Raw::RunStarted { .. } => self.apply("RunStarted", Change::RunStarted)?,
            Raw::RunCancelling { .. } => self.apply("RunCancelling", Change::RunCancelling)?,
            Raw::RunEnded { .. } => self.apply("RunEnded", Change::RunEnded)?,
            Raw::ItemYielded { .. } => {}
        }
        Ok(())
    }

    fn attempt(&mut self, place: usize, attempt: u32, times: Option<&RawTimes>) {
        let entry = &mut self.steps[place];
        entry.attempts = u8::try_from(attempt).unwrap_or(MANY);
        if entry.attempts == MANY {
            self.many.insert(place as u32, attempt);
        }
        if let Some(RawTimes { started, took }) = times {
            entry.set_times(micros(*started), micros(*took));
        }
    }

    /// The place of the step that a change is about, once it is made.
    #[inline]
    fn change(&mut self, event: &'static str, change: Change) -> Result<usize, RecordError> {
        self.apply(event, change)?;
        let place = change.step().and_then(|(item, node)| self.state.slot(item, node));
        Ok(place.expect("a change of a step that is not there is refused"))
    }

    #[inline]
    fn apply(&mut self, event: &'static str, change: Change) -> Result<(), RecordError> {
        let Err(why) = self.state.apply(change) else { return Ok(()) };
        let step = change.step();
        let of = step.map(|(item, node)| named(&self.shape, node, &self.path(item)));
        Err(Illegal { event, of: of.unwrap_or_else(|| "the run".to_owned()), why }.into())
    }

    /// How many bytes it takes in memory.
    pub(crate) fn room(&self) -> usize {
        self.steps.capacity() * size_of::<Entry>() + self.keys.room() + self.state.room()
    }
}
