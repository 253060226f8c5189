use fanfold::prelude::*;

#[op]
fn shout(#[arg(default = "a")] text: String) -> String {
    text
}

fn main() {}
