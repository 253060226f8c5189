use fanfold::prelude::*;

#[op(dynamic_out)]
fn emit() -> Box<dyn Iterator<Item = DynamicOutput<String>>> {
    Box::new(std::iter::empty())
}

fn main() {}
