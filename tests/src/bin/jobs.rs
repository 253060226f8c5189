//! Jobs for the tests of the binary's face: small, quick, and some of them hostile.

use std::process::ExitCode;
use std::time::Duration;

use fanfold::prelude::*;

fn main() -> ExitCode {
    fanfold::main()
}

/// One piece per letter.
#[op(dynamic_out)]
fn load(from: char, to: char) -> impl Iterator<Item = DynamicOutput<String>> {
    (from..=to).map(|letter| DynamicOutput::new(letter, letter.to_string()))
}

#[op]
fn upper(piece: String) -> String {
    piece.to_uppercase()
}

#[op]
fn concat(pieces: Vec<String>) -> String {
    pieces.concat()
}

/// Upper-cases a range of letters.
///
/// The second paragraph stands in the long help alone.
#[job]
fn letters(#[arg(default = 'a')] from: Out<char>, #[arg(default = 'c')] to: Out<char>) -> Out<String> {
    concat(load(from, to).map(upper).collect())
}

/// How loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, JobArg)]
enum Volume {
    /// Not at all.
    Quiet,
    /// Very.
    Loud,
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Told {
    zebra: u8,
    words: Vec<String>,
    token: bool,
    empty: Vec<u8>,
}

#[op]
fn tell(
    small: u8,
    long: bool,
    volume: Volume,
    words: Vec<String>,
    pause: Option<Duration>,
    token: Secret<String>,
) -> Told {
    let words = words.into_iter().map(|word| format!("{word}-{volume:?}-{long}-{pause:?}")).collect();
    Told { zebra: small, words, token: !token.expose().is_empty(), empty: Vec::new() }
}

/// Takes an argument of every form.
#[job]
fn forms(
    /// A small number
    small: Out<u8>,
    /// Whether to go on
    long_one: Out<bool>,
    #[arg(default = Volume::Quiet)] volume: Out<Volume>,
    words: Out<Vec<String>>,
    pause: Out<Option<Duration>>,
    /// What opens the door
    token: Out<Secret<String>>,
) -> Out<Told> {
    tell(small, long_one, volume, words, pause, token)
}

#[op(dynamic_out)]
fn count(n: u64) -> impl Iterator<Item = DynamicOutput<u64>> {
    (0..n).map(|i| DynamicOutput::new(i, i))
}

#[op(retry(max = 1))]
fn odd_fails(i: u64) -> Result<u64, OpError> {
    if i % 2 == 1 { Err(OpError::new(format!("item {i} is odd"))) } else { Ok(i) }
}

#[op]
fn sum(all: Vec<u64>) -> u64 {
    all.iter().sum()
}

/// Fails for every second item.
#[job]
fn failing(#[arg(default = 5)] n: Out<u64>) -> Out<u64> {
    sum(count(n).map(odd_fails).collect())
}

#[op(pool = "api", tags(team = "red"))]
fn double(i: u64) -> u64 {
    i * 2
}

/// Doubles many numbers, in a pool.
#[job(max_concurrent = 2, pools(api = 1))]
fn many(#[arg(default = 1000)] n: Out<u64>) -> Out<u64> {
    sum(count(n).map(double).collect())
}

#[op]
async fn wait_for_ever(ctx: &OpContext) -> u64 {
    ctx.cancelled().await;
    1
}

#[op]
fn ignore_everybody() -> u64 {
    loop {
        std::thread::park();
    }
}

/// Ends only when it is asked to.
#[job]
fn waiting() -> Out<u64> {
    wait_for_ever()
}

/// Ends not even then.
#[job]
fn deaf() -> Out<u64> {
    ignore_everybody()
}

#[op(dynamic_out)]
fn hostile_keys() -> Vec<DynamicOutput<String>> {
    ["a\u{202e}b", "[0][1]", "<script>", "';--", "..", "é"]
        .map(|key| DynamicOutput::new(key, key.to_owned()))
        .into()
}

#[op]
fn refuse(key: String) -> Result<(), OpError> {
    Err(OpError::new(format!("\u{1b}[2J{key}\r\nsecond line\u{7}")))
}

/// Keys and errors that would like to own the terminal.
#[job]
fn hostile() -> Done {
    hostile_keys().map(refuse)
}

#[op(dynamic_out)]
fn inner(n: u64) -> impl Iterator<Item = DynamicOutput<u64>> {
    (0..n).map(|i| DynamicOutput::new(i, i))
}

#[op]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[op]
fn share(item: u64, all: Vec<u64>) -> u64 {
    item + all.len() as u64
}

#[op]
fn clean_up() {}

#[derive(Outputs)]
struct Split {
    low: Dynamic<u64>,
    high: Dynamic<u64>,
    size: u64,
}

#[op(outputs)]
fn split(n: u64) -> Split {
    let items = |from: u64| (0..n).map(|i| DynamicOutput::new(i, from + i)).collect::<Vec<_>>();
    Split { low: items(0), high: items(100), size: n }
}

/// Has a fan-out of every shape, and a name that would like to be markup.
#[job]
fn shapes(#[arg(default = 3)] n: Out<u64>) -> (Out<u64>, Done) {
    let outer = count(n);
    let nested = outer.map(|x| sum(inner(x).map(double).collect()).named("a \"b\" <c> --> d")).collect();
    let products = outer.map(|x| outer.map(move |y| add(x, y))).fold(0, add);
    let SplitOutputs { low, high, size } = split(n);
    let pairs = low.zip(high).map(|(x, y)| add(x, y));
    let held = low.map(|x| share(x, high.collect()));
    let total = sum([sum(nested), products, size, sum(pairs.collect()), sum(held.collect())]);
    (total, clean_up().after(total))
}

#[op]
fn panics(i: u64) -> u64 {
    panic!("no more than {i}")
}

#[op(optional)]
fn nothing(n: u64) -> Option<u64> {
    (n > 1_000).then_some(n)
}

#[op]
fn log(ctx: &OpContext, n: u64) -> u64 {
    ctx.attempt();
    n
}

/// Gives several values, one of them skipped.
#[job]
fn several(#[arg(default = 3)] n: Out<u64>) -> (Out<u64>, Out<u64>, Done) {
    (log(n), nothing(n), clean_up())
}

/// Panics in each step.
#[job]
fn panicking(#[arg(default = 2)] n: Out<u64>) -> Out<u64> {
    sum(count(n).map(panics).collect())
}

struct Door;

#[resource]
async fn door() -> Door {
    println!("building");
    std::future::pending().await
}

#[op]
fn open(#[resource] door: &Door) {
    let Door = door;
}

/// Takes a resource that is never built.
#[job]
fn stuck() -> Done {
    open()
}

#[op]
async fn never_yields(i: u64) -> u64 {
    let _ = i;
    loop {
        std::thread::park();
    }
}

/// Holds every thread of tokio's, and yields none.
#[job]
fn blocking() -> Out<Vec<u64>> {
    count(1000).map(never_yields).collect()
}

/// Doubles and adds any number of numbers, holding none.
#[job]
fn folding(#[arg(default = 1000)] n: Out<u64>) -> Out<u64> {
    count(n).map(double).fold(0, add)
}

#[op(dynamic_out)]
fn bad_key(kind: String) -> Vec<DynamicOutput<u64>> {
    let key = match &*kind {
        "empty" => String::new(),
        "long" => "x".repeat(300),
        "control" => "a\u{1b}[2J".to_owned(),
        _ => "good".to_owned(),
    };
    vec![DynamicOutput::new("good", 1), DynamicOutput::new(key, 2)]
}

/// Gives a key that no step can have.
#[job]
fn bad_keys(kind: Out<String>) -> Out<Vec<u64>> {
    bad_key(kind).map(double).collect()
}
