//! Zips: items of two dynamic outputs paired by their whole keys.

use std::sync::Arc;

use crate::error::{ErrorKind, OpError};
use crate::event::{EventKind, Span, StepRef, StepState};
use crate::graph::NodeKind;
use crate::key::Key;
use crate::select::Part;
use crate::step::Path;

use super::Machine;
use super::frame::{FanIndex, FanState, HeldList, ItemQueue, NewItem, Slot, TaskState};
use super::gather::Half;
use super::handled::Cause;

/// How many keys without a partner an error names.
const NAMED_KEYS: usize = 5;

impl Machine {
    pub(super) fn begin_zip(&mut self, frame: u32, task: u32) {
        if self.is_left_out(frame, task) {
            self.leave_out(frame, task);
            return;
        }
        self.set_state(frame, task, TaskState::Gathering);
        let plan = Arc::clone(&self.plan);
        let task_plan = &plan.scope(self.frames[frame as usize].scope()).tasks[task as usize];
        if let super::plan::TaskKind::Zip { index } = task_plan.kind {
            self.check_zip(frame, task, index);
        }
    }

    /// An item of one side has come, or a side that is held has come whole.
    #[expect(clippy::too_many_arguments, reason = "which side of which zip, and what came")]
    pub(super) fn zip_item(
        &mut self,
        frame: u32,
        task: u32,
        index: u32,
        right: bool,
        path: Path,
        value: Slot,
        held: bool,
    ) {
        let zip = &mut self.frames[frame as usize].zips[index as usize];
        let arrivals = if right { &mut zip.right } else { &mut zip.left };
        arrivals.delivered();
        if self.is_left_out(frame, task) {
            return;
        }
        let zip = &mut self.frames[frame as usize].zips[index as usize];
        let arrivals = if right { &mut zip.right } else { &mut zip.left };
        match value {
            Slot::Value(list) if held => {
                if let Ok(list) = list.downcast::<HeldList>() {
                    arrivals.without.clone_from(&list.without);
                    for item in &list.items {
                        self.pair(frame, task, index, right, item.clone());
                    }
                }
            }
            Slot::Failed(failure) if held => arrivals.failed.push(failure),
            _ if held => arrivals.nothing = true,
            value if self.zip_waits(frame, task) => {
                self.frames[frame as usize].zips[index as usize].entries.push((path, right, value));
            }
            value => {
                let around = self.frames[frame as usize].path.depth();
                self.pair(frame, task, index, right, self.waiting_item(&path, around, vec![value]));
            }
        }
    }

    /// Whether a side's emitter may be tried again: then pairs are made when both sides have ended.
    fn zip_waits(&self, frame: u32, task: u32) -> bool {
        let NodeKind::Zip { left, right } = &self.plan.node(self.node_of(frame, task)).kind else {
            return false;
        };
        left.chain.iter().chain(&right.chain).any(|scope| self.plan.pinned[scope.index()])
    }

    /// Opens a pair if the partner is there; else keeps the item.
    fn pair(&mut self, frame: u32, task: u32, index: u32, right: bool, item: NewItem) {
        let zip = &mut self.frames[frame as usize].zips[index as usize];
        let keys: Vec<Key> = item.parts.iter().map(|(key, _)| key.clone()).collect();
        let Some(partner) = zip.unmatched.remove(&keys) else {
            zip.unmatched.insert(keys, Half { right, item });
            return;
        };
        debug_assert_ne!(partner.right, right, "keys are given once on each side");
        let (left, right) = if right { (partner.item, item) } else { (item, partner.item) };
        let values = left.values.into_iter().chain(right.values).collect();
        let fresh = left.fresh || right.fresh;
        let pair = NewItem::of_others(left.parts, values, fresh);
        if let Some(fan) = self.zip_fan(frame, task) {
            match &mut self.fans[fan as usize].queue {
                ItemQueue::Items(items) => items.push_back(pair),
                queue => *queue = ItemQueue::Items([pair].into()),
            }
            self.is_hungry(fan);
        }
    }

    /// Whether it was not selected, nor is it needed: it pairs nothing.
    fn is_left_out(&self, frame: u32, task: u32) -> bool {
        self.recall.is_some() && self.part(frame, self.node_of(frame, task)) == Part::Absent
    }

    fn zip_fan(&self, frame: u32, task: u32) -> Option<FanIndex> {
        self.fans_of(frame, self.node_of(frame, task)).first().copied()
    }

