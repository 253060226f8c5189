//! Which step code runs as: in every kind of op, on every thread that it comes to.

mod common;

use std::pin::Pin;
use std::task::{Context, Poll};

use common::{Seen, run};
use fanfold::prelude::*;
use futures_core::Stream;

/// The step that the caller is part of, and its attempt.
fn here() -> String {
    let step = OpContext::current();
    step.map_or("none".to_owned(), |step| format!("{} {}", step.step_name(), step.attempt()))
}

static SEEN: Seen = Seen::new();

fn saw(what: &str) {
    SEEN.push(format_args!("{what}: {}", here()));
}

#[op(dynamic_out(by_index))]
fn iterated(n: i64) -> impl Iterator<Item = i64> {
    (0..n).inspect(|i| saw(&format!("iterator {i}")))
}

/// Yields once between two items.
struct Streamed(i64, bool);

impl Stream for Streamed {
    type Item = i64;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<i64>> {
        self.1 = !self.1;
        if self.1 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.0 += 1;
        saw(&format!("stream {}", self.0));
        Poll::Ready((self.0 < 2).then_some(self.0))
    }
}

#[op(dynamic_out(by_index))]
fn streamed() -> impl Stream<Item = i64> {
    Streamed(-1, false)
}

#[op(retry(max = 1))]
fn sync(ctx: &OpContext, x: i64) -> Result<i64, OpError> {
    assert_eq!(OpContext::current().map(|step| step.idempotency_key()), Some(ctx.idempotency_key()));
    saw("sync");
    if ctx.attempt() == 1 { Err(OpError::new("again")) } else { Ok(x) }
}

#[op(timeout = "1h")]
fn told_alone(x: i64) -> i64 {
    saw("with a deadline");
    x
}

#[op]
async fn asynchronous(ctx: &OpContext, x: i64) -> i64 {
    saw("async");
    tokio::task::yield_now().await;
    saw("after a wait");
    let lost = tokio::spawn(async { saw("in a task") });
    let kept = tokio::spawn(ctx.scope(async {
        tokio::task::yield_now().await;
        saw("in a scope");
    }));
    lost.await.and(kept.await).unwrap();
    std::thread::scope(|threads| {
        threads.spawn(|| saw("in a thread"));
        threads.spawn(|| ctx.run(|| saw("run in a thread")));
    });
    x
}

#[op]
fn add(a: i64, b: i64) -> i64 {
    saw("fold");
    a + b
}

#[op]
async fn add_later(a: i64, b: i64) -> i64 {
    tokio::task::yield_now().await;
    saw("async fold");
    a + b
}

#[tokio::test]
async fn every_kind_of_op_runs_as_its_own_step() {
    #[job]
    fn job() -> (Out<i64>, Out<i64>) {
        let items = iterated(1).map(sync).map(told_alone).map(asynchronous);
        (items.fold(0, add), streamed().fold(0, add_later))
    }
    run(job::job().args(())).await;
    let mut seen = SEEN.list();
    seen.sort();
    assert_eq!(
        seen,
        [
            "after a wait: asynchronous[0] 1",
            "async fold: add_later 1",
            "async fold: add_later 1",
            "async: asynchronous[0] 1",
            "fold: add 1",
            "in a scope: asynchronous[0] 1",
            "in a task: none",
            "in a thread: none",
            "iterator 0: iterated 1",
            "run in a thread: asynchronous[0] 1",
            "stream 0: streamed 1",
            "stream 1: streamed 1",
            "stream 2: streamed 1",
            "sync: sync[0] 1",
            "sync: sync[0] 2",
            "with a deadline: told_alone[0] 1",
        ]
    );
    assert_eq!(here(), "none");
}
