use fanfold::prelude::*;

struct Db {
    _url: String,
}

#[resource]
fn db(url: String) -> Db {
    Db { _url: url }
}

fn main() {}
