use fanfold::prelude::*;

#[op(dynamic_out(key = "id"))]
fn emit() -> Vec<String> {
    Vec::new()
}

fn main() {}
