//! The interpreter's part for what reads whole fan-outs: collects, folds and zips.

use std::collections::BTreeSet;

use super::counters::Sight;
use super::fan::{Fan, Slot};
use super::frame::Frame;
use super::interpret::Interpreter;
use super::perform::combine;
use super::plan::{Fold, Form, Handle};
use super::report::State;
use super::value::Value;

impl Interpreter {
    pub(super) fn collect(&mut self, fan: &Fan, form: Form, frame: &Frame<'_>) -> Slot {
        self.seen.note_if(frame.depth() > 0, Sight::NestedCollect);
        self.seen.note_if(fan.entries.iter().any(|entry| entry.key.len() > 1), Sight::FlatCollect);
        let entries: Vec<_> = fan.entries.iter().map(|entry| (entry.key.clone(), entry.slot())).collect();
        let tolerates = form == Form::Results && fan.broken_by.is_empty();
        let failed = fan.failures();
        if fan.skipped {
            return Slot::Skipped;
        }
        if !failed.is_empty() && !tolerates {
            return Slot::Failed(failed);
        }
        self.seen.note_if(!failed.is_empty(), Sight::TolerantWithFailure);
        self.answered.extend(failed);
        let present: Vec<_> = entries.into_iter().filter(|(_, slot)| *slot != Slot::Skipped).collect();
        if present.is_empty() && !(fan.entries.is_empty() && fan.skipped_groups.is_empty()) {
            self.seen.note(Sight::AllSkippedCollect);
            return Slot::Skipped;
        }
        let results = present.into_iter().map(|(key, slot)| (key, slot.value().cloned()));
        let values = |(key, value): (_, Option<Value>)| (key, value.expect("failures were returned above"));
        Slot::Value(match form {
            Form::List => Value::List(results.map(values).map(|(_, value)| value).collect()),
            Form::Keyed => Value::Keyed(results.map(values).collect()),
            Form::Results => Value::Results(results.collect()),
        })
    }

    pub(super) fn fold(&mut self, bind: Handle, fold: &Fold, frame: &mut Frame<'_>) {
        let name = frame.step_name(&self.names[&bind]);
        let fan = frame.fan(fold.over);
        let folded = if fan.skipped { Err(Slot::Skipped) } else { self.folded(fold, fan) };
        let after = BTreeSet::from([name.clone()]);
        let slot = match folded {
            Err(unmet) => self.not_run(name, unmet),
            Ok(value) => {
                let restarted = frame.restarted || fan.retried;
                self.answered.extend(if value.is_none() { fan.failures() } else { BTreeSet::new() });
                self.seen.note_if(value.is_none(), Sight::FoldFailed);
                let state = value.clone().map_or(State::Failed, |value| State::Succeeded(Some(value)));
                self.record(name.clone(), state, 1, restarted);
                value.map_or(Slot::Failed([name].into()), Slot::Value)
            }
        };
        frame.bind(bind, slot, after);
    }

    /// The value, `None` where a combination fails, or why it cannot go on.
    fn folded(&mut self, fold: &Fold, fan: &Fan) -> Result<Option<Value>, Slot> {
        let mut accumulator = Value::Number(fold.init);
        for entry in &fan.entries {
            match entry.slot() {
                Slot::Value(item) => match combine(fold, &accumulator, &item) {
                    Some(combined) => accumulator = combined,
                    None => return Ok(None),
                },
                Slot::Skipped => self.seen.note(Sight::FoldWithSkipped),
                Slot::Failed(_) => {
                    self.seen.note(Sight::FoldWithFailed);
                    return Err(Slot::Failed(fan.failures()));
                }
            }
        }
        if fan.broken_by.is_empty() { Ok(Some(accumulator)) } else { Err(Slot::Failed(fan.failures())) }
    }

    pub(super) fn zip(&mut self, bind: Handle, left: Handle, right: Handle, frame: &mut Frame<'_>) {
        let name = frame.step_name(&self.names[&bind]);
        let ((left, _), (right, _)) = (frame.fan_for_map(left), frame.fan_for_map(right));
        let mut zipped = left.zipped(&right);
        if zipped.skipped || !zipped.broken_by.is_empty() {
            let unmet = if zipped.skipped { Slot::Skipped } else { Slot::Failed(zipped.broken_by.clone()) };
            self.not_run(name.clone(), unmet);
        } else {
            let matches = left.answers(&right) && right.answers(&left);
            self.seen.note_if(matches && !zipped.entries.is_empty(), Sight::ZipMatched);
            self.seen.note_if(!matches, Sight::ZipMismatch);
            let state = if matches { State::Succeeded(None) } else { State::Failed };
            self.record(name.clone(), state, 1, frame.restarted || zipped.retried);
        }
        if !zipped.skipped && self.steps[&name].state != State::Succeeded(None) {
            zipped.broken_by = [name.clone()].into();
        }
        zipped.after.insert(name);
        frame.bind_fan(bind, zipped);
    }
}
