//! Every macro, in a crate that depends on fanfold alone and lets no warning pass.
#![deny(warnings, missing_docs, unreachable_pub, clippy::pedantic)]
#![forbid(unsafe_code)]

use std::process::ExitCode;

use fanfold::prelude::*;

/// One piece per letter.
#[op(dynamic_out)]
fn load_pieces(from: char, to: char) -> impl Iterator<Item = DynamicOutput<String>> {
    (from..=to).map(|letter| DynamicOutput::new(letter, letter.to_string()))
}

#[op(retry(max = 3, delay = "500ms", backoff = "exponential", jitter = "full"), timeout = "30s")]
fn compute_piece(piece: String) -> Result<String, std::io::Error> {
    if piece.is_empty() { Err(std::io::Error::other("an empty piece")) } else { Ok(piece.to_uppercase()) }
}

#[op]
async fn merge_and_analyze(ctx: &OpContext, pieces: Vec<String>) -> String {
    std::future::ready(ctx.attempt()).await;
    pieces.concat()
}

/// Upper-cases a range of letters, one step a letter.
#[job]
fn letters(#[arg(default = 'a')] from: Out<char>, #[arg(default = 'z')] to: Out<char>) -> Out<String> {
    let pieces = load_pieces(from, to);
    let results = pieces.map(compute_piece);
    merge_and_analyze(results.collect())
}

struct Greeting(&'static str);

#[resource]
fn greeting() -> Greeting {
    Greeting("hello")
}

/// A text taken apart.
#[derive(Outputs)]
pub struct Parts {
    words: Dynamic<String>,
    /// How many there are.
    count: usize,
}

#[op(outputs)]
fn parts(text: &str) -> Parts {
    let words: Vec<_> = text.split(' ').map(|word| DynamicOutput::new(word, word.to_owned())).collect();
    Parts { count: words.len(), words }
}

#[op(optional)]
fn long(word: &str) -> Option<String> {
    (word.len() > 1).then(|| word.to_owned())
}

#[op]
fn greet(#[resource] greeting: &Greeting, words: &[String], count: usize) -> String {
    format!("{} {} of {count}", greeting.0, words.join("+"))
}

#[graph]
fn long_words(words: DynamicOut<String>) -> Out<Vec<String>> {
    words.map(long).collect()
}

/// Greets the long words of a text.
#[job(max_concurrent = 2, pools(words = 3), order = "breadth_first")]
fn greetings(text: Out<String>) -> Out<String> {
    let (words, count) = parts(text).into();
    greet(long_words(words), count)
}

#[op]
fn tidy() {}

/// Takes nothing and gives nothing.
#[job]
fn tidying() {
    tidy();
}

fn main() -> ExitCode {
    fanfold::main()
}
