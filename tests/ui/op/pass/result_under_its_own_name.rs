use fanfold::prelude::*;

use std::io;

#[op]
fn shout(text: String) -> io::Result<String> {
    Ok(text.to_uppercase())
}

#[op]
fn check(text: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    text.parse::<i64>()?;
    Ok(())
}

#[job]
fn shouting(text: Out<String>) -> (Out<String>, Done) {
    (shout(text), check(text))
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
