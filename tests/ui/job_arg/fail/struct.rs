use fanfold::prelude::*;

#[derive(JobArg)]
struct Mode {
    speed: u32,
}

fn main() {}
