use fanfold::prelude::*;

use std::rc::Rc;

#[op(dynamic_out)]
fn emit() -> impl Iterator<Item = DynamicOutput<usize>> {
    let shared = Rc::new(3);
    (0..3).map(move |n| DynamicOutput::new(n, *shared))
}

fn main() {}
