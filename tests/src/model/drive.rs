//! Drives the engine's core on one thread and a virtual clock: every choice that a real executor
//! leaves to chance is made by a seed, so that a run can be repeated exactly.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll as Polled, Waker};
use std::time::Duration;

use fanfold::define::{BoxFuture, Emission, OpDef, Outputs, Run};
use fanfold::graph::{Graph, NodeId};
use fanfold::machine::{
    Command, Config, FoldDone, FoldWork, Grant, Machine, Poll, PollDone, PollOutcome, StepDone, StepId,
    StepWork, Want,
};
use fanfold::{AnyValue, Event, EventKind, Key, OpContext, OpError, Path, RunState, Span, StepName, StepRef};

use super::counters::{Counts, Deed, Feat};
use super::recorded::Recorded;
use super::session::{Session, add, record_of_step, record_of_value};

/// How a run is driven.
#[derive(Clone, Debug)]
pub struct Course {
    /// Of every choice.
    pub seed: u64,
    /// How the core runs the graph.
    pub config: Config,
    /// How likely it is that more work is started before work under way has ended.
    pub eager: f64,
    /// The longest time of a step.
    pub longest: Duration,
    /// How likely it is that a worker gives back steps it has not begun.
    pub gives_back: f64,
    /// How likely it is that an emitter waits for something between two items.
    pub pauses: f64,
    /// After so many grants the run is cancelled.
    pub cancel: Option<Cancel>,
    /// How long a step takes, by the name of its node; where it says nothing, up to `longest`.
    pub took: fn(&str) -> Option<Duration>,
}

/// When and how a run is cancelled.
#[derive(Clone, Copy, Debug)]
pub struct Cancel {
    /// After so many grants.
    pub after: u32,
    /// How long running steps may go on.
    pub grace: Duration,
}

/// What came of a run.
#[derive(Debug)]
pub struct Driven {
    /// Everything that the core told.
    pub events: Vec<Event>,
    /// How it ended.
    pub state: RunState,
    /// What the job gave.
    pub outputs: Vec<Option<AnyValue>>,
    /// What each op gave on its last attempt that did not fail, by step.
    pub gave: HashMap<String, Option<AnyValue>>,
    /// The items of each emitter's last attempt that did not fail, by step.
    pub items: HashMap<String, Vec<(Key, AnyValue)>>,
    /// The virtual time that it took.
    pub took: Duration,
    /// Whether its process died before its end.
    pub died: bool,
    /// What was done in driving it.
    pub deeds: Counts<Deed>,
}

/// A step that is about to be begun.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Which.
    pub step: &'a StepRef,
    /// Whether the one before it must succeed first.
    pub fed: bool,
}

/// Looks on while a run is driven.
pub trait Watch {
    /// Work is about to be begun; `others` are the nodes of each work in flight.
    ///
    /// # Errors
    /// The work may not be begun.
    fn begins(
        &mut self,
        now: Duration,
        starts: &[Start<'_>],
        others: &[Vec<NodeId>],
        want: Want,
    ) -> Result<(), String>;
    /// The core told something.
    ///
    /// # Errors
    /// It may not happen.
    fn told(&mut self, event: &Event) -> Result<(), String>;
}

/// Looks at nothing.
#[derive(Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn begins(&mut self, _: Duration, _: &[Start<'_>], _: &[Vec<NodeId>], _: Want) -> Result<(), String> {
        Ok(())
    }

    fn told(&mut self, _: &Event) -> Result<(), String> {
        Ok(())
    }
}

/// Drives a run of `graph` to its end.
///
/// # Errors
/// The run does not end, or `watch` objects.
pub fn drive(
    graph: &Arc<Graph>,
    args: Vec<AnyValue>,
    course: &Course,
    watch: &mut dyn Watch,
) -> Result<Driven, String> {
    drive_session(graph, args, course, watch, None)
}

