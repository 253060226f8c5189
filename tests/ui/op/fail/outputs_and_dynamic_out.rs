use fanfold::prelude::*;

#[op(outputs, dynamic_out)]
fn emit() -> Vec<DynamicOutput<String>> {
    Vec::new()
}

fn main() {}
