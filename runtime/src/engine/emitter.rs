//! Emitters: futures that workers poll, one poll a grant.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll as Polled, Wake, Waker};
use std::time::Duration;

use crate::define::{BoxFuture, Emission, OpDef, Outputs, Run};
use crate::error::OpError;
use crate::machine::{Poll, PollDone, PollOutcome, StepId, StepWork};

use super::attempt::{CaughtFuture, read_back};
use super::panics::caught;
use super::shared::{Shared, lock};

/// How long an emitter that has items may go on before they are opened: long against the cost of a
/// poll, short against what anybody would notice.
const SLICE: Duration = Duration::from_micros(200);

/// An emitter between two polls.
#[derive(Debug)]
pub(super) struct Emitter {
    op: &'static OpDef,
    future: CaughtFuture,
    emission: Emission,
    /// Whether its first items were read back (§6.4).
    checked: bool,
}

impl std::fmt::Debug for CaughtFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CaughtFuture")
    }
}

pub(super) fn poll(shared: &Arc<Shared>, poll: Poll) -> PollDone {
    let began = shared.now();
    let Poll { id, room, begin } = poll;
    let emitter = match begin {
        Some(step) => Some(begin_emitter(shared, step)),
        None => lock(&shared.emitters).remove(&id),
    };
    let gone = || (Vec::new(), PollOutcome::Ended(Err(OpError::new("it was dropped before its end"))));
    let (items, outcome) = emitter.map_or_else(gone, |emitter| poll_emitter(shared, emitter, id, room));
    PollDone { id, took: shared.now().saturating_sub(began), items, room, outcome }
}

fn begin_emitter(shared: &Shared, mut step: StepWork) -> Emitter {
    let context = shared.context(&step, true);
    let emission = Emission::default();
    let inputs = std::mem::take(&mut step.inputs);
    let future: BoxFuture<Result<Outputs, OpError>> = match step.op.run {
        Run::Emitter(run) => {
            let emission = emission.clone();
            caught(|| run(inputs, context, emission))
                .unwrap_or_else(|error| Box::pin(std::future::ready(Err(error))))
        }
        Run::Sync(_) | Run::Async(_) => unreachable!("the machine polls only ops with a dynamic output"),
    };
    Emitter { op: step.op, future: CaughtFuture(Some(future)), emission, checked: false }
}

fn poll_emitter(
    shared: &Arc<Shared>,
    mut emitter: Emitter,
    id: StepId,
    room: u32,
) -> (Vec<crate::define::Item>, PollOutcome) {
    let waker = Waker::from(Arc::new(WakeEmitter { shared: Arc::downgrade(shared), id }));
    emitter.emission.grant_room(room as usize);
    emitter.emission.limit_time(SLICE);
    let polled = std::pin::Pin::new(&mut emitter.future).poll(&mut Context::from_waker(&waker));
    let (items, wants_room) = emitter.emission.take();
    let first = items.first().filter(|_| !emitter.checked);
    let checked = first
        .map(|item| read_back(emitter.op, &emitter.op.outputs[usize::from(item.output)].info, &item.value));
    match (polled, checked) {
        (_, Some(Err(error))) => {
            shared.runs_no_more(id);
            (Vec::new(), PollOutcome::Ended(Err(error)))
        }
        (Polled::Ready(result), _) => {
            shared.runs_no_more(id);
            (items, PollOutcome::Ended(result))
        }
        (Polled::Pending, checked) => {
            emitter.checked |= checked.is_some();
            lock(&shared.emitters).insert(id, emitter);
            (items, if wants_room { PollOutcome::WantsRoom } else { PollOutcome::Waits })
        }
    }
}

/// Wakes an emitter that waits for something outside of the run.
struct WakeEmitter {
    shared: Weak<Shared>,
    id: StepId,
}

impl Wake for WakeEmitter {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.change(|machine, now| machine.wake(now, self.id));
        }
    }
}
