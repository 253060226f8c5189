#![deny(warnings)]

use fanfold::prelude::*;

#[op]
fn double(n: i64) -> i64 { n * 2 }

#[op]
fn nothing() {}

#[op]
async fn later(n: i64) -> i64 { n }

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> Vec<i64> { (0..n).collect() }

#[graph]
fn doubled(n: Out<i64>) -> Out<i64> { double(n) }

#[job]
fn all(n: Out<i64>) -> (Out<i64>, Done) { (later(doubled(n)), emit(n).map(|_| nothing())) }

fn main() {
    fanfold::check_all_jobs().unwrap();
}
