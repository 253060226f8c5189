//! `zip`: the items of two dynamic outputs, paired by key.

use std::marker::PhantomData;

use crate::graph::build::{self, Raw};
use crate::typing::handle::{DynamicOut, Handles, Out};
use crate::typing::map::MapBody;

/// The items of two dynamic outputs, paired by key: [`map`](Self::map) says what to do with each
/// pair.
#[must_use = "a zip that is not mapped does nothing: call `map` on it"]
pub struct Zipped<A, B> {
    raw: Raw,
    of: PhantomData<fn() -> (A, B)>,
}

impl<A, B> Clone for Zipped<A, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, B> Copy for Zipped<A, B> {}

impl<A, B> std::fmt::Debug for Zipped<A, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zipped")
    }
}

#[diagnostic::do_not_recommend]
impl<A, B> Handles for Zipped<A, B> {
    fn raws(&self) -> Vec<Raw> {
        vec![self.raw]
    }
}

impl<T> DynamicOut<T> {
    /// Pairs the items of two dynamic outputs whose whole keys are equal, in the left's order.
    ///
    /// Keys found on one side only fail the zip, which is a step of its own, once both sides have
    /// ended.
    #[track_caller]
    pub fn zip<U>(self, other: DynamicOut<U>) -> Zipped<T, U> {
        Zipped { raw: build::zip(self.raw, other.raw), of: PhantomData }
    }
}

impl<A, B> Zipped<A, B> {
    /// Does something with each pair, as [`DynamicOut::map`] does with each item.
    #[track_caller]
    pub fn map<F, R>(self, body: F) -> R::Outputs
    where
        F: Fn((Out<A>, Out<B>)) -> R,
        R: MapBody,
    {
        let raws = build::map(self.raw, |items| body((Out::new(items[0]), Out::new(items[1]))).raws());
        R::outputs(&mut raws.into_iter())
    }
}
