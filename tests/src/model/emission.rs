//! The emitter's part of the interpreter: keys, attempts, superseded items (§2.2, §4.8).

use std::collections::BTreeSet;

use super::counters::Sight;
use super::fan::{Entry, Fan, Slot};
use super::interpret::Interpreter;
use super::keys;
use super::perform::{Performed, perform};
use super::plan::{Emitter, Failure, Op, Work};
use super::report::{State, StepName};
use super::value::Value;

impl Interpreter {
    pub(super) fn emit(&mut self, name: StepName, op: &Op, inputs: &[Value], restarted: bool) -> Fan {
        let Work::Emit(Emitter { held, .. }) = &op.work else { unreachable!("called for emitters") };
        let mut known = Fan::default();
        let mut attempt = 1;
        let state = loop {
            let (yielded, failed) = match perform(op, inputs, attempt) {
                Performed::Nothing => {
                    known = Fan { skipped: true, ..Fan::default() };
                    break State::Succeeded(None);
                }
                Performed::Yielded(items, fails) => self.checked(items, fails),
                Performed::Failed(how) => (vec![], Some(how)),
                Performed::Gave(_) => unreachable!("an emitter gives items"),
            };
            if !(*held && failed.is_some()) {
                self.supersede(&mut known, yielded, failed.is_none());
            }
            match failed {
                None => break State::Succeeded(Some(known.items())),
                Some(how) if self.retries(op, how, attempt) => attempt += 1,
                Some(_) => {
                    self.seen.note_if(!known.entries.is_empty(), Sight::EmitterFailedAfterItems);
                    known.broken_by = [name.clone()].into();
                    break State::Failed;
                }
            }
        };
        known.after = [name.clone()].into();
        if *held {
            let whole = known.after.clone();
            known.entries.iter_mut().for_each(|entry| entry.after.clone_from(&whole));
        }
        known.retried = attempt > 1 && !held;
        self.seen.note_if(attempt > 1, Sight::RetriedEmitter);
        self.seen.note_if(known.skipped, Sight::SkippedFanOut);
        let empty = known.entries.is_empty() && !known.skipped && known.broken_by.is_empty();
        self.seen.note_if(empty, Sight::EmptyFanOut);
        self.record(name, state, attempt, restarted);
        known
    }

    /// The items before the first bad or repeated key, which fails the attempt for good (§2.2).
    fn checked(
        &mut self,
        items: Vec<(String, Value)>,
        fails: Option<Failure>,
    ) -> (Vec<(String, Value)>, Option<Failure>) {
        let mut good: Vec<(String, Value)> = Vec::new();
        for (key, value) in items {
            let repeated = good.iter().any(|(earlier, _)| *earlier == key);
            self.seen.note_if(repeated, Sight::DuplicateKey);
            self.seen.note_if(!keys::legal(&key), Sight::BadKey);
            self.seen.note_if(keys::legal(&key) && keys::hostile(&key), Sight::HostileKey);
            if repeated || !keys::legal(&key) {
                return (good, Some(Failure::Permanent));
            }
            good.push((key, value));
        }
        (good, fails)
    }

    /// Lets the items of one more attempt take the place of those `known` (§4.8).
    fn supersede(&mut self, known: &mut Fan, items: Vec<(String, Value)>, complete: bool) {
        let earlier = std::mem::take(&mut known.entries);
        let mut entries = Vec::new();
        for (key, value) in items {
            let mut entry = Entry {
                key: vec![key],
                slots: vec![Slot::Value(value)],
                after: BTreeSet::new(),
                restarted: false,
            };
            if let Some(before) = earlier.iter().find(|before| before.key == entry.key) {
                let changed = before.slots != entry.slots;
                self.seen.note_if(changed, Sight::ItemChanged);
                entry.restarted = before.restarted || changed;
            }
            entries.push(entry);
        }
        let (again, omitted): (Vec<_>, Vec<_>) =
            earlier.into_iter().partition(|before| entries.iter().any(|entry| entry.key == before.key));
        drop(again);
        self.seen.note_if(complete && !omitted.is_empty(), Sight::ItemGone);
        if !complete {
            entries.extend(omitted);
        }
        known.entries = entries;
    }
}
