//! The handles: `Out`, `DynamicOut`, `Done`, and the stand-in for what did not compile.

use std::marker::PhantomData;

use crate::graph::build::{self, Raw};
use crate::value::TypeInfo;

/// One value that an op will give, in the job that is being built.
///
/// It is passed to other ops, returned from the job, or left alone. It is `Copy`: a value can be
/// read any number of times.
#[must_use = "a step's value that nothing reads is computed for nothing: pass it to an op or return it, \
              or write `let _ =` if the step is wanted for what it does"]
pub struct Out<T> {
    pub(crate) raw: Raw,
    of: PhantomData<fn() -> T>,
}

/// Many keyed values that an op will give; how many is known only when it runs.
///
/// [`map`](DynamicOut::map) says what to do with each, [`collect`](DynamicOut::collect) and its
/// relatives make one value of all. It cannot be given to an op as it is.
#[must_use = "the items of a dynamic output that is neither mapped nor collected are made for nothing: \
              call `map` or `collect` on it, or write `let _ =` if the step is wanted for what it does"]
pub struct DynamicOut<T> {
    pub(crate) raw: Raw,
    of: PhantomData<fn() -> T>,
}

/// The end of an op that gives no value, or of all its copies: something to be
/// [`after`](Done::after).
#[derive(Debug, Clone, Copy)]
pub struct Done {
    pub(crate) raw: Raw,
}

/// What a call gives whose error is already told: it fits everywhere, so that one mistake is one
/// error.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Wrong(());

/// Nothing implements it for any type, and rustc must not know.
pub trait Impossible {}

/// A type that is never [`Impossible`], though rustc cannot see it before `T` is known.
pub struct Never<T>(PhantomData<T>);

/// Takes `Unpin` away from `DynamicOut`: it is the mark by which `Single` tells it from all other
/// types, inside arrays and lists too, without an impl for each of those.
impl<T> Unpin for DynamicOut<T> where Never<T>: Impossible {}

macro_rules! handle_of_type {
    ($handle:ident) => {
        impl<T> $handle<T> {
            pub(crate) fn new(raw: Raw) -> Self {
                Self { raw, of: PhantomData }
            }
        }

        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $handle<T> {}

        impl<T> std::fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}<{}>", stringify!($handle), std::any::type_name::<T>())
            }
        }
    };
}

handle_of_type!(Out);
handle_of_type!(DynamicOut);

impl Wrong {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// One handle or several: what [`after`](Out::after) takes, and what a job returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handle",
    label = "not an output of an op",
    note = "a handle is what calling an op gives; several are written as a tuple, an array or a `Vec`"
)]
pub trait Handles {
    /// The handles without their types, in order.
    #[doc(hidden)]
    fn raws(&self) -> Vec<Raw>;
}

/// What the handles of a call are made into.
#[doc(hidden)]
pub trait FromRaws {
    /// The handle for all outputs of a call, in order.
    fn from_raws(raws: Vec<Raw>) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T> Handles for Out<T> {
    fn raws(&self) -> Vec<Raw> {
        vec![self.raw]
    }
}

#[diagnostic::do_not_recommend]
impl<T> Handles for DynamicOut<T> {
    fn raws(&self) -> Vec<Raw> {
        vec![self.raw]
    }
}

#[diagnostic::do_not_recommend]
impl Handles for Done {
    fn raws(&self) -> Vec<Raw> {
        vec![self.raw]
    }
}

#[diagnostic::do_not_recommend]
impl Handles for Wrong {
    fn raws(&self) -> Vec<Raw> {
        vec![build::wrong()]
    }
}

#[diagnostic::do_not_recommend]
impl<H: Handles> Handles for Vec<H> {
    fn raws(&self) -> Vec<Raw> {
        self.iter().flat_map(Handles::raws).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<H: Handles, const N: usize> Handles for [H; N] {
    fn raws(&self) -> Vec<Raw> {
        self.iter().flat_map(Handles::raws).collect()
    }
}

impl<T> FromRaws for Out<T> {
    fn from_raws(raws: Vec<Raw>) -> Self {
        Self::new(first(raws))
    }
}

impl<T> FromRaws for DynamicOut<T> {
    fn from_raws(raws: Vec<Raw>) -> Self {
        Self::new(first(raws))
    }
}

impl FromRaws for Done {
    fn from_raws(raws: Vec<Raw>) -> Self {
        Self { raw: first(raws) }
    }
}

fn first(raws: Vec<Raw>) -> Raw {
    raws.into_iter().next().expect("the builder gives a handle for every output")
}

/// What is known of a type by its name only.
pub(crate) fn named<T>() -> TypeInfo {
    TypeInfo { name: std::any::type_name::<T>, encode: None, decode: None }
}
