use fanfold::prelude::*;

#[op]
fn shout(text: String) -> impl ToString {
    text
}

fn main() {}
