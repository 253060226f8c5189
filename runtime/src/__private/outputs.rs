//! Ops with several outputs: what `#[derive(Outputs)]` implements.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Context;

use futures_core::Stream;

use super::{Recorded, Sendable, Takes};
use crate::define::{Emission, OutputDef, OutputKind, Outputs};
use crate::error::OpError;
use crate::graph::build::Raw;
use crate::key::{DynamicOutput, Key};
use crate::typing::FromRaws;
use crate::value::AnyValue;

/// The outputs of an op, by name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of outputs",
    label = "not `#[derive(Outputs)]`",
    note = "an op marked `#[op(outputs)]` returns a struct with `#[derive(fanfold::Outputs)]`, or an iterator of its items"
)]
pub trait OutputsOf: Send {
    /// The handles, one for each output.
    type Handles: FromRaws;
    /// The outputs, in order.
    const OUTPUTS: &'static [OutputDef];

    /// What was given for each output, in order.
    fn given(self) -> Vec<Given>;
}

/// One of the items that make up a set of outputs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an item of a set of outputs",
    label = "not the enum that `#[derive(Outputs)]` makes"
)]
pub trait OutputsItem {
    /// The set.
    type Set: OutputsOf;

    /// Which output it is for, and what it gives.
    fn emitted(self) -> Emitted;
}

/// What was given for one output.
#[derive(Debug)]
pub enum Given {
    /// A value.
    One(AnyValue),
    /// Items.
    Items(Vec<(Key, AnyValue)>),
    /// Nothing.
    Nothing,
}

impl Given {
    /// A value.
    pub fn one<Op, T>(value: T) -> Self
    where
        Recorded: Takes<Op, T>,
    {
        Self::One(Recorded::erased(value))
    }

    /// A value, or nothing.
    pub fn maybe_one<Op, T>(value: Option<T>) -> Self
    where
        Recorded: Takes<Op, T>,
    {
        value.map_or(Self::Nothing, Self::one::<Op, T>)
    }

    /// Items.
    pub fn items<Op, T>(items: Vec<DynamicOutput<T>>) -> Self
    where
        Recorded: Takes<Op, T>,
    {
        let items = items.into_iter().map(DynamicOutput::into_parts);
        Self::Items(items.map(|(key, value)| (key, Recorded::erased(value))).collect())
    }

    /// Items, or nothing.
    pub fn maybe_items<Op, T>(items: Option<Vec<DynamicOutput<T>>>) -> Self
    where
        Recorded: Takes<Op, T>,
    {
        items.map_or(Self::Nothing, Self::items::<Op, T>)
    }
}

impl Emitted {
    /// The value of a single output.
    pub fn one<Op, T>(output: u16, value: T) -> Self
    where
        Recorded: Takes<Op, T>,
    {
        Self::One(output, Recorded::erased(value))
    }

    /// An item of a dynamic output.
    pub fn item<Op, T>(output: u16, item: DynamicOutput<T>) -> Self
    where
        Recorded: Takes<Op, T>,
    {
        let (key, value) = item.into_parts();
        Self::Item(output, key, Recorded::erased(value))
    }
}

/// The next of the handles of a call.
pub fn next_handle<H: FromRaws>(raws: &mut dyn Iterator<Item = Raw>) -> H {
    H::from_raws(raws.next().into_iter().collect())
}

/// What a streaming op gave for one output.
#[derive(Debug)]
pub enum Emitted {
    /// The value of a single output.
    One(u16, AnyValue),
    /// An item of a dynamic output.
    Item(u16, Key, AnyValue),
}

/// Gives all outputs of an op that gave them at its end.
pub async fn emit_outputs<S: OutputsOf>(set: S, emission: Emission) -> Result<Outputs, OpError> {
    let given = set.given();
    let mut outputs = Vec::with_capacity(given.len());
    for (index, given) in (0..).zip(given) {
        outputs.push(match given {
            Given::One(value) => Some(value),
            Given::Nothing => None,
            Given::Items(items) => {
                for (key, value) in items {
                    emission.send(index, key, value).await;
                }
                Some(ended())
            }
        });
    }
    Ok(Outputs::Many(outputs))
}

/// Gives the outputs of an op as its iterator yields them.
pub fn emit_items<I, T>(
    items: I,
    mut item: impl FnMut(I::Item) -> Result<T, OpError> + Send,
    emission: Emission,
) -> impl Future<Output = Result<Outputs, OpError>> + Send
where
    I: IntoIterator,
    I::IntoIter: Sendable,
    T: OutputsItem,
{
    let mut items = items.into_iter();
    async move {
        let mut outputs = start::<T::Set>();
        while let Some(next) = items.next().map(|next| item(next).map(T::emitted)) {
            settle(next?, &mut outputs, &emission).await;
        }
        finish::<T::Set>(outputs)
    }
}

/// Gives the outputs of an op as its stream yields them.
pub fn emit_items_stream<S, T>(
    items: S,
    mut item: impl FnMut(S::Item) -> Result<T, OpError> + Send,
    emission: Emission,
) -> impl Future<Output = Result<Outputs, OpError>> + Send
where
    S: Stream + Sendable,
    T: OutputsItem,
{
    async move {
        let mut items = pin!(items);
        let mut outputs = start::<T::Set>();
        let mut next = |cx: &mut Context<'_>| {
            let next = items.as_mut().poll_next(cx);
            next.map(|next| next.map(|next| item(next).map(T::emitted)))
        };
        while let Some(next) = poll_fn(&mut next).await {
            settle(next?, &mut outputs, &emission).await;
        }
        finish::<T::Set>(outputs)
    }
}

/// Before the first item: dynamic outputs have given no items, single ones nothing.
fn start<S: OutputsOf>() -> Vec<Option<AnyValue>> {
    let dynamic = |output: &OutputDef| (output.kind == OutputKind::Dynamic).then(ended);
    S::OUTPUTS.iter().map(dynamic).collect()
}

async fn settle(emitted: Emitted, outputs: &mut [Option<AnyValue>], emission: &Emission) {
    match emitted {
        Emitted::One(index, value) => outputs[usize::from(index)] = Some(value),
        Emitted::Item(index, key, value) => emission.send(index, key, value).await,
    }
}

/// After the last item: every output that must give a value has one.
fn finish<S: OutputsOf>(outputs: Vec<Option<AnyValue>>) -> Result<Outputs, OpError> {
    let missing = S::OUTPUTS.iter().zip(&outputs).find(|(output, value)| value.is_none() && !output.optional);
    match missing {
        Some((output, _)) => Err(OpError::permanent(format_args!(
            "its output `{}` was not given: yield it once, or mark it `#[output(optional)]`",
            output.name
        ))),
        None => Ok(Outputs::Many(outputs)),
    }
}

/// A dynamic output has given its items; any value says so.
fn ended() -> AnyValue {
    std::sync::Arc::new(())
}
