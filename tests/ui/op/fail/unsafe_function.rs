use fanfold::prelude::*;

#[op]
unsafe fn shout(text: String) -> String {
    text
}

fn main() {}
