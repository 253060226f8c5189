use fanfold::prelude::*;

#[derive(Clone)]
struct Report {
    lines: usize,
}

#[op]
fn store(report: Report) -> usize {
    report.lines
}

fn main() {}
