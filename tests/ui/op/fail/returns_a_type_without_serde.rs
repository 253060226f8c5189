use fanfold::prelude::*;

#[derive(Clone)]
struct Report {
    lines: usize,
}

#[op]
fn report(lines: usize) -> Report {
    Report { lines }
}

#[op]
fn store(#[transient] report: Report) {
    let _ = report.lines;
}

#[job]
fn reports(lines: Out<usize>) -> Done {
    store(report(lines))
}

fn main() {}