/// Drives one session of a recorded run, or one that is not recorded: to its end, or until its process
/// dies.
///
/// # Errors
/// The session does not end, tells what cannot be, or `watch` objects.
pub fn drive_session(
    graph: &Arc<Graph>,
    args: Vec<AnyValue>,
    course: &Course,
    watch: &mut dyn Watch,
    session: Option<&mut Session>,
) -> Result<Driven, String> {
    let mut random = fastrand::Rng::with_seed(course.seed);
    PAUSES.set(Some((random.fork(), course.pauses)));
    let recall = session.as_ref().and_then(|session| session.recall());
    let machine = Machine::recalling(Arc::clone(graph), args, course.config.clone(), recall);
    let driver = Driver {
        now: machine.begins_at(),
        machine,
        recorded: if session.is_none() { Some(Recorded::new(graph)?) } else { None },
        session,
        told_end: false,
        graph: Arc::clone(graph),
        random,
        course,
        watch,
        flights: Vec::new(),
        emitters: HashMap::new(),
        stopped: HashSet::new(),
        landed: HashMap::new(),
        grants: 0,
        begun: 0,
        driven: Driven {
            events: Vec::new(),
            state: RunState::Succeeded,
            outputs: Vec::new(),
            gave: HashMap::new(),
            items: HashMap::new(),
            took: Duration::ZERO,
            died: false,
            deeds: Counts::default(),
        },
    };
    driver.run()
}

/// Rounds after which a run is said not to end.
const ROUNDS: u32 = 20_000;

thread_local! {
    static PAUSES: RefCell<Option<(fastrand::Rng, f64)>> = const { RefCell::new(None) };
}

/// In an emitter: perhaps waits for something that is not room.
pub async fn pause() {
    let draw = |(random, pauses): &mut (fastrand::Rng, f64)| random.f64() < *pauses;
    let mut left = u32::from(PAUSES.with_borrow_mut(|pauses| pauses.as_mut().is_some_and(draw)));
    poll_fn(|_: &mut Context<'_>| {
        left = match left {
            0 => return Polled::Ready(()),
            _ => left - 1,
        };
        Polled::Pending
    })
    .await;
}

/// Work under way, and when it ends.
struct Flight {
    ends: Duration,
    number: u32,
    began: Duration,
    work: Work,
}

enum Work {
    Steps(Vec<StepWork>),
    Async(StepWork),
    /// With all items of an attempt that has ended, and what is recorded of the poll.
    Poll(StepRef, PollDone, Items, Vec<u8>),
    /// Items that are read back.
    Recalled(PollDone, Vec<u8>),
    Fold(FoldWork),
    /// Something that an emitter waits for.
    Wake(StepId),
}

type Items = Vec<(Key, AnyValue)>;

struct Emitter {
    step: StepRef,
    emission: Emission,
    future: BoxFuture<Result<Outputs, OpError>>,
    items: Items,
}

struct Driver<'a> {
    machine: Machine,
    /// What is recorded, and known, if anything is.
    session: Option<&'a mut Session>,
    /// Whether the last event was that the run ended.
    told_end: bool,
    graph: Arc<Graph>,
    recorded: Option<Recorded>,
    now: Duration,
    random: fastrand::Rng,
    course: &'a Course,
    watch: &'a mut dyn Watch,
    flights: Vec<Flight>,
    emitters: HashMap<StepId, Emitter>,
    stopped: HashSet<StepId>,
    /// What steps gave, until the core says that it counts.
    landed: HashMap<String, (Option<AnyValue>, Option<Items>)>,
    grants: u32,
    begun: u32,
    driven: Driven,
}

