//! Taking the blocks of a run, one after the other.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use super::{Item, Past, Place, Tried};
use crate::error::ErrorKind;
use crate::event::{StepRef, StepState};
use crate::key::Key;
use crate::record::error::RecordError;
use crate::record::raw::{Raw, RawRecord, RawStep, Reader};
use crate::record::state::{Change, Illegal, State, named};
use crate::shape::Shape;

impl Past {
    /// Nothing is known yet of a run of a shape.
    pub fn new(shape: &Shape) -> Self {
        let state = State::new(shape);
        let steps = vec![Place::default(); state.slots()];
        Self {
            shape: shape.clone(),
            state,
            blocks: Vec::new(),
            items: vec![Item::default()],
            keys: Vec::new(),
            places: Vec::new(),
            steps,
            later: HashMap::new(),
            tried: HashMap::new(),
            started: None,
            session: None,
            away: Duration::ZERO,
            ended: None,
            elapsed: Duration::ZERO,
            deaths: Vec::new(),
            poisoned: HashMap::new(),
            unsuccessful: HashMap::new(),
            as_of: None,
            fans: OnceLock::new(),
        }
    }

    /// Takes the next block of the run.
    ///
    /// # Errors
    /// The bytes are not the next block of such a run, or tell what cannot have happened. What was taken
    /// in before the error is then of no use.
    pub fn take(&mut self, mut block: Vec<u8>) -> Result<(), RecordError> {
        self.fans = OnceLock::new();
        let mut reader = Reader::new(&block, &self.shape, self.state.items())?;
        while let Some(raw) = reader.next()? {
            if let Raw::ItemYielded { step, output, key, index, outer, record } = raw {
                let outer = if outer { reader.outer() } else { &[] };
                self.open(step, output, outer, (key, index), record)?;
            } else {
                self.take_one(raw, reader.at())?;
            }
        }
        self.elapsed = self.elapsed.max(reader.at());
        block.shrink_to_fit();
        self.blocks.push(block);
        Ok(())
    }

    fn open(
        &mut self,
        RawStep { item: parent, node }: RawStep,
        output: u16,
        outer: &[(Key, u32)],
        (key, index): (Key, u32),
        record: RawRecord,
    ) -> Result<(), RecordError> {
        let number = self.items.len() as u32;
        self.apply("ItemYielded", Change::Yielded { parent, node, output, number })?;
        let keys = self.keys.len() as u32;
        self.items.push(Item { record: self.place(record), keys });
        self.keys.extend(outer.iter().rev().map(|(key, _)| key.clone()));
        self.places.extend(outer.iter().rev().map(|(_, index)| *index));
        self.keys.push(key);
        self.places.push(index);
        self.steps.resize(self.state.slots(), Place::default());
        Ok(())
    }

