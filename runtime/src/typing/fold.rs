//! `fold`: values combined as they come, without holding the list.

use crate::graph::build::{self, RawInput};
use crate::typing::handle::{DynamicOut, Out, Wrong, named};
use crate::typing::input::{Input, Single};
use crate::value::AnyValue;

impl<T> DynamicOut<T> {
    /// Combines the items in yield order, starting from `init`: `op` takes the value so far and an
    /// item, and gives the next value.
    ///
    /// It is one step, and each combination a part of it; the list of items is never held.
    #[track_caller]
    pub fn fold<A, I, F>(self, init: I, op: F) -> Out<A>
    where
        A: Send + Sync + 'static,
        I: Single + Input<A>,
        F: Fn(Out<A>, Out<T>) -> Out<A>,
    {
        let init: RawInput = init.into_raw(|value| -> AnyValue { std::sync::Arc::new(value) });
        let body = |value, item| {
            let _ = op(Out::new(value), Out::new(item));
        };
        match build::op_of(named::<A>(), named::<T>(), body) {
            Some(op) => Out::new(build::fold(self.raw, init, op)),
            None => Out::new(build::wrong()),
        }
    }
}

impl<T> Out<T> {
    /// There is nothing to fold: this is one value.
    #[doc(hidden)]
    pub fn fold<I, F>(self, _: I, _: F) -> Wrong
    where
        Self: super::map::Many,
    {
        Wrong::new()
    }
}
