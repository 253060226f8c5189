use fanfold::prelude::*;

#[op]
fn first<'a>(text: &'a str, _other: &'a str) -> String {
    text[..1].to_string()
}

fn main() {
    assert_eq!(first::call("abc", "x"), "a");
}
