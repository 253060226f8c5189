//! Jobs to look at on the page: of every size, with failures and nesting, slow ones, hostile ones.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fanfold::Metadata;
use fanfold::prelude::*;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    fanfold::main()
}

/// How a city's stations are read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JobArg)]
enum Depth {
    /// Only what is new.
    Shallow,
    /// Everything.
    Deep,
}

/// The cities of a country.
#[op(dynamic_out)]
fn cities(count: u64) -> impl Iterator<Item = DynamicOutput<u64>> {
    tracing::info!(count, "listing cities");
    (0..count).map(|city| DynamicOutput::new(format!("city-{city:02}"), city))
}

/// The stations of a city.
#[op(dynamic_out)]
fn stations(city: u64, each: u64) -> impl Iterator<Item = DynamicOutput<u64>> {
    (0..each).map(move |station| DynamicOutput::new(format!("s{station}"), city * 100 + station))
}

/// Reads a station: some of them do not answer, some only at the second attempt.
#[op(retry(max = 2, delay = "1ms"), pool = "api")]
fn read(ctx: &OpContext, station: u64) -> Result<f64, OpError> {
    tracing::debug!(station, attempt = ctx.attempt(), "asking");
    ctx.metadata("station", station as i64);
    match station % 17 {
        3 => Err(OpError::new(format!("station {station} did not answer within 30 s"))),
        5 if ctx.attempt() == 1 => Err(OpError::new(format!("station {station} was busy"))),
        11 => {
            tracing::warn!(station, "the reading is old");
            Ok(0.0)
        }
        _ => Ok(station as f64 / 3.0),
    }
}

/// Brings a reading to degrees.
#[op]
fn convert(reading: f64, depth: &Depth) -> f64 {
    if *depth == Depth::Deep { reading * 1.8 + 32.0 } else { reading }
}

/// The mean of a city, without what failed.
#[op]
fn mean(ctx: &OpContext, readings: Keyed<Result<f64, StepFailure>>) -> f64 {
    let good: Vec<_> = readings.iter().filter_map(|(_, reading)| reading.as_ref().ok()).collect();
    ctx.metadata("left out", (readings.iter().count() - good.len()) as i64);
    ctx.metadata("readings", Metadata::table(["good"], good.iter().map(|good| [good.to_string()])));
    good.iter().copied().sum::<f64>() / good.len().max(1) as f64
}

/// Writes a city down.
#[op]
fn write(mean: f64) -> Result<String, OpError> {
    if mean > 390.0 {
        return Err(OpError::permanent("the disk has no room for so warm a city"));
    }
    Ok(format!("{mean:.2} degrees"))
}

/// Binds the book.
#[op]
fn bind(pages: Vec<String>) -> usize {
    pages.len()
}

/// Reads every station of every city; some of it fails.
#[job]
fn mixed(
    /// How many cities
    #[arg(default = 12)]
    count: Out<u64>,
    /// How many stations each has
    #[arg(default = 8)]
    each: Out<u64>,
    /// How they are read
    #[arg(default = Depth::Deep)]
    depth: Out<Depth>,
) -> Out<usize> {
    let written = cities(count).map(|city| {
        let readings = stations(city, each).map(|station| convert(read(station), depth));
        write(mean(readings.collect_results()))
    });
    bind(written.collect())
}

#[op(dynamic_out(by_index))]
fn numbers(count: u64) -> impl Iterator<Item = u64> {
    0..count
}

#[op]
fn label(number: u64) -> String {
    format!("{number:020}")
}

#[op]
fn length(label: &str) -> u64 {
    label.len() as u64
}

#[op]
fn add(sum: u64, length: u64) -> u64 {
    sum + length
}

/// Two steps an item, of twenty bytes each: as many as are asked for.
#[job]
fn wide(
    /// How many items
    #[arg(default = 50_000)]
    count: Out<u64>,
) -> Out<u64> {
    numbers(count).map(|number| length(label(number))).fold(0, add)
}

/// The time of day, in milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Gives items at a steady rate.
#[op(dynamic_out(by_index))]
fn ticks(rate: u64, seconds: u64) -> impl futures_core::Stream<Item = u64> {
    steady::Steady::new(rate, rate * seconds)
}

/// Says when it ran.
#[op]
fn stamp(_tick: u64) -> u64 {
    now()
}

#[op]
fn latest(last: u64, stamp: u64) -> u64 {
    last.max(stamp)
}

