//! One of two versions of a program: a type has changed between them.

use std::process::ExitCode;

use fanfold::prelude::*;

fn main() -> ExitCode {
    fanfold::main()
}

#[op]
fn number() -> u32 {
    7
}

#[op]
fn twice(_number: &u32) -> Result<u64, OpError> {
    Err(OpError::new("not in this version"))
}

/// Another type altogether.
#[job]
fn types() -> Out<u64> {
    twice(number())
}
