//! `map`: what to do with each item.

use crate::graph::build::{self, Raw};
use crate::typing::handle::{Done, DynamicOut, Handles, Out, Wrong};

/// What the closure given to [`map`](DynamicOut::map) may return.
#[diagnostic::on_unimplemented(
    message = "a map body cannot return `{Self}`",
    label = "not an output of an op",
    note = "it may return an output, a dynamic output, a tuple of these, or nothing"
)]
pub trait MapBody: Handles {
    /// What `map` gives: each output becomes a dynamic one.
    type Outputs;

    /// Takes the handles of the outputs, in order.
    #[doc(hidden)]
    fn outputs(raws: &mut dyn Iterator<Item = Raw>) -> Self::Outputs;
}

fn next(raws: &mut dyn Iterator<Item = Raw>) -> Raw {
    raws.next().expect("the builder gives a handle for each that the body returned")
}

#[diagnostic::do_not_recommend]
impl<T> MapBody for Out<T> {
    type Outputs = DynamicOut<T>;

    fn outputs(raws: &mut dyn Iterator<Item = Raw>) -> DynamicOut<T> {
        DynamicOut::new(next(raws))
    }
}

#[diagnostic::do_not_recommend]
impl<T> MapBody for DynamicOut<T> {
    type Outputs = Self;

    fn outputs(raws: &mut dyn Iterator<Item = Raw>) -> Self {
        Self::new(next(raws))
    }
}

#[diagnostic::do_not_recommend]
impl MapBody for Done {
    type Outputs = Self;

    fn outputs(raws: &mut dyn Iterator<Item = Raw>) -> Self {
        Self { raw: next(raws) }
    }
}

#[diagnostic::do_not_recommend]
impl MapBody for Wrong {
    type Outputs = Self;

    fn outputs(raws: &mut dyn Iterator<Item = Raw>) -> Self {
        next(raws);
        Self::new()
    }
}

macro_rules! tuples {
    ($(($($part:ident $index:tt),*),)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($part: Handles),*> Handles for ($($part,)*) {
            fn raws(&self) -> Vec<Raw> {
                #[allow(unused_mut, reason = "`()` has no parts")]
                let mut raws = Vec::new();
                $(raws.extend(self.$index.raws());)*
                raws
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($part: MapBody),*> MapBody for ($($part,)*) {
            type Outputs = ($($part::Outputs,)*);

            #[allow(unused_variables, clippy::unused_unit, reason = "`()` has no parts")]
            fn outputs(raws: &mut dyn Iterator<Item = Raw>) -> Self::Outputs {
                ($($part::outputs(raws),)*)
            }
        }
    )*};
}

tuples! {
    (),
    (A 0),
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7),
}

/// Implemented by nothing: it carries the words for `map` and `collect` on a single value, without
/// which rustc says that `Out<i64>` is not an iterator.
#[diagnostic::on_unimplemented(
    message = "`map` and `collect` are for dynamic outputs, and this is one value",
    label = "one value: give it to the op itself",
    note = "an op gives many values if it is marked `#[op(dynamic_out)]`"
)]
pub trait Many {}

impl<T> DynamicOut<T> {
    /// Does something with each item: `body` is run once, while the job is built, with a handle that
    /// stands for one item, and every op that it calls becomes one step for each item.
    ///
    /// Each handle that it returns becomes a dynamic output, in yield order. A dynamic output that it
    /// returns is flattened: its keys have two parts.
    #[track_caller]
    pub fn map<F, R>(self, body: F) -> R::Outputs
    where
        F: Fn(Out<T>) -> R,
        R: MapBody,
    {
        let raws = build::map(self.raw, |items| body(Out::new(items[0])).raws());
        R::outputs(&mut raws.into_iter())
    }
}

impl<T> Out<T> {
    /// There is nothing to map: this is one value. Give it to the op itself.
    #[doc(hidden)]
    pub fn map<F>(self, _: F) -> Wrong
    where
        Self: Many,
    {
        Wrong::new()
    }

    /// There is nothing to collect: this is one value already.
    #[doc(hidden)]
    pub fn collect(self) -> Wrong
    where
        Self: Many,
    {
        Wrong::new()
    }
}

impl Wrong {
    /// Fits any closure and any op.
    pub fn map<R>(self, _: impl Fn(Self) -> R) -> Self {
        self
    }

    /// Fits as any list.
    pub fn collect(self) -> Self {
        self
    }

    /// As above.
    pub fn collect_keyed(self) -> Self {
        self
    }

    /// As above.
    pub fn collect_results(self) -> Self {
        self
    }

    /// As above.
    pub fn zip<O>(self, _: O) -> Self {
        self
    }

    /// As above.
    pub fn fold<I, F>(self, _: I, _: F) -> Self {
        self
    }
}
