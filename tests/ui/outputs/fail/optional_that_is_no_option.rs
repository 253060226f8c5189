use fanfold::prelude::*;

#[derive(Outputs)]
struct Split {
    #[output(optional)]
    count: i64,
}

fn main() {}
