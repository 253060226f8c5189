//! One of two versions of a program: a type has changed between them.

use std::process::ExitCode;

use fanfold::prelude::*;

fn main() -> ExitCode {
    fanfold::main()
}

#[op]
fn number() -> i64 {
    7
}

#[op]
fn twice(number: &i64) -> Result<u64, OpError> {
    u64::try_from(number * 2).map_err(|error| OpError::new(error.to_string()))
}

/// Another type altogether.
#[job]
fn types() -> Out<u64> {
    twice(number())
}
