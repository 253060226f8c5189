use fanfold::prelude::*;

use std::rc::Rc;

struct Db {
    _handle: Rc<str>,
}

#[resource]
fn db() -> Db {
    Db { _handle: "db".into() }
}

fn main() {}
