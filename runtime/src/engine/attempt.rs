//! One attempt of a step.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::context::{OpContext, current};
use crate::crash::crash_point;
use crate::define::{BoxFuture, Outputs, Run};
use crate::error::OpError;
use crate::event::Span;
use crate::machine::{FoldDone, FoldWork, StepDone, StepWork};
use crate::panics::caught;

use super::shared::Shared;
use super::values::Recorded;

/// Runs a step of a sync op; hands its value to the next step of the grant, if that waits for it.
/// `worker` is the context of the worker's steps, used for all that need no token of their own.
pub(super) fn run(
    shared: &Shared,
    worker: &mut Rc<OpContext>,
    step: &mut StepWork,
    next: Option<&mut StepWork>,
    began: Duration,
    recorded: &mut Recorded,
) -> StepDone {
    if let Some(item) = step.recall {
        return recall(shared, step, item, began, recorded);
    }
    let own = step.deadline.is_some() || shared.may_stop[step.node.index()];
    let of_its_own = own.then(|| Rc::new(shared.context(step, true)));
    let context = match &of_its_own {
        Some(context) => context,
        None => {
            let path = std::mem::take(&mut step.path);
            let node = (step.node, &shared.names[step.node.index()]);
            Rc::make_mut(worker).turn_to(node, path, step.id.attempt());
            &*worker
        }
    };
    crash_point!("before_step");
    let _current = current::enter(Rc::clone(context));
    let mut result = match step.op.run {
        Run::Sync(run) => caught(|| run(&mut step.inputs, context)).and_then(|result| result),
        Run::Async(_) | Run::Emitter(_) => unreachable!("the machine grants steps of sync ops to workers"),
    };
    // What was not taken is dropped here, where a panic is the step's.
    let inputs = std::mem::take(&mut step.inputs);
    if let Err(error) = caught(|| drop(inputs))
        && let Ok(outputs) = std::mem::replace(&mut result, Err(error))
    {
        let _ = caught(|| drop(outputs));
    }
    if own {
        shared.runs_no_more(step.id);
    }
    let result = result.and_then(|outputs| shared.firsts[step.node.index()].check_all(outputs));
    context.close_log();
    crash_point!("after_step");
    let took = shared.now().saturating_sub(began);
    let (result, record) = record(shared, step, result, context.take_notes().as_deref(), recorded);
    crash_point!("step_encoded");
    let (result, passed_on) = hand_on(step, next, result);
    StepDone { id: step.id, started: began, took, result, passed_on, record }
}

/// Reads back what a step is known to have given.
fn recall(shared: &Shared, step: &StepWork, item: u32, began: Duration, recorded: &mut Recorded) -> StepDone {
    let recalled = shared.values.recall_step(step.op, item, step.node, recorded);
    crash_point!("recalled");
    let (result, record) = match recalled {
        Ok((outputs, record)) => (Ok(outputs), record),
        Err(error) => (Err(error), Span::default()),
    };
    StepDone { id: step.id, started: began, took: Duration::ZERO, result, passed_on: false, record }
}

/// Encodes what a step gave.
fn record(
    shared: &Shared,
    step: &StepWork,
    result: Result<Outputs, OpError>,
    notes: Option<&[u8]>,
    recorded: &mut Recorded,
) -> (Result<Outputs, OpError>, Span) {
    let Ok(outputs) = result else { return (result, Span::default()) };
    match shared.values.add_step(step.op, &outputs, notes, recorded) {
        Ok(record) => (Ok(outputs), record),
        Err(error) => {
            // Dropping them runs code of the user's.
            let _ = caught(|| drop(outputs));
            (Err(error), Span::default())
        }
    }
}

fn hand_on(
    step: &StepWork,
    next: Option<&mut StepWork>,
    result: Result<Outputs, OpError>,
) -> (Result<Outputs, OpError>, bool) {
    let (Some(next), Some(parameter), Ok(Outputs::One(Some(value)))) = (next, step.feeds, &result) else {
        return (result, false);
    };
    next.inputs[parameter as usize] = Some(Arc::clone(value));
    if step.passes_on { (Ok(Outputs::None), true) } else { (result, false) }
}

/// Runs a step of an async op as a task.
pub(super) fn spawn(shared: &Arc<Shared>, mut step: StepWork) {
    let Run::Async(run) = step.op.run else { return };
    let context = shared.context(&step, true);
    let inputs = std::mem::take(&mut step.inputs);
    let (id, began) = (step.id, shared.now());
    let task = {
        let shared = Arc::clone(shared);
        async move {
            let item = step.path.number();
            if shared.must_be_recorded(item) {
                shared.is_recorded_to(item).await;
            }
            shared.task_in_hand(id, Some(&step));
            let own = Some(Box::new(context.clone()));
            let teller = context.clone();
            let result = match caught(|| run(inputs, context)) {
                Ok(future) => CaughtFuture(Some(future), own).await,
                Err(error) => Err(error),
            };
            let result = result.and_then(|outputs| shared.firsts[step.node.index()].check_all(outputs));
            let took = shared.now().saturating_sub(began);
            shared.runs_no_more(id);
            shared.task_in_hand(id, None);
            let mut recorded = Recorded::default();
            let (result, record) =
                record(&shared, &step, result, teller.take_notes().as_deref(), &mut recorded);
            shared.change(|machine, now| {
                let record = record.after(machine.hold(&recorded.data));
                let done = StepDone { id, started: began, took, result, passed_on: false, record };
                machine.finish(now, vec![done], Vec::new());
            });
        }
    };
    let dropped = Dropped { shared: Arc::clone(shared), id, began, done: false };
    let handle = shared.runtime.spawn(async move {
        let mut dropped = dropped;
        task.await;
        dropped.done = true;
    });
    shared.runs_as(id, handle.abort_handle());
}

