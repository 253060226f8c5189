use fanfold::prelude::*;

#[derive(Outputs)]
enum Split {
    Value(i64),
}

fn main() {}
