//! Events as a block says them: items are numbers, and nothing is made that its reader may not need.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::RecordError;
use super::format::{
    ATTEMPT, ATTEMPT_FAILED, BELOW, CAUSE, FAN_OUT_CLOSED, FORMAT, ITEM_MOVED, ITEM_SUPERSEDED, ITEM_YIELDED,
    KIND, LEFT_BEHIND, MANY, NEXT_INDEX, PARTS, RUN_CANCELLING, RUN_ENDED, RUN_RESUMED, RUN_STARTED,
    SAME_FAN, SAME_ITEM, SAME_TIME, STEP_FAILED, STEP_REMADE, STEP_REUSED, STEP_STARTED, STEP_SUCCEEDED,
    STEPS_NOT_RUN,
};
use super::keys::LastKeys;
use super::varint::Cursor;
use crate::error::OpError;
use crate::event::{Below, RunState, Span, StepState};
use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::shape::Shape;

/// A step, by the number of its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawStep {
    pub(crate) item: u32,
    pub(crate) node: NodeId,
}

/// A record in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawRecord {
    /// Where its length stands.
    pub(crate) at: u32,
    /// Its bytes.
    pub(crate) span: Span,
}

/// When an attempt began, and how long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawTimes {
    pub(crate) started: Duration,
    pub(crate) took: Duration,
}

/// An event.
#[derive(Debug, Clone)]
pub(crate) enum Raw<'a> {
    RunStarted {
        run: &'a str,
        started: SystemTime,
        args: Vec<(String, String)>,
    },
    RunResumed {
        resumed: SystemTime,
        in_hand: Vec<RawStep>,
    },
    StepStarted {
        step: RawStep,
        attempt: u32,
    },
    StepSucceeded {
        step: RawStep,
        attempt: u32,
        times: RawTimes,
        record: RawRecord,
    },
    StepRemade {
        step: RawStep,
    },
    StepReused {
        step: RawStep,
        record: RawRecord,
    },
    AttemptFailed {
        step: RawStep,
        attempt: u32,
        times: RawTimes,
        error: Arc<OpError>,
        due: Duration,
    },
    StepFailed {
        step: RawStep,
        attempt: u32,
        times: RawTimes,
        error: Arc<OpError>,
        left_behind: bool,
    },
    StepNotRun {
        step: RawStep,
        state: StepState,
        cause: Option<RawStep>,
    },
    /// The item's number is the next. With `outer`, [`Reader::outer`] has its other keys.
    ItemYielded {
        step: RawStep,
        output: u16,
        key: Key,
        index: u32,
        outer: bool,
        record: RawRecord,
    },
    FanOutClosed {
        step: RawStep,
        output: u16,
        items: u64,
    },
    /// The step's item is the one that is superseded.
    ItemMoved {
        step: RawStep,
        output: u16,
        index: u32,
    },
    ItemSuperseded {
        step: RawStep,
        output: u16,
        ended: Vec<(NodeId, StepState)>,
        below: Vec<Below>,
    },
    RunCancelling {
        reason: &'a str,
    },
    RunEnded {
        state: RunState,
    },
}

impl Raw<'_> {
    /// The step that it is about. Of an item that was moved or superseded it is what gave it, with the
    /// number of the item itself.
    pub(crate) fn step(&self) -> Option<RawStep> {
        match self {
            Self::StepStarted { step, .. }
            | Self::StepSucceeded { step, .. }
            | Self::StepRemade { step }
            | Self::StepReused { step, .. }
            | Self::AttemptFailed { step, .. }
            | Self::StepFailed { step, .. }
            | Self::StepNotRun { step, .. }
            | Self::ItemYielded { step, .. }
            | Self::FanOutClosed { step, .. }
            | Self::ItemMoved { step, .. }
            | Self::ItemSuperseded { step, .. } => Some(*step),
            Self::RunStarted { .. }
            | Self::RunResumed { .. }
            | Self::RunCancelling { .. }
            | Self::RunEnded { .. } => None,
        }
    }
}

/// The events of one block.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    cursor: Cursor<'a>,
    nodes: u32,
    scopes: u32,
    /// The most keys that an item can have below the step that gave it: fan-outs nest no deeper.
    levels: u64,
    items: u32,
    at: u64,
    item: u32,
    fan: Option<(RawStep, u16)>,
    index: u32,
    keys: LastKeys,
    outer: Vec<(Key, u32)>,
    error: Option<Arc<OpError>>,
    not_run: Option<NotRun>,
}

