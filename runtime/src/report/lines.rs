//! Single lines about a run: its beginning, what failed, what is tried again, what passed.

use std::time::Duration;

use super::paint::Paint;
use crate::error::OpError;
use crate::event::{Event, EventKind, StepRef, StepState};
use crate::report::words::{count, counted, duration, safe_lines};
use crate::shape::Shape;
use crate::summary::Summary;
use crate::text::safe;

/// Which ends of steps are told one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub(crate) enum StatusLevel {
    /// Failures: the first of each kind in full, then how many more.
    Fail,
    /// Also each attempt that failed and is followed by another.
    Retry,
    /// Also steps that took longer than a minute.
    Slow,
    /// Also each step that succeeded; each failure is then told, too.
    Pass,
    /// Also each step that did not run.
    All,
}

/// From here on a step is told as slow: longer than anybody waits without wondering.
const SLOW: Duration = Duration::from_secs(60);

/// How often failures of a kind that is known already are counted: a line every few seconds can
/// be read, ten thousand cannot.
pub(crate) const COUNT_EVERY: Duration = Duration::from_secs(5);

/// How many kinds of failures one count names.
const COUNTED_KINDS: usize = 3;

/// How many lines of one error are shown as it happens; the summary at the end has no more.
const ERROR_LINES: usize = 20;

/// How much of an argument's value is shown.
const MAX_ARG: usize = 60;

/// `   Running letters 7k2m  from=a to=z`.
pub(crate) fn header(summary: &Summary, shape: &Shape, paint: Paint) -> String {
    let id = summary.run_id().unwrap_or_default();
    let args = arg_texts(summary);
    let head = format!("{} {} {id}", paint.good("   Running"), paint.strong(&safe(&shape.job)));
    if args.is_empty() { head } else { format!("{head}  {}", args.join(" ")) }
}

/// `from=a`: each argument, cut if it is long.
pub(crate) fn arg_texts(summary: &Summary) -> Vec<String> {
    let args = summary.args().iter();
    args.map(|(name, value)| format!("{}={}", safe(name), console::truncate_str(&safe(value), MAX_ARG, "…")))
        .collect()
}

/// One step's line: `      FAIL [   0.51s] compute_piece[q]  attempt 3/3: api time out`.
fn step_line(word: &str, took: Duration, name: &str, rest: &str) -> String {
    format!("{word} [{:>7.2}s] {}{rest}", took.as_secs_f64(), safe(name))
}

/// `  attempt 3/3`, where more than one is allowed.
fn attempt_text(shape: &Shape, step: &StepRef, attempt: u32) -> String {
    match shape.node(step.node).retries {
        0 if attempt > 1 => format!("  attempt {attempt}"),
        0 => String::new(),
        retries => format!("  attempt {attempt}/{}", (retries + 1).max(attempt)),
    }
}

/// An error after a colon; the lines after its first are indented.
fn error_text(error: &OpError) -> String {
    let text = safe_lines(&error.to_string());
    let mut lines: Vec<_> = text.lines().take(ERROR_LINES).collect();
    if text.lines().count() > ERROR_LINES {
        lines.push("…");
    }
    format!(": {}", lines.join("\n           "))
}

/// The line of an event, if it is told at this level.
pub(crate) fn event(shape: &Shape, event: &Event, level: StatusLevel, paint: Paint) -> Option<String> {
    match &event.kind {
        EventKind::AttemptFailed { step, attempt, took, error, started, due }
            if level >= StatusLevel::Retry =>
        {
            let name = step.name(shape).to_string();
            let wait = duration(due.saturating_sub(*started + *took));
            let rest =
                format!("{}, again in {wait}{}", attempt_text(shape, step, *attempt), error_text(error));
            Some(step_line(&paint.warn("     RETRY"), *took, &name, &rest))
        }
        EventKind::StepSucceeded { step, took, attempt, .. } => {
            let slow = *took >= SLOW;
            let told = if slow { level >= StatusLevel::Slow } else { level >= StatusLevel::Pass };
            let word = if slow { paint.warn("      SLOW") } else { paint.good("      PASS") };
            let rest = if *attempt > 1 { attempt_text(shape, step, *attempt) } else { String::new() };
            told.then(|| step_line(&word, *took, &step.name(shape).to_string(), &rest))
        }
        EventKind::StepFailed { step, attempt, took, error, .. } if level >= StatusLevel::Pass => {
            Some(failure(shape, step, (*attempt, *took), error, paint))
        }
        EventKind::StepNotRun { step, state, cause } if level >= StatusLevel::All => {
            let cause = cause.as_ref().map(|cause| format!(": {}", cause.name(shape))).unwrap_or_default();
            let name = step.name(shape).to_string();
            let word = paint.dim("   NOT RUN");
            Some(format!("{word} {:<10} {}  {}{}", "", safe(&name), state.words(), safe(&cause)))
        }
        _ => None,
    }
}

/// What is told of failures: the first of each kind at once, the others counted now and then.
#[derive(Debug, Default)]
pub(crate) struct FailureLines {
    /// How many of each group have been told.
    told: Vec<u64>,
    ungrouped_told: u64,
    last_count: Duration,
}

