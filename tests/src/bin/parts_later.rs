//! The job of `parts` as it was changed later: an op renamed, one gone, and another type.

use std::process::ExitCode;

use fanfold::prelude::*;

fn main() -> ExitCode {
    fanfold::main()
}

#[op(dynamic_out)]
fn list(n: u64) -> Vec<DynamicOutput<u64>> {
    (0..n).map(|part| DynamicOutput::new(format!("p{part}"), part)).collect()
}

#[op]
fn weigh(part: u64) -> u64 {
    part * 10
}

#[op]
fn settle(size: u64) -> u64 {
    size
}

#[op]
fn total(sizes: Vec<u64>) -> i64 {
    sizes.iter().map(|size| i64::try_from(*size).unwrap_or(i64::MAX)).sum()
}

/// Weighs parts, and adds up their weights.
#[job(max_concurrent = 1)]
fn parts(#[arg(default = 3)] n: Out<u64>) -> Out<i64> {
    total(list(n).map(|part| settle(weigh(part))).collect())
}