/// Steps at a steady rate, each with the time of day at which it ran.
#[job]
fn ticking(
    /// Steps a second
    #[arg(default = 20_000)]
    rate: Out<u64>,
    /// For so long
    #[arg(default = 20)]
    seconds: Out<u64>,
) -> Out<u64> {
    ticks(rate, seconds).map(stamp).fold(0, latest)
}

/// Takes its time, and says how far it is.
#[op]
async fn slow(ctx: &OpContext, number: u64, millis: u64) -> u64 {
    for part in 0..10 {
        ctx.progress(part, 10);
        tracing::info!(part, "at work");
        tokio::time::sleep(Duration::from_millis(millis / 10)).await;
    }
    number
}

#[op]
fn sum(all: Vec<u64>) -> u64 {
    all.iter().sum()
}

/// A few steps that take long: to watch, to cancel, to kill and to resume.
#[job(max_concurrent = 4)]
fn lasting(
    /// How many
    #[arg(default = 40)]
    count: Out<u64>,
    /// How long each takes, in milliseconds
    #[arg(default = 1_000)]
    millis: Out<u64>,
) -> Out<u64> {
    sum(numbers(count).map(|number| slow(number, millis)).collect())
}

/// What must never become markup.
const MARKUP: &str =
    "<img src=x onerror=alert(1)><script>alert(2)</script>\"'`</textarea>--><svg/onload=alert(3)>";

/// Keys that look like markup, scripts and escapes.
#[op(dynamic_out)]
fn hostile_keys() -> Vec<DynamicOutput<String>> {
    let keys = [
        MARKUP,
        "</script><script>alert(4)</script>",
        "javascript:alert(5)",
        "\u{202e}gnp.exe\u{2066}",
        "../../../etc/passwd",
        "a/b?c=d&e=f#g%00%2e%2e",
        "' OR 1=1; DROP TABLE runs; --",
        "{{constructor.constructor('alert(6)')()}}",
    ];
    keys.iter().map(|key| DynamicOutput::new(*key, (*key).to_owned())).collect()
}

/// Says it all again: in a value, a log line, metadata and an error.
#[op]
fn hostile(ctx: &OpContext, text: &str) -> Result<String, OpError> {
    tracing::error!(field = text, "{text} \u{1b}[31mred\u{1b}]8;;http://evil.example\u{7}link");
    ctx.metadata("text", text);
    ctx.metadata(
        text,
        Metadata::markdown(format!("[{text}](javascript:alert(7)) <b>{text}</b> ![]({text})")),
    );
    ctx.metadata("address", Metadata::url("javascript:alert(8)"));
    ctx.metadata("data", Metadata::url("data:text/html,<script>alert(9)</script>"));
    ctx.metadata("table", Metadata::table([text], [[text]]));
    if text.starts_with("java") || text.starts_with('<') {
        return Err(OpError::permanent(format!("{text}\n{MARKUP}")));
    }
    Ok(text.to_owned())
}

/// Scripts in keys, values, logs, errors and metadata: all of it is text. <script>alert(10)</script>
#[job]
fn hostility(
    /// A text <script>alert(11)</script>
    #[arg(default = MARKUP.to_owned())]
    text: Out<String>,
) -> Out<usize> {
    let _ = hostile(text);
    counted(hostile_keys().map(|text| hostile(text)).collect_results())
}

#[op]
fn counted(all: Keyed<Result<String, StepFailure>>) -> usize {
    all.iter().count()
}

mod steady {
    //! Items at a steady rate.

    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use tokio::time::{Interval, MissedTickBehavior, interval};

    /// So often some are given at once: timers are no finer than a millisecond.
    const TICK: Duration = Duration::from_millis(5);

    pub(crate) struct Steady {
        timer: Interval,
        next: u64,
        until: u64,
        end: u64,
        a_tick: u64,
    }

    impl Steady {
        pub(crate) fn new(rate: u64, end: u64) -> Self {
            let mut timer = interval(TICK);
            timer.set_missed_tick_behavior(MissedTickBehavior::Burst);
            Self { timer, next: 0, until: 0, end, a_tick: (rate * TICK.as_millis() as u64 / 1_000).max(1) }
        }
    }

    impl futures_core::Stream for Steady {
        type Item = u64;

        fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<u64>> {
            while self.next == self.until {
                if self.next == self.end {
                    return Poll::Ready(None);
                }
                if self.timer.poll_tick(task).is_pending() {
                    return Poll::Pending;
                }
                self.until = (self.until + self.a_tick).min(self.end);
            }
            self.next += 1;
            Poll::Ready(Some(self.next - 1))
        }
    }
}