impl FailureLines {
    /// The lines that are due at `elapsed`; all that is left if this is the `last` time.
    pub(crate) fn due(
        &mut self,
        summary: &Summary,
        shape: &Shape,
        elapsed: Duration,
        last: bool,
        paint: Paint,
    ) -> Vec<String> {
        let groups = summary.errors();
        let mut lines = Vec::new();
        // A resumed run begins to fail anew.
        self.told.truncate(groups.len());
        self.ungrouped_told = self.ungrouped_told.min(summary.ungrouped_errors());
        for group in &groups[self.told.len()..] {
            let first = (group.first_attempts, group.first_took);
            lines.push(failure(shape, &group.examples[0], first, &group.first_error, paint));
            self.told.push(1);
        }
        if last || elapsed >= self.last_count + COUNT_EVERY {
            let counted = self.count(summary, shape, paint);
            if !counted.is_empty() {
                self.last_count = elapsed;
            }
            lines.extend(counted);
        }
        lines
    }

    fn count(&mut self, summary: &Summary, shape: &Shape, paint: Paint) -> Vec<String> {
        let mut lines = Vec::new();
        let mut others = summary.ungrouped_errors() - self.ungrouped_told;
        self.ungrouped_told = summary.ungrouped_errors();
        for (group, told) in summary.errors().iter().zip(&mut self.told) {
            let more = group.count.saturating_sub(std::mem::replace(told, group.count));
            if more > 0 && lines.len() < COUNTED_KINDS {
                let first = group.examples[0].name(shape).to_string();
                lines.push(format!("           … {} more like {}", count(more), safe(&first)));
            } else {
                others += more;
            }
        }
        if others > 0 {
            lines.push(format!("           … {} more of other kinds", count(others)));
        }
        lines.iter().map(|line| paint.dim(line)).collect()
    }
}

/// A failure in full.
fn failure(
    shape: &Shape,
    step: &StepRef,
    (attempt, took): (u32, Duration),
    error: &OpError,
    paint: Paint,
) -> String {
    let rest = format!("{}{}", attempt_text(shape, step, attempt), error_text(error));
    step_line(&paint.bad("      FAIL"), took, &step.name(shape).to_string(), &rest)
}

/// Says that the run is being stopped, and for what it still waits.
pub(crate) fn cancelling(summary: &Summary, shape: &Shape, reason: &str, paint: Paint) -> String {
    let running = summary.total(shape, StepState::Running);
    let waits = if running == 0 {
        String::new()
    } else {
        format!(", waiting for {}", counted(running, "running step", "running steps"))
    };
    format!("{} {}{waits}", paint.warn("Cancelling"), safe(reason))
}

/// `99 785 succeeded, 215 failed`: how many steps of the run are in each state.
pub(crate) fn states(summary: &Summary, shape: &Shape) -> String {
    states_of(|state| summary.total(shape, state))
}

/// As [`states`], of whatever `number` counts.
pub(crate) fn states_of(number: impl Fn(StepState) -> u64) -> String {
    let states: Vec<_> = StepState::ALL
        .into_iter()
        .map(|state| (state, number(state)))
        .filter(|(_, steps)| *steps > 0)
        .map(|(state, steps)| format!("{} {}", count(steps), state.words()))
        .collect();
    if states.is_empty() { "no steps".to_owned() } else { states.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{self, failed, millis, step};
    use expect_test::expect;

    #[test]
    fn each_end_has_its_line_at_its_level() {
        let (shape, events) = fixture::failing_letters();
        let at = |level| -> String {
            let lines = events.iter().filter_map(|one| event(&shape, one, level, Paint::PLAIN));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(at(StatusLevel::Fail), "");
        expect![[r#"
            --
                  PASS [   0.01s] clean[a]
                  PASS [   0.01s] clean[b]
                  PASS [   0.01s] clean[c]
                  PASS [   0.37s] compute_piece[a]
                 RETRY [   0.47s] compute_piece[b]  attempt 1/3, again in 2.00 s: api time out after 470 ms
                  PASS [   0.60s] load_pieces
                  PASS [   0.87s] compute_piece[c]
                  FAIL [   0.50s] compute_piece[b]  attempt 3/3: api time out after 500 ms
               NOT RUN            merge  upstream failed: compute_piece[b]"#]]
        .assert_eq(&fixture::framed(&at(StatusLevel::All)));
    }

    #[test]
    fn ten_thousand_equal_failures_are_a_few_lines() {
        let shape = fixture::shape();
        let mut summary = Summary::new(&shape);
        let mut lines = FailureLines::default();
        let mut text = Vec::new();
        for index in 0..10_000u32 {
            let key = format!("k{index}");
            let step = step(&shape, "compute_piece", Some((&key, index)));
            let error = format!("no reply for {key}\nafter \u{1b}[31m{index} ms");
            summary.apply(&shape, &[failed(step, u64::from(index) + 1, 1, &error)]);
            text.extend(lines.due(&summary, &shape, millis(u64::from(index)), index == 9_999, Paint::PLAIN));
        }
        expect![[r#"
            --
                  FAIL [   0.00s] compute_piece[k0]  attempt 3/3: no reply for k0
                       after \u{1b}[31m0 ms
                       … 5 000 more like compute_piece[k0]
                       … 4 999 more like compute_piece[k0]"#]]
        .assert_eq(&fixture::framed(&text.join("\n")));
    }
}
