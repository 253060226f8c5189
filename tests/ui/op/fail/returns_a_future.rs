use fanfold::prelude::*;

#[op]
fn shout(text: String) -> impl Future<Output = String> {
    async move { text.to_uppercase() }
}

fn main() {}
