use fanfold::prelude::*;

#[derive(JobArg)]
enum Mode {
    Quick,
    Slow(u32),
}

fn main() {}
