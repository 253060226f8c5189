use fanfold::prelude::*;

#[op(dynamic_out)]
fn emit() -> std::vec::IntoIter<DynamicOutput<String>> {
    Vec::new().into_iter()
}

fn main() {}
