//! What is known of a type in expanded code.

use std::any::type_name;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::value::{AnyValue, TypeInfo, Value};

/// What can be done with values of `T`, told without an error where it is nothing: the error for a
/// type without serde stands in the op's own function, once.
#[derive(Debug)]
pub struct Info<T>(PhantomData<T>);

impl<T: Value> Info<T> {
    /// The functions for a type that can be recorded.
    pub const INFO: TypeInfo = TypeInfo::of::<T>();
}

/// A type that cannot be recorded.
pub trait InfoAny {
    /// Its name.
    const INFO: TypeInfo;
}

impl<T> InfoAny for Info<T> {
    const INFO: TypeInfo = TypeInfo { name: type_name::<T>, encode: None, decode: None };
}

/// How the type is taken off a constant; as `Info`, without an error of its own.
#[derive(Debug)]
pub struct Erase<T>(PhantomData<T>);

impl<T: Send + Sync + 'static> Erase<T> {
    /// The value without its type.
    pub const ERASE: fn(T) -> AnyValue = |value| Arc::new(value);
}

/// A type that no op can take.
pub trait EraseAny<T> {
    /// Never called: the op that takes a `T` does not compile.
    const ERASE: fn(T) -> AnyValue;
}

impl<T> EraseAny<T> for Erase<T> {
    const ERASE: fn(T) -> AnyValue = |_| unreachable!("an op that takes this type does not compile");
}

/// What a type is, whatever it is called.
#[derive(Debug)]
pub struct Kind<T>(PhantomData<T>);

impl<T> Kind<Option<T>> {
    /// It is an `Option`.
    pub const OPTIONAL: bool = true;
}

impl<T, E> Kind<Result<T, E>> {
    /// It is a `Result`.
    pub const RESULT: bool = true;
}

/// Any other type.
pub trait KindAny {
    /// It is no `Option`.
    const OPTIONAL: bool = false;
    /// It is no `Result`.
    const RESULT: bool = false;
}

impl<T> KindAny for Kind<T> {}