/// Tells the machine of a task that was dropped before its end, so that its tokens come back.
struct Dropped {
    shared: Arc<Shared>,
    id: crate::machine::StepId,
    began: Duration,
    done: bool,
}

impl Drop for Dropped {
    fn drop(&mut self) {
        if !self.done {
            self.shared.task_in_hand(self.id, None);
            let error = OpError::new("its task was dropped before its end");
            let took = self.shared.now().saturating_sub(self.began);
            let done = StepDone {
                id: self.id,
                started: self.began,
                took,
                result: Err(error),
                passed_on: false,
                record: Span::default(),
            };
            self.shared.change(|machine, now| machine.finish(now, vec![done], Vec::new()));
        }
    }
}

/// A future of the user's: a panic becomes an error. It is polled and dropped as part of its step; of
/// the current one, if none is given.
pub(super) struct CaughtFuture(
    pub(super) Option<BoxFuture<Result<Outputs, OpError>>>,
    pub(super) Option<Box<OpContext>>,
);

impl Future for CaughtFuture {
    type Output = Result<Outputs, OpError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(running, own) = &mut *self;
        let _current = current::enter_own(own);
        let Some(future) = running else {
            return Poll::Ready(Err(OpError::new("it was polled after its end")));
        };
        let poll = caught(|| future.as_mut().poll(context)).unwrap_or_else(|error| Poll::Ready(Err(error)));
        if poll.is_ready() {
            let ended = running.take();
            if let (Err(error), Poll::Ready(Ok(_))) = (caught(|| drop(ended)), &poll) {
                return Poll::Ready(Err(error));
            }
        }
        poll
    }
}

impl Drop for CaughtFuture {
    fn drop(&mut self) {
        let current = current::enter_own(&mut self.1);
        let future = self.0.take();
        let _ = caught(|| drop(future));
        drop(current);
        if let Some(own) = &self.1 {
            own.close_log();
        }
    }
}

/// Combines items into the value so far.
pub(super) fn fold(shared: &Arc<Shared>, work: FoldWork, recorded: &mut Recorded) -> FoldDone {
    let FoldWork { step, mut value, items } = work;
    let whole = items.is_empty();
    let began = shared.now();
    let context = Rc::new(shared.context(&step, false).going_on());
    let _current = current::enter(Rc::clone(&context));
    let mut result = Ok(());
    let mut items = items.into_iter();
    for item in items.by_ref() {
        let mut inputs = [Some(value), Some(item)];
        let combined = match step.op.run {
            Run::Sync(run) => caught(|| run(&mut inputs, &context)).and_then(|result| result),
            Run::Async(run) => {
                let inputs = inputs.iter_mut().map(Option::take).collect();
                match caught(|| run(inputs, (*context).clone())) {
                    Ok(future) => shared.runtime.block_on(CaughtFuture(Some(future), None)),
                    Err(error) => Err(error),
                }
            }
            Run::Emitter(_) => unreachable!("an op with a dynamic output cannot be a fold's"),
        };
        // What was not taken is dropped here, where a panic ends no worker.
        let _ = caught(|| drop(inputs));
        match combined {
            Ok(Outputs::One(Some(combined))) => value = combined,
            Ok(_) => {
                result = Err(OpError::new("the fold's op gave nothing"));
                value = Arc::new(());
            }
            Err(error) => {
                result = Err(error);
                value = Arc::new(());
            }
        }
        if result.is_err() {
            break;
        }
    }
    let result = result.and_then(|()| shared.firsts[step.node.index()].check(0, &value));
    let mut record = Span::default();
    let result = result.and_then(|()| {
        if whole {
            let outputs = Outputs::One(Some(Arc::clone(&value)));
            record = shared.values.add_step(step.op, &outputs, context.take_notes().as_deref(), recorded)?;
        }
        Ok(())
    });
    let result = match result {
        Ok(()) => Ok(value),
        Err(error) => {
            let _ = caught(|| drop((value, items)));
            Err(error)
        }
    };
    if whole || result.is_err() {
        context.close_log();
    } else {
        context.rest();
    }
    FoldDone { id: step.id, took: shared.now().saturating_sub(began), result, record }
}
