//! Emitters: polled while there is room, each item opened as it comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::define::{Item, OpDef, Outputs};
use crate::error::{ErrorKind, OpError};
use crate::event::{EventKind, Span, StepState};
use crate::graph::ScopeId;
use crate::key::{Key, KeyError};
use crate::panics::caught;
use crate::value::{AnyValue, TypeInfo};

use super::frame::{Fan, FanIndex, FanState, FrameId, ItemQueue, NewItem, Slot, TaskState};
use super::grant::MAX_ITEMS;
use super::plan::{Counted, TaskKind, is_emitter};
use super::recall::{RecalledItems, keys_of};
use super::retry::{Left, LeftBy, Timer};
use super::{Command, Machine, Poll, PollDone, PollOutcome, StepId};

/// An emitter between its first poll and its end.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// When it began, and how long its polls took.
    pub(super) started: Duration,
    pub(super) polled: Duration,
    /// Whether it was woken while it was being polled.
    woken: bool,
    /// How many items the poll that is under way may give, and how many of them took up room.
    room: u32,
    opened: Vec<(FanIndex, u32)>,
    /// What is wrong with a key that it gave.
    refused: Option<KeyError>,
    /// The items that are read back, if it does not run.
    recall: Option<RecalledQueue>,
}

/// Known items that are read back, poll by poll.
#[derive(Debug, Default)]
struct RecalledQueue {
    items: VecDeque<(u16, u32)>,
    /// Why the emitter failed, if it is to fail after them: its known items go on to their end.
    then: Option<OpError>,
}

/// An item that an earlier attempt of an emitter gave.
#[derive(Debug)]
pub(super) struct Known {
    frame: FrameId,
    value: AnyValue,
    /// The last attempt that gave it.
    attempt: u32,
}

impl Machine {
    pub(super) fn grant_poll(&mut self, frame: u32, task: u32, op: &'static OpDef) -> Option<Poll> {
        let node = self.node_of(frame, task);
        let fans = self.fans_of(frame, node);
        let streaming = fans.iter().any(|fan| self.opens_as_they_come(*fan));
        let free = fans.iter().map(|fan| self.room(*fan)).min().unwrap_or(MAX_ITEMS);
        let room = if streaming { free.min(MAX_ITEMS) } else { MAX_ITEMS };
        if room == 0 {
            self.starve(frame, task, &fans);
            return None;
        }
        Some(self.poll_with(frame, task, op, &fans, room))
    }

    pub(super) fn poll_with(
        &mut self,
        frame: u32,
        task: u32,
        op: &'static OpDef,
        fans: &[FanIndex],
        room: u32,
    ) -> Poll {
        for fan in fans {
            self.take_poll_room(*fan, room);
        }
        let again = self.begun.contains_key(&self.step_id(frame, task));
        let recalled = !again && self.is_recalled(frame, task);
        if recalled {
            self.begin_recall(frame, task, fans);
        }
        let begin = (!again && !recalled).then(|| self.begin_emitter(frame, task, op, fans));
        self.set_state(frame, task, TaskState::Running);
        let id = self.step_id(frame, task);
        let recall = self.next_recalled(id, room);
        if let Some(begun) = self.begun.get_mut(&id) {
            begun.room = room;
            begun.opened.clear();
            begun.opened.extend(fans.iter().map(|fan| (*fan, 0)));
        }
        let node = self.node_of(frame, task);
        if let Some(timeout) = self.plan.node(node).options.timeout
            && recall.is_none()
        {
            let polled = self.begun.get(&id).map_or(Duration::ZERO, |begun| begun.polled);
            let due = self.now + timeout.saturating_sub(polled);
            self.timer(due, Timer::Poll { step: id, polled });
        }
        let item = self.frames[frame as usize].path.number();
        Poll { id, node, item, room, begin, recall }
    }

    /// An emitter that is known to have succeeded: its items are read back.
    fn begin_recall(&mut self, frame: u32, task: u32, fans: &[FanIndex]) {
        let items = self.known_items(frame, fans).into();
        let id = self.step_id(frame, task);
        let recall = Some(RecalledQueue { items, then: None });
        self.begun.insert(id, Begun { started: self.now, recall, ..Begun::default() });
    }

