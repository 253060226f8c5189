use fanfold::prelude::*;

struct Report {
    lines: usize,
}

#[op]
fn store(report: &Report) -> usize {
    report.lines
}

fn main() {}
