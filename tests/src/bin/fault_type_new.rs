//! One of two versions of a program: a type has changed between them.

use std::process::ExitCode;

use fanfold::prelude::*;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    fanfold::main()
}

mod shapes {
    use super::{Deserialize, Serialize};

    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(crate) struct Square {
        pub(crate) width: u64,
        pub(crate) height: u64,
    }

    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(crate) enum Colour {
        Red,
    }
}

#[op]
fn square() -> shapes::Square {
    shapes::Square { width: 3, height: 3 }
}

#[op(dynamic_out(by_index))]
fn colours() -> Vec<shapes::Colour> {
    vec![shapes::Colour::Red]
}

#[op]
fn number() -> i64 {
    7
}

#[op]
fn area(square: &shapes::Square) -> Result<u64, OpError> {
    Ok(square.width * square.height)
}

#[op]
fn paint(colour: &shapes::Colour) -> Result<u64, OpError> {
    let shapes::Colour::Red = colour;
    Ok(1)
}

#[op]
fn twice(number: &i64) -> Result<u64, OpError> {
    u64::try_from(number * 2).map_err(|error| OpError::new(error.to_string()))
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
