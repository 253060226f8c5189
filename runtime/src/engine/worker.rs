//! Worker threads: take a grant, run it, give it back, take the next.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::context::OpContext;
use crate::crash::crash_point;
use crate::define::Outputs;
use crate::machine::{FoldDone, Grant, Machine, PollDone, StepDone, StepWork, Want};

use super::shared::{Shared, WorkerState, lock};
use super::values::Recorded;
use super::{attempt, emitter};

/// What a worker gives back.
enum Returned {
    Nothing,
    Steps(Vec<StepDone>, Vec<StepWork>),
    Poll(PollDone),
    Fold(FoldDone),
}

/// How long a worker goes on with a grant before it tells what it has done, so that what waits for
/// it elsewhere, and whoever watches, does not wait long.
const TELL_AFTER: Duration = Duration::from_millis(1);

/// Adds a worker, if there is room for its thread.
pub(super) fn spawn(shared: &Arc<Shared>) -> io::Result<()> {
    let me = {
        let mut workers = lock(&shared.workers);
        let me = Arc::new(WorkerState { number: workers.len(), ..WorkerState::default() });
        workers.push(Arc::clone(&me));
        me
    };
    let (works, worker) = (Arc::clone(shared), Arc::clone(&me));
    let spawned = std::thread::Builder::new().name("fanfold-worker".to_owned()).spawn(move || {
        // Ops and emitters may need timers and sockets of the runtime.
        let _runtime = works.runtime.enter();
        work(&works, &worker);
    });
    if spawned.is_err() {
        // Only one thread at a time adds workers: it is the last, so that no number comes twice.
        lock(&shared.workers).retain(|worker| !Arc::ptr_eq(worker, &me));
    }
    spawned.map(drop)
}

