use fanfold::prelude::*;

#[op(wibble)]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
