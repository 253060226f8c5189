//! Frames: the instances of scopes, and the fan-outs between them.

use std::sync::Arc;

use crate::event::StepState;
use crate::graph::ScopeId;
use crate::step::Path;
use crate::value::AnyValue;

use super::gather::{GatherState, ZipState};
use super::handled::Failure;
use super::keys::KeySet;
use super::recall::Identity;

/// One value of a frame.
#[derive(Debug, Clone, Default)]
pub(crate) enum Slot {
    /// Not there yet.
    #[default]
    Empty,
    Value(AnyValue),
    Skipped,
    Failed(Arc<Failure>),
    /// It was there, and nobody can read it any more.
    Gone,
}

impl Slot {
    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self, Self::Empty)
    }

    pub(crate) fn failure(self) -> Option<Arc<Failure>> {
        if let Self::Failed(failure) = self { Some(failure) } else { None }
    }

    /// How a step ends whose outputs are this: it did not run.
    pub(crate) fn unmet_state(&self) -> StepState {
        if let Self::Failed(_) = self { StepState::UpstreamFailed } else { StepState::Skipped }
    }

    /// The slots of one item, or of a pair, as one: any skipped, and it is skipped; else any failed,
    /// and it has failed (§4.4).
    pub(crate) fn both(mut slots: Vec<Self>) -> Self {
        if slots.len() == 1 {
            return slots.pop().unwrap_or_default();
        }
        if slots.iter().any(|slot| matches!(slot, Self::Skipped)) {
            return Self::Skipped;
        }
        let mut values = slots.iter().filter(|slot| matches!(slot, Self::Value(_))).cloned();
        let value = values.next();
        let failures = slots.iter().cloned().filter_map(Self::failure).collect();
        Failure::all(failures).map(Self::Failed).or(value).unwrap_or(Self::Gone)
    }
}

/// How a task of a frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TaskState {
    /// Some input is missing.
    #[default]
    Waiting,
    /// It stands in a queue: for a worker, or for a limit.
    Ready,
    /// A worker has it.
    Running,
    /// A worker will go on with it when the task before it has succeeded.
    Chained,
    /// It waits for its next attempt to be due.
    Retrying,
    /// An emitter that waits for room, or to be woken.
    Idle,
    /// A gather, a zip or a fold that takes items; a delivery to a fold that has not taken it.
    Gathering,
    Ended(StepState),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Task {
    pub(crate) state: TaskState,
    /// How many inputs are missing.
    pub(crate) missing: u32,
    /// How many attempts were begun.
    pub(crate) attempt: u32,
    /// How many of them failed, of those that the retry policy counts.
    pub(crate) failed: u32,
}

/// A frame's place in the machine's table, and which of the frames that stood there it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FrameId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A fan-out's place in the machine's table.
pub(crate) type FanIndex = u32;

/// One instance of a scope.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) generation: u32,
    pub(crate) alive: bool,
    pub(crate) scope: u32,
    /// The frame around it; itself for the root.
    pub(crate) parent: u32,
    /// The fan-out that it is an item of.
    pub(crate) fan: Option<FanIndex>,
    /// Its place in the fan-out's list of frames.
    pub(crate) at: u32,
    pub(crate) path: Path,
    /// Its item's number in the run that is known, if it is known.
    pub(crate) known: Option<u32>,
    pub(crate) turn: Turn,
    pub(crate) slots: Vec<Slot>,
    /// How many readers each slot still has.
    pub(crate) uses: Vec<u32>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) fans: Vec<FanIndex>,
    pub(crate) gathers: Vec<GatherState>,
    pub(crate) zips: Vec<ZipState>,
    /// How many tasks and fan-outs have not ended.
    pub(crate) live: u32,
    /// How many of these keep the item open.
    pub(crate) open: u32,
    /// Which tasks, and then which fan-outs, wait for the closing of a fan-out further out and so do
    /// not keep the item open; empty if none do.
    pub(crate) late: Vec<bool>,
    /// Whether the item counts against its fan-out's budget.
    pub(crate) is_open: bool,
    /// Whether it is kept although all in it has ended, as its emitter may give other items yet.
    pub(crate) pinned: bool,
}

impl Frame {
    /// A task waits for one input less; whether it has all now.
    pub(crate) fn one_input_less(&mut self, task: u32) -> bool {
        let task = &mut self.tasks[task as usize];
        task.missing -= 1;
        task.missing == 0 && task.state == TaskState::Waiting
    }

    /// A reader needs a value no more; gives the value if it was the last.
    pub(crate) fn release(&mut self, slot: u32) -> Slot {
        let uses = &mut self.uses[slot as usize];
        *uses -= 1;
        match &mut self.slots[slot as usize] {
            value @ Slot::Value(_) if *uses == 0 => std::mem::replace(value, Slot::Gone),
            _ => Slot::Gone,
        }
    }

    pub(crate) fn scope(&self) -> ScopeId {
        ScopeId(self.scope)
    }
}

/// A place in yield order: the outer item's first. Earlier is smaller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Turn {
    /// The two outermost places, each plus one, so that an outer step comes before those inside.
    head: u64,
    tail: Option<Arc<Vec<u32>>>,
    depth: u8,
}

