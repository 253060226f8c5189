//! What gathers and zips have taken so far.

use std::collections::HashMap;
use std::sync::Arc;

use crate::key::Key;
use crate::step::Path;
use crate::value::{AnyValue, Gathered};

use super::Machine;
use super::fold::FoldState;
use super::frame::{Fan, FanState, HeldList, NewItem, Slot, TaskState};
use super::handled::Failure;
use super::plan::{Target, TaskKind};
use super::recall::Unrecorded;
use crate::error::StepFailure;
use crate::event::StepState;
use crate::graph::Gather;
use crate::select::Part;

/// Counts what a gather still has to wait for.
///
/// Level 0 is the outermost fan-out that it gathers over; there is one instance of it. When it has
/// closed, it tells how many fan-outs of level 1 there are, and so on; those of the last level tell
/// how many values must come.
#[derive(Debug, Clone)]
pub(crate) struct Arrivals {
    levels: Vec<Level>,
    delivered: u64,
    /// The failures of emitters and zips: then not all items are there.
    pub(crate) failed: Vec<Arc<Failure>>,
    /// Whether the outermost fan-out gave nothing, which is not the same as no items.
    pub(crate) nothing: bool,
    /// The items whose inner fan-outs gave nothing, by their keys; each is a skipped entry.
    pub(crate) without: Vec<Vec<Key>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    closed: u64,
    items: u64,
}

impl Arrivals {
    pub(crate) fn new(levels: usize) -> Self {
        Self {
            levels: vec![Level::default(); levels],
            delivered: 0,
            failed: Vec::new(),
            nothing: false,
            without: Vec::new(),
        }
    }

    pub(crate) fn delivered(&mut self) {
        self.delivered += 1;
    }

    /// A delivery that no longer counts.
    pub(crate) fn taken_back(&mut self) {
        self.delivered -= 1;
    }

    /// A fan-out of a level has all its items.
    pub(crate) fn closed(&mut self, level: u32, items: u32) {
        let level = &mut self.levels[level as usize];
        level.closed += 1;
        level.items += u64::from(items);
    }

    /// A fan-out of a level no longer counts.
    pub(crate) fn reopened(&mut self, level: u32, fan: &Fan, without: &[Vec<Key>]) {
        let level = &mut self.levels[level as usize];
        level.closed -= 1;
        level.items -= u64::from(fan.count);
        self.without.retain(|keys| !without.contains(keys));
        // One failure may have closed several fan-outs.
        if let FanState::Failed(failure) = &fan.state
            && let Some(at) = self.failed.iter().position(|failed| Arc::ptr_eq(failed, failure))
        {
            self.failed.remove(at);
        }
    }

    /// Whether nothing is missing. Without levels, one delivery brings everything.
    pub(crate) fn complete(&self) -> bool {
        let mut expected = 1;
        for level in &self.levels {
            if level.closed != expected {
                return false;
            }
            expected = level.items;
        }
        self.delivered == expected
    }
}

/// A gather's state in one frame.
#[derive(Debug)]
pub(crate) struct GatherState {
    pub(crate) arrivals: Arrivals,
    /// What came, in the order in which it came.
    pub(crate) entries: Vec<(Path, Vec<Slot>)>,
    pub(crate) fold: Option<FoldState>,
}

/// A zip's state in one frame.
#[derive(Debug)]
pub(crate) struct ZipState {
    pub(crate) left: Arrivals,
    pub(crate) right: Arrivals,
    /// Items whose partner has not come.
    pub(crate) unmatched: HashMap<Vec<Key>, Half>,
    /// What came of emitters that may be tried again: it is paired when both sides have ended.
    pub(crate) entries: Vec<(Path, bool, Slot)>,
}

/// One side's item of a pair.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) right: bool,
    pub(crate) item: NewItem,
}

