use fanfold::prelude::*;

#[op]
struct Shout;

fn main() {}
