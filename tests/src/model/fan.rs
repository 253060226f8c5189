//! What the handles of a frame hold: slots and fan-outs.

use std::collections::BTreeSet;

use super::report::StepName;
use super::value::{Key, Value};

/// What a single handle holds once its step has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A value.
    Value(Value),
    /// Nothing, and its readers are skipped (§4.2).
    Skipped,
    /// Nothing, because of these steps (§4.3).
    Failed(BTreeSet<StepName>),
}

impl Slot {
    /// The value, if there is one.
    pub(super) fn value(&self) -> Option<&Value> {
        if let Slot::Value(value) = self { Some(value) } else { None }
    }
}

/// Several slots as one: any skipped, and it is skipped; else any failed, and it has failed (§4.4).
pub(super) fn both(slots: Vec<Slot>) -> Slot {
    if slots.contains(&Slot::Skipped) {
        return Slot::Skipped;
    }
    let mut values = Vec::new();
    let mut failed = BTreeSet::new();
    for slot in slots {
        match slot {
            Slot::Value(value) => values.push(value),
            Slot::Failed(by) => failed.extend(by),
            Slot::Skipped => unreachable!("returned above"),
        }
    }
    if failed.is_empty() { Slot::Value(Value::List(values)) } else { Slot::Failed(failed) }
}

/// One key of a fan-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its parts, outermost first.
    pub(super) key: Key,
    /// One slot, or the two of a zip's pair.
    pub(super) slots: Vec<Slot>,
    /// Steps that have ended before it can be read; an emitter that streams is not among them.
    pub(super) after: BTreeSet<StepName>,
    /// An earlier attempt of the emitter had yielded another value under this key (§4.8).
    pub(super) restarted: bool,
}

impl Entry {
    /// The entry as one slot; a pair as a list.
    pub(super) fn slot(&self) -> Slot {
        match self.slots.as_slice() {
            [slot] => slot.clone(),
            slots => both(slots.to_vec()),
        }
    }

    /// The same key with other slots, there once `after` have ended.
    pub(super) fn with(&self, slots: Vec<Slot>, after: BTreeSet<StepName>) -> Entry {
        Entry { slots, after, ..self.clone() }
    }
}

/// What a dynamic handle holds once everything below it has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fan {
    /// In yield order, outer first.
    pub(super) entries: Vec<Entry>,
    /// The fan-out as a whole gave nothing, or its emitter was skipped (§4.2).
    pub(super) skipped: bool,
    /// The keys under which an inner fan-out was skipped.
    pub(super) skipped_groups: Vec<Key>,
    /// The emitters and zips that did not succeed: there may be keys that nobody knows.
    pub(super) broken_by: BTreeSet<StepName>,
    /// Steps that have ended before it is known to be whole.
    pub(super) after: BTreeSet<StepName>,
    /// Its emitter was retried, and had yielded before.
    pub(super) retried: bool,
}

impl Fan {
    /// The fan-out of an emitter that did not run.
    pub(super) fn of_step(slot: Slot) -> Fan {
        match slot {
            Slot::Failed(by) => Fan { broken_by: by, ..Fan::default() },
            _ => Fan { skipped: true, ..Fan::default() },
        }
    }

    /// All of it but the entries.
    pub(super) fn without_entries(&self) -> Fan {
        Fan { entries: vec![], ..self.clone() }
    }

    /// Makes it one that nobody sees before it has ended.
    pub(super) fn hold_whole(&mut self) {
        self.retried = false;
        if !self.broken_by.is_empty() {
            self.entries.clear();
        }
        for entry in &mut self.entries {
            entry.restarted = false;
        }
    }

    /// The items of an emitter.
    pub(super) fn items(&self) -> Value {
        let items =
            self.entries.iter().filter_map(|entry| Some((entry.key.clone(), entry.slot().value()?.clone())));
        Value::Keyed(items.collect())
    }

    /// The steps by which entries, or the fan-out as a whole, failed.
    pub(super) fn failures(&self) -> BTreeSet<StepName> {
        let slots = self.entries.iter().map(Entry::slot);
        let of_entries = slots.filter_map(|slot| if let Slot::Failed(by) = slot { Some(by) } else { None });
        of_entries.flatten().chain(self.broken_by.iter().cloned()).collect()
    }

    /// The steps that have ended before all of it is there, as a collect needs it.
    pub(super) fn whole_after(&self) -> BTreeSet<StepName> {
        let of_entries = self.entries.iter().flat_map(|entry| &entry.after);
        of_entries.chain(&self.after).cloned().collect()
    }

    /// Adds the `inner` fan-out that the copy of `outer` returned (§1.9).
    pub(super) fn nest(&mut self, outer: &Entry, inner: Fan) {
        let below = |key: Key| outer.key.iter().cloned().chain(key).collect::<Key>();
        if inner.skipped {
            self.skipped_groups.push(outer.key.clone());
        }
        self.skipped_groups.extend(inner.skipped_groups.into_iter().map(below));
        self.broken_by.extend(inner.broken_by);
        self.after.extend(inner.after);
        self.retried |= inner.retried;
        self.entries.extend(inner.entries.into_iter().map(|entry| Entry {
            key: below(entry.key),
            slots: entry.slots,
            after: entry.after,
            restarted: outer.restarted || entry.restarted,
        }));
    }

    /// The pairs of both, in the order of `self` (§1.10).
    pub(super) fn zipped(&self, right: &Fan) -> Fan {
        let partner = |entry: &Entry| right.entries.iter().find(|partner| partner.key == entry.key);
        let pair = |entry: &Entry| {
            let partner = partner(entry)?;
            let slots = entry.slots.iter().chain(&partner.slots).cloned().collect();
            Some(Entry {
                restarted: entry.restarted || partner.restarted,
                ..entry.with(slots, both_of(&entry.after, &partner.after))
            })
        };
        Fan {
            entries: self.entries.iter().filter_map(pair).collect(),
            skipped: self.skipped || right.skipped,
            skipped_groups: self.skipped_groups.iter().chain(&right.skipped_groups).cloned().collect(),
            broken_by: both_of(&self.broken_by, &right.broken_by),
            after: both_of(&self.after, &right.after),
            retried: self.retried || right.retried,
        }
    }

    /// Whether every key of `other` has a partner here, skipped ones included.
    pub(super) fn answers(&self, other: &Fan) -> bool {
        other.entries.iter().all(|entry| {
            let found = self.entries.iter().any(|partner| partner.key == entry.key);
            found || self.skipped_groups.iter().any(|group| entry.key.starts_with(group))
        })
    }
}

fn both_of(left: &BTreeSet<StepName>, right: &BTreeSet<StepName>) -> BTreeSet<StepName> {
    left.union(right).cloned().collect()
}
