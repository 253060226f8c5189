use fanfold::prelude::*;

struct Report;

#[derive(Outputs)]
struct Split {
    report: Report,
    count: i64,
}

fn main() {}
