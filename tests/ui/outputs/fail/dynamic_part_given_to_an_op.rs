use fanfold::prelude::*;

#[derive(Outputs)]
struct Split {
    values: Dynamic<i64>,
    count: i64,
}

#[op(outputs)]
fn split(n: i64) -> Split {
    Split { values: Vec::new(), count: n }
}

#[op]
fn double(n: i64) -> i64 {
    n * 2
}

#[job]
fn splitting(n: Out<i64>) -> Out<i64> {
    double(split(n).values)
}

fn main() {}
