use fanfold::prelude::*;

#[op]
fn shout<T: ToString>(text: T) -> String {
    text.to_string()
}

fn main() {}
