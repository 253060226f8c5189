use fanfold::prelude::*;

#[derive(Outputs)]
struct Split(i64, i64);

fn main() {}