impl Driver<'_> {
    fn run(mut self) -> Result<Driven, String> {
        self.look()?;
        for _ in 0..ROUNDS {
            if self.machine.ended().is_some() {
                return self.end();
            }
            if self.dies() {
                self.driven.died = true;
                return Ok(self.driven);
            }
            if let Some(cancel) = self.course.cancel.filter(|cancel| cancel.after == self.grants) {
                self.cancel(cancel)?;
                continue;
            }
            let starts = self.flights.is_empty() || self.random.f64() < self.course.eager;
            let goes_on = starts && self.start()? || self.advance()? || self.start()?;
            if !goes_on && self.machine.ended().is_none() {
                return Err(format!("locked up after {:?}", self.now));
            }
        }
        Err("does not end".to_owned())
    }

    /// What is still under way is given back to a run that has ended, and must change nothing.
    fn end(mut self) -> Result<Driven, String> {
        self.driven.state = self.machine.ended().expect("it has ended");
        self.driven.outputs = self.machine.take_outputs();
        self.driven.took = self.now;
        while self.advance()? {}
        match self.told_end {
            true => Ok(self.driven),
            false => Err(format!("after the end: {:?}", self.driven.events.last())),
        }
    }

    /// Whether the process dies now.
    fn dies(&self) -> bool {
        self.session.as_ref().and_then(|session| session.dies).is_some_and(|dies| dies <= self.grants)
    }

    fn cancel(&mut self, Cancel { grace, .. }: Cancel) -> Result<(), String> {
        self.grants += 1;
        let deed = match (grace.is_zero(), self.flights.is_empty()) {
            (true, _) => Deed::CancelledAtOnce,
            (false, true) => Deed::CancelledIdle,
            (false, false) => Deed::CancelledWithGrace,
        };
        self.driven.deeds.note(deed);
        self.machine.cancel(self.now, "by the seed", grace);
        self.look()
    }

    /// Does what the core asks for, and passes on what it tells.
    fn look(&mut self) -> Result<(), String> {
        for command in self.machine.take_commands() {
            match command {
                Command::Stop(id) => {
                    self.driven.deeds.note(Deed::Stopped);
                    self.stopped.insert(id);
                }
                Command::Drop(id) => {
                    self.driven.deeds.note(Deed::Dropped);
                    self.emitters.remove(&id);
                }
            }
        }
        drop(self.machine.take_spent());
        let batch = self.machine.take_events();
        if let Some(recorded) = &mut self.recorded {
            recorded.take(&batch)?;
        }
        for event in &batch.events {
            if let EventKind::StepSucceeded { step, .. } = &event.kind {
                self.has_succeeded(step);
            }
            self.watch.told(event)?;
            self.told_end = matches!(event.kind, EventKind::RunEnded { .. });
        }
        match &mut self.session {
            Some(session) => {
                session.take(batch);
                let waits = self.machine.ended().is_none() && self.random.f64() >= session.prompt;
                if waits { Ok(()) } else { session.commit() }
            }
            None => {
                self.driven.events.extend(batch.events);
                Ok(())
            }
        }
    }

    /// What has landed counts: it was not superseded meanwhile.
    fn has_succeeded(&mut self, step: &StepRef) {
        let name = step_name(&self.graph, step);
        if let Some((gave, items)) = self.landed.remove(&name) {
            self.driven.items.extend(items.map(|items| (name.clone(), items)));
            self.driven.gave.insert(name, gave);
        }
    }

    /// Asks for work, and begins it.
    fn start(&mut self) -> Result<bool, String> {
        let want = if self.random.u8(0..4) == 0 { Want::Async } else { Want::Any };
        let Some(grant) = self.machine.next(self.now, want) else {
            // Nothing for the runtime may still mean something for a thread.
            return if want == Want::Async && self.flights.is_empty() { self.start_any() } else { Ok(false) };
        };
        self.begin(grant, want)?;
        Ok(true)
    }

    fn start_any(&mut self) -> Result<bool, String> {
        let Some(grant) = self.machine.next(self.now, Want::Any) else { return Ok(false) };
        self.begin(grant, Want::Any)?;
        Ok(true)
    }

    fn begin(&mut self, grant: Grant, want: Want) -> Result<(), String> {
        self.grants += 1;
        self.may_begin(&grant)?;
        if let Grant::Poll(Poll { recall: Some(_), .. }) = &grant {
            self.look()?;
            let Grant::Poll(poll) = grant else { unreachable!("as above") };
            let work = self.recall_items(poll);
            self.fly(work);
            return Ok(());
        }
        let steps = self.steps_of(&grant);
        let nodes = |flight: &Flight| self.nodes(&flight.work);
        let others: Vec<_> = self.flights.iter().map(nodes).filter(|nodes| !nodes.is_empty()).collect();
        let starts: Vec<_> = steps.iter().map(|(step, fed)| Start { step, fed: *fed }).collect();
        self.watch.begins(self.now, &starts, &others, want)?;
        // The events of the beginning come before those of anything that ends later.
        self.look()?;
        let idle = others.is_empty();
        match grant {
            Grant::Async(work) => self.fly(Work::Async(work)),
            Grant::Fold(work) => {
                self.driven.deeds.note_if(work.items.len() > 1, Deed::FoldedSeveral);
                self.fly(Work::Fold(work));
            }
            Grant::Poll(poll) => {
                self.driven.deeds.note_if(idle && poll.begin.is_none(), Deed::PolledAlone);
                let work = self.poll(poll, steps.into_iter().next().map(|(step, _)| step));
                self.fly(work);
            }
            Grant::Steps(mut steps) => {
                self.driven.deeds.note_if(steps.iter().any(|work| work.fed), Deed::Chained);
                self.driven.deeds.note_if(heads(&steps).len() > 1, Deed::Batched);
                let at = *self.random.choice(heads(&steps).iter().collect::<Vec<_>>()).expect("a head");
                if at > 0 && self.random.bool() && self.machine.split() {
                    self.driven.deeds.note(Deed::Split);
                    let taken = steps.split_off(at);
                    self.fly(Work::Steps(taken));
                }
                self.fly(Work::Steps(steps));
            }
        }
        Ok(())
    }

    /// The steps that a grant begins, or goes on with, and whether each is fed by the one before.
    fn steps_of(&self, grant: &Grant) -> Vec<(StepRef, bool)> {
        let of = |work: &StepWork| (StepRef { node: work.node, path: work.path.clone() }, work.fed);
        match grant {
            Grant::Steps(steps) => steps.iter().map(of).collect(),
            Grant::Async(work) | Grant::Fold(FoldWork { step: work, .. }) => vec![of(work)],
            Grant::Poll(Poll { begin: Some(work), .. }) => vec![of(work)],
            Grant::Poll(Poll { id, .. }) => {
                let emitter = self.emitters.get(id).map(|emitter| (emitter.step.clone(), false));
                emitter.into_iter().collect()
            }
        }
    }

    fn nodes(&self, work: &Work) -> Vec<NodeId> {
        match work {
            Work::Steps(steps) => steps.iter().map(|work| work.node).collect(),
            Work::Async(work) | Work::Fold(FoldWork { step: work, .. }) => vec![work.node],
            Work::Poll(step, ..) => vec![step.node],
            Work::Wake(_) | Work::Recalled(..) => vec![],
        }
    }

    fn fly(&mut self, work: Work) {
        let node = self.nodes(&work).first().copied();
        let took = node.and_then(|node| (self.course.took)(&self.graph.node(node).name));
        let longest = self.course.longest.as_nanos() as u64;
        let took = took.unwrap_or_else(|| Duration::from_nanos(self.random.u64(1..=longest)));
        // The record keeps microseconds.
        let took = if self.session.is_some() { whole_micros(took) + MICRO } else { took };
        self.begun += 1;
        let flight = Flight { ends: self.now + took, number: self.begun, began: self.now, work };
        self.flights.push(flight);
    }

    /// Lets time go on to the next thing that happens; `false` if nothing will.
    fn advance(&mut self) -> Result<bool, String> {
        let first =
            (0..self.flights.len()).min_by_key(|at| (self.flights[*at].ends, self.flights[*at].number));
        let timer = self.machine.next_timer().filter(|_| self.machine.ended().is_none());
        match (first, timer) {
            (None, None) => return Ok(false),
            (first, Some(timer)) if first.is_none_or(|at| timer <= self.flights[at].ends) => {
                self.now = self.now.max(timer);
                self.machine.tick(self.now);
            }
            (first, _) => {
                let flight = self.flights.swap_remove(first.expect("one of them is there"));
                self.now = flight.ends;
                self.land(flight);
            }
        }
        self.look()?;
        Ok(true)
    }

    fn land(&mut self, Flight { began, work, .. }: Flight) {
        match work {
            Work::Steps(steps) => self.run_steps(steps, began),
            Work::Async(work) => {
                let done = self.run_step(work, began, self.now - began);
                self.machine.finish(self.now, vec![done], vec![]);
            }
            Work::Recalled(mut done, data) => {
                self.hold(&mut done, &data);
                self.machine.polled(self.now, done);
            }
            Work::Poll(step, mut done, items, data) => {
                self.hold(&mut done, &data);
                if let PollOutcome::Ended(Ok(Outputs::One(given))) = &done.outcome {
                    self.landed.insert(step_name(&self.graph, &step), (given.clone(), Some(items)));
                }
                // Some items may be seen before the poll has ended.
                if self.random.u8(0..4) == 0 && !done.items.is_empty() {
                    let early = done.items.drain(..self.random.usize(1..=done.items.len())).collect();
                    self.driven.deeds.note(Deed::YieldedEarly);
                    self.machine.yielded(self.now, done.id, early);
                }
                if matches!(done.outcome, PollOutcome::Waits) {
                    self.fly(Work::Wake(done.id));
                }
                self.machine.polled(self.now, done);
            }
            Work::Fold(work) => {
                let done = self.run_fold(work, self.now - began);
                self.machine.folded(self.now, done);
            }
            Work::Wake(id) => self.machine.wake(self.now, id),
        }
    }

    /// Gives the core what is recorded of a poll.
    fn hold(&mut self, done: &mut PollDone, data: &[u8]) {
        let start = self.machine.hold(data);
        done.record = done.record.after(start);
        for item in &mut done.items {
            item.record = item.record.after(start);
        }
    }

    /// Gives the core what is recorded of a step.
    fn record(&mut self, op: &OpDef, result: &Result<Outputs, OpError>) -> Span {
        match (&self.session, result) {
            (Some(_), Ok(outputs)) => {
                let record = record_of_step(op, outputs);
                Span { start: self.machine.hold(&record), len: record.len() as u32 }
            }
            _ => Span::default(),
        }
    }

    /// Looks whether what is granted may run at all.
    fn may_begin(&mut self, grant: &Grant) -> Result<(), String> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let steps = match grant {
            Grant::Steps(steps) => &steps[..],
            Grant::Async(work) | Grant::Fold(FoldWork { step: work, .. }) => std::slice::from_ref(work),
            Grant::Poll(Poll { begin, recall, .. }) => {
                session.feats.note_if(recall.is_some(), Feat::ItemsRecalled);
                begin.as_slice()
            }
        };
        for work in steps {
            session.feats.note_if(work.recall.is_some(), Feat::Recalled);
            if work.recall.is_none() {
                session.may_run(&self.graph, work.node, &work.path)?;
                session.begins(&self.graph, work);
            }
        }
        Ok(())
    }

    /// Whether an attempt fails that would not have: the error.
    fn sabotage(&mut self) -> Option<OpError> {
        let session = self.session.as_mut().filter(|session| session.sabotage > 0.0)?;
        if self.random.f64() >= session.sabotage {
            return None;
        }
        session.feats.note(Feat::Sabotaged);
        // For good: one that is tried again would be another attempt to the plan.
        Some(OpError::permanent("sabotaged"))
    }

    /// Which attempt an op is to behave as.
    fn behaves_as(&mut self, work: &StepWork) -> u32 {
        match &mut self.session {
            Some(session) => session.behaves_as((work.path.number(), work.node)),
            None => work.id.attempt(),
        }
    }

    /// Reads back what an emitter gave.
    fn recall_items(&mut self, Poll { id, node, room, recall, .. }: Poll) -> Work {
        let (session, recalled) = (self.session.as_ref().expect("it is known"), recall.expect("as above"));
        let op = self.graph.node(node).op().expect("an emitter is an op");
        let (mut data, mut items, mut record) = (Vec::new(), Vec::new(), Span::default());
        let mut read = || {
            items = session.recall_items(op, &recalled, &mut data)?;
            let Some(step) = recalled.step else { return Ok(Outputs::None) };
            let (outputs, kept) = session.recall_step(op, (step, node))?;
            record = add(&mut data, kept);
            Ok(outputs)
        };
        let outcome = match read() {
            Ok(_) if !recalled.last => PollOutcome::WantsRoom,
            ended => PollOutcome::Ended(ended),
        };
        Work::Recalled(PollDone { id, took: Duration::ZERO, items, room, outcome, record }, data)
    }

    fn run_steps(&mut self, steps: Vec<StepWork>, began: Duration) {
        let took = (self.now - began) / steps.len() as u32;
        // A start that was told is one: what goes alone is begun.
        let told = self.session.is_some() && steps.len() == 1 && steps[0].recall.is_none();
        let stops_at = match self.random.f64() < self.course.gives_back {
            _ if told => 1,
            true => self.random.usize(0..=steps.len()),
            false => steps.len(),
        };
        let (mut done, mut not_begun): (Vec<StepDone>, Vec<StepWork>) = (vec![], vec![]);
        // The parameter of the next step that takes the value of the last one, with that value.
        let mut feeds: Option<(u32, bool)> = None;
        for (number, mut work) in steps.into_iter().enumerate() {
            let stopped = !told && self.stopped.contains(&work.id) && self.random.bool();
            let value = done.last().and_then(value_of).filter(|_| work.fed && feeds.is_some());
            if number >= stops_at || stopped || work.fed && value.is_none() {
                self.driven.deeds.note(Deed::GivenBack);
                feeds = None;
                not_begun.push(work);
                continue;
            }
            if let (Some((parameter, passes_on)), Some(value)) = (feeds, value) {
                work.inputs[parameter as usize] = Some(value);
                if passes_on && let Some(last) = done.last_mut() {
                    self.driven.deeds.note(Deed::PassedOn);
                    last.passed_on = true;
                    last.result = Ok(Outputs::One(None));
                }
            }
            feeds = work.feeds.map(|parameter| (parameter, work.passes_on));
            let started = began + took * number as u32;
            done.push(self.run_step(work, started, took));
        }
        self.machine.finish(self.now, done, not_begun);
    }

    fn run_step(&mut self, mut work: StepWork, started: Duration, took: Duration) -> StepDone {
        let started = if self.session.is_some() { whole_micros(started) } else { started };
        if let (Some(item), Some(session)) = (work.recall, &self.session) {
            let recalled = session.recall_step(work.op, (item, work.node));
            let (result, record) = match recalled {
                Ok((outputs, kept)) => {
                    (Ok(outputs), Span { start: self.machine.hold(kept), len: kept.len() as u32 })
                }
                Err(error) => (Err(error), Span::default()),
            };
            return StepDone { id: work.id, started, took, result, passed_on: false, record };
        }
        let ctx = OpContext::for_test().with_attempt(self.behaves_as(&work));
        let sabotaged = self.sabotage();
        let result = sabotaged.map_or_else(
            || {
                caught(|| match work.op.run {
                    Run::Sync(run) => run(&mut work.inputs, &ctx),
                    Run::Async(run) => poll_once(&mut run(std::mem::take(&mut work.inputs), ctx))
                        .unwrap_or_else(|| panic!("an op of a test waits for nothing")),
                    Run::Emitter(_) => unreachable!("an emitter is polled"),
                })
            },
            Err,
        );
        let record = self.record(work.op, &result);
        if let Ok(Outputs::One(value)) = &result {
            self.landed.insert(self.name(work.node, &work.path), (value.clone(), None));
        }
        StepDone { id: work.id, started, took, result, passed_on: false, record }
    }

    fn run_fold(&mut self, FoldWork { step, value, items }: FoldWork, took: Duration) -> FoldDone {
        let combine = |value, item| {
            let ctx = OpContext::for_test();
            let Run::Sync(run) = step.op.run else { unreachable!("a fold's op is sync") };
            match caught(|| run(&mut [Some(value), Some(item)], &ctx))? {
                Outputs::One(Some(value)) => Ok(value),
                _ => Err(OpError::new("no value")),
            }
        };
        let whole = items.is_empty();
        let sabotaged = self.sabotage();
        let result = sabotaged.map_or_else(|| items.into_iter().try_fold(value, combine), Err);
        let record = match &result {
            Ok(value) if whole => self.record(step.op, &Ok(Outputs::One(Some(Arc::clone(value))))),
            _ => Span::default(),
        };
        if let Ok(value) = &result {
            self.landed.insert(self.name(step.node, &step.path), (Some(Arc::clone(value)), None));
        }
        FoldDone { id: step.id, took, result, record }
    }

    /// Polls an emitter at once; the core is told when the time of the poll is over.
    fn poll(&mut self, poll: Poll, step: Option<StepRef>) -> Work {
        let step = step.expect("an emitter that is polled again was begun, and not dropped");
        let sabotaged = self.sabotage();
        if let Some(work) = poll.begin {
            let emission = Emission::default();
            let Run::Emitter(run) = work.op.run else { unreachable!("only emitters are polled") };
            let ctx = OpContext::for_test().with_attempt(self.behaves_as(&work));
            let future = run(work.inputs, ctx, emission.clone());
            let emitter = Emitter { step: step.clone(), emission, future, items: Vec::new() };
            self.emitters.insert(poll.id, emitter);
        }
        let emitter = self.emitters.get_mut(&poll.id).expect("it was found above");
        emitter.emission.grant_room(poll.room as usize);
        let ended = caught(|| Ok(poll_once(&mut emitter.future))).unwrap_or_else(|panic| Some(Err(panic)));
        let ended = sabotaged.map_or(ended, |error| Some(Err(error)));
        let (mut items, _, wants_room) = emitter.emission.take();
        let (mut data, mut record) = (Vec::new(), Span::default());
        if self.session.is_some() {
            let op = self.graph.node(step.node).op().expect("an emitter is an op");
            for item in &mut items {
                let info = &op.outputs[usize::from(item.output)].info;
                item.record = add(&mut data, &record_of_value(info, Some(&item.value)));
            }
            if let Some(Ok(outputs)) = &ended {
                record = add(&mut data, &record_of_step(op, outputs));
            }
        }
        emitter.items.extend(items.iter().map(|item| (item.key.clone(), Arc::clone(&item.value))));
        self.driven.deeds.note_if(wants_room && ended.is_none(), Deed::WantedRoom);
        self.driven.deeds.note_if(!wants_room && ended.is_none(), Deed::Waited);
        let mut all_items = Vec::new();
        let outcome = match ended {
            Some(result) => {
                all_items = self.emitters.remove(&poll.id).map(|emitter| emitter.items).unwrap_or_default();
                PollOutcome::Ended(result)
            }
            None if wants_room => PollOutcome::WantsRoom,
            None => PollOutcome::Waits,
        };
        // How long the poll takes is known when it lands; a poll that nothing times out needs no more.
        let took = Duration::from_nanos(1);
        let done = PollDone { id: poll.id, took, items, room: poll.room, outcome, record };
        Work::Poll(step, done, all_items, data)
    }

    fn name(&self, node: NodeId, path: &Path) -> String {
        step_name(&self.graph, &StepRef { node, path: path.clone() })
    }
}

const MICRO: Duration = Duration::from_micros(1);

/// What is left without parts of a microsecond.
fn whole_micros(time: Duration) -> Duration {
    time - Duration::from_nanos(u64::from(time.subsec_nanos() % 1_000))
}

/// The name of a step as text.
pub fn step_name(graph: &Graph, step: &StepRef) -> String {
    let name: StepName = graph.step_name(step);
    name.to_string()
}

/// The places of the steps that can be begun without one before them.
fn heads(steps: &[StepWork]) -> Vec<usize> {
    (0..steps.len()).filter(|at| !steps[*at].fed).collect()
}

fn value_of(done: &StepDone) -> Option<AnyValue> {
    match &done.result {
        Ok(Outputs::One(value)) => value.clone(),
        _ => None,
    }
}

fn poll_once<T>(future: &mut BoxFuture<T>) -> Option<T> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Polled::Ready(value) => Some(value),
        Polled::Pending => None,
    }
}

/// Runs what may panic as a user's op may.
fn caught<T>(run: impl FnOnce() -> Result<T, OpError>) -> Result<T, OpError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(OpError::new(format_args!("panicked: {}", text.unwrap_or_default())))
    })
}
