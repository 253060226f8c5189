//! From an erased input to what an op's parameter is.

use std::any::{Any, type_name};
use std::marker::PhantomData;
use std::sync::Arc;

use super::downcast;
use crate::value::{AnyValue, Gathered, Value};

/// An input that is being taken; `T` is the type that the op reads.
#[derive(Debug)]
pub struct Take<T>(PhantomData<fn() -> T>);

/// How a value gets its type.
type Typed<T> = fn(AnyValue) -> Arc<T>;

/// How a shared value is owned.
type Own<T> = fn(Arc<T>) -> T;

impl<T> Take<T> {
    /// The receiver on which the way to take is resolved.
    #[allow(clippy::new_without_default, reason = "only expanded code makes it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The erased input of one parameter.
type Slot<'step> = &'step mut Option<AnyValue>;

/// The value of a parameter that is no `Option`.
fn present(slot: Slot<'_>) -> AnyValue {
    slot.take().expect("a step starts only when every input that cannot be skipped is there")
}

/// How a value that others can read too is made once more.
type Duplicate<T> = fn(&T) -> T;

fn by_clone<T: Clone>(value: &T) -> T {
    value.clone()
}

/// # Panics
/// The type does not survive the round trip, which is checked when a value is recorded.
fn by_codec<T: Value>(value: &T) -> T {
    let read_back = serde_json::to_vec(value).and_then(|text| serde_json::from_slice(&text));
    read_back
        .unwrap_or_else(|error| panic!("a `{}` cannot be read back from its JSON: {error}", type_name::<T>()))
}

/// The value itself if nobody else can read it, else what is read back from its JSON.
pub fn own_or_decode<T: Value>(value: Arc<T>) -> T {
    own(value, by_codec)
}

fn own<T>(value: Arc<T>, duplicate: Duplicate<T>) -> T {
    Arc::try_unwrap(value).unwrap_or_else(|shared| duplicate(&shared))
}

fn leaf<T: Any + Send + Sync>(value: AnyValue, duplicate: Duplicate<T>) -> T {
    own(downcast(value), duplicate)
}

/// A list, as it was gathered or as an op gave it.
fn list<T: Any + Send + Sync>(value: AnyValue, duplicate: Duplicate<T>) -> Vec<T> {
    list_with(value, |element| leaf(element, duplicate), duplicate)
}

/// A list whose elements may be gathered lists themselves.
fn deep_list<T: Any + Send + Sync>(value: AnyValue, duplicate: Duplicate<T>) -> Vec<Vec<T>> {
    list_with(value, |element| list(element, duplicate), move |inner| inner.iter().map(duplicate).collect())
}

fn list_with<T: Any + Send + Sync>(
    value: AnyValue,
    element: impl Fn(AnyValue) -> T,
    duplicate: impl Fn(&T) -> T,
) -> Vec<T> {
    match value.downcast::<Gathered>() {
        Ok(gathered) => Arc::unwrap_or_clone(gathered).0.into_iter().map(element).collect(),
        Err(list) => Arc::try_unwrap(downcast::<Vec<T>>(list))
            .unwrap_or_else(|shared| shared.iter().map(duplicate).collect()),
    }
}

/// A list whose elements stay shared.
fn shares<T: Any + Send + Sync>(value: AnyValue, duplicate: Duplicate<T>) -> Vec<Arc<T>> {
    match value.downcast::<Gathered>() {
        Ok(gathered) => Arc::unwrap_or_clone(gathered).0.into_iter().map(downcast).collect(),
        Err(other) => list(other, duplicate).into_iter().map(Arc::new).collect(),
    }
}

/// What a parameter that may be skipped reads: the value of the output, or an `Option` of it that an
/// op gave or that was written in the job.
fn optional<T: Any + Send + Sync>(
    slot: Slot<'_>,
    some: impl FnOnce(AnyValue) -> T,
    duplicate: impl Fn(&T) -> T,
) -> Option<T> {
    match slot.take()?.downcast::<Option<T>>() {
        Ok(option) => {
            Arc::try_unwrap(option).unwrap_or_else(|shared| shared.as_ref().as_ref().map(duplicate))
        }
        Err(value) => Some(some(value)),
    }
}

/// A list that was not gathered, or that is shared without a copy as it is.
fn shared_list<T: Any + Send + Sync>(value: AnyValue, make: impl FnOnce(AnyValue) -> Vec<T>) -> Arc<Vec<T>> {
    value.downcast::<Vec<T>>().unwrap_or_else(|gathered| Arc::new(make(gathered)))
}

/// Any other type: the last rung. Every rung is given `typed` and `own` by expanded code, which is
/// where the errors arise, once for each parameter; only this one calls them.
pub trait TakeAny<T> {
    /// For a by-value parameter.
    fn owned(&self, slot: Slot<'_>, typed: Typed<T>, own: Own<T>) -> T;

    /// For `&T` and `Arc<T>`.
    fn shared(&self, slot: Slot<'_>, typed: Typed<T>) -> Arc<T>;
}

impl<T> TakeAny<T> for Take<T> {
    fn owned(&self, slot: Slot<'_>, typed: Typed<T>, own: Own<T>) -> T {
        own(typed(present(slot)))
    }

    fn shared(&self, slot: Slot<'_>, typed: Typed<T>) -> Arc<T> {
        typed(present(slot))
    }
}

/// `Vec<Arc<T>>` and `Option<Arc<T>>` of what cannot be taken: the error has arisen elsewhere.
pub trait TakePartsAny<T, Parts> {
    /// The parts, if they could be taken.
    fn parts(&self, slot: Slot<'_>, typed: Typed<T>) -> Parts;
}

impl<T> TakePartsAny<Vec<T>, Vec<Arc<T>>> for Take<Vec<T>> {
    fn parts(&self, _: Slot<'_>, _: Typed<Vec<T>>) -> Vec<Arc<T>> {
        unreachable!("a list that can be taken is taken on a higher rung")
    }
}

impl<T> TakePartsAny<Option<T>, Option<Arc<T>>> for Take<Option<T>> {
    fn parts(&self, _: Slot<'_>, _: Typed<Option<T>>) -> Option<Arc<T>> {
        unreachable!("an option that can be taken is taken on a higher rung")
    }
}

/// One rung: what is read of lists and options whose parts can be made once more in one way.
macro_rules! rung {
    ($rung:ident, $deep:ident, $($bound:ident)+, $duplicate:ident, [$($refs:tt)*], [$($deep_refs:tt)*] $(, $owned:ident)?) => {
        /// Lists and options.
        pub trait $rung<Whole, Parts> {
            $(
                /// For a by-value parameter.
                fn $owned(&self, slot: Slot<'_>, typed: Typed<Whole>, own: Own<Whole>) -> Whole;
            )?

            /// For `&T` and `Arc<T>`.
            fn shared(&self, slot: Slot<'_>, typed: Typed<Whole>) -> Arc<Whole>;

            /// For `Vec<Arc<T>>` and `Option<Arc<T>>`.
            fn parts(&self, slot: Slot<'_>, typed: Typed<Whole>) -> Parts;
        }

        impl<T> $rung<Vec<T>, Vec<Arc<T>>> for $($refs)* Take<Vec<T>>
        where
            T: Any + Send + Sync $(+ $bound)+,
        {
            $(fn $owned(&self, slot: Slot<'_>, _: Typed<Vec<T>>, _: Own<Vec<T>>) -> Vec<T> {
                list(present(slot), $duplicate)
            })?

            fn shared(&self, slot: Slot<'_>, _: Typed<Vec<T>>) -> Arc<Vec<T>> {
                shared_list(present(slot), |gathered| list(gathered, $duplicate))
            }

            fn parts(&self, slot: Slot<'_>, _: Typed<Vec<T>>) -> Vec<Arc<T>> {
                shares(present(slot), $duplicate)
            }
        }

        impl<T> $rung<Option<T>, Option<Arc<T>>> for $($refs)* Take<Option<T>>
        where
            T: Any + Send + Sync $(+ $bound)+,
        {
            $(fn $owned(&self, slot: Slot<'_>, _: Typed<Option<T>>, _: Own<Option<T>>) -> Option<T> {
                optional(slot, |value| leaf(value, $duplicate), $duplicate)
            })?

            fn shared(&self, slot: Slot<'_>, _: Typed<Option<T>>) -> Arc<Option<T>> {
                Arc::new(optional(slot, |value| leaf(value, $duplicate), $duplicate))
            }

            fn parts(&self, slot: Slot<'_>, _: Typed<Option<T>>) -> Option<Arc<T>> {
                match slot.take()?.downcast::<T>() {
                    Ok(value) => Some(value),
                    Err(option) => leaf(option, |option: &Option<T>| option.as_ref().map($duplicate)).map(Arc::new),
                }
            }
        }

        /// Lists in lists and in options.
        pub trait $deep<Whole> {
            $(
                /// For a by-value parameter.
                fn $owned(&self, slot: Slot<'_>, typed: Typed<Whole>, own: Own<Whole>) -> Whole;
            )?

            /// For `&T` and `Arc<T>`.
            fn shared(&self, slot: Slot<'_>, typed: Typed<Whole>) -> Arc<Whole>;
        }

        impl<T> $deep<Vec<Vec<T>>> for $($deep_refs)* Take<Vec<Vec<T>>>
        where
            T: Any + Send + Sync $(+ $bound)+,
        {
            $(fn $owned(&self, slot: Slot<'_>, _: Typed<Vec<Vec<T>>>, _: Own<Vec<Vec<T>>>) -> Vec<Vec<T>> {
                deep_list(present(slot), $duplicate)
            })?

            fn shared(&self, slot: Slot<'_>, _: Typed<Vec<Vec<T>>>) -> Arc<Vec<Vec<T>>> {
                shared_list(present(slot), |gathered| deep_list(gathered, $duplicate))
            }
        }

        impl<T> $deep<Option<Vec<T>>> for $($deep_refs)* Take<Option<Vec<T>>>
        where
            T: Any + Send + Sync $(+ $bound)+,
        {
            $(fn $owned(&self, slot: Slot<'_>, _: Typed<Option<Vec<T>>>, _: Own<Option<Vec<T>>>) -> Option<Vec<T>> {
                optional(slot, |value| list(value, $duplicate), |list| list.iter().map($duplicate).collect())
            })?

            fn shared(&self, slot: Slot<'_>, _: Typed<Option<Vec<T>>>) -> Arc<Option<Vec<T>>> {
                let duplicate = |list: &Vec<T>| list.iter().map($duplicate).collect();
                Arc::new(optional(slot, |value| list(value, $duplicate), duplicate))
            }
        }
    };
}

rung!(TakeCloned, TakeDeepCloned, Clone, by_clone, [&&], [&&&&], owned);
rung!(TakeDecoded, TakeDeepDecoded, Value, by_codec, [&], [&&&]);
