use fanfold::prelude::*;

struct Db;

#[op]
fn store(#[resource] db: Db, text: String) -> usize {
    let _ = db;
    text.len()
}

fn main() {}
