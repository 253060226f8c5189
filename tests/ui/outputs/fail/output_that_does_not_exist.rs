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

#[job]
fn splitting(n: Out<i64>) -> Out<i64> {
    split(n).cuont
}

fn main() {}