    /// The next known items to be read back, if an emitter's are.
    fn next_recalled(&mut self, id: StepId, room: u32) -> Option<RecalledItems> {
        let step = self.known_item(id.frame.index);
        let recall = self.begun.get_mut(&id)?.recall.as_mut()?;
        let items = recall.items.drain(..recall.items.len().min(room as usize)).collect();
        let last = recall.items.is_empty();
        Some(RecalledItems { items, last, step: step.filter(|_| last && recall.then.is_none()) })
    }

    /// Whether an emitter's items are read back: it takes no tokens.
    pub(super) fn reads_back(&self, id: StepId) -> bool {
        self.begun.get(&id).is_some_and(|begun| begun.recall.is_some())
    }

    /// An emitter has failed for good: what is known of its items goes on to its end first.
    fn recall_rest(&mut self, id: StepId, error: OpError) -> Result<(), OpError> {
        let fans = self.fans_of(id.frame.index, self.node_of(id.frame.index, id.task));
        let rest = |fan: &FanIndex| {
            let output = self.fan_step(*fan).1;
            self.not_adopted(*fan).into_iter().map(move |item| (output, item))
        };
        let items: VecDeque<_> = fans.iter().flat_map(rest).collect();
        let will_retry = self.tries_again_after(id.frame.index, id.task, &error);
        if items.is_empty() || will_retry {
            return Err(error);
        }
        for fan in fans {
            if !self.opens_as_they_come(fan) {
                // What was held back of the attempt that failed was never given (§3.2).
                self.fans[fan as usize].begin_attempt();
                self.fans[fan as usize].opens_rest = true;
            }
        }
        let Some(begun) = self.begun.get_mut(&id) else { return Err(error) };
        begun.recall = Some(RecalledQueue { items, then: Some(error) });
        self.make_ready(id.frame.index, id.task);
        Ok(())
    }

    fn begin_emitter(
        &mut self,
        frame: u32,
        task: u32,
        op: &'static OpDef,
        fans: &[FanIndex],
    ) -> super::StepWork {
        let work = self.begin_step(frame, task, op, true);
        self.begun.insert(work.id, Begun { started: self.now, ..Begun::default() });
        for fan in fans {
            self.fans[*fan as usize].begin_attempt();
        }
        work
    }

    /// An emitter that waited can go on.
    pub fn wake(&mut self, now: Duration, id: StepId) {
        self.now = self.now.max(now);
        let state = self.frame_of(id.frame).map(|frame| frame.tasks[id.task as usize].state);
        let starved = self.is_starved(id);
        match (state, self.begun.get_mut(&id)) {
            (Some(TaskState::Running), Some(begun)) => begun.woken = true,
            (Some(TaskState::Idle), Some(_)) if !starved => self.make_ready(id.frame.index, id.task),
            _ => {}
        }
    }

    /// Takes back a poll.
    pub fn polled(&mut self, now: Duration, done: PollDone) {
        self.now = self.now.max(now);
        let id = done.id;
        self.place_is_free([id]);
        let running = self.frame_of(id.frame).is_some_and(|frame| {
            let task = &frame.tasks[id.task as usize];
            task.attempt == id.attempt && task.state == TaskState::Running
        });
        if running {
            if !self.reads_back(id) {
                self.give_tokens_back(self.node_of(id.frame.index, id.task));
            }
            self.take_poll(done);
        } else {
            self.late_return(id);
        }
        self.after_change();
    }

