use fanfold::prelude::*;

use std::sync::Arc;

#[derive(serde::Serialize, serde::Deserialize)]
struct Report {
    lines: usize,
}

#[op]
fn report(lines: usize) -> Report {
    Report { lines }
}

#[op]
fn store(report: &Report, same: Arc<Report>, list: &[Report], parts: Vec<Arc<Report>>) -> usize {
    report.lines + same.lines + list.len() + parts.len()
}

#[op(dynamic_out(by_index))]
fn reports() -> Vec<Report> {
    Vec::new()
}

#[job]
fn reporting() -> Out<usize> {
    let one = report(1);
    store(one, one, reports().collect(), [one, one])
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
