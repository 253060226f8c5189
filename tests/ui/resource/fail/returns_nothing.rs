use fanfold::prelude::*;

#[resource]
fn db() {}

fn main() {}
