use fanfold::prelude::*;

#[op(dynamic_out(by_index))]
fn emit() -> Vec<DynamicOutput<String>> {
    Vec::new()
}

fn main() {}
