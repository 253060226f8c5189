use fanfold::prelude::*;

#[derive(Outputs)]
struct Split<T> {
    value: T,
}

fn main() {}
