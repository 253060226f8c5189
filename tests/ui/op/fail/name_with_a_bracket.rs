use fanfold::prelude::*;

#[op(name = "shout[1]")]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
