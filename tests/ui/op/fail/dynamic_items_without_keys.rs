use fanfold::prelude::*;

#[op(dynamic_out)]
fn emit() -> Vec<String> {
    Vec::new()
}

fn main() {}
