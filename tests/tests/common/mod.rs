//! What the tests of the rules share: runs that cannot hang, gates, and what happened as lists.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanfold::graph::{BuildErrors, Graph};
use fanfold::{Batch, EventKind, InMemory, JobRun, Shape, Sink, StepRef, StepState};
use tokio::sync::{Notify, Semaphore};

/// Long against anything that a test does, on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(60);

/// Waits for `future`, and panics if that takes too long by the wall clock, paused time or not.
pub(crate) async fn watched<T>(future: impl Future<Output = T>) -> T {
    let (ended, end) = channel::<()>();
    let (late, too_late) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        if end.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout) {
            let _ = late.send(());
        }
    });
    tokio::select! {
        biased;
        value = future => {
            drop(ended);
            value
        }
        Ok(()) = too_late => panic!("it hangs"),
    }
}

/// Runs a job to its end, and checks what holds for every run: each step ends in one state.
pub(crate) async fn run<R>(job: JobRun<R>) -> InMemory<R> {
    let run = watched(job.run_in_memory()).await.unwrap();
    let ended = ended(&run);
    assert!(ended.values().all(|times| times.len() == 1), "a step ended twice: {ended:?}");
    assert!(matches!(run.events().last().unwrap().kind, EventKind::RunEnded { .. }));
    run
}

/// How each step ended, by name, in the order of the names.
pub(crate) fn states<R>(run: &InMemory<R>) -> Vec<String> {
    ended(run).into_iter().map(|(name, states)| format!("{name}: {}", states[0].words())).collect()
}

/// The states in which each step ended; without those that no longer count.
fn ended<R>(run: &InMemory<R>) -> BTreeMap<String, Vec<StepState>> {
    let shape = &run.report().shape;
    let mut ended: Vec<(&StepRef, StepState)> = Vec::new();
    for event in run.events() {
        match &event.kind {
            EventKind::StepSucceeded { step, .. } => ended.push((step, StepState::Succeeded)),
            EventKind::StepFailed { step, .. } => ended.push((step, StepState::Failed)),
            EventKind::StepNotRun { step, state, .. } => ended.push((step, *state)),
            EventKind::ItemSuperseded { item, ended: gone, .. } => {
                let keys = item.keys();
                let inside = |step: &StepRef| step.path.keys().starts_with(&keys);
                ended.retain(|(step, state)| !(inside(step) && gone.contains(&(step.node, *state))));
            }
            _ => {}
        }
    }
    let mut by_name: BTreeMap<String, Vec<StepState>> = BTreeMap::new();
    for (step, state) in ended {
        by_name.entry(step.name(shape).to_string()).or_default().push(state);
    }
    by_name
}

/// The error of a step's last attempt.
#[track_caller]
pub(crate) fn error_of<R>(run: &InMemory<R>, name: &str) -> String {
    let shape = &run.report().shape;
    let mut errors = run.events().iter().filter_map(|event| match &event.kind {
        EventKind::StepFailed { step, error, .. } if step.name(shape).to_string() == name => {
            Some(error.to_string())
        }
        _ => None,
    });
    errors.next_back().unwrap_or_else(|| panic!("`{name}` did not fail: {:?}", states(run)))
}

/// How many attempts a step that has ended took.
#[track_caller]
pub(crate) fn attempts_of<R>(run: &InMemory<R>, name: &str) -> u32 {
    let shape = &run.report().shape;
    let mut attempts = run.events().iter().filter_map(|event| match &event.kind {
        EventKind::StepFailed { step, attempt, .. } | EventKind::StepSucceeded { step, attempt, .. }
            if step.name(shape).to_string() == name =>
        {
            Some(*attempt)
        }
        _ => None,
    });
    attempts.next_back().unwrap_or_else(|| panic!("`{name}` was not run: {:?}", states(run)))
}

/// The names of a graph's steps, in call order.
pub(crate) fn step_names(graph: &Graph) -> Vec<String> {
    graph.nodes.iter().filter(|node| node.is_step()).map(|node| node.name.to_string()).collect()
}

/// The only error of a job's body: which op, in which line of this file, and what.
#[track_caller]
pub(crate) fn only_error(built: Result<Graph, BuildErrors>, file: &str) -> (String, u32, String) {
    let errors = built.expect_err("the graph can be built").errors;
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let error = &errors[0];
    assert!(error.at.file.ends_with(file), "{}", error.at);
    let shown = error.to_string();
    assert!(shown.contains(&error.op) && shown.contains(&error.at.to_string()), "{shown}");
    (error.op.clone(), error.at.line, error.message.clone())
}

/// A line of a job's body.
#[derive(Debug)]
pub(crate) struct Line(AtomicU32);

