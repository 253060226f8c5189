use fanfold::prelude::*;

#[op]
fn shout(text: String) -> String {
    text.to_upercase()
}

fn main() {}
