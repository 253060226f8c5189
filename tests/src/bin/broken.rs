//! A binary with one good job, and one whose graph cannot be built.

use fanfold::prelude::*;

fn main() -> std::process::ExitCode {
    fanfold::main()
}

#[op]
fn one() -> u64 {
    1
}

#[op]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

/// Nothing is wrong with it.
#[job]
fn good() -> Out<u64> {
    one()
}

/// Gives one name twice, and an option too late.
#[job]
fn wrong() -> Out<u64> {
    let a = one().named("same");
    let b = one().named("same");
    let sum = add(a, b);
    let _ = a.priority(3);
    sum
}

/// Does not get as far as a graph.
#[job]
fn panicking() -> Out<u64> {
    panic!("no graph today")
}
