//! Emitters: futures that workers poll, one poll a grant.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll as Polled, Wake, Waker};
use std::time::Duration;

use crate::context::{OpContext, current};
use crate::crash::crash_point;
use crate::define::{BoxFuture, Emission, FirstValues, Item, Outputs, Run};
use crate::error::OpError;
use crate::event::Span;
use crate::graph::NodeId;
use crate::machine::{Machine, Poll, PollDone, PollOutcome, RecalledItems, StepId, StepWork};
use crate::panics::caught;

use super::attempt::CaughtFuture;
use super::shared::{Shared, lock};
use super::values::Recorded;

/// How long an emitter that has items may go on before they are opened: long against the cost of a
/// poll, short against what anybody would notice.
const SLICE: Duration = Duration::from_micros(200);

/// An emitter between two polls.
#[derive(Debug)]
pub(super) struct Emitter {
    future: CaughtFuture,
    emission: Emission,
    firsts: Arc<FirstValues>,
    context: OpContext,
}

/// How long a poll may go on before what it has given is opened while it goes on: beyond a slice,
/// an emitter that is still being polled waits for something, and its items need not.
const EARLY: Duration = Duration::from_millis(1);

/// A poll that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    emission: Emission,
    began: Duration,
}

impl std::fmt::Debug for CaughtFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CaughtFuture")
    }
}

pub(super) fn poll(shared: &Arc<Shared>, poll: Poll, recorded: &mut Recorded) -> PollDone {
    let began = shared.now();
    let Poll { id, node, room, begin, recall, .. } = poll;
    if let Some(recalled) = recall {
        return recall_items(shared, (id, node, room), recalled, recorded);
    }
    let emitter = match begin {
        Some(step) => Some(begin_emitter(shared, step)),
        None => lock(&shared.emitters).remove(&id),
    };
    let gone = || {
        let error = OpError::new("it was dropped before its end");
        (Vec::new(), PollOutcome::Ended(Err(error)), Span::default())
    };
    let (items, outcome, record) =
        emitter.map_or_else(gone, |emitter| poll_emitter(shared, emitter, id, room, recorded));
    PollDone { id, took: shared.now().saturating_sub(began), items, room, outcome, record }
}

/// Reads back items that an emitter is known to have given, and after the last what it gave besides.
fn recall_items(
    shared: &Shared,
    (id, node, room): (StepId, NodeId, u32),
    recalled: RecalledItems,
    recorded: &mut Recorded,
) -> PollDone {
    let (mut items, mut record) = (Vec::with_capacity(recalled.items.len()), Span::default());
    let read = || {
        let op = shared.op(node).ok_or_else(|| OpError::new("it is no op"))?;
        for (output, item) in recalled.items {
            let (value, record) = shared.values.recall_item(op, output, item, recorded)?;
            let key = shared.values.key_of(item);
            items.push(Item { output, key, value, record, known: Some(item) });
        }
        let Some(step) = recalled.step else { return Ok(Outputs::None) };
        let (outputs, copied) = shared.values.recall_step(op, step, node, recorded)?;
        record = copied;
        Ok(outputs)
    };
    let outcome = match read() {
        Ok(_) if !recalled.last => PollOutcome::WantsRoom,
        ended => PollOutcome::Ended(ended),
    };
    PollDone { id, took: Duration::ZERO, items, room, outcome, record }
}

fn begin_emitter(shared: &Shared, mut step: StepWork) -> Emitter {
    let context = shared.context(&step, true);
    let mut own = Some(Box::new(context.clone()));
    let teller = context.clone();
    let firsts = Arc::clone(&shared.firsts[step.node.index()]);
    let values = shared.values.are_recorded().then(|| Arc::clone(&shared.values));
    let emission = Emission::checked(Arc::clone(&firsts), values);
    let inputs = std::mem::take(&mut step.inputs);
    let future: BoxFuture<Result<Outputs, OpError>> = match step.op.run {
        Run::Emitter(run) => {
            let emission = emission.clone();
            let _current = current::enter_own(&mut own);
            caught(|| run(inputs, context, emission))
                .unwrap_or_else(|error| Box::pin(std::future::ready(Err(error))))
        }
        Run::Sync(_) | Run::Async(_) => unreachable!("the machine polls only ops with a dynamic output"),
    };
    Emitter { future: CaughtFuture(Some(future), own), emission, firsts, context: teller }
}

fn poll_emitter(
    shared: &Arc<Shared>,
    mut emitter: Emitter,
    id: StepId,
    room: u32,
    recorded: &mut Recorded,
) -> (Vec<Item>, PollOutcome, Span) {
    let waker = Waker::from(Arc::new(WakeEmitter { shared: Arc::downgrade(shared), id }));
    emitter.emission.grant_room(room as usize);
    emitter.emission.limit_time(SLICE);
    let under_way = UnderWay { emission: emitter.emission.clone(), began: shared.now() };
    lock(&shared.polls).insert(id, under_way);
    let polled = std::pin::Pin::new(&mut emitter.future).poll(&mut Context::from_waker(&waker));
    lock(&shared.polls).remove(&id);
    let (mut items, data, wants_room) = emitter.emission.take();
    crash_point!("items_given" if !items.is_empty());
    let start = recorded.data.len() as u32;
    recorded.data.extend_from_slice(&data);
    for item in &mut items {
        item.record = item.record.after(start);
    }
    let polled = match emitter.emission.refused() {
        Some(error) => Polled::Ready(Err(error)),
        None => polled,
    };
    match polled {
        Polled::Ready(result) => {
            shared.runs_no_more(id);
            let mut record = Span::default();
            let result = result.and_then(|outputs| emitter.firsts.check_all(outputs)).and_then(|outputs| {
                if let Some(op) = emitter.firsts.op() {
                    let notes = emitter.context.take_notes();
                    record = shared.values.add_step(op, &outputs, notes.as_deref(), recorded)?;
                }
                Ok(outputs)
            });
            (items, PollOutcome::Ended(result), record)
        }
        Polled::Pending => {
            lock(&shared.emitters).insert(id, emitter);
            let outcome = if wants_room { PollOutcome::WantsRoom } else { PollOutcome::Waits };
            (items, outcome, Span::default())
        }
    }
}

/// Whether a poll is under way whose items may have to be opened before its end.
pub(super) fn any_under_way(shared: &Shared) -> bool {
    !lock(&shared.polls).is_empty()
}

/// Opens the items of polls that take long: an iterator may wait for its next page while the copies
/// of this one could run (§3.2). Whether there were any.
pub(super) fn open_early(shared: &Shared, machine: &mut Machine) -> bool {
    let now = shared.now();
    let mut polls = lock(&shared.polls);
    // After that nothing can come before the poll ends: the slice is over.
    let long = polls.extract_if(|_, poll| now.saturating_sub(poll.began) >= EARLY);
    let mut any = false;
    for (id, poll) in long {
        // Taken under the machine's lock: what the poll gives at its end comes after them.
        let (mut items, data) = poll.emission.take_early();
        any |= !items.is_empty();
        let start = machine.hold(&data);
        for item in &mut items {
            item.record = item.record.after(start);
        }
        machine.yielded(now, id, items);
    }
    any
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
