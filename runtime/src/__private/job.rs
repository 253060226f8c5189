//! Jobs: what their bodies return, their arguments, their hooks.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{downcast, own_or_decode};
use crate::arg::JobArg;
use crate::define::ArgDef;
use crate::graph::build::{self, Raw};
use crate::typing::{Done, Handles, Out, Wrong};
use crate::value::{AnyValue, TypeInfo, Value};

/// What a job may return.
#[diagnostic::on_unimplemented(
    message = "a job cannot return `{Self}`",
    label = "not one value of an op",
    note = "a job returns an `Out`, a `Done`, a tuple of these, or nothing; a dynamic output is collected first"
)]
pub trait JobReturn: Handles {}

#[diagnostic::do_not_recommend]
impl<T> JobReturn for Out<T> {}

#[diagnostic::do_not_recommend]
impl JobReturn for Done {}

#[diagnostic::do_not_recommend]
impl JobReturn for Wrong {}

macro_rules! tuples {
    ($(($($part:ident),*),)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($part: JobReturn),*> JobReturn for ($($part,)*) {}
    )*};
}

tuples! {
    (),
    (A),
    (A, B),
    (A, B, C),
    (A, B, C, D),
    (A, B, C, D, E),
    (A, B, C, D, E, F),
    (A, B, C, D, E, F, G),
    (A, B, C, D, E, F, G, H),
}

/// The handles that a job's body returned.
pub fn returned<R: JobReturn>(handles: R) -> Vec<Raw> {
    handles.raws()
}

/// A job's argument, as a handle.
pub fn argument<T>(index: u32, info: TypeInfo) -> Out<T> {
    Out::new(build::argument(index, info))
}

/// A flag, which reads the arguments of jobs.
#[derive(Debug, Clone, Copy)]
pub struct Flag;

/// What a flag can read. The hop keeps the impls of `JobArg` out of rustc's messages.
#[diagnostic::on_unimplemented(
    message = "a job cannot take a `{T}` as an argument",
    label = "cannot be read from a flag",
    note = "it can take numbers, `char`, `bool`, `String`, `PathBuf`, `Duration`, `Secret`, an `Option` or a `Vec` of these, and enums with `#[derive(fanfold::JobArg)]`"
)]
pub trait Reads<T> {
    /// The row of an argument, but for its name, documentation and default.
    const ARG: ArgDef;
}

#[diagnostic::do_not_recommend]
impl<T: JobArg> Reads<T> for Flag {
    const ARG: ArgDef = ArgDef {
        name: "",
        doc: "",
        info: TypeInfo { name: std::any::type_name::<T>, encode: None, decode: None },
        default: None,
        form: T::FORM,
        choices: T::CHOICES,
        from_texts: |texts| T::from_texts(texts).map(|value| -> AnyValue { Arc::new(value) }),
        from_json: |json| T::from_json(json).map(|value| -> AnyValue { Arc::new(value) }),
        to_json: |value| value.downcast_ref::<T>().map_or(serde_json::Value::Null, T::to_json),
        show: |value| value.downcast_ref::<T>().map_or_else(String::new, T::show),
    };
}

/// The value of a default.
pub fn default<T: Any + Send + Sync>(value: T) -> AnyValue {
    Arc::new(value)
}

/// The next of a job's results.
pub fn next(values: &mut dyn Iterator<Item = AnyValue>) -> AnyValue {
    values.next().expect("a run that succeeded has every result")
}

/// A job's result on its way to the caller.
#[derive(Debug)]
pub struct JobResult<T>(PhantomData<T>);

impl<T> JobResult<T> {
    /// The receiver on which the way to own it is resolved.
    #[allow(clippy::new_without_default, reason = "only expanded code makes it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// A result that can be recorded.
pub trait ResultRecorded<T> {
    /// The result itself.
    fn own(&self, value: AnyValue) -> T;
}

impl<T: Value> ResultRecorded<T> for &JobResult<T> {
    fn own(&self, value: AnyValue) -> T {
        own_or_decode(downcast(value))
    }
}

/// Any other: its op is `transient`, or does not compile.
pub trait ResultAny<T> {
    /// The result itself.
    ///
    /// # Panics
    /// Someone else holds it.
    fn own(&self, value: AnyValue) -> T
    where
        T: Any + Send + Sync;
}

impl<T> ResultAny<T> for JobResult<T> {
    fn own(&self, value: AnyValue) -> T
    where
        T: Any + Send + Sync,
    {
        Arc::try_unwrap(downcast(value))
            .unwrap_or_else(|_| panic!("a transient result is still held by the run"))
    }
}

/// What a hook gave: nothing, or a future that gives nothing.
#[derive(Debug)]
pub struct Hooked<F>(pub F);

/// A hook that is no `async fn`.
pub trait HookedSync {
    /// It has ended already.
    fn ended(self) -> std::future::Ready<()>;
}

impl HookedSync for Hooked<()> {
    fn ended(self) -> std::future::Ready<()> {
        std::future::ready(())
    }
}

/// A hook that is an `async fn`.
pub trait HookedAsync {
    /// Its end.
    fn ended(self) -> impl Future<Output = ()> + Send;
}

impl<F: Future<Output = ()> + Send> HookedAsync for Hooked<F> {
    fn ended(self) -> impl Future<Output = ()> + Send {
        self.0
    }
}
