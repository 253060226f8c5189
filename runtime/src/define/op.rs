//! The row of an op.

use std::any::TypeId;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{BoxFuture, FirstValues};
use crate::context::OpContext;
use crate::engine::{Recorded, Values};
use crate::error::{ErrorKind, OpError};
use crate::event::Span;
use crate::key::{Key, KeyError};
use crate::options::OpOptions;
use crate::value::{AnyValue, TypeInfo};

/// An op: a user's function, and what must be known to call it without knowing its types.
#[derive(Debug)]
pub struct OpDef {
    /// The name of its steps.
    pub name: &'static str,
    /// The path of the module that it stands in; with the function's name it is the op's identity.
    pub module: &'static str,
    /// The function's name.
    pub function: &'static str,
    /// The file that it stands in.
    pub file: &'static str,
    /// The line of its name.
    pub line: u32,
    /// Its doc comment.
    pub doc: &'static str,
    /// What it takes, in order; neither its context nor its resources are among them.
    pub params: &'static [ParamDef],
    /// What it gives, in order; none for an op without a value.
    pub outputs: &'static [OutputDef],
    /// The resources that it takes.
    pub resources: &'static [ResourceUse],
    /// How its steps are run.
    pub options: OpOptions,
    /// The function.
    pub run: Run,
}

/// One thing that an op takes.
#[derive(Debug)]
pub struct ParamDef {
    /// The parameter's name.
    pub name: &'static str,
    /// Its type, as written.
    pub type_name: &'static str,
    /// Whether it may be skipped (`Option<T>`).
    pub optional: bool,
    /// Whether it takes the value for its own (a by-value parameter); else it shares it.
    pub owned: bool,
}

/// One thing that an op gives.
#[derive(Debug)]
pub struct OutputDef {
    /// The output's name; `result` for the only one.
    pub name: &'static str,
    /// One value, or a number of items known only at run time.
    pub kind: OutputKind,
    /// The type of the value, or of an item's.
    pub info: TypeInfo,
    /// Whether it may give nothing.
    pub optional: bool,
}

/// One value or many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// One value.
    Single,
    /// A number of keyed items known only at run time.
    Dynamic,
}

/// A resource that an op takes.
#[derive(Clone, Copy)]
pub struct ResourceUse {
    /// Its type.
    pub type_id: fn() -> TypeId,
    /// The type's name.
    pub type_name: fn() -> &'static str,
}

impl fmt::Debug for ResourceUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str((self.type_name)())
    }
}

/// The values given to an op, in the order of its parameters; `None` for one that was skipped.
pub type Inputs = [Option<AnyValue>];

/// What an op gave: a value for each single output, in order, `None` for nothing.
#[derive(Debug, Clone)]
pub enum Outputs {
    /// No single output.
    None,
    /// The value of the only single output.
    One(Option<AnyValue>),
    /// One entry for each output; the entry of a dynamic one is `None` if it gave nothing at all
    /// (which is not the same as no items), else any value.
    Many(Vec<Option<AnyValue>>),
}

/// How an op's function is called.
#[derive(Clone, Copy)]
pub enum Run {
    /// On a worker thread, to its end.
    Sync(fn(&mut Inputs, &OpContext) -> Result<Outputs, OpError>),
    /// As a task of tokio.
    Async(fn(Vec<Option<AnyValue>>, OpContext) -> BoxFuture<Result<Outputs, OpError>>),
    /// An op with a dynamic output: a future that is polled while there is room for more items.
    Emitter(fn(Vec<Option<AnyValue>>, OpContext, Emission) -> BoxFuture<Result<Outputs, OpError>>),
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "Sync",
            Self::Async(_) => "Async",
            Self::Emitter(_) => "Emitter",
        })
    }
}

/// Where an emitter puts its items, and the room that it has for them.
///
/// The engine grants room before it polls the emitter's future; an emitter that has used it up
/// waits in [`send`](Self::send) until it is polled again with new room.
#[derive(Debug, Clone, Default)]
pub struct Emission {
    buffer: Arc<Mutex<Buffer>>,
    /// Where the first items are read back, if they are.
    firsts: Option<Arc<FirstValues>>,
    /// Where they are recorded, if they are.
    values: Option<Arc<Values>>,
}

#[derive(Debug, Default)]
struct Buffer {
    items: Vec<Item>,
    /// What is recorded of them.
    data: Vec<u8>,
    room: usize,
    wants_room: bool,
    /// Room for what is recorded of the next.
    spare: Recorded,
    /// Why an item was not taken.
    refused: Option<OpError>,
    /// When the items that are there should be opened.
    until: Option<Instant>,
}

