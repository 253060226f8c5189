use fanfold::prelude::*;

use std::rc::Rc;

#[op]
fn store(text: Rc<str>) -> usize {
    text.len()
}

fn main() {}