impl Machine {
    /// An item's value has come to where a gather or a zip takes it.
    pub(super) fn deliver(&mut self, frame: u32, task: u32, up: u32, target: Target) {
        let gatherer = self.around(frame, up);
        let path = self.frames[frame as usize].path.clone();
        let from = (self.frame_id(frame), task);
        let mut values = self.task_plan(frame, task).places().map(|place| self.slot(frame, place));
        match target {
            Target::Gather { task: gather_task, index } => {
                let streams = |fold: &FoldState| fold.streams();
                if self.frames[gatherer as usize].gathers[index as usize].fold.as_ref().is_some_and(streams) {
                    let value = values.next().unwrap_or_default();
                    drop(values);
                    self.fold_item(gatherer, gather_task, index, &path, value, from);
                    return;
                }
                let values = values.collect();
                let state = &mut self.frames[gatherer as usize].gathers[index as usize];
                state.arrivals.delivered();
                state.entries.push((path, values));
                let id = self.frame_id(gatherer);
                self.end_task(frame, task, StepState::Succeeded);
                // A fold that was read back has ended before: then this may have been the frame's last.
                if self.frame_of(id).is_some() {
                    self.check_gather(gatherer, gather_task, index);
                }
            }
            Target::Zip { task: zip_task, index, right } => {
                let value = values.next().unwrap_or_default();
                drop(values);
                self.zip_item(gatherer, zip_task, index, right, path, value, up == 0);
                let id = self.frame_id(gatherer);
                self.end_task(frame, task, StepState::Succeeded);
                // One that was not selected has ended before.
                if self.frame_of(id).is_some() {
                    self.check_zip(gatherer, zip_task, index);
                }
            }
        }
    }

    /// What a superseded item has delivered is taken back.
    pub(super) fn take_back_delivery(&mut self, gatherer: u32, target: Target, path: &Path) {
        if let Some(arrivals) = self.arrivals(gatherer, target) {
            arrivals.taken_back();
        }
        let frame = &mut self.frames[gatherer as usize];
        match target {
            Target::Gather { index, .. } => {
                frame.gathers[index as usize].entries.retain(|(entry, _)| !entry.is_same(path));
            }
            Target::Zip { index, right, .. } => frame.zips[index as usize]
                .entries
                .retain(|(entry, side, _)| *side != right || !entry.is_same(path)),
        }
    }

    /// All that a gather reads besides its items is there.
    pub(super) fn begin_gather(&mut self, frame: u32, task: u32) {
        self.set_state(frame, task, TaskState::Gathering);
        let plan = Arc::clone(&self.plan);
        let TaskKind::Gather { index, gather } =
            plan.scope(self.frames[frame as usize].scope()).tasks[task as usize].kind
        else {
            return;
        };
        if let Gather::Fold(_) = gather {
            let id = self.frame_id(frame);
            match self.part(frame, self.node_of(frame, task)) {
                Part::Run if self.take_up(frame, task).is_some() => {}
                Part::Reuse if !self.was_skipped(frame, task) => return self.make_ready(frame, task),
                part => {
                    self.end_unfolded(frame, task, part);
                    if self.frame_of(id).is_some() {
                        // What came meanwhile is let go.
                        self.go_on_folding(frame, task, index);
                    }
                    return;
                }
            }
            self.begin_fold(frame, task, index);
            if !self.frames[frame as usize].gathers[index as usize].arrivals.complete() {
                self.go_on_folding(frame, task, index);
                return;
            }
        }
        self.check_gather(frame, task, index);
    }

    /// Ends a fold that takes nothing, unless it has failed at once.
    fn end_unfolded(&mut self, frame: u32, task: u32, part: Part) {
        match part {
            Part::Run => {}
            Part::Reuse => {
                let slot = self.task_plan(frame, task).slot;
                self.settle(frame, slot, Slot::Skipped);
                self.end_task(frame, task, StepState::Skipped);
            }
            Part::Absent => self.leave_out(frame, task),
        }
    }

