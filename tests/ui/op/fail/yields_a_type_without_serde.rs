use fanfold::prelude::*;

struct Report {
    _lines: usize,
}

#[op(dynamic_out)]
fn reports() -> Vec<DynamicOutput<Report>> {
    vec![DynamicOutput::new(1, Report { _lines: 1 })]
}

fn main() {}
