use fanfold::prelude::*;

#[op]
fn emit() -> Vec<DynamicOutput<String>> {
    Vec::new()
}

fn main() {}
