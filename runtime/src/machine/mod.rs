//! The core: a run as a state machine.
//!
//! It holds frames, queues, limits and retries, and decides what runs when. It does no I/O, knows
//! no thread and no clock: whoever drives it says what time it is, asks for work with
//! [`Machine::next`] and tells what became of it. Live runs, simulations and tests drive the same
//! code. What the rules are is said in the guide's chapter on what a graph means; the numbers in
//! comments (`§3.4`) refer to it.

mod cancel;
mod emit;
mod fan;
mod fold;
mod frame;
mod gather;
mod grant;
mod handled;
mod keys;
mod limits;
mod plan;
mod ready;
mod recall;
mod retry;
mod room;
mod settle;
mod told;
mod zip;

pub use fold::FoldDone;
pub use grant::{FoldWork, Grant, Poll, PollDone, PollOutcome, StepDone, StepId, StepWork, Want};
pub use limits::Limits;
pub use recall::{Recall, RecalledItems, Unrecorded};

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Batch, Event, EventKind, RunState, Span};
use crate::graph::{Graph, NodeId};
use crate::options::Order;
use crate::value::AnyValue;

use frame::{Fan, FanIndex, Frame, FrameId, Slot};
use limits::Tokens;
use plan::Plan;
use ready::Queue;

/// How a machine runs its graph.
#[derive(Debug, Clone)]
pub struct Config {
    /// What bounds the steps in flight.
    pub limits: Limits,
    /// In which order ready steps start.
    pub order: Order,
    /// Whether the first failure keeps further steps from starting.
    pub fail_fast: bool,
    /// Whether events carry values.
    pub keep_values: bool,
    /// Whether what steps give is recorded: then a fold's value is encoded when it is whole.
    pub recording: bool,
    /// Steps that are suspected of having killed the process: each runs while nothing else does.
    pub suspects: Suspects,
    /// How many items of one fan-out may be open.
    pub open_items: u32,
    /// How many workers there may be: a batch leaves work for the others.
    pub workers: u32,
    /// The seed of jitter.
    pub seed: u64,
}

/// Steps, by item and node, that were in hand when the process died again and again (§4.10).
#[derive(Debug, Clone, Default)]
pub struct Suspects {
    /// Those that run alone.
    pub alone: HashSet<(u32, NodeId)>,
    /// Those that were named by the last death: they fail without being run.
    pub poison: HashSet<(u32, NodeId)>,
}

/// Something that whoever drives the machine must do besides running work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Tell a running step to stop; its result no longer counts.
    Stop(StepId),
    /// Forget an emitter between two polls.
    Drop(StepId),
}

/// Something that a run does not need any more.
#[derive(Debug)]
#[expect(dead_code, reason = "it is there to be dropped")]
pub struct Spent(SpentKind);

#[derive(Debug)]
#[expect(dead_code, reason = "as above")]
enum SpentKind {
    Value(AnyValue),
    Gathers(Vec<gather::GatherState>),
    Zips(Vec<gather::ZipState>),
    Fan(Box<Fan>),
}

/// A run.
#[derive(Debug)]
pub struct Machine {
    plan: Arc<Plan>,
    config: Config,
    args: Vec<AnyValue>,
    now: Duration,
    random: fastrand::Rng,

    /// What is known from before.
    recall: Option<Recall>,
    transient: Option<recall::Transient>,
    /// How many items were opened.
    items: u32,
    frames: Vec<Frame>,
    /// Freed frames, by scope.
    spare: Vec<Vec<u32>>,
    fans: Vec<Fan>,
    spare_fans: Vec<FanIndex>,
    /// How many items of each scope are open.
    open: Vec<u32>,

    /// Ready steps of sync ops and emitters, and of async ops.
    sync: Queue,
    tasks: Queue,
    entries: u64,
    tokens: Tokens,
    in_flight: u32,
    /// Whether what is in flight runs alone.
    alone: bool,
    /// How long a step of each node takes, in nanoseconds; 0 where none was measured.
    cost: Vec<f32>,

