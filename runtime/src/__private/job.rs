//! Jobs: what their bodies return, their arguments, their hooks.

use std::future::Future;

use crate::graph::build::{self, Raw};
use crate::typing::{Done, Handles, Out, Wrong};
use crate::value::TypeInfo;

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
