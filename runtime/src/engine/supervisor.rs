//! The supervisor: one thread that tells the sinks what happens, and adds a worker when steps wait
//! and none ends.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use crate::event::{Batch, Event, EventKind, RunState};
use crate::graph::Graph;
use crate::machine::Machine;
use crate::run::{RunReport, Sink};
use crate::shape::Shape;
use crate::summary::Summary;

use super::shared::{Shared, lock};
use super::{emitter, worker};

/// How often the supervisor looks while steps wait (§3.5).
const LOOK: Duration = Duration::from_millis(1);
/// How often it looks while none waits: how far behind sinks may be.
const REST: Duration = Duration::from_millis(20);

/// What the supervisor knows.
struct Supervisor {
    shared: Arc<Shared>,
    graph: Arc<Graph>,
    shape: Arc<Shape>,
    sinks: Vec<Box<dyn Sink>>,
    summary: Summary,
}

pub(super) fn spawn(
    shared: Arc<Shared>,
    mut sinks: Vec<Box<dyn Sink>>,
    args: Vec<(String, String)>,
    report: oneshot::Sender<RunReport>,
) {
    let graph = Arc::clone(shared.lock().graph());
    let shape = Arc::new(graph.shape());
    let summary = Summary::new(&shape);
    for sink in &mut sinks {
        sink.begins(&graph);
    }
    let mut supervisor = Supervisor { shared, graph, shape, sinks, summary };
    let supervise = move || {
        let run = supervisor.shared.run.run_id.as_str().into();
        let kind = EventKind::RunStarted { run, started: SystemTime::now(), args };
        supervisor.tell(vec![Event { at: Duration::ZERO, kind }]);
        let state = supervisor.supervise();
        // Nobody may wait for the report any more.
        let _ = report.send(supervisor.report(state));
    };
    std::thread::Builder::new()
        .name("fanfold-supervisor".to_owned())
        .spawn(supervise)
        .expect("a run needs one thread besides the caller's");
}

impl Supervisor {
    fn supervise(&mut self) -> RunState {
        let shared = Arc::clone(&self.shared);
        let mut machine = shared.lock();
        loop {
            let events = machine.take_events();
            let ended = machine.ended();
            if !events.is_empty() {
                drop(machine);
                let many = Shared::held_work_back(events.len());
                self.tell(events);
                if many {
                    shared.wake_workers();
                }
                if let Some(state) = ended {
                    return state;
                }
                machine = shared.lock();
                continue;
            }
            let waits = self.waits(&machine);
            let wait = if waits || emitter::any_under_way(&shared) { LOOK } else { REST };
            let before = self.steps_ended();
            let (next, _) = shared.news.wait_timeout(machine, wait).unwrap_or_else(PoisonError::into_inner);
            machine = next;
            if emitter::open_early(&shared, &mut machine) {
                shared.after_change(machine, shared.now());
                machine = shared.lock();
            }
            if waits && self.steps_ended() == before {
                let left_behind = machine.left_behind();
                if self.waits(&machine) {
                    self.help(left_behind);
                }
            }
        }
    }

    fn tell(&mut self, events: Vec<Event>) {
        let batch = Batch { events, data: Vec::new() };
        self.summary.apply(&self.shape, &batch.events);
        for sink in &mut self.sinks {
            sink.events(&self.shape, &batch);
        }
    }

    /// Whether steps wait that another thread could run.
    fn waits(&self, machine: &Machine) -> bool {
        let room = machine.in_flight() < machine.max_concurrent();
        room && (machine.waiting_for_threads() > 0 || self.held_back())
    }

    /// Whether a worker has steps that it has not begun.
    fn held_back(&self) -> bool {
        lock(&self.shared.workers).iter().any(|worker| !lock(&worker.queue).is_empty())
    }

    fn steps_ended(&self) -> u64 {
        lock(&self.shared.workers).iter().map(|worker| worker.ended.load(Ordering::Relaxed)).sum()
    }

    /// Steps wait and none has ended: an idle worker is woken, else one is added.
    fn help(&self, left_behind: usize) {
        let (idle, workers) = {
            let workers = lock(&self.shared.workers);
            (workers.iter().any(|worker| worker.idle.load(Ordering::Relaxed)), workers.len())
        };
        if idle {
            self.shared.wake_workers();
        } else if workers < self.shared.max_workers + left_behind {
            worker::spawn(&self.shared);
        }
    }

    fn report(&mut self, state: RunState) -> RunReport {
        self.shared.abandon();
        let (elapsed, outputs) = (self.shared.now(), self.shared.lock().take_outputs());
        RunReport {
            run_id: self.shared.run.run_id.clone(),
            job: self.graph.job.name,
            state,
            elapsed,
            summary: std::mem::take(&mut self.summary),
            outputs,
            graph: Arc::clone(&self.graph),
            shape: Arc::clone(&self.shape),
        }
    }
}
