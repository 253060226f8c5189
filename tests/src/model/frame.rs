//! Frames: one instance of a scope, with what its handles hold.

use std::collections::{BTreeMap, BTreeSet};

use super::fan::{Entry, Fan, Slot};
use super::keys::bracketed;
use super::plan::Handle;
use super::report::StepName;

/// One copy of a closure's body, or the job's own.
pub(super) struct Frame<'a> {
    parent: Option<&'a Frame<'a>>,
    keys: Vec<String>,
    /// Lies under an item that took the place of another value (§4.8).
    pub(super) restarted: bool,
    slots: BTreeMap<Handle, Slot>,
    fans: BTreeMap<Handle, Fan>,
    after: BTreeMap<Handle, BTreeSet<StepName>>,
}

impl<'a> Frame<'a> {
    /// The job's own.
    pub(super) fn root() -> Frame<'static> {
        Frame {
            parent: None,
            keys: vec![],
            restarted: false,
            slots: BTreeMap::new(),
            fans: BTreeMap::new(),
            after: BTreeMap::new(),
        }
    }

    /// The copy for `entry`, whose slots are the closure's `items`.
    pub(super) fn child(&'a self, entry: &Entry, items: &[Handle]) -> Frame<'a> {
        Frame {
            parent: Some(self),
            keys: self.keys.iter().chain(&entry.key).cloned().collect(),
            restarted: self.restarted || entry.restarted,
            slots: items.iter().copied().zip(entry.slots.iter().cloned()).collect(),
            fans: BTreeMap::new(),
            after: items.iter().map(|item| (*item, entry.after.clone())).collect(),
        }
    }

    /// The fan-outs around it.
    pub(super) fn depth(&self) -> usize {
        self.parent.map_or(0, |parent| parent.depth() + 1)
    }

    /// `op[outer][inner]` (§2.1).
    pub(super) fn step_name(&self, op: &str) -> String {
        self.keys.iter().fold(op.to_owned(), |name, key| name + &bracketed(key))
    }

    /// Lets `handle` hold `slot`, which is there once the steps `after` have ended.
    pub(super) fn bind(&mut self, handle: Handle, slot: Slot, after: BTreeSet<StepName>) {
        self.after.insert(handle, after);
        self.slots.insert(handle, slot);
    }

    /// Lets `handle` hold `fan`.
    pub(super) fn bind_fan(&mut self, handle: Handle, fan: Fan) {
        self.fans.insert(handle, fan);
    }

    /// The steps that have ended before a single handle can be read.
    pub(super) fn after(&self, handle: Handle) -> BTreeSet<StepName> {
        let further_out = || self.parent.map(|parent| parent.after(handle));
        self.after.get(&handle).cloned().or_else(further_out).unwrap_or_default()
    }

    /// What a single handle holds, here or further out; `None` for a dynamic one.
    pub(super) fn find_slot(&self, handle: Handle) -> Option<&Slot> {
        self.slots.get(&handle).or_else(|| self.parent?.find_slot(handle))
    }

    /// What a handle known to be single holds.
    pub(super) fn slot(&self, handle: Handle) -> &Slot {
        self.find_slot(handle).expect("a single handle is bound before it is read")
    }

    /// What a dynamic handle holds.
    pub(super) fn fan(&self, handle: Handle) -> &Fan {
        let further_out = || self.parent.map(|parent| parent.fan(handle));
        self.fans.get(&handle).or_else(further_out).expect("a dynamic handle is bound before it is read")
    }

    /// The fan-out as copies inside this frame see it, and whether it is held whole: one from
    /// further out is, as by a collect (§3.3), and if it is broken it opens nothing (§4.8).
    pub(super) fn fan_for_map(&self, handle: Handle) -> (Fan, bool) {
        let (mut fan, held) = (self.fan(handle).clone(), self.holds_outside(handle));
        if held {
            fan.hold_whole();
        }
        (fan, held)
    }

    /// Whether `handle` belongs to a scope further out.
    pub(super) fn holds_outside(&self, handle: Handle) -> bool {
        !self.slots.contains_key(&handle) && !self.fans.contains_key(&handle)
    }
}
