//! A job that fails, crashes and tells as its environment says: what is recorded of it is read back.
//!
//! `PARTS` says what the step of part `p1` does: `fail`, `crash` or `wait`; without it, it succeeds.

use std::error::Error;
use std::process::ExitCode;
use std::{fmt, io};

use fanfold::Metadata;
use fanfold::prelude::*;

fn main() -> ExitCode {
    fanfold::main()
}

/// The disk said no.
#[derive(Debug)]
struct Unreadable(io::Error);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("part p1 cannot be read")
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

// All parts are there before the first is measured: what has ended when a step waits is always the same.
#[op(dynamic_out, streaming = false)]
fn list(n: u64) -> Vec<DynamicOutput<u64>> {
    (0..n).map(|part| DynamicOutput::new(format!("p{part}"), part)).collect()
}

#[op(retry(max = 1, delay = "1ms"))]
fn measure(ctx: &OpContext, part: u64) -> Result<u64, OpError> {
    tracing::info!(part, "measuring");
    ctx.progress(part + 1, 4);
    ctx.metadata("unit", "mm");
    ctx.metadata("sizes", Metadata::table(["side", "size"], [["left", "10"], ["right", "2"]]));
    match (part, std::env::var("PARTS").as_deref()) {
        (1, Ok("fail")) => {
            tracing::warn!("it does not answer");
            Err(OpError::from_error(&Unreadable(io::Error::other("the disk is on fire"))))
        }
        (1, Ok("crash")) => std::process::abort(),
        _ => Ok(part * 10),
    }
}

#[op]
async fn settle(ctx: &OpContext, size: u64) -> u64 {
    if std::env::var("PARTS").as_deref() == Ok("wait") {
        ctx.cancelled().await;
    }
    size
}

#[op]
fn total(sizes: Vec<u64>) -> u64 {
    sizes.iter().sum()
}

#[op]
fn report(total: u64) -> String {
    format!("{total} mm")
}

/// Measures parts, and adds up their sizes.
#[job(max_concurrent = 1)]
fn parts(#[arg(default = 3)] n: Out<u64>) -> Out<String> {
    report(total(list(n).map(|part| settle(measure(part))).collect()))
}

/// Measures one part.
#[job]
fn single() -> Out<u64> {
    total(list(1).map(measure).collect())
}