    fn take_one(&mut self, raw: Raw<'_>, at: Duration) -> Result<(), RecordError> {
        let place = |step: RawStep| (step.item, step.node);
        match raw {
            Raw::StepSucceeded { step, attempt, record, .. } => {
                self.succeed("StepSucceeded", step, attempt, record)?;
            }
            Raw::StepReused { step, record } => self.succeed("StepReused", step, 1, record)?,
            Raw::StepStarted { step, attempt } => {
                let (item, node) = place(step);
                self.apply("StepStarted", Change::Started { item, node })?;
                self.tried(step, attempt, |tried| tried.due = None);
            }
            Raw::StepRemade { step } => {
                let (item, node) = place(step);
                self.apply("StepRemade", Change::Remade { item, node })?;
                self.forget(step);
            }
            Raw::AttemptFailed { step, attempt, due, .. } => {
                let (item, node) = place(step);
                self.apply("AttemptFailed", Change::AttemptFailed { item, node })?;
                self.tried(step, attempt, |tried| {
                    (tried.failed, tried.due) = (tried.failed.saturating_add(1), Some(due));
                });
            }
            Raw::StepFailed { step, attempt, error, .. } => {
                let (item, node) = place(step);
                self.apply("StepFailed", Change::Ended { item, node })?;
                if let Some(slot) = self.state.slot(item, node) {
                    self.unsuccessful.insert(slot, StepState::Failed);
                    match error.kind() {
                        ErrorKind::Poison => drop(self.poisoned.insert(slot, (item, node))),
                        _ => drop(self.poisoned.remove(&slot)),
                    }
                }
                self.tried(step, attempt, |tried| (tried.failed, tried.due) = (0, None));
            }
            Raw::StepNotRun { step, state, .. } => {
                let (item, node) = place(step);
                self.apply("StepNotRun", Change::Ended { item, node })?;
                if let Some(slot) = self.state.slot(item, node) {
                    self.unsuccessful.insert(slot, state);
                }
            }
            Raw::FanOutClosed { step, output, .. } => {
                let (parent, node) = place(step);
                self.apply("FanOutClosed", Change::Closed { parent, node, output })?;
            }
            Raw::ItemMoved { step, output, index } => {
                let (item, node) = place(step);
                let parent = self.state.parent_of(item);
                self.apply("ItemMoved", Change::Moved { parent, node, output, item })?;
                if let Some(last) = self.own(item).next_back() {
                    self.places[last] = index;
                }
            }
            Raw::ItemSuperseded { step, output, .. } => {
                let (item, node) = place(step);
                let parent = self.state.parent_of(item);
                self.apply("ItemSuperseded", Change::Superseded { parent, node, output, item })?;
            }
            Raw::RunStarted { started, .. } => {
                self.apply("RunStarted", Change::RunStarted)?;
                self.started = Some(started);
                self.session = Some((started, self.elapsed));
            }
            Raw::RunResumed { resumed, in_hand } => {
                self.session = Some((resumed, self.elapsed.max(at)));
                self.apply("RunResumed", Change::RunResumed)?;
                self.unsuccessful.clear();
                if in_hand.is_empty() {
                    self.deaths.clear();
                } else {
                    self.deaths.push(in_hand.into_iter().map(|step| self.step_ref(step)).collect());
                }
                self.ended = None;
            }
            Raw::RunCancelling { .. } => self.apply("RunCancelling", Change::RunCancelling)?,
            Raw::RunEnded { state } => {
                self.apply("RunEnded", Change::RunEnded)?;
                self.ended = Some(state);
                self.deaths.clear();
            }
            Raw::ItemYielded { .. } => {}
        }
        Ok(())
    }
}

impl Past {
    fn apply(&mut self, event: &'static str, change: Change) -> Result<(), RecordError> {
        let Err(why) = self.state.apply(change) else { return Ok(()) };
        let step = change.step();
        let of = step.map(|(item, node)| named(&self.shape, node, &self.path(item)));
        Err(Illegal { event, of: of.unwrap_or_else(|| "the run".to_owned()), why }.into())
    }

    fn succeed(
        &mut self,
        event: &'static str,
        step: RawStep,
        attempt: u32,
        record: RawRecord,
    ) -> Result<(), RecordError> {
        let RawStep { item, node } = step;
        self.apply(event, Change::Succeeded { item, node })?;
        let place = self.place(record);
        if let Some(slot) = self.state.slot(item, node) {
            self.steps[slot] = place;
            if attempt != 1 {
                self.later.insert(slot, attempt);
            }
            if !self.tried.is_empty() {
                self.tried.remove(&slot);
            }
        }
        Ok(())
    }

    /// A step gives up its success: its attempts go on after the one that succeeded.
    fn forget(&mut self, step: RawStep) {
        if let Some(slot) = self.state.slot(step.item, step.node) {
            self.steps[slot] = Place::default();
            let attempt = self.later.remove(&slot).unwrap_or(1);
            self.tried.insert(slot, Tried { attempt, ..Tried::default() });
        }
    }

    fn tried(&mut self, step: RawStep, attempt: u32, change: impl FnOnce(&mut Tried)) {
        if let Some(slot) = self.state.slot(step.item, step.node) {
            let tried = self.tried.entry(slot).or_default();
            tried.attempt = tried.attempt.max(attempt);
            change(tried);
        }
    }

    fn step_ref(&self, RawStep { item, node }: RawStep) -> StepRef {
        StepRef { node, path: self.path(item) }
    }

    /// Where a record of the block that is being taken lies.
    fn place(&self, record: RawRecord) -> Place {
        Place { block: self.blocks.len() as u32, at: record.at }
    }
}
