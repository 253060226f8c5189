use fanfold::prelude::*;

#[op(dynamic_out(by_index, key = |text| text.len()))]
fn emit() -> Vec<String> {
    Vec::new()
}

fn main() {}