/// The steps of an item that are yet to be told as not run.
#[derive(Debug, Clone, Copy)]
struct NotRun {
    last: RawStep,
    left: u64,
    state: StepState,
    cause: Option<RawStep>,
}

impl<'a> Reader<'a> {
    /// Begins to read the block that comes after `items` items of a run of the shape.
    pub(crate) fn new(block: &'a [u8], shape: &Shape, items: u32) -> Result<Self, RecordError> {
        let mut cursor = Cursor::new(block);
        if u32::try_from(block.len()).is_err() {
            return Err(cursor.wrong(format!("a block has {} bytes, more than blocks have", block.len())));
        }
        match cursor.byte("a block's format")? {
            FORMAT => {}
            found => return Err(RecordError::Format { found }),
        }
        let before = cursor.number("a block's first item")?;
        if before != u64::from(items) {
            let what = format!("the block follows {before} items, but the blocks before it have {items}");
            return Err(cursor.wrong(what));
        }
        let at = cursor.number("a block's time")?;
        Ok(Self {
            cursor,
            nodes: shape.nodes.len() as u32,
            scopes: shape.scopes.len() as u32,
            levels: shape.scopes.len() as u64,
            items,
            at,
            item: 0,
            fan: None,
            index: 0,
            keys: LastKeys::default(),
            outer: Vec::new(),
            error: None,
            not_run: None,
        })
    }

    /// The time of the last event.
    pub(crate) fn at(&self) -> Duration {
        Duration::from_micros(self.at)
    }

    /// The outer keys, innermost first, of the item that was read last, if it said that it has some.
    pub(crate) fn outer(&self) -> &[(Key, u32)] {
        &self.outer
    }

    /// The event that was read last cannot be.
    #[cold]
    pub(crate) fn wrong(&self, what: &str) -> RecordError {
        self.cursor.wrong(what.to_owned())
    }

