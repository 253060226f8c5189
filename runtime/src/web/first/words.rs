//! What the first pages say in words: states, counts, times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use crate::cli::when::shown;
use crate::report::words;
use crate::web::api::types::{RunStanding, StepCounts};
use crate::web::html::Html;

/// How a run stands, and the class of what stands so.
pub(super) fn standing(state: RunStanding) -> (&'static str, &'static str) {
    match state {
        RunStanding::Running => ("running", "state state-running"),
        RunStanding::Interrupted => ("interrupted", "state state-interrupted"),
        RunStanding::Succeeded => ("succeeded", "state state-succeeded"),
        RunStanding::Failed => ("failed", "state state-failed"),
        RunStanding::Cancelled => ("cancelled", "state state-cancelled"),
    }
}

/// `4 succeeded, 2 running`.
pub(super) fn steps(counts: &StepCounts) -> String {
    let counts = [
        (counts.succeeded, "succeeded"),
        (counts.failed, "failed"),
        (counts.upstream_failed, "upstream failed"),
        (counts.skipped, "skipped"),
        (counts.cancelled, "cancelled"),
        (counts.running, "running"),
        (counts.waiting, "waiting"),
    ];
    let counts = counts.into_iter().filter(|(steps, _)| *steps > 0);
    counts.map(|(steps, state)| format!("{} {state}", words::count(steps))).collect::<Vec<_>>().join(", ")
}

/// A duration of so many seconds.
pub(super) fn seconds(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map(words::duration).unwrap_or_default()
}

/// A duration, if there is one.
pub(super) fn maybe(time: Option<f64>) -> String {
    time.map(seconds).unwrap_or_default()
}

/// A number of things.
pub(super) fn count(number: u64) -> String {
    words::count(number)
}

/// Adds a time of day, in the zone of this machine.
pub(super) fn time(html: &mut Html, since_1970: f64) {
    let since = Duration::try_from_secs_f64(since_1970).unwrap_or_default();
    let time = UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH);
    let exact = shown(time, &TimeZone::UTC).replace(' ', "T") + "Z";
    html.with("time", &[("datetime", &exact)], |html| {
        html.text(&shown(time, &TimeZone::system()));
    });
}
