use fanfold::prelude::*;

struct Split {
    _count: i64,
}

#[op(outputs)]
fn split(n: i64) -> Split {
    Split { _count: n }
}

fn main() {}