    timers: BinaryHeap<Reverse<(Duration, u64, retry::Timer)>>,
    /// The first of them when somebody last looked.
    first_timer: Option<Duration>,
    /// Emitters that wait for room, by scope.
    starved: BTreeSet<(u32, FrameId, u32)>,
    /// Fan-outs with items that wait for room, by scope.
    hungry: BTreeSet<(u32, FanIndex)>,
    /// Fan-outs in whose scopes there may be room now.
    roomy: Vec<FanIndex>,
    /// Emitters between their first poll and their end.
    begun: HashMap<StepId, emit::Begun>,
    /// Sync steps whose time was over and whose threads have not returned: their pool and tag tokens.
    left_behind: HashMap<StepId, retry::Left>,
    /// How long a pool may be wholly held by threads that do not return.
    grace: Duration,
    /// Tasks that have all their inputs.
    due: VecDeque<(FrameId, u32)>,

    /// Values that nobody can need any more. Dropping them runs code of the user's, so whoever
    /// drives the machine does it.
    spent: Vec<Spent>,
    events: Vec<Event>,
    only_starts: bool,
    /// The recorded form of what the events carry.
    data: Vec<u8>,
    commands: Vec<Command>,
    handled: handled::Handled,
    stopping: Option<cancel::Stopping>,
    ended: Option<RunState>,
    /// What the job gives, once the run has ended.
    outputs: Vec<Option<AnyValue>>,
}

impl Machine {
    /// A run of `graph` that has not begun; `args` are the job's arguments, in order.
    pub fn new(graph: Arc<Graph>, args: Vec<AnyValue>, config: Config) -> Self {
        Self::recalling(graph, args, config, None)
    }

    /// A run that knows something from before, and has not begun.
    pub fn recalling(graph: Arc<Graph>, args: Vec<AnyValue>, config: Config, recall: Option<Recall>) -> Self {
        let plan = Arc::new(Plan::new(Arc::clone(&graph), config.order));
        let scopes = plan.scopes.len();
        let going_on = recall.as_ref().filter(|recall| recall.goes_on());
        let mut machine = Self {
            random: fastrand::Rng::with_seed(config.seed),
            tokens: Tokens::new(&config.limits),
            now: going_on.map_or(Duration::ZERO, |recall| recall.past.elapsed()),
            transient: recall.as_ref().and_then(|recall| recall::Transient::of(&graph, recall)),
            items: going_on.map_or(0, |recall| recall.past.last_item()),
            recall,
            frames: Vec::new(),
            spare: vec![Vec::new(); scopes],
            fans: Vec::new(),
            spare_fans: Vec::new(),
            open: vec![0; scopes],
            sync: Queue::new(plan.ranks),
            tasks: Queue::new(plan.ranks),
            entries: 0,
            in_flight: 0,
            alone: false,
            cost: vec![0.0; graph.nodes.len()],
            timers: BinaryHeap::new(),
            first_timer: None,
            starved: BTreeSet::new(),
            hungry: BTreeSet::new(),
            roomy: Vec::new(),
            begun: HashMap::new(),
            left_behind: HashMap::new(),
            grace: crate::run::GRACE,
            due: VecDeque::new(),
            spent: Vec::new(),
            events: Vec::new(),
            only_starts: true,
            data: Vec::new(),
            commands: Vec::new(),
            handled: handled::Handled::default(),
            stopping: None,
            ended: None,
            outputs: Vec::new(),
            plan,
            config,
            args,
        };
        machine.open_root();
        machine.settle_due();
        machine
    }

    /// How the run ended, if it has.
    pub fn ended(&self) -> Option<RunState> {
        self.ended
    }

    /// What the job gave, in order; `None` for what has no value.
    pub fn take_outputs(&mut self) -> Vec<Option<AnyValue>> {
        std::mem::take(&mut self.outputs)
    }

    /// What has happened since this was last called.
    pub fn take_events(&mut self) -> Batch {
        // As many will soon have come again.
        self.only_starts = true;
        let (room, data_room) = (self.events.len(), self.data.len());
        Batch {
            events: std::mem::replace(&mut self.events, Vec::with_capacity(room)),
            data: std::mem::replace(&mut self.data, Vec::with_capacity(data_room)),
        }
    }

    /// Keeps the recorded form of what is given back next, until its events are taken; gives the
    /// place that it begins at.
    pub fn hold(&mut self, data: &[u8]) -> u32 {
        let start = self.data.len() as u32;
        self.data.extend_from_slice(data);
        start
    }

    /// What is held of a span that has not been taken.
    pub(crate) fn held(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        &self.data[start..start + span.len as usize]
    }

    /// How many bytes of recorded form wait to be taken with their events.
    pub fn waiting_data(&self) -> usize {
        self.data.len()
    }

