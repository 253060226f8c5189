use fanfold::prelude::*;

struct Db;

#[resource(scope = "run")]
fn db() -> Db {
    Db
}

fn main() {}
