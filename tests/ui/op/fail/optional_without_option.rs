use fanfold::prelude::*;

#[op(optional)]
fn keep_odd(x: i64) -> i64 {
    x
}

fn main() {}