fn work(shared: &Arc<Shared>, me: &Arc<WorkerState>) {
    let mut returned = Returned::Nothing;
    let mut context = shared.worker_context();
    let mut recorded = Recorded::default();
    while let Some(grant) = next(shared, me, returned, &mut recorded) {
        returned = match grant {
            Grant::Steps(steps) => {
                shared.await_recorded(steps.iter().map(|step| step.path.number()));
                shared.in_hand(me, &steps);
                crash_point!("grant_in_hand");
                run_steps(shared, me, &mut context, steps, &mut recorded)
            }
            Grant::Poll(poll) => {
                shared.await_recorded(std::iter::once(poll.item));
                shared.poll_in_hand(me, &poll);
                crash_point!("before_poll");
                Returned::Poll(emitter::poll(shared, poll, &mut recorded))
            }
            Grant::Fold(fold) => {
                shared.await_recorded(std::iter::once(fold.step.path.number()));
                shared.in_hand(me, std::slice::from_ref(&fold.step));
                Returned::Fold(attempt::fold(shared, fold, &mut recorded))
            }
            Grant::Async(_) => unreachable!("`next` spawns tasks itself"),
        };
        if shared.is_careful() {
            // Else it would be a suspect as long as this worker looks for more.
            shared.in_hand(me, &[]);
        }
        me.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives back what was done, and takes the next work; `None` when the run has ended.
fn next(
    shared: &Arc<Shared>,
    me: &Arc<WorkerState>,
    returned: Returned,
    recorded: &mut Recorded,
) -> Option<Grant> {
    let mut machine = shared.lock();
    let now = shared.now();
    give_back(&mut machine, now, returned, &recorded.data);
    recorded.data.clear();
    loop {
        let now = shared.now();
        let grant = if Shared::is_behind(&machine) { None } else { machine.next(now, Want::Any) };
        if let Some(grant) = grant {
            let (mut tasks, grant) = match grant {
                Grant::Async(step) => (vec![step], None),
                grant => (Vec::new(), Some(grant)),
            };
            // While this worker is busy nobody else may look at what needs no thread.
            tasks.extend(Shared::async_work(&mut machine, now));
            shared.wake_others(&machine);
            shared.let_go(machine, tasks);
            if grant.is_some() {
                return grant;
            }
            machine = shared.lock();
            continue;
        }
        if machine.ended().is_some() {
            shared.wake_others(&machine);
            shared.let_go(machine, Vec::new());
            return None;
        }
        if let Some(stolen) = steal(shared, me, &mut machine) {
            shared.let_go(machine, Vec::new());
            return Some(Grant::Steps(stolen));
        }
        // Another worker would find nothing, too, and wake this one to find the same.
        shared.wake_recorder(&machine);
        machine = if machine.has_orders() {
            shared.let_go(machine, Vec::new());
            shared.lock()
        } else {
            me.idle.store(true, Ordering::Relaxed);
            shared.in_hand(me, &[]);
            let machine = shared.wait_for_work(machine);
            me.idle.store(false, Ordering::Relaxed);
            machine
        };
    }
}

fn give_back(machine: &mut Machine, now: Duration, returned: Returned, recorded: &[u8]) {
    let start = machine.hold(recorded);
    match returned {
        Returned::Nothing => {}
        Returned::Steps(mut done, not_begun) => {
            for step in &mut done {
                step.record = step.record.after(start);
            }
            machine.finish(now, done, not_begun);
        }
        Returned::Poll(mut done) => {
            for item in &mut done.items {
                item.record = item.record.after(start);
            }
            done.record = done.record.after(start);
            #[cfg(feature = "crash-points")]
            let opened = !done.items.is_empty();
            machine.polled(now, done);
            crash_point!("items_opened" if opened);
        }
        Returned::Fold(mut done) => {
            done.record = done.record.after(start);
            machine.folded(now, done);
        }
    }
}

/// Takes half of what another worker was given and has not begun.
fn steal(shared: &Arc<Shared>, me: &Arc<WorkerState>, machine: &mut Machine) -> Option<Vec<StepWork>> {
    for other in lock(&shared.workers).iter().filter(|other| !Arc::ptr_eq(other, me)) {
        let mut queue = lock(&other.queue);
        let mut at = queue.len() / 2;
        // A step that waits for the one before it stays with it.
        while queue.get(at).is_some_and(|step| step.fed) {
            at += 1;
        }
        if at < queue.len() && machine.split() {
            return Some(queue.split_off(at).into());
        }
    }
    None
}

fn run_steps(
    shared: &Arc<Shared>,
    me: &Arc<WorkerState>,
    context: &mut Rc<OpContext>,
    steps: Vec<StepWork>,
    recorded: &mut Recorded,
) -> Returned {
    let mut done = Vec::with_capacity(steps.len());
    let mut not_begun = Vec::new();
    *lock(&me.queue) = steps.into();
    let first = shared.now();
    let mut began = first;
    let mut fed = None;
    while let Some((mut step, mut next)) = take_step(me, fed.take()) {
        let ended = attempt::run(shared, context, &mut step, next.as_mut(), began, recorded);
        began = ended.started + ended.took;
        // What waits for this step goes on only with a value of it.
        let gave = ended.passed_on || matches!(ended.result, Ok(Outputs::One(Some(_))));
        done.push(ended);
        me.ended.fetch_add(1, Ordering::Relaxed);
        if !gave {
            not_begun.extend(next.take());
            give_up_chain(me, &mut not_begun);
        }
        if began - first > TELL_AFTER || shared.cancel.is_cancelled() {
            not_begun.extend(next);
            not_begun.extend(lock(&me.queue).drain(..));
            break;
        }
        fed = next;
    }
    Returned::Steps(done, not_begun)
}

/// The next step to run, and the one that waits for its value. `fed` was taken as such before.
fn take_step(me: &WorkerState, fed: Option<StepWork>) -> Option<(StepWork, Option<StepWork>)> {
    let mut queue = lock(&me.queue);
    let step = fed.or_else(|| queue.pop_front())?;
    let next = if step.feeds.is_some() { queue.pop_front() } else { None };
    Some((step, next))
}

/// Takes out the steps that wait for one that will not run.
fn give_up_chain(me: &WorkerState, not_begun: &mut Vec<StepWork>) {
    let mut queue = lock(&me.queue);
    while queue.front().is_some_and(|step| step.fed) {
        not_begun.extend(queue.pop_front());
    }
}
