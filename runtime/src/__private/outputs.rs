//! Ops with several outputs: what `#[derive(Outputs)]` implements.

use std::future::{Future, Ready, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::task::Context;

use futures_core::Stream;

use super::Sendable;
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
    pub fn one<T>(value: T, erase: fn(T) -> AnyValue) -> Self {
        Self::One(erase(value))
    }

    /// A value, or nothing.
    pub fn maybe_one<T>(value: Option<T>, erase: fn(T) -> AnyValue) -> Self {
        value.map_or(Self::Nothing, |value| Self::one(value, erase))
    }

    /// Items.
    pub fn items<T>(items: Vec<DynamicOutput<T>>, erase: fn(T) -> AnyValue) -> Self {
        let items = items.into_iter().map(DynamicOutput::into_parts);
        Self::Items(items.map(|(key, value)| (key, erase(value))).collect())
    }

    /// Items, or nothing.
    pub fn maybe_items<T>(items: Option<Vec<DynamicOutput<T>>>, erase: fn(T) -> AnyValue) -> Self {
        items.map_or(Self::Nothing, |items| Self::items(items, erase))
    }
}

impl Emitted {
    /// The value of a single output.
    pub fn one<T>(output: u16, value: T, erase: fn(T) -> AnyValue) -> Self {
        Self::One(output, erase(value))
    }

    /// An item of a dynamic output.
    pub fn item<T>(output: u16, item: DynamicOutput<T>, erase: fn(T) -> AnyValue) -> Self {
        let (key, value) = item.into_parts();
        Self::Item(output, key, erase(value))
    }
}

/// A set of outputs, told without an error where it is none: the error stands at the return type of
/// the op, once.
#[derive(Debug)]
pub struct Set<S>(PhantomData<S>);

impl<S: OutputsOf> Set<S> {
    /// The outputs, in order.
    pub const OUTPUTS: &'static [OutputDef] = S::OUTPUTS;

    /// Gives all outputs of an op that gave them at its end.
    pub async fn emit(set: S, emission: Emission) -> Result<Outputs, OpError> {
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
}

/// Any other type.
pub trait SetAny<S> {
    /// None.
    const OUTPUTS: &'static [OutputDef] = &[];

    /// Never called: the op does not compile.
    fn emit(_: S, _: Emission) -> Ready<Result<Outputs, OpError>> {
        unreachable!("an op whose outputs are no set does not compile")
    }
}

impl<S> SetAny<S> for Set<S> {}

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
#[expect(clippy::manual_async_fn, reason = "the signature promises `Send`")]
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