impl Turn {
    pub(crate) fn inside(&self, index: u32) -> Self {
        let place = u64::from(index) + 1;
        match self.depth {
            0 => Self { head: place << 32, tail: None, depth: 1 },
            1 => Self { head: self.head | (place & u64::from(u32::MAX)), tail: None, depth: 2 },
            _ => {
                let mut tail = self.tail.as_deref().cloned().unwrap_or_default();
                tail.push(index);
                Self { head: self.head, tail: Some(Arc::new(tail)), depth: self.depth.saturating_add(1) }
            }
        }
    }
}

/// How a fan-out ended, or that it has not.
#[derive(Debug, Clone, Default)]
pub(crate) enum FanState {
    /// More items may come.
    #[default]
    Open,
    /// All items are there.
    Closed,
    /// Its emitter failed, or could not run: those items that are there go on.
    Failed(Arc<Failure>),
    /// Its emitter gave nothing, or was skipped.
    Skipped,
}

/// One instance of a fan-out: the items of one dynamic output in one frame.
#[derive(Debug, Default)]
pub(crate) struct Fan {
    pub(crate) scope: u32,
    /// The frame that it lies in.
    pub(crate) parent: u32,
    pub(crate) state: FanState,
    /// How many items there are.
    pub(crate) count: u32,
    /// The place in yield order of the next item of this attempt.
    pub(crate) next: u32,
    /// The items, by key, if the emitter may be tried again.
    pub(crate) known: std::collections::HashMap<crate::key::Key, super::emit::Known>,
    /// The frames of its items that are not freed.
    pub(crate) frames: Vec<u32>,
    /// How many of these have not ended.
    pub(crate) unended: u32,
    /// How many items are open, or may be yielded by a poll that is under way.
    pub(crate) open: u32,
    pub(crate) keys: KeySet,
    /// Items that wait to be opened.
    pub(crate) queue: ItemQueue,
    /// How the fan-out closes when the last of them has been opened.
    pub(crate) closes_as: Option<FanState>,
    /// The items further out whose inner fan-outs gave nothing: of items that were held, or paired.
    pub(crate) without: Vec<Vec<crate::key::Key>>,
    pub(crate) ended: bool,
    /// The known items that were taken up, or superseded.
    pub(crate) adopted: std::collections::HashSet<u32>,
    /// Whether the known items of an emitter that failed for good are opened as they are read back,
    /// though it holds its items until it has succeeded.
    pub(crate) opens_rest: bool,
    /// Where among the known items the next one is expected.
    pub(crate) known_place: u32,
}

/// Items that are there but not opened, for want of room.
#[derive(Debug, Default)]
pub(crate) enum ItemQueue {
    #[default]
    Empty,
    /// A held list, and how many of its items were opened.
    Held { list: Arc<HeldList>, next: usize },
    /// Items of an emitter that shows them only when it has succeeded.
    Items(std::collections::VecDeque<NewItem>),
}

impl Fan {
    /// No item of another attempt stands in the way of the next.
    pub(crate) fn begin_attempt(&mut self) {
        (self.keys, self.next, self.queue) = (KeySet::default(), 0, ItemQueue::Empty);
        self.opens_rest = false;
    }
}

impl ItemQueue {
    pub(crate) fn next(&mut self) -> Option<NewItem> {
        match self {
            Self::Empty => None,
            Self::Held { list, next } => {
                *next += 1;
                list.items.get(*next - 1).cloned()
            }
            Self::Items(items) => items.pop_front(),
        }
    }

    /// Which of them the record has already.
    pub(super) fn told(&self) -> Vec<Identity> {
        match self {
            Self::Items(items) => {
                items.iter().filter_map(|item| item.identity).filter(|item| item.told).collect()
            }
            Self::Empty | Self::Held { .. } => Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Held { list, next } => *next >= list.items.len(),
            Self::Items(items) => items.is_empty(),
        }
    }
}

/// The items of a dynamic output with their outcomes.
#[derive(Debug, Default)]
pub(crate) struct HeldList {
    pub(crate) items: Vec<NewItem>,
    /// The items further out whose inner fan-outs gave nothing, by their keys.
    pub(crate) without: Vec<Vec<crate::key::Key>>,
}

/// An item that is to be opened.
#[derive(Debug, Clone)]
pub(crate) struct NewItem {
    /// Its key's parts, each with its place in yield order, outermost first.
    pub(crate) parts: Vec<(crate::key::Key, u32)>,
    /// What it gives: one value, or two for a pair.
    pub(crate) values: Vec<Slot>,
    /// Whether it, or something that it lies in, was made in this session.
    pub(crate) fresh: bool,
    /// Which item of the run it is, if that is told already.
    pub(crate) identity: Option<Identity>,
    /// What is recorded of its value; nothing for one that is made of others.
    pub(crate) record: Box<[u8]>,
}

impl NewItem {
    /// One that is made of other items.
    pub(crate) fn of_others(parts: Vec<(crate::key::Key, u32)>, values: Vec<Slot>, fresh: bool) -> Self {
        Self { parts, values, fresh, identity: None, record: Box::default() }
    }
}
