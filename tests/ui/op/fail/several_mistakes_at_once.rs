use fanfold::prelude::*;

#[op(timeout = "soon", prioritty = 3)]
fn shout(text: &mut String, count: impl Copy) -> &str {
    text
}

#[job]
fn shouting(text: Out<String>) {
    let _ = shout(text, 3);
    let _ = shout("x", 4).map(|loud| shout(loud, 5));
}

fn main() {}
