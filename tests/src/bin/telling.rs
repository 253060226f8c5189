//! Jobs that tell much of themselves: logs, progress, metadata, and a secret that must stay one.

use std::process::ExitCode;

use fanfold::Metadata;
use fanfold::prelude::*;

fn main() -> ExitCode {
    fanfold::main()
}

/// A session that holds a secret itself.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Session {
    token: Secret<String>,
}

/// Opens a session: what it gives is as secret as what it takes.
#[op(transient)]
fn log_in(ctx: &OpContext, password: &Secret<String>, pin: &Option<Secret<u32>>) -> Session {
    tracing::info!(?password, ?pin, "logging in");
    ctx.metadata("given", format!("{password:?}"));
    Session { token: Secret::new(format!("token of {}", password.expose())) }
}

#[op(dynamic_out(by_index))]
fn accounts(session: &Session) -> impl Iterator<Item = u64> {
    tracing::info!(?session, "listing accounts");
    let count = session.token.expose().len() as u64;
    0..count.min(5)
}

#[op(retry(max = 1))]
fn balance(ctx: &OpContext, account: u64, password: &Secret<String>) -> Result<u64, OpError> {
    tracing::warn!(account, "reading with {password:?}");
    match account {
        4 => {
            Err(OpError::new(format!("account 4 does not open with {password:?}, attempt {}", ctx.attempt())))
        }
        account => Ok(account * 10),
    }
}

#[op]
fn sum(balances: Keyed<Result<u64, StepFailure>>) -> u64 {
    balances.iter().filter_map(|(_, balance)| balance.as_ref().ok()).sum()
}

/// Reads balances with a password that nobody may see: neither in the store nor in any output.
#[job]
fn secret(
    /// What opens the accounts
    password: Out<Secret<String>>,
    /// What opens them faster
    pin: Out<Option<Secret<u32>>>,
) -> Out<u64> {
    let session = log_in(password, pin);
    sum(accounts(session).map(|account| balance(account, password)).collect_results())
}

#[op(dynamic_out(by_index))]
fn lines(n: u64) -> impl Iterator<Item = u64> {
    tracing::info!(n, "begins");
    (0..n).inspect(|line| tracing::debug!(line, "yields"))
}

#[op]
fn say(ctx: &OpContext, line: u64) -> u64 {
    ctx.progress(line, 10);
    ctx.metadata("link", Metadata::url("javascript:alert(1)"));
    ctx.output_metadata("result", "<script>", "\u{1b}[2J");
    tracing::info!(line, "\u{1b}]0;owned\u{7} <script>alert(1)</script>");
    std::thread::scope(|threads| {
        threads.spawn(|| ctx.run(|| tracing::info!("from a thread")));
    });
    line
}

#[op]
async fn say_later(ctx: &OpContext, line: u64) -> u64 {
    let task = tokio::spawn(ctx.scope(async { tracing::info!("from a task") }));
    let _ = task.await;
    tracing::info!("after it");
    line
}

#[op]
fn count(a: u64, b: u64) -> u64 {
    tracing::info!(b, "folds");
    a + b
}

/// Logs in every kind of op.
#[job]
fn chatty(#[arg(default = 1)] n: Out<u64>) -> Out<u64> {
    lines(n).map(say).map(say_later).fold(0, count)
}

#[op]
fn shout(lines: u64, bytes: u64) -> u64 {
    let text = "x".repeat(usize::try_from(bytes).unwrap_or(usize::MAX));
    for line in 0..lines {
        tracing::info!(line, "{text}");
    }
    lines
}

/// Logs more than anybody can read.
#[job]
fn flood(#[arg(default = 1_000_000)] lines: Out<u64>, #[arg(default = 10)] bytes: Out<u64>) -> Out<u64> {
    shout(lines, bytes)
}
