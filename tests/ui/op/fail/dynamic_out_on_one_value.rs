use fanfold::prelude::*;

#[op(dynamic_out)]
fn emit() -> String {
    String::new()
}

fn main() {}
