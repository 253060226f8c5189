//! One of two versions of a program: a type has changed between them.

use std::process::ExitCode;

use fanfold::prelude::*;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    fanfold::main()
}

mod shapes {
    use super::{Deserialize, Serialize};

    /// Has other fields in the next version.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(crate) struct Square {
        pub(crate) side: u64,
    }

    /// Loses a variant in the next version.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(crate) enum Colour {
        Red,
        Ultraviolet,
    }
}

#[op]
fn square() -> shapes::Square {
    shapes::Square { side: 3 }
}

#[op(dynamic_out(by_index))]
fn colours() -> Vec<shapes::Colour> {
    vec![shapes::Colour::Red, shapes::Colour::Ultraviolet]
}

#[op]
fn number() -> u32 {
    7
}

fn fail<T>() -> Result<T, OpError> {
    Err(OpError::new("not in this version"))
}

#[op]
fn area(_square: &shapes::Square) -> Result<u64, OpError> {
    fail()
}

#[op]
fn paint(_colour: &shapes::Colour) -> Result<u64, OpError> {
    fail()
}

#[op]
fn twice(_number: &u32) -> Result<u64, OpError> {
    fail()
}

/// A struct whose fields change.
#[job]
fn fields() -> Out<u64> {
    area(square())
}

/// An enum that loses a variant.
#[job]
fn variants() -> Out<Vec<u64>> {
    colours().map(paint).collect()
}

/// Another type altogether.
#[job]
fn types() -> Out<u64> {
    twice(number())
}
