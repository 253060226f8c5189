//! A job as a value of the program: typed arguments in, typed results out.

use std::fmt;

use crate::define::JobDef;
use crate::graph::{BuildErrors, Graph, build};
use crate::value::AnyValue;

/// A job, as `letters::job()` gives it.
///
/// `A` is a tuple of its arguments, `R` what it gives: a value, a tuple of values, or `()`.
pub struct Job<A, R> {
    def: &'static JobDef,
    erase: fn(A) -> Vec<AnyValue>,
    read: fn(Vec<AnyValue>) -> R,
}

impl<A, R> Job<A, R> {
    /// The job of a row; expanded code calls it.
    #[doc(hidden)]
    pub const fn new(
        def: &'static JobDef,
        erase: fn(A) -> Vec<AnyValue>,
        read: fn(Vec<AnyValue>) -> R,
    ) -> Self {
        Self { def, erase, read }
    }

    /// What the macro registered of it.
    pub fn def(&self) -> &'static JobDef {
        self.def
    }

    pub(crate) fn erased(&self, args: A) -> Vec<AnyValue> {
        (self.erase)(args)
    }

    pub(crate) fn reader(&self) -> fn(Vec<AnyValue>) -> R {
        self.read
    }

    /// Its graph: the body is run once, symbolically.
    ///
    /// # Errors
    /// All that is wrong with the body.
    pub fn graph(&self) -> Result<Graph, BuildErrors> {
        build::build(self.def)
    }
}

impl<A, R> Clone for Job<A, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, R> Copy for Job<A, R> {}

impl<A, R> fmt::Debug for Job<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.def.name).finish()
    }
}