    fn take_poll(&mut self, done: PollDone) {
        let id @ StepId { frame: FrameId { index: frame, .. }, task, .. } = done.id;
        let node = self.node_of(frame, task);
        let begun = self.begun.entry(id).or_default();
        begun.polled += done.took;
        let woken = std::mem::take(&mut begun.woken);
        // Leaves the emitter as running while its items open, so that nothing polls it meanwhile.
        self.take_items(id, done.items);
        self.end_poll_room(id);
        let refused = self.begun.get_mut(&id).and_then(|begun| begun.refused.take());
        self.settle_due();
        let ended = matches!(done.outcome, PollOutcome::Ended(_));
        let then =
            self.begun.get_mut(&id).filter(|_| ended).and_then(|begun| begun.recall.as_mut()?.then.take());
        match (refused, done.outcome) {
            (None, PollOutcome::Ended(Ok(_))) if then.is_some() => {
                if let Some(error) = then {
                    self.emitter_failed(id, error);
                }
            }
            (Some(error), outcome) => {
                if !matches!(outcome, PollOutcome::Ended(_)) {
                    self.commands.push(Command::Drop(id));
                }
                let name = self.plan.node(node).name.clone();
                let error = OpError::of_kind(ErrorKind::Key, format_args!("`{name}`: {error}"));
                self.emitter_failed(id, error);
            }
            (None, PollOutcome::WantsRoom) => self.make_ready(frame, task),
            (None, PollOutcome::Waits) if woken => self.make_ready(frame, task),
            (None, PollOutcome::Waits) => self.set_state(frame, task, TaskState::Idle),
            (None, PollOutcome::Ended(Ok(outputs))) => self.emitter_succeeded(id, outputs, done.record),
            (None, PollOutcome::Ended(Err(error))) if self.reads_back(id) => {
                self.cannot_recall(frame, task, &error);
            }
            (None, PollOutcome::Ended(Err(error))) => self.emitter_failed(id, error),
        }
    }

    /// Items of a poll that still goes on.
    pub fn yielded(&mut self, now: Duration, id: StepId, items: Vec<Item>) {
        self.now = self.now.max(now);
        if self.runs(id) && self.begun.contains_key(&id) {
            self.take_items(id, items);
        }
        self.after_change();
    }