/// One item as the emitter gave it.
#[derive(Debug)]
pub struct Item {
    /// Which of the op's outputs gave it.
    pub output: u16,
    /// Its mapping key, not yet checked.
    pub key: Key,
    /// Its value.
    pub value: AnyValue,
    /// What is recorded of it, in what the machine holds.
    pub record: Span,
    /// If it was read back: its number in the run that is known.
    pub known: Option<u32>,
}

impl Emission {
    /// One whose first items are read back, and whose items are recorded if there are `values`.
    pub(crate) fn checked(firsts: Arc<FirstValues>, values: Option<Arc<Values>>) -> Self {
        Self { firsts: Some(firsts), values, ..Self::default() }
    }

    /// Gives one item; waits while there is no room.
    pub fn send(&self, output: u16, key: Key, value: AnyValue) -> impl Future<Output = ()> + Send {
        let mut item = Some(Item { output, key, value, record: Span::default(), known: None });
        let (mut checked, mut record) = (false, Recorded::default());
        std::future::poll_fn(move |_: &mut Context<'_>| {
            let Some(given) = &item else { return Poll::Ready(()) };
            if !std::mem::replace(&mut checked, true) {
                match self.check(given) {
                    Ok(bytes) => record = bytes,
                    Err(error) => self.lock().refused = Some(error),
                }
            }
            let mut buffer = self.lock();
            if buffer.refused.is_some() {
                return Poll::Pending;
            }
            if buffer.room == 0 {
                buffer.wants_room = true;
                return Poll::Pending;
            }
            buffer.room -= 1;
            if let Some(mut item) = item.take() {
                let start = buffer.data.len() as u32;
                buffer.data.extend_from_slice(&record.data);
                item.record = Span { start, len: record.data.len() as u32 };
                buffer.items.push(item);
                record.data.clear();
                buffer.spare = std::mem::take(&mut record);
            }
            if buffer.until.is_some_and(|until| Instant::now() > until) {
                // The item goes its way at once; the emitter is polled again for the next.
                buffer.wants_room = true;
                return Poll::Pending;
            }
            Poll::Ready(())
        })
    }

    /// Reads an item back if it is the first, and encodes it; outside of the lock, as both run code of
    /// the user's.
    fn check(&self, item: &Item) -> Result<Recorded, OpError> {
        let mut recorded = std::mem::take(&mut self.lock().spare);
        if let Some(firsts) = &self.firsts {
            firsts.check(usize::from(item.output), &item.value)?;
            if let (Some(values), Some(op)) = (&self.values, firsts.op()) {
                let info = &op.outputs[usize::from(item.output)].info;
                values.add(op, info, Some(&item.value), &mut recorded)?;
            }
        }
        Ok(recorded)
    }

    /// Gives items that are all there already; nothing is given if one of them has a key that it
    /// must not have.
    ///
    /// # Errors
    /// A key is empty, too long, holds a control character, or is given twice.
    pub async fn send_all(&self, output: u16, items: Vec<(Key, AnyValue)>) -> Result<(), OpError> {
        let mut seen = HashSet::with_capacity(items.len());
        for (key, _) in &items {
            key.check().map_err(|error| OpError::of_kind(ErrorKind::Key, error))?;
            if !seen.insert(key) {
                let error = KeyError::Duplicate { key: key.to_string() };
                return Err(OpError::of_kind(ErrorKind::Key, error));
            }
        }
        for (key, value) in items {
            self.send(output, key, value).await;
        }
        Ok(())
    }

    /// Before a poll: how many items it may give.
    pub fn grant_room(&self, room: usize) {
        let mut buffer = self.lock();
        buffer.room = room;
        buffer.wants_room = false;
        buffer.until = None;
    }

    /// Before a poll: how long it may go on once it has given an item.
    pub(crate) fn limit_time(&self, slice: Duration) {
        self.lock().until = Some(Instant::now() + slice);
    }

    /// After a poll: what it gave, what is recorded of it, and whether it stopped for want of room.
    pub fn take(&self) -> (Vec<Item>, Vec<u8>, bool) {
        let mut buffer = self.lock();
        (std::mem::take(&mut buffer.items), std::mem::take(&mut buffer.data), buffer.wants_room)
    }

    /// While a poll goes on: what it has given so far.
    pub(crate) fn take_early(&self) -> (Vec<Item>, Vec<u8>) {
        let mut buffer = self.lock();
        (std::mem::take(&mut buffer.items), std::mem::take(&mut buffer.data))
    }

    /// After a poll: why an item was not taken, which ends the emitter.
    pub(crate) fn refused(&self) -> Option<OpError> {
        self.lock().refused.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Buffer> {
        // A panic while the lock is held is impossible: nothing of the user's runs under it.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
