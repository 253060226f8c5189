use fanfold::prelude::*;

#[op(pool)]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
