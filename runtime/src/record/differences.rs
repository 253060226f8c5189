//! What is written of an event as a difference from the events before it in the block.

use std::time::Duration;

use super::format::{
    ATTEMPT, CAUSE, ITEM_YIELDED, MANY, NEXT_INDEX, PARTS, SAME_FAN, SAME_ITEM, SAME_TIME, STEPS_NOT_RUN,
};
use super::keys::LastKeys;
use super::varint::{write, zigzag};
use crate::event::{Event, EventKind, StepRef, StepState};
use crate::graph::NodeId;
use crate::key::Key;
use crate::step::Path;

/// The last of each thing that a block named.
#[derive(Debug, Clone, Default)]
pub(super) struct Differences {
    pub(super) at: u64,
    /// The item of the last step. An item that is yielded does not count: items and the steps of other
    /// items take turns.
    item: u32,
    /// The item, node and output that the last item came from, and its index there.
    fan: Option<(u32, NodeId, u16)>,
    index: u32,
    keys: LastKeys,
    /// The outer keys, innermost first, of the last item that had several.
    outer: Vec<(Key, u32)>,
}

impl Differences {
    /// A block begins.
    pub(super) fn begin(&mut self, at: u64) {
        (self.at, self.item, self.fan) = (at, 0, None);
        self.keys.clear();
        self.outer.clear();
    }

    pub(super) fn write_head(&mut self, out: &mut Vec<u8>, at: u64, tag: u8) {
        if at == self.at {
            out.push(tag | SAME_TIME);
            return;
        }
        out.push(tag);
        write(out, zigzag(at.wrapping_sub(self.at) as i64));
        self.at = at;
    }

    pub(super) fn write_step(&mut self, out: &mut Vec<u8>, at: u64, tag: u8, item: u32, node: NodeId) {
        if item == self.item {
            self.write_head(out, at, tag | SAME_ITEM);
        } else {
            self.write_head(out, at, tag);
            write(out, difference(self.item, item));
            self.item = item;
        }
        write(out, u64::from(node.0));
    }

    pub(super) fn write_attempt(
        &mut self,
        out: &mut Vec<u8>,
        at: u64,
        tag: u8,
        step: &StepRef,
        attempt: u32,
    ) {
        let item = step.path.number();
        if attempt == 1 {
            self.write_step(out, at, tag, item, step.node);
        } else {
            self.write_step(out, at, tag | ATTEMPT, item, step.node);
            write(out, u64::from(attempt));
        }
    }

    /// Writes an item without its record.
    pub(super) fn write_item(
        &mut self,
        out: &mut Vec<u8>,
        at: u64,
        step: &StepRef,
        output: u16,
        item: &Path,
    ) {
        let fan = (step.path.number(), step.node, output);
        let same_fan = self.fan == Some(fan);
        let index = item.index().unwrap_or_default();
        let next = index == if same_fan { self.index.wrapping_add(1) } else { 0 };
        let parts = item.outer().is_some_and(|outer| outer.number() == item.number());
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = flag(same_fan, SAME_FAN) | flag(next, NEXT_INDEX) | flag(parts, PARTS);
        self.write_head(out, at, ITEM_YIELDED | flags);
        if !same_fan {
            write(out, difference(self.item, fan.0));
            write(out, u64::from(step.node.0));
            write(out, u64::from(output));
        }
        if parts {
            self.write_outer(out, item);
        }
        if let Some(key) = item.key() {
            self.keys.write(out, key);
        }
        if !next {
            write(out, u64::from(index));
        }
        (self.fan, self.index) = (Some(fan), index);
    }

    /// Writes the outer keys of an item that has several, innermost first, after their number; 0 stands
    /// for those of the item before that had several.
    fn write_outer(&mut self, out: &mut Vec<u8>, item: &Path) {
        if outer_parts(item).eq(self.outer.iter().map(|(key, index)| (key, *index))) {
            out.push(0);
            return;
        }
        self.outer.clear();
        self.outer.extend(outer_parts(item).map(|(key, index)| (key.clone(), index)));
        write(out, self.outer.len() as u64);
        for (key, index) in &self.outer {
            self.keys.write(out, key);
            write(out, u64::from(*index));
        }
    }

    /// Writes that steps of one item were not run, for one reason.
    pub(super) fn write_not_run(
        &mut self,
        out: &mut Vec<u8>,
        at: u64,
        first: &StepRef,
        state: StepState,
        cause: Option<&StepRef>,
        events: &[Event],
    ) {
        let many = if events.len() > 1 { MANY } else { 0 };
        let because = if cause.is_some() { CAUSE } else { 0 };
        let item = first.path.number();
        self.write_step(out, at, STEPS_NOT_RUN | many | because, item, first.node);
        out.push(state as u8);
        if let Some(cause) = cause {
            write(out, difference(item, cause.path.number()));
            write(out, u64::from(cause.node.0));
        }
        if events.len() > 1 {
            write(out, events.len() as u64 - 1);
        }
        let mut last = first.node.0;
        for event in &events[1..] {
            if let EventKind::StepNotRun { step, .. } = &event.kind {
                write(out, difference(last, step.node.0));
                last = step.node.0;
            }
        }
    }
}

/// The keys of an item but the innermost, innermost first, as far as they are the item's own.
fn outer_parts(item: &Path) -> impl Iterator<Item = (&Key, u32)> {
    std::iter::successors(item.outer(), |path| path.outer())
        .take_while(|path| path.number() == item.number())
        .filter_map(|path| Some((path.key()?, path.index()?)))
}

fn difference(before: u32, now: u32) -> u64 {
    zigzag(i64::from(now) - i64::from(before))
}

/// Whole microseconds.
#[inline]
pub(super) fn micros(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(time.subsec_micros()))
}