    /// How many events wait to be taken.
    pub fn waiting_events(&self) -> usize {
        self.events.len()
    }

    /// What is to be dropped.
    pub fn take_spent(&mut self) -> Vec<Spent> {
        std::mem::take(&mut self.spent)
    }

    /// What must be done besides running work.
    pub fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Whether another step could begin beside those in flight.
    pub fn has_place(&self) -> bool {
        let alone = self.alone && self.in_flight > 0;
        self.in_flight < self.config.limits.max_concurrent && self.stopping.is_none() && !alone
    }

    /// How many ready steps wait for a thread.
    pub fn waiting_for_threads(&self) -> usize {
        self.sync.len() + self.tokens.waiting(self.now)
    }

    /// The time at which it began: that of the last event that is known, if the run goes on.
    pub fn begins_at(&self) -> Duration {
        self.now
    }

    /// Whether all that waits to be taken is that steps began.
    pub fn only_starts(&self) -> bool {
        self.only_starts
    }

    /// How many steps are in flight.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How many steps may be in flight.
    pub fn max_concurrent(&self) -> u32 {
        self.config.limits.max_concurrent
    }

    /// How long a pool may be wholly held by threads that do not return, before the run fails.
    pub fn set_grace(&mut self, grace: Duration) {
        self.grace = grace;
    }

    /// How many threads did not return in time, and have not yet.
    pub fn left_behind(&self) -> usize {
        self.threads_left_behind().count()
    }

    /// Whether the steps of a node may be told to stop, as another attempt of an emitter around
    /// them may give other items.
    pub fn may_stop(&self, node: crate::graph::NodeId) -> bool {
        self.plan.pinned[self.plan.node(node).scope.index()]
    }

    /// Whether a command waits to be taken, or a timer was set that is due before all others.
    pub fn has_orders(&self) -> bool {
        !self.commands.is_empty() || self.first_timer != self.next_timer()
    }

    /// Whether the next timer has changed since this was last called.
    pub fn has_new_timer(&mut self) -> bool {
        let next = self.next_timer();
        next != std::mem::replace(&mut self.first_timer, next)
    }

    /// The graph that is run.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.plan.graph
    }

    fn is_spent(&mut self, slot: Slot) {
        if let Slot::Value(value) = slot {
            self.spent.push(Spent(SpentKind::Value(value)));
        }
    }

    fn event(&mut self, kind: EventKind) {
        self.only_starts &= matches!(kind, EventKind::StepStarted { .. });
        self.events.push(Event { at: self.now, kind });
    }

    fn frame_id(&self, index: u32) -> FrameId {
        FrameId { index, generation: self.frames[index as usize].generation }
    }

    /// The frame of an id, if it was not freed.
    fn frame_of(&self, id: FrameId) -> Option<&Frame> {
        let frame = &self.frames[id.index as usize];
        (frame.alive && frame.generation == id.generation).then_some(frame)
    }

    /// The frame `up` frames out.
    fn around(&self, frame: u32, up: u32) -> u32 {
        (0..up).fold(frame, |frame, _| self.frames[frame as usize].parent)
    }

    fn slot(&self, frame: u32, place: plan::Place) -> Slot {
        match place {
            plan::Place::Slot { up, slot } => {
                self.frames[self.around(frame, up) as usize].slots[slot as usize].clone()
            }
            plan::Place::Constant(index) => {
                Slot::Value(Arc::clone(&self.plan.graph.constants[index as usize]))
            }
            plan::Place::Argument(index) => Slot::Value(Arc::clone(&self.args[index as usize])),
        }
    }

    /// The run has nothing left to do: says how it ended.
    fn end(&mut self) {
        let state = match &self.stopping {
            Some(stopping) => stopping.state,
            None if self.handled.any_unanswered() => RunState::Failed,
            None => RunState::Succeeded,
        };
        let results: Vec<_> = self.plan.graph.results.iter().map(|result| result.source).collect();
        self.outputs = results
            .into_iter()
            .map(|source| match self.slot(0, self.plan.place(crate::graph::ScopeId::ROOT, source?)) {
                // In a rerun, what was not selected and was never recorded is not there.
                Slot::Value(value) => Some(value).filter(|value| !value.is::<Unrecorded>()),
                _ => None,
            })
            .collect();
        self.ended = Some(state);
        self.event(EventKind::RunEnded { state });
    }
}