    /// Fires a gather that has everything.
    pub(super) fn check_gather(&mut self, frame: u32, task: u32, index: u32) {
        let begun = self.frames[frame as usize].tasks[task as usize].state == TaskState::Gathering;
        let state = &mut self.frames[frame as usize].gathers[index as usize];
        if !begun || !state.arrivals.complete() {
            return;
        }
        let mut entries = std::mem::take(&mut state.entries);
        let in_order = |a: &(Path, Vec<Slot>), b: &(Path, Vec<Slot>)| a.0.cmp_places(&b.0);
        if !entries.is_sorted_by(|a, b| in_order(a, b).is_le()) {
            entries.sort_by(in_order);
        }
        if state.fold.is_some() {
            self.fold_rest(frame, task, index, entries);
            return;
        }
        let plan = Arc::clone(&self.plan);
        let task_plan = &plan.scope(self.frames[frame as usize].scope()).tasks[task as usize];
        let TaskKind::Gather { gather, .. } = task_plan.kind else { return };
        let value = self.gathered(frame, index, gather, entries);
        self.settle(frame, task_plan.slot, value);
        self.end_task(frame, task, StepState::Succeeded);
    }

    /// What a gather makes of its entries, which are in yield order.
    fn gathered(&mut self, frame: u32, index: u32, gather: Gather, entries: Vec<(Path, Vec<Slot>)>) -> Slot {
        let around = self.frames[frame as usize].path.depth();
        let arrivals = &mut self.frames[frame as usize].gathers[index as usize].arrivals;
        let without = std::mem::take(&mut arrivals.without);
        if arrivals.nothing {
            return Slot::Skipped;
        }
        let mut failed = std::mem::take(&mut arrivals.failed);
        if matches!(gather, Gather::Held) {
            let held = |(path, values)| self.waiting_item(&path, around, values);
            let list = || HeldList { items: entries.into_iter().map(held).collect(), without };
            return Failure::all(failed).map_or_else(|| Slot::Value(Arc::new(list())), Slot::Failed);
        }
        let tolerant = matches!(gather, Gather::Results(_)) && failed.is_empty();
        let any = !entries.is_empty() || !without.is_empty();
        let mut items = Vec::with_capacity(entries.len());
        for (path, values) in entries {
            match Slot::both(values) {
                Slot::Value(value) => items.push((path, Ok(value))),
                Slot::Failed(failure) if tolerant => items.push((path, Err(failure))),
                Slot::Failed(failure) => failed.push(failure),
                Slot::Empty | Slot::Skipped | Slot::Gone => {}
            }
        }
        if let Some(failure) = Failure::all(failed) {
            return Slot::Failed(failure);
        }
        if any && items.is_empty() {
            return Slot::Skipped;
        }
        for (_, result) in &items {
            if let Err(failure) = result {
                self.answer(frame, failure);
            }
        }
        Slot::Value(self.made_of(gather, items, around))
    }

    fn made_of(
        &self,
        gather: Gather,
        items: Vec<(Path, Result<AnyValue, Arc<Failure>>)>,
        around: usize,
    ) -> AnyValue {
        let is_unrecorded = |(_, value): &(Path, Result<AnyValue, Arc<Failure>>)| {
            value.as_ref().is_ok_and(|value| value.is::<Unrecorded>())
        };
        // No list can be made of it, and nobody reads one.
        if !matches!(gather, Gather::Ended) && items.iter().any(is_unrecorded) {
            return Arc::new(Unrecorded);
        }
        let key = |path: &Path| Key::joined(path.parts_below(around).into_iter().map(|(key, _)| key));
        match gather {
            Gather::Ended => Arc::new(()),
            Gather::Keyed(make) => {
                make(items.into_iter().filter_map(|(path, value)| Some((key(&path), value.ok()?))).collect())
            }
            Gather::Results(make) => {
                let result = |value: Result<AnyValue, Arc<Failure>>| {
                    value.map_err(|failure| StepFailure {
                        step: self.plan.graph.step_name(&failure.cause.step).to_string(),
                        error: failure.cause.error.as_ref().clone(),
                        attempts: failure.cause.attempts,
                    })
                };
                make(items.into_iter().map(|(path, value)| (key(&path), result(value))).collect())
            }
            Gather::List | Gather::Fold(_) | Gather::Held => {
                Arc::new(Gathered(items.into_iter().filter_map(|(_, value)| value.ok()).collect()))
            }
        }
    }
}
