use fanfold::prelude::*;

use std::time::Instant;

#[op(transient)]
fn start() -> Instant {
    Instant::now()
}

#[op]
fn elapsed(#[transient] start: Instant) -> u64 {
    start.elapsed().as_secs()
}

#[job]
fn timing() -> Out<u64> {
    elapsed(start())
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