impl Line {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Remembers the line below the call.
    #[track_caller]
    pub(crate) fn below(&self) {
        self.0.store(std::panic::Location::caller().line() + 1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Something that ops wait for until a test, or another op, opens it.
#[derive(Debug)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    tasks: Semaphore,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self { open: Mutex::new(false), opened: Condvar::new(), tasks: Semaphore::const_new(0) }
    }

    pub(crate) fn open(&self) {
        *lock(&self.open) = true;
        self.opened.notify_all();
        self.tasks.close();
    }

    /// Waits on a thread.
    pub(crate) fn pass(&self) {
        let (open, _) = self
            .opened
            .wait_timeout_while(lock(&self.open), LONG, |open| !*open)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(*open, "nobody opens the gate");
    }

    /// Waits in a task.
    pub(crate) async fn passed(&self) {
        let _ = self.tasks.acquire().await;
    }
}

/// What ops did, in order.
#[derive(Debug)]
pub(crate) struct Seen {
    list: Mutex<Vec<String>>,
    more: Condvar,
}

impl Seen {
    pub(crate) const fn new() -> Self {
        Self { list: Mutex::new(Vec::new()), more: Condvar::new() }
    }

    pub(crate) fn push(&self, what: impl Display) {
        lock(&self.list).push(what.to_string());
        self.more.notify_all();
    }

    pub(crate) fn list(&self) -> Vec<String> {
        lock(&self.list).clone()
    }

    /// Waits, on a thread, until `what` was seen.
    pub(crate) fn wait_for(&self, what: &str) {
        let missing = |list: &mut Vec<String>| !list.iter().any(|seen| seen == what);
        let (list, timeout) = self
            .more
            .wait_timeout_while(lock(&self.list), LONG, missing)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "`{what}` was never seen: {list:?}");
    }
}

/// How many of something there are at once, and how many there were at most.
#[derive(Debug)]
pub(crate) struct Gauge {
    now: AtomicU32,
    most: AtomicU32,
    ever: AtomicU32,
}

impl Gauge {
    pub(crate) const fn new() -> Self {
        Self { now: AtomicU32::new(0), most: AtomicU32::new(0), ever: AtomicU32::new(0) }
    }

    /// One more, until what this gives is dropped.
    pub(crate) fn enter(&'static self) -> Entered {
        self.ever.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Entered(self)
    }

    pub(crate) fn now(&self) -> u32 {
        self.now.load(Ordering::SeqCst)
    }

    pub(crate) fn most(&self) -> u32 {
        self.most.load(Ordering::SeqCst)
    }

    pub(crate) fn ever(&self) -> u32 {
        self.ever.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub(crate) struct Entered(&'static Gauge);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A sink that a test waits on while the run goes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch(Arc<Watched>);

#[derive(Debug, Default)]
struct Watched {
    lines: Mutex<Vec<String>>,
    more: Notify,
}

impl Sink for Watch {
    fn events(&mut self, shape: &Shape, batch: &Batch) {
        lock(&self.0.lines).extend(batch.events.iter().filter_map(|event| line(shape, &event.kind)));
        self.0.more.notify_waiters();
    }
}

impl Watch {
    /// Waits until an event was told whose line is `what`.
    pub(crate) async fn until(&self, what: &str) {
        watched(async {
            loop {
                let more = self.0.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if self.lines().iter().any(|line| line == what) {
                    return;
                }
                more.await;
            }
        })
        .await;
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        lock(&self.0.lines).clone()
    }
}

/// What happened, one line an event, without times.
pub(crate) fn lines<R>(run: &InMemory<R>) -> Vec<String> {
    run.events().iter().filter_map(|event| line(&run.report().shape, &event.kind)).collect()
}

fn line(shape: &Shape, kind: &EventKind) -> Option<String> {
    let name = |step: &StepRef| step.name(shape).to_string();
    Some(match kind {
        EventKind::StepStarted { step, attempt } => format!("started {} ({attempt})", name(step)),
        EventKind::StepSucceeded { step, .. } => format!("succeeded {}", name(step)),
        EventKind::AttemptFailed { step, attempt, .. } => {
            format!("attempt failed {} ({attempt})", name(step))
        }
        EventKind::StepFailed { step, .. } => format!("failed {}", name(step)),
        EventKind::StepNotRun { step, state, .. } => format!("{} {}", state.words(), name(step)),
        EventKind::ItemYielded { step, item, .. } => format!("yielded {} {:?}", name(step), item.keys()),
        EventKind::FanOutClosed { step, items, .. } => format!("closed {} {items}", name(step)),
        EventKind::ItemSuperseded { step, item, .. } => {
            format!("superseded {} {:?}", name(step), item.keys())
        }
        EventKind::RunCancelling { reason } => format!("cancelling: {reason}"),
        EventKind::RunEnded { state } => format!("ended {state:?}"),
        _ => return None,
    })
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
