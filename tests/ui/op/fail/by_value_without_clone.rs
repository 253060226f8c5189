use fanfold::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Report {
    lines: usize,
}

#[op]
fn store(report: Report) -> usize {
    report.lines
}

fn main() {}