    /// Ends a zip to which both sides have come whole.
    pub(super) fn check_zip(&mut self, frame: u32, task: u32, index: u32) {
        let begun = self.frames[frame as usize].tasks[task as usize].state == TaskState::Gathering;
        let zip = &mut self.frames[frame as usize].zips[index as usize];
        if !begun || !zip.left.complete() || !zip.right.complete() {
            return;
        }
        let mut entries = std::mem::take(&mut zip.entries);
        entries.sort_by(|a, b| a.0.cmp_places(&b.0));
        let around = self.frames[frame as usize].path.depth();
        for (path, right, value) in entries {
            self.pair(frame, task, index, right, self.waiting_item(&path, around, vec![value]));
        }
        let Some(fan) = self.zip_fan(frame, task) else { return };
        let zip = &mut self.frames[frame as usize].zips[index as usize];
        let (left, right) = (&zip.left.without, &zip.right.without);
        // A partner that would lie in a fan-out that gave nothing is a skipped one.
        let is_skipped = |keys: &[Key], half: &Half| {
            let others = if half.right { left } else { right };
            others.iter().any(|outer| keys.starts_with(outer))
        };
        let mut unmatched = std::mem::take(&mut zip.unmatched);
        unmatched.retain(|keys, half| !is_skipped(keys, half));
        self.fans[fan as usize].without = left.iter().chain(right).cloned().collect();
        let failed: Vec<_> = zip.left.failed.drain(..).chain(zip.right.failed.drain(..)).collect();
        let nothing = zip.left.nothing || zip.right.nothing;
        let (step, started, took) = (self.step_ref(frame, task), self.now, std::time::Duration::ZERO);
        if nothing {
            // One that is only needed was skipped in the run before, too: it is not told.
            let why = match self.part(frame, step.node) {
                Part::Run => self.unmet(frame, task, Vec::new()),
                Part::Reuse | Part::Absent => Slot::Skipped,
            };
            self.end_zip(frame, task, fan, StepState::Skipped, why);
        } else if !failed.is_empty() {
            let why = self.unmet(frame, task, failed);
            self.end_zip(frame, task, fan, StepState::UpstreamFailed, why);
        } else if unmatched.is_empty() {
            self.zip_succeeded(step, frame, task);
            self.end_zip(frame, task, fan, StepState::Succeeded, Slot::Gone);
        } else {
            let error = Arc::new(missing_partners(unmatched.into_iter().collect()));
            let attempt = self.attempt_of_zip(frame, task);
            self.event(EventKind::StepFailed {
                step: step.clone(),
                attempt,
                started,
                took,
                error: Arc::clone(&error),
                left_behind: false,
            });
            let node = step.node;
            let failure = self.new_failure(frame, Arc::new(Cause { step, error, attempts: attempt }));
            self.step_has_failed(node);
            self.end_zip(frame, task, fan, StepState::Failed, Slot::Failed(failure));
        }
    }

    /// All items have their partners; that is told unless it was known.
    fn zip_succeeded(&mut self, step: StepRef, frame: u32, task: u32) {
        let (started, took) = (self.now, std::time::Duration::ZERO);
        let record = Span::default();
        match self.part(frame, step.node) {
            Part::Run => {
                let attempt = self.attempt_of_zip(frame, task);
                self.event(EventKind::StepSucceeded { step, attempt, started, took, outputs: None, record });
            }
            Part::Reuse if !self.goes_on() => self.event(EventKind::StepReused { step, record }),
            Part::Reuse | Part::Absent => {}
        }
    }

    /// The number of an attempt that begins and ends now.
    fn attempt_of_zip(&mut self, frame: u32, task: u32) -> u32 {
        self.take_up(frame, task);
        let task = &mut self.frames[frame as usize].tasks[task as usize];
        task.attempt += 1;
        task.attempt
    }

    fn end_zip(&mut self, frame: u32, task: u32, fan: FanIndex, state: StepState, outcome: Slot) {
        match outcome {
            Slot::Skipped => self.close_fan(fan, FanState::Skipped),
            // Pairs that wait to be opened are opened first: those that are there stay.
            Slot::Failed(failure) => self.finish_queue(fan, FanState::Failed(failure)),
            _ => self.finish_queue(fan, FanState::Closed),
        }
        let slot = self.plan.scope(self.frames[frame as usize].scope()).tasks[task as usize].slot;
        self.settle(frame, slot, Slot::Gone);
        self.end_task(frame, task, state);
    }
}

fn missing_partners(mut unmatched: Vec<(Vec<Key>, Half)>) -> OpError {
    unmatched.sort_by(|(a, _), (b, _)| a.cmp(b));
    let side = |right: bool| {
        let keys: Vec<_> = unmatched
            .iter()
            .filter(|(_, half)| half.right == right)
            .map(|(keys, _)| Key::joined(keys.iter().cloned()))
            .collect();
        let named: Vec<_> =
            keys.iter().take(NAMED_KEYS).map(|key| format!("{:?}", key.to_string())).collect();
        let more = keys.len().saturating_sub(NAMED_KEYS);
        let which = if right { "right" } else { "left" };
        let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
        (!keys.is_empty()).then(|| format!("found only on the {which} side: {}{rest}", named.join(", ")))
    };
    let sides: Vec<_> = [side(false), side(true)].into_iter().flatten().collect();
    OpError::of_kind(
        ErrorKind::Key,
        format_args!("`zip` pairs items by key, and some keys have no partner; {}", sides.join("; ")),
    )
}
