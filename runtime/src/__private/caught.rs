//! The errors that ops return: any type that says what went wrong.

use std::error::Error;
use std::fmt::{Debug, Display};

use crate::error::OpError;

/// An op's error, on which the way to read it is resolved: `(&&&Caught(&error)).op_error()`.
#[derive(Debug)]
pub struct Caught<'error, E>(pub &'error E);

/// What an op may return as its error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an op",
    label = "not `Display + Debug`",
    note = "derive `Debug` and write `impl std::error::Error for {Self}`, or return `fanfold::OpError`"
)]
pub trait Failure {
    /// Its text. Every rung is given it by expanded code, which is where the error arises; only the
    /// last calls it.
    fn shown(&self) -> OpError;
}

#[diagnostic::do_not_recommend]
impl<E: Display + Debug> Failure for E {
    fn shown(&self) -> OpError {
        OpError::new(self)
    }
}

/// The first rung: the op made an `OpError` itself.
pub trait CaughtOp<E> {
    /// As it is.
    fn op_error(&self, shown: fn(&E) -> OpError) -> OpError;
}

impl CaughtOp<OpError> for &&&Caught<'_, OpError> {
    fn op_error(&self, _: fn(&OpError) -> OpError) -> OpError {
        self.0.clone()
    }
}

/// The second: an error with a chain of sources.
pub trait CaughtError<E> {
    /// With everything that caused it.
    fn op_error(&self, shown: fn(&E) -> OpError) -> OpError;
}

impl<E: Error + 'static> CaughtError<E> for &&Caught<'_, E> {
    fn op_error(&self, _: fn(&E) -> OpError) -> OpError {
        OpError::from_error(self.0)
    }
}

/// The third: `Box<dyn Error + Send + Sync>` and `anyhow::Error`, which are not errors but hold one.
pub trait CaughtBoxed<E> {
    /// With everything that caused it.
    fn op_error(&self, shown: fn(&E) -> OpError) -> OpError;
}

impl<E: AsRef<dyn Error + Send + Sync>> CaughtBoxed<E> for &Caught<'_, E> {
    fn op_error(&self, _: fn(&E) -> OpError) -> OpError {
        OpError::from_error(self.0.as_ref())
    }
}

/// The last: whatever can be shown.
pub trait CaughtAny<E> {
    /// Its text.
    fn op_error(&self, shown: fn(&E) -> OpError) -> OpError;
}

impl<E> CaughtAny<E> for Caught<'_, E> {
    fn op_error(&self, shown: fn(&E) -> OpError) -> OpError {
        shown(self.0)
    }
}
