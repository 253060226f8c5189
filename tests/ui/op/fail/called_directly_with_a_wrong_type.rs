use fanfold::prelude::*;

#[op]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn test() -> String {
    shout::call(3)
}

fn main() {}