    /// The next event; `None` at the end of the block.
    pub(crate) fn next(&mut self) -> Result<Option<Raw<'a>>, RecordError> {
        if let Some(run) = self.not_run {
            return self.next_not_run(run).map(Some);
        }
        if self.cursor.left() == 0 {
            return Ok(None);
        }
        let tag = self.cursor.byte("an event")?;
        if tag & SAME_TIME == 0 {
            let later = self.cursor.difference("the time of an event")?;
            self.at = self.checked(self.at.checked_add_signed(later), "the time of an event")?;
        }
        self.event(tag).map(Some)
    }

    fn event(&mut self, tag: u8) -> Result<Raw<'a>, RecordError> {
        Ok(match tag & KIND {
            STEP_SUCCEEDED => {
                let (step, attempt) = (self.step(tag)?, self.attempt(tag)?);
                Raw::StepSucceeded { step, attempt, times: self.times()?, record: self.record()? }
            }
            ITEM_YIELDED => self.item(tag)?,
            STEP_STARTED => Raw::StepStarted { step: self.step(tag)?, attempt: self.attempt(tag)? },
            STEP_REUSED => Raw::StepReused { step: self.step(tag)?, record: self.record()? },
            STEP_REMADE => Raw::StepRemade { step: self.step(tag)? },
            ATTEMPT_FAILED => {
                let (step, attempt, times) = (self.step(tag)?, self.attempt(tag)?, self.times()?);
                let wait = self.cursor.difference("when an attempt is due")?;
                let due = self.checked(self.at.checked_add_signed(wait), "when an attempt is due")?;
                let (error, due) = (self.error()?, Duration::from_micros(due));
                Raw::AttemptFailed { step, attempt, times, error, due }
            }
            STEP_FAILED => {
                let (step, attempt, times) = (self.step(tag)?, self.attempt(tag)?, self.times()?);
                let left_behind = tag & LEFT_BEHIND != 0;
                Raw::StepFailed { step, attempt, times, error: self.error()?, left_behind }
            }
            STEPS_NOT_RUN => self.not_run(tag)?,
            FAN_OUT_CLOSED => {
                let (step, output) = (self.step(tag)?, self.output()?);
                Raw::FanOutClosed { step, output, items: self.cursor.number("a number of items")? }
            }
            ITEM_MOVED => {
                let (step, output) = (self.step(tag)?, self.output()?);
                Raw::ItemMoved { step, output, index: self.cursor.short("the place of an item")? }
            }
            ITEM_SUPERSEDED => {
                let (step, output) = (self.step(tag)?, self.output()?);
                let ended = self.ended()?;
                // Records of the first versions do not say.
                let below = if tag & BELOW == 0 { Vec::new() } else { self.below()? };
                Raw::ItemSuperseded { step, output, ended, below }
            }
            RUN_STARTED => self.run_started()?,
            RUN_RESUMED => Raw::RunResumed { resumed: self.time_of_day()?, in_hand: self.in_hand()? },
            RUN_CANCELLING => Raw::RunCancelling { reason: self.cursor.text("why the run was cancelled")? },
            RUN_ENDED => Raw::RunEnded { state: self.run_state()? },
            kind => return Err(self.cursor.wrong(format!("there is no kind {kind} of events"))),
        })
    }

    #[inline]
    fn step(&mut self, tag: u8) -> Result<RawStep, RecordError> {
        if tag & SAME_ITEM == 0 {
            self.item = self.item_from(self.item)?;
        }
        Ok(RawStep { item: self.item, node: self.node()? })
    }

    /// An item as a difference from another.
    fn item_from(&mut self, other: u32) -> Result<u32, RecordError> {
        let difference = self.cursor.difference("an item")?;
        let item = i64::from(other).checked_add(difference).and_then(|item| u32::try_from(item).ok());
        match item.filter(|item| *item <= self.items) {
            Some(item) => Ok(item),
            None => Err(self.cursor.wrong("it names an item that was not yielded".to_owned())),
        }
    }

    fn node(&mut self) -> Result<NodeId, RecordError> {
        let node = self.cursor.number("a node")?;
        if node < u64::from(self.nodes) {
            return Ok(NodeId(node as u32));
        }
        let what = format!("it names node {node}, but the job has {} nodes", self.nodes);
        Err(self.cursor.wrong(what))
    }

    fn attempt(&mut self, tag: u8) -> Result<u32, RecordError> {
        if tag & ATTEMPT == 0 { Ok(1) } else { self.cursor.short("an attempt") }
    }

    fn times(&mut self) -> Result<RawTimes, RecordError> {
        let before = self.cursor.number("when an attempt began")?;
        let took = self.cursor.number("how long an attempt took")?;
        let started = Duration::from_micros(self.at.saturating_sub(before));
        Ok(RawTimes { started, took: Duration::from_nanos(took) })
    }

    fn record(&mut self) -> Result<RawRecord, RecordError> {
        let at = self.cursor.at() as u32;
        let bytes = self.cursor.bytes("a record")?;
        let len = bytes.len() as u32;
        // The whole block was seen to be shorter than a span can be.
        let start = if len == 0 { 0 } else { self.cursor.at() as u32 - len };
        Ok(RawRecord { at, span: Span { start, len } })
    }

    fn output(&mut self) -> Result<u16, RecordError> {
        let output = self.cursor.number("an output")?;
        self.checked(u16::try_from(output).ok(), "an output")
    }

    fn item(&mut self, tag: u8) -> Result<Raw<'a>, RecordError> {
        let fan @ (step, output) = if tag & SAME_FAN != 0 {
            self.checked(self.fan, "the fan-out of the item before the first")?
        } else {
            let item = self.item_from(self.item)?;
            (RawStep { item, node: self.node()? }, self.output()?)
        };
        let outer = tag & PARTS != 0;
        if outer {
            self.read_outer()?;
        }
        let key = self.keys.read(&mut self.cursor)?;
        self.index = match (tag & NEXT_INDEX != 0, tag & SAME_FAN != 0) {
            (false, _) => self.cursor.short("the index of an item")?,
            (true, true) => self.index.wrapping_add(1),
            (true, false) => 0,
        };
        let record = self.record()?;
        self.fan = Some(fan);
        self.items = self.checked(self.items.checked_add(1), "the number of items")?;
        Ok(Raw::ItemYielded { step, output, key, index: self.index, outer, record })
    }

    fn read_outer(&mut self) -> Result<(), RecordError> {
        let parts = self.cursor.number("the keys of an item")?;
        if parts >= self.levels {
            let what =
                format!("an item has {} keys, more than the job has fan-outs", parts.saturating_add(1));
            return Err(self.cursor.wrong(what));
        }
        if parts > 0 {
            self.outer.clear();
        }
        for _ in 0..parts {
            let key = self.keys.read(&mut self.cursor)?;
            self.outer.push((key, self.cursor.short("the index of an item")?));
        }
        Ok(())
    }

    fn not_run(&mut self, tag: u8) -> Result<Raw<'a>, RecordError> {
        let step = self.step(tag)?;
        let state = self.step_state()?;
        let cause = if tag & CAUSE == 0 {
            None
        } else {
            let item = self.item_from(step.item)?;
            Some(RawStep { item, node: self.node()? })
        };
        let left = if tag & MANY == 0 { 0 } else { self.cursor.number("a number of steps")? };
        self.not_run = (left > 0).then_some(NotRun { last: step, left, state, cause });
        Ok(Raw::StepNotRun { step, state, cause })
    }

    fn next_not_run(&mut self, run: NotRun) -> Result<Raw<'a>, RecordError> {
        let difference = self.cursor.difference("a node")?;
        let node = i64::from(run.last.node.0).checked_add(difference);
        let node = node.and_then(|node| u32::try_from(node).ok()).filter(|node| *node < self.nodes);
        let node = NodeId(self.checked(node, "a node of a step that was not run")?);
        let step = RawStep { node, ..run.last };
        self.not_run = (run.left > 1).then_some(NotRun { last: step, left: run.left - 1, ..run });
        Ok(Raw::StepNotRun { step, state: run.state, cause: run.cause })
    }

    fn ended(&mut self) -> Result<Vec<(NodeId, StepState)>, RecordError> {
        let count = self.cursor.number("the number of steps below an item")?;
        // Each takes two bytes or more: a number that lies asks for no memory.
        let likely = count.min(self.cursor.left() as u64 / 2) as usize;
        let mut ended = Vec::with_capacity(likely);
        for _ in 0..count {
            ended.push((self.node()?, self.step_state()?));
        }
        Ok(ended)
    }

    fn below(&mut self) -> Result<Vec<Below>, RecordError> {
        let count = self.cursor.number("the number of scopes below an item")?;
        // Each takes three bytes or more.
        let likely = count.min(self.cursor.left() as u64 / 3) as usize;
        let mut below = Vec::with_capacity(likely);
        for _ in 0..count {
            let scope = self.cursor.number("a scope below an item")?;
            let known = u32::try_from(scope).ok().filter(|scope| *scope < self.scopes);
            let scope = ScopeId(self.checked(known, "a scope below an item")?);
            let items = self.cursor.number("how many items lay below an item")?;
            let closed = self.cursor.number("how many fan-outs below an item had closed")?;
            below.push(Below { scope, items, closed });
        }
        Ok(below)
    }

    fn in_hand(&mut self) -> Result<Vec<RawStep>, RecordError> {
        let count = self.cursor.number("the number of steps in hand")?;
        let likely = count.min(self.cursor.left() as u64 / 2) as usize;
        let mut steps = Vec::with_capacity(likely);
        for _ in 0..count {
            steps.push(RawStep { item: self.item_from(0)?, node: self.node()? });
        }
        Ok(steps)
    }

    fn step_state(&mut self) -> Result<StepState, RecordError> {
        let found = self.cursor.byte("the state of a step")?;
        let state = StepState::ALL.into_iter().find(|state| *state as u8 == found);
        self.checked(state, "the state of a step")
    }

    fn run_state(&mut self) -> Result<RunState, RecordError> {
        let found = self.cursor.byte("the state of a run")?;
        let all = [RunState::Succeeded, RunState::Failed, RunState::Cancelled];
        self.checked(all.into_iter().find(|state| *state as u8 == found), "the state of a run")
    }

    fn error(&mut self) -> Result<Arc<OpError>, RecordError> {
        let length = self.cursor.number("an error")?;
        let Some(length) = length.checked_sub(1) else {
            return self.checked(self.error.clone(), "the error before the first");
        };
        let json = self.cursor.take(length, "an error")?;
        let error: OpError = serde_json::from_slice(json)
            .map_err(|error| self.cursor.wrong(format!("an error cannot be read: {error}")))?;
        Ok(Arc::clone(self.error.insert(Arc::new(error))))
    }

    fn run_started(&mut self) -> Result<Raw<'a>, RecordError> {
        let run = self.cursor.text("the run's id")?;
        let started = self.time_of_day()?;
        let count = self.cursor.number("the number of arguments")?;
        let mut args = Vec::new();
        for _ in 0..count {
            let (name, value) = (self.cursor.text("an argument")?, self.cursor.text("an argument")?);
            args.push((name.to_owned(), value.to_owned()));
        }
        Ok(Raw::RunStarted { run, started, args })
    }

    fn time_of_day(&mut self) -> Result<SystemTime, RecordError> {
        const WHAT: &str = "a time of day";
        let seconds = self.cursor.difference(WHAT)?;
        let nanos = self.cursor.short(WHAT)?;
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        let nanos = Duration::from_nanos(u64::from(nanos));
        self.checked(time.and_then(|time| time.checked_add(nanos)), WHAT)
    }

    fn checked<T>(&self, value: Option<T>, what: &str) -> Result<T, RecordError> {
        value.ok_or_else(|| self.cursor.wrong(format!("{what} cannot be")))
    }
}
