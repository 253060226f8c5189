use fanfold::prelude::*;

#[op]
fn shout(text: &mut String) {
    text.make_ascii_uppercase();
}

fn main() {}