    fn take_items(&mut self, id: StepId, items: Vec<Item>) {
        let Some(begun) = self.begun.get_mut(&id).filter(|begun| begun.refused.is_none()) else { return };
        let (mut opened, mut refused) = (std::mem::take(&mut begun.opened), None);
        let streaming = opened.iter().any(|(fan, _)| self.opens_as_they_come(*fan));
        let outputs: Vec<_> = opened.iter().map(|(fan, _)| self.fan_step(*fan).1).collect();
        for item in items {
            let Some(place) = outputs.iter().position(|output| *output == item.output) else { continue };
            match self.take_item(opened[place].0, item, id.attempt, streaming) {
                Ok(took_room) => opened[place].1 += u32::from(took_room),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        if let Some(begun) = self.begun.get_mut(&id) {
            (begun.opened, begun.refused) = (opened, refused);
        }
    }

    /// The poll that is under way has ended, or no longer counts: gives back the room that it had
    /// for items that it did not give.
    pub(super) fn end_poll_room(&mut self, id: StepId) {
        let Some(begun) = self.begun.get_mut(&id) else { return };
        let (room, opened) = (std::mem::take(&mut begun.room), std::mem::take(&mut begun.opened));
        for (fan, opened) in opened {
            self.give_poll_room(fan, room, opened);
        }
    }

    /// Takes one item; whether it was opened, and so took up room.
    fn take_item(
        &mut self,
        fan: FanIndex,
        item: Item,
        attempt: u32,
        streaming: bool,
    ) -> Result<bool, KeyError> {
        item.key.check()?;
        if !self.fans[fan as usize].keys.insert(&item.key) {
            return Err(KeyError::Duplicate { key: item.key.to_string() });
        }
        let next = self.fans[fan as usize].next;
        // One that is read back has the place that it had, though others before it no longer count.
        let index = item.known.and_then(|known| self.known_place(known)).unwrap_or(next);
        self.fans[fan as usize].next = index + 1;
        let identity = item.known.map(|known| self.recalled_item(fan, known));
        if !streaming {
            let new = NewItem {
                parts: vec![(item.key, index)],
                values: vec![Slot::Value(item.value)],
                fresh: false,
                identity,
                record: self.held(item.record).into(),
            };
            let fan = &mut self.fans[fan as usize];
            match &mut fan.queue {
                ItemQueue::Items(items) => items.push_back(new),
                queue => *queue = ItemQueue::Items([new].into()),
            }
            return Ok(false);
        }
        if self.may_come_again(fan) && identity.is_none() {
            return Ok(self.take_known(fan, item, index, attempt));
        }
        self.fans[fan as usize].count += 1;
        let key = std::slice::from_ref(&item.key);
        let identity = identity.unwrap_or_else(|| self.identify(fan, key, Some(item.record)));
        self.open_item(fan, [(item.key, index)], [Slot::Value(item.value)], identity, item.record);
        Ok(true)
    }

    /// Whether the emitter of a fan-out may be tried again after it has given items.
    pub(super) fn may_come_again(&self, fan: FanIndex) -> bool {
        self.plan.again[self.fans[fan as usize].scope as usize]
    }

    /// An item of an emitter that may be tried again: it, or an equal one, may be known (§4.8).
    fn take_known(&mut self, fan: FanIndex, item: Item, index: u32, attempt: u32) -> bool {
        let info = self.plan.graph.scope(ScopeId(self.fans[fan as usize].scope)).items[0];
        let mut generation = 0;
        if let Some(known) = self.fans[fan as usize].known.get_mut(&item.key) {
            let frame = known.frame;
            if same(info, &known.value, &item.value) {
                known.attempt = attempt;
                let path = self.frames[frame.index as usize].path.clone();
                self.item_moved(fan, &path, index);
                self.is_spent(Slot::Value(item.value));
                return false;
            }
            if let Some(known) = self.fans[fan as usize].known.remove(&item.key) {
                self.is_spent(Slot::Value(known.value));
            }
            generation = self.frames[frame.index as usize].path.own_generation() + 1;
            self.supersede(fan, frame);
        }
        self.fans[fan as usize].count += 1;
        let value = Slot::Value(Arc::clone(&item.value));
        let mut identity = self.identify(fan, std::slice::from_ref(&item.key), Some(item.record));
        identity.generation += generation;
        let frame = self.open_item(fan, [(item.key.clone(), index)], [value], identity, item.record);
        let frame = self.frame_id(frame);
        self.fans[fan as usize].known.insert(item.key, Known { frame, value: item.value, attempt });
        true
    }

    /// The items that an emitter showed only at its end: the record has all of them before it says that
    /// the emitter succeeded, whenever they are opened.
    fn tell_waiting(&mut self, fan: FanIndex) {
        let ItemQueue::Items(mut items) = std::mem::take(&mut self.fans[fan as usize].queue) else { return };
        for item in &mut items {
            let start = self.hold(&item.record);
            let record = Span { start, len: item.record.len() as u32 };
            item.record = Box::default();
            let mut identity =
                item.identity.unwrap_or_else(|| self.identify(fan, &keys_of(&item.parts), Some(record)));
            if !std::mem::replace(&mut identity.told, true) {
                let around = self.frames[self.fans[fan as usize].parent as usize].path.clone();
                let path = item
                    .parts
                    .iter()
                    .fold(around, |path, (key, index)| path.item(key.clone(), *index, identity.number));
                self.item_yielded(fan, path, record);
            }
            item.identity = Some(identity);
        }
        self.fans[fan as usize].queue = ItemQueue::Items(items);
    }

    fn emitter_succeeded(
        &mut self,
        id @ StepId { frame, task, attempt }: StepId,
        outputs: Outputs,
        record: Span,
    ) {
        let frame = frame.index;
        let begun = self.begun.remove(&id).unwrap_or_default();
        let recalled = begun.recall.is_some();
        let step = self.step_ref(frame, task);
        for fan in self.fans_of(frame, self.node_of(frame, task)) {
            self.tell_waiting(fan);
            if !recalled {
                self.supersede_unless_adopted(fan);
            }
        }
        let kept = self.config.keep_values.then(|| outputs.clone());
        let (started, took) = (begun.started, begun.polled);
        let node = self.node_of(frame, task);
        if !recalled {
            self.event(EventKind::StepSucceeded { step, attempt, started, took, outputs: kept, record });
        } else if !self.goes_on() {
            self.event(EventKind::StepReused { step, record });
        }
        let nothing: Vec<bool> = match &outputs {
            Outputs::None => vec![false],
            Outputs::One(value) => vec![value.is_none()],
            Outputs::Many(values) => values.iter().map(Option::is_none).collect(),
        };
        for fan in self.fans_of(frame, node) {
            let gave_nothing = nothing.get(usize::from(self.fan_step(fan).1)).copied().unwrap_or_default();
            self.supersede_unless_given(fan, attempt);
            if gave_nothing {
                self.close_fan(fan, FanState::Skipped);
            } else {
                self.finish_queue(fan, FanState::Closed);
            }
        }
        self.give(frame, task, outputs, false);
        self.end_task(frame, task, StepState::Succeeded);
    }

    /// Items that only earlier attempts gave no longer count.
    fn supersede_unless_given(&mut self, fan: FanIndex, attempt: u32) {
        let known = std::mem::take(&mut self.fans[fan as usize].known);
        let mut stale: Vec<(Key, FrameId)> = Vec::new();
        for (key, known) in known {
            if known.attempt != attempt {
                stale.push((key, known.frame));
            }
            self.is_spent(Slot::Value(known.value));
        }
        stale.sort();
        for (_, frame) in stale {
            self.supersede(fan, frame);
        }
    }

    pub(super) fn emitter_failed(&mut self, id: StepId, error: OpError) {
        let Err(error) = self.recall_rest(id, error) else { return };
        let begun = self.begun.remove(&id).unwrap_or_default();
        self.attempt_failed(id.frame.index, id.task, begun.started, begun.polled, error, false);
    }

    /// An item and all below it no longer count: running steps are told, nothing is delivered.
    fn supersede(&mut self, fan: FanIndex, frame: FrameId) {
        let Some(path) = self.frame_of(frame).map(|frame| frame.path.clone()) else { return };
        let (step, output) = self.fan_step(fan);
        let below = self.told_below(frame.index);
        let (frames, ended) = self.walk_superseded(frame.index);
        self.undo_failures(&frames);
        self.event(EventKind::ItemSuperseded { step, output, item: path.clone(), ended, below });
        self.take_deliveries_back(frame.index, &frames);
        if std::mem::take(&mut self.frames[frame.index as usize].is_open) {
            self.give_room(fan, 1);
        }
        let unended = u32::from(self.frames[frame.index as usize].live > 0);
        self.fans[fan as usize].unended -= unended;
        self.fans[fan as usize].count -= 1;
        for frame in frames.into_iter().rev() {
            self.drop_frame(frame);
        }
    }

    /// All frames from one downwards, and the steps in them that had ended.
    fn walk_superseded(&mut self, top: u32) -> (Vec<u32>, Vec<(crate::graph::NodeId, StepState)>) {
        let plan = Arc::clone(&self.plan);
        let (mut frames, mut ended, mut next) = (vec![top], Vec::new(), 0);
        while let Some(index) = frames.get(next).copied() {
            next += 1;
            for (task, task_plan) in (0..).zip(&plan.scope(self.frames[index as usize].scope()).tasks) {
                let id = self.step_id(index, task);
                match self.frames[index as usize].tasks[task as usize].state {
                    TaskState::Ended(state)
                        if plan.node(task_plan.node).is_step()
                            && self.was_told(index, task_plan.node, state)
                            && !matches!(
                                task_plan.kind,
                                TaskKind::Deliver { .. } | TaskKind::Open { .. }
                            ) =>
                    {
                        ended.push((task_plan.node, state));
                    }
                    // It would have been read back.
                    _ if self.has_success(index, task) => ended.push((task_plan.node, StepState::Succeeded)),
                    // What is read back holds no tokens, and has nothing to stop.
                    TaskState::Running if self.is_recalled(index, task) || self.reads_back(id) => {}
                    TaskState::Running | TaskState::Chained => {
                        self.commands.push(Command::Stop(id));
                        self.left_behind.insert(id, Left { node: task_plan.node, by: LeftBy::Superseded });
                    }
                    _ => {}
                }
                self.end_poll_room(id);
                if self.begun.remove(&id).is_some() {
                    self.commands.push(Command::Drop(id));
                }
                self.starved.retain(|(_, frame, _)| frame.index != index);
            }
            for fan in &self.frames[index as usize].fans {
                frames.extend(&self.fans[*fan as usize].frames);
                ended.extend(self.succeeded_unopened(*fan));
            }
        }
        for frame in &frames[1..] {
            if std::mem::take(&mut self.frames[*frame as usize].is_open)
                && let Some(fan) = self.frames[*frame as usize].fan
            {
                self.give_room(fan, 1);
            }
        }
        (frames, ended)
    }

    /// What superseded frames have told to gathers further out is taken back.
    fn take_deliveries_back(&mut self, top: u32, frames: &[u32]) {
        let plan = Arc::clone(&self.plan);
        let top_depth = self.scope_depth(top);
        for index in frames {
            let depth = self.scope_depth(*index);
            let scope = plan.scope(self.frames[*index as usize].scope());
            for (task, task_plan) in scope.tasks.iter().enumerate() {
                let TaskKind::Deliver { up, target } = task_plan.kind else { continue };
                let delivered = matches!(
                    self.frames[*index as usize].tasks[task].state,
                    TaskState::Ended(_) | TaskState::Gathering
                );
                if delivered && up > depth - top_depth {
                    let (gatherer, path) =
                        (self.around(*index, up), self.frames[*index as usize].path.clone());
                    self.take_back_delivery(gatherer, target, &path);
                }
            }
            for fan in self.frames[*index as usize].fans.clone() {
                let Fan { scope, state: FanState::Closed | FanState::Failed(_) | FanState::Skipped, .. } =
                    &self.fans[fan as usize]
                else {
                    continue;
                };
                let counted_by = &plan.scope(ScopeId(*scope)).counted_by;
                for counted in counted_by.iter().filter(|counted| counted.up > depth - top_depth) {
                    self.reopen(fan, *counted, *index);
                }
            }
        }
    }

    /// A gather forgets a fan-out that lies in `frame`, which is superseded.
    fn reopen(&mut self, index: FanIndex, counted: Counted, frame: u32) {
        let gatherer = self.around(frame, counted.up);
        let without = self.without(index, self.frames[gatherer as usize].path.depth());
        let fan = std::mem::take(&mut self.fans[index as usize]);
        if let Some(arrivals) = self.arrivals(gatherer, counted.target) {
            arrivals.reopened(counted.level, &fan, &without);
        }
        self.fans[index as usize] = fan;
    }

    fn scope_depth(&self, frame: u32) -> u32 {
        self.plan.graph.outwards(self.frames[frame as usize].scope()).count() as u32
    }

    /// Lets go of frames that were kept in case their emitter gave other items.
    pub(super) fn unpin(&mut self, fan: FanIndex) {
        let Fan { scope, parent, .. } = self.fans[fan as usize];
        if !self.plan.pinned[scope as usize] || self.lies_in_open_fan(parent) {
            return;
        }
        let mut frames = self.fans[fan as usize].frames.clone();
        let mut next = 0;
        while let Some(index) = frames.get(next).copied() {
            next += 1;
            // What an emitter further in may still give otherwise is kept.
            let inner = self.frames[index as usize].fans.iter().filter(|fan| !self.may_change(**fan));
            frames.extend(inner.flat_map(|fan| &self.fans[*fan as usize].frames));
        }
        for index in frames.into_iter().rev() {
            self.frames[index as usize].pinned = false;
            self.settle_failures(index);
            if self.frames[index as usize].live == 0 {
                self.drop_frame(index);
            }
        }
    }

    /// Whether a fan-out's emitter may yet give its items again, with other values.
    fn may_change(&self, fan: FanIndex) -> bool {
        matches!(self.fans[fan as usize].state, FanState::Open) && self.may_come_again(fan)
    }

    /// Whether a new frame must be kept until its emitter, or one further out, has ended for good.
    pub(super) fn may_be_superseded(&self, parent: u32, fan: Option<FanIndex>) -> bool {
        fan.is_some_and(|fan| self.may_come_again(fan)) || self.lies_in_open_fan(parent)
    }

    /// Whether a frame is an item of a fan-out, or below one, whose emitter may be tried again.
    pub(super) fn lies_in_open_fan(&self, frame: u32) -> bool {
        let mut frame = frame;
        while let Some(fan) = self.frames[frame as usize].fan {
            if self.may_change(fan) {
                return true;
            }
            frame = self.frames[frame as usize].parent;
        }
        false
    }
}

/// Whether two values are equal as encoded; values that are never recorded are, under one key.
fn same(info: TypeInfo, a: &AnyValue, b: &AnyValue) -> bool {
    let encode = |value| info.text(value);
    if info.encode.is_none() {
        return true;
    }
    // Encoding runs code of the user's. What cannot be encoded is equal to nothing.
    let equal = caught(|| matches!((encode(a), encode(b)), (Some(Ok(a)), Some(Ok(b))) if a == b));
    equal.unwrap_or(false)
}

/// Whether the op of a node is an emitter that may be tried again.
pub(super) fn tries_again(node: &crate::graph::Node) -> bool {
    node.op().is_some_and(is_emitter) && node.options.retry.is_some_and(|retry| retry.max > 0)
}
