use fanfold::prelude::*;

#[op(dynamic_out)]
fn emit() {}

fn main() {}
