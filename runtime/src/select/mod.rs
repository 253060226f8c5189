//! Which steps of a run are run again: the language of `rerun RUN --select EXPR` (§5.3).
//!
//! [`Expr`] is an expression that was read.

mod error;
mod expr;
mod parse;
#[cfg(test)]
mod tests;

pub use error::{Mistake, SelectError};
pub use expr::{Expr, Reach, StateName, Target, Term};
