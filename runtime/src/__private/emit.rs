//! Items on their way out of an op with a dynamic output.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;

use futures_core::Stream;

use crate::define::{Emission, Outputs};
use crate::error::OpError;
use crate::key::{DynamicOutput, Key};
use crate::value::AnyValue;

/// What gives the items of an op.
#[diagnostic::on_unimplemented(
    message = "the items of an op are made on another thread, and `{Self}` cannot be sent there",
    label = "not `Send`"
)]
pub trait Sendable: Send {}

#[diagnostic::do_not_recommend]
impl<T: Send> Sendable for T {}

/// Gives the items of a list or an iterator, each when there is room for it.
pub fn emit<T, I>(
    items: I,
    mut item: impl FnMut(I::Item) -> Result<DynamicOutput<T>, OpError> + Send,
    erase: fn(T) -> AnyValue,
    emission: Emission,
) -> impl Future<Output = Result<Outputs, OpError>> + Send
where
    I: IntoIterator,
    I::IntoIter: Sendable,
{
    let mut items = items.into_iter();
    async move {
        while let Some(next) = items.next().map(|next| erased(item(next), erase)) {
            let (key, value) = next?;
            emission.send(0, key, value).await;
        }
        Ok(ended())
    }
}

/// Gives the items of a stream, each when there is room for it.
#[expect(clippy::manual_async_fn, reason = "the signature promises `Send`")]
pub fn emit_stream<T, S>(
    items: S,
    mut item: impl FnMut(S::Item) -> Result<DynamicOutput<T>, OpError> + Send,
    erase: fn(T) -> AnyValue,
    emission: Emission,
) -> impl Future<Output = Result<Outputs, OpError>> + Send
where
    S: Stream + Sendable,
{
    async move {
        let mut items = pin!(items);
        let mut next = |cx: &mut Context<'_>| {
            let next = items.as_mut().poll_next(cx);
            next.map(|next| next.map(|next| erased(item(next), erase)))
        };
        while let Some(next) = poll_fn(&mut next).await {
            let (key, value) = next?;
            emission.send(0, key, value).await;
        }
        Ok(ended())
    }
}

/// An item without its type: what is kept while there is no room for it need not be `Send` then.
fn erased<T>(
    item: Result<DynamicOutput<T>, OpError>,
    erase: fn(T) -> AnyValue,
) -> Result<(Key, AnyValue), OpError> {
    item.map(DynamicOutput::into_parts).map(|(key, value)| (key, erase(value)))
}

/// The only output, dynamic, has given its items; any value says so.
fn ended() -> Outputs {
    Outputs::One(Some(Arc::new(())))
}

/// Keys that are the items' places: 0, 1, 2, ….
#[derive(Debug, Default)]
pub struct ByIndex(u64);

impl ByIndex {
    /// The next item.
    pub fn item<T>(&mut self, value: T) -> DynamicOutput<T> {
        let index = self.0;
        self.0 += 1;
        DynamicOutput::new(index, value)
    }
}
