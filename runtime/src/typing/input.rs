//! What can be given where an op takes a value.

use std::path::{Path, PathBuf};

use crate::graph::build::{self, RawInput};
use crate::typing::handle::{DynamicOut, Out, Wrong};
use crate::value::{AnyValue, Value};

/// One value, as opposed to a dynamic output.
#[diagnostic::on_unimplemented(
    message = "a dynamic output cannot be given to an op: map it or collect it",
    label = "many values: `.map(op)` runs the op once for each, `.collect()` makes one list of them",
    note = "how many values it has is known only when the job runs"
)]
pub trait Single {}

/// `Unpin` is the mark of everything that is not a dynamic output; see `DynamicOut`.
#[diagnostic::do_not_recommend]
impl<X: Unpin> Single for X {}

/// What an op takes where its parameter is a `T`: an `Out<T>`, or a `T` written in the job.
///
/// A `#[graph]` function that takes either writes `impl Input<T>`.
#[diagnostic::on_unimplemented(
    message = "this takes `{T}`, and is given `{Self}`",
    label = "expected `Out<{T}>` or `{T}`"
)]
pub trait Input<T> {
    /// The input without its type.
    #[doc(hidden)]
    fn into_raw(self, erase: fn(T) -> AnyValue) -> RawInput;
}

/// The hop keeps the impls of `Fits` out of rustc's messages.
#[diagnostic::do_not_recommend]
impl<T, X: Fits<T>> Input<T> for X {
    fn into_raw(self, erase: fn(T) -> AnyValue) -> RawInput {
        self.fit(erase)
    }
}

/// How each type becomes the input of an op; users know it as [`Input`].
#[doc(hidden)]
pub trait Fits<T> {
    /// The input without its type; `erase` takes the type off a value.
    fn fit(self, erase: fn(T) -> AnyValue) -> RawInput;
}

impl<T> Fits<T> for Out<T> {
    fn fit(self, _: fn(T) -> AnyValue) -> RawInput {
        RawInput::Handle(self.raw)
    }
}

/// An output for a parameter that may be skipped.
impl<T> Fits<Option<T>> for Out<T> {
    fn fit(self, _: fn(Option<T>) -> AnyValue) -> RawInput {
        RawInput::Handle(self.raw)
    }
}

/// A constant. A bound by `Value` here would give a second error for a type without serde.
impl<T: Unpin> Fits<T> for T {
    fn fit(self, erase: fn(T) -> AnyValue) -> RawInput {
        RawInput::Constant(erase(self))
    }
}

impl Fits<String> for &str {
    fn fit(self, erase: fn(String) -> AnyValue) -> RawInput {
        RawInput::Constant(erase(self.to_owned()))
    }
}

impl Fits<PathBuf> for &Path {
    fn fit(self, erase: fn(PathBuf) -> AnyValue) -> RawInput {
        RawInput::Constant(erase(self.to_owned()))
    }
}

impl Fits<PathBuf> for &str {
    fn fit(self, erase: fn(PathBuf) -> AnyValue) -> RawInput {
        RawInput::Constant(erase(self.into()))
    }
}

/// A list written in the job.
impl<T> Fits<Vec<T>> for Vec<Out<T>> {
    fn fit(self, _: fn(Vec<T>) -> AnyValue) -> RawInput {
        RawInput::List(self.into_iter().map(|out| RawInput::Handle(out.raw)).collect())
    }
}

impl<T, const N: usize> Fits<Vec<T>> for [Out<T>; N] {
    fn fit(self, _: fn(Vec<T>) -> AnyValue) -> RawInput {
        RawInput::List(self.into_iter().map(|out| RawInput::Handle(out.raw)).collect())
    }
}

/// The impls for dynamic outputs never run: they leave `Single` alone to refuse them, in its words.
impl<T, U> Fits<T> for DynamicOut<U> {
    fn fit(self, _: fn(T) -> AnyValue) -> RawInput {
        RawInput::Handle(build::wrong())
    }
}

impl<T, U, const N: usize> Fits<Vec<T>> for [DynamicOut<U>; N] {
    fn fit(self, _: fn(Vec<T>) -> AnyValue) -> RawInput {
        RawInput::Handle(build::wrong())
    }
}

impl<T: Value> Fits<T> for Wrong {
    fn fit(self, _: fn(T) -> AnyValue) -> RawInput {
        RawInput::Handle(build::wrong())
    }
}
