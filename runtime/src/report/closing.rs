//! What is said when a run is over: a table of its ops, its errors, its slowest steps, its state.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{CellAlignment, ColumnConstraint, Table};

use super::layout::{Layout, Place};
use super::lines::states;
use super::paint::Paint;
use crate::event::{RunState, StepState};
use crate::graph::NodeId;
use crate::report::words::{count, counted, duration};
use crate::shape::Shape;
use crate::summary::{NodeSummary, Summary};
use crate::text::safe;

/// How many ops the table has; of a job with more, those that matter most.
const MAX_ROWS: usize = 40;

/// How many kinds of errors are listed.
const MAX_ERRORS: usize = 10;

/// How wide an op's name may be in the table.
const MAX_NAME: usize = 48;

/// How much of an error is shown.
const MAX_ERROR: usize = 160;

/// The summary of a run that is over.
pub(crate) fn closing(
    summary: &Summary,
    shape: &Shape,
    state: RunState,
    elapsed: Duration,
    paint: Paint,
) -> String {
    format!("{}{}", body(summary, shape, paint), state_line(summary, shape, state, elapsed, paint))
}

/// What happened so far, but for how the run stands: the table, the errors, the slowest steps, the times.
pub(crate) fn body(summary: &Summary, shape: &Shape, paint: Paint) -> String {
    let mut text = String::new();
    if summary.known_total(shape) > 1 {
        text.push_str(&table(summary, shape, paint));
    }
    text.push_str(&errors(summary, shape, paint));
    text.push_str(&slowest(summary, shape));
    text.push_str(&times(summary, shape));
    text
}

/// `   Failed letters 7k2m in 2m 17s: 99 785 succeeded, 215 failed, 1 upstream failed`.
pub(crate) fn state_line(
    summary: &Summary,
    shape: &Shape,
    state: RunState,
    elapsed: Duration,
    paint: Paint,
) -> String {
    let word = match state {
        RunState::Succeeded => paint.good(" Succeeded"),
        RunState::Failed => paint.bad("    Failed"),
        RunState::Cancelled => paint.warn(" Cancelled"),
    };
    let job = paint.strong(&safe(&shape.job));
    let id = summary.run_id().unwrap_or_default();
    let mut line = format!("{word} {job} {id} in {}: {}", duration(elapsed), states(summary, shape));
    if let Some(reason) = summary.cancelling() {
        let _ = write!(line, " ({})", safe(reason));
    }
    line
}

/// One row for each op, in the order of the shape, indented by fan-out.
fn table(summary: &Summary, shape: &Shape, paint: Paint) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let titles = ["   op", "succeeded", "failed", "not run", "retries", "total", "p50", "p95", "max"];
    table.set_header(titles);
    let layout = Layout::of(shape);
    let rows = layout.places();
    let shown = shown(summary, rows);
    for place in &shown {
        table.add_row(row(summary, shape, *place));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_constraint(ColumnConstraint::ContentWidth);
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    // Colours come last: the table would count them as characters.
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let failed = index
            .checked_sub(1)
            .and_then(|row| shown.get(row))
            .is_some_and(|op| summary.count(op.node, StepState::Failed) > 0);
        let line = match index {
            0 => paint.dim(line),
            _ if failed => paint.bad(line),
            _ => line.to_owned(),
        };
        let _ = writeln!(text, "{line}");
    }
    if shown.len() < rows.len() {
        let more = (rows.len() - shown.len()) as u64;
        let _ = writeln!(text, "   … and {}", counted(more, "more op", "more ops"));
    }
    text
}

/// The ops that the table shows: those with failures first, then those that took longest.
fn shown(summary: &Summary, ops: &[Place]) -> Vec<Place> {
    let mut shown: Vec<_> = ops.iter().copied().enumerate().collect();
    if shown.len() > MAX_ROWS {
        shown.sort_by_key(|(_, op)| {
            let failed = summary.count(op.node, StepState::Failed) > 0;
            std::cmp::Reverse((failed, summary.node(op.node).durations().total()))
        });
        shown.truncate(MAX_ROWS);
        shown.sort_by_key(|(place, _)| *place);
    }
    shown.into_iter().map(|(_, op)| op).collect()
}

fn row(summary: &Summary, shape: &Shape, Place { node, depth, .. }: Place) -> Vec<String> {
    let counts: &NodeSummary = summary.node(node);
    let number = |number: u64| if number == 0 { "-".to_owned() } else { count(number) };
    let failed = summary.count(node, StepState::Failed);
    let not_run: u64 = [StepState::UpstreamFailed, StepState::Skipped, StepState::Cancelled]
        .into_iter()
        .map(|state| summary.count(node, state))
        .sum();
    let durations = counts.durations();
    let quantile = |q| durations.quantile(q).map_or_else(|| "-".to_owned(), duration);
    let many = durations.count() > 1;
    let time = |text: String| if many { text } else { "-".to_owned() };
    let name = safe(&shape.node(node).name).into_owned();
    let name = console::truncate_str(&name, MAX_NAME, "…");
    vec![
        format!("   {}{name}", "  ".repeat(depth)),
        number(summary.count(node, StepState::Succeeded)),
        number(failed),
        number(not_run),
        number(counts.retries()),
        if durations.max().is_zero() { "-".to_owned() } else { duration(durations.total()) },
        time(quantile(0.5)),
        time(quantile(0.95)),
        time(duration(durations.max())),
    ]
}

fn errors(summary: &Summary, shape: &Shape, paint: Paint) -> String {
    let mut groups: Vec<_> = summary.errors().iter().collect();
    let mut text = String::new();
    if groups.is_empty() {
        return text;
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    let _ = writeln!(text, "\n   {}", paint.bad("errors"));
    for group in groups.iter().take(MAX_ERRORS) {
        let names: Vec<_> = group.examples.iter().map(|step| step.name(shape).to_string()).collect();
        let more = group.count - names.len() as u64;
        let more = if more > 0 { format!(", … {} more", count(more)) } else { String::new() };
        let error = if group.count == 1 { group.first_error.to_string() } else { group.pattern.clone() };
        let error = error.lines().next().unwrap_or_default();
        let error = console::truncate_str(error, MAX_ERROR, "…").into_owned();
        let _ = writeln!(text, "   {:>6} × {}", count(group.count), safe(&error));
        let _ = writeln!(text, "            {}{more}", safe(&names.join(", ")));
    }
    let others =
        groups.iter().skip(MAX_ERRORS).map(|group| group.count).sum::<u64>() + summary.ungrouped_errors();
    if others > 0 {
        let _ = writeln!(text, "            … and {} of other kinds", counted(others, "failure", "failures"));
    }
    text
}

/// The slowest steps, where there are enough to choose from.
fn slowest(summary: &Summary, shape: &Shape) -> String {
    let slowest = summary.slowest();
    if slowest.is_empty() || summary.ended(shape) <= slowest.len() as u64 {
        return String::new();
    }
    let steps: Vec<_> = slowest
        .iter()
        .map(|slow| {
            let name = slow.step.name(shape).to_string();
            format!("{} {}", safe(&console::truncate_str(&name, MAX_NAME, "…")), duration(slow.took))
        })
        .collect();
    format!("\n   slowest: {}\n", steps.join(" · "))
}

/// Where the time went.
fn times(summary: &Summary, shape: &Shape) -> String {
    let nodes = (0..).map(NodeId).take(shape.nodes.len());
    let (mut working, mut waiting, mut left_behind) = (Duration::ZERO, Duration::ZERO, 0);
    for node in nodes.map(|node| summary.node(node)) {
        working += node.durations().total();
        waiting += node.retry_wait();
        left_behind += node.left_behind();
    }
    let mut text = String::new();
    if !waiting.is_zero() {
        let _ =
            writeln!(text, "   time: {} working, {} waiting to retry", duration(working), duration(waiting));
    }
    if left_behind > 0 {
        let threads = counted(left_behind, "thread", "threads");
        let _ = writeln!(text, "   {threads} did not return by the deadline, left behind");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{self, failed, millis, step};
    use expect_test::expect;

    #[test]
    fn a_failed_run_says_what_failed() {
        let (shape, events) = fixture::failing_letters();
        let mut summary = Summary::new(&shape);
        summary.apply(&shape, &events);
        expect![[r#"
            --
               op               succeeded  failed  not run  retries   total     p50     p95     max
               load_pieces              1       -        -        -  600 ms       -       -       -
                 clean                  3       -        -        -   15 ms    5 ms    5 ms    5 ms
                 compute_piece          2       1        -        1  2.21 s  474 ms  870 ms  870 ms
               merge                    -       -        1        -       -       -       -       -

               errors
                    1 × api time out after 500 ms
                        compute_piece[b]

               slowest: compute_piece[c] 870 ms · load_pieces 600 ms · compute_piece[b] 500 ms · compute_piece[a] 370 ms · clean[a] 5 ms
               time: 2.83 s working, 2.00 s waiting to retry
                Failed letters 7k2m in 3.00 s: 6 succeeded, 1 failed, 1 upstream failed"#]].assert_eq(&fixture::framed(&closing(
            &summary,
            &shape,
            RunState::Failed,
            millis(3_001),
            Paint::PLAIN,
        )));
    }

    #[test]
    fn errors_of_one_kind_are_one_entry() {
        let shape = fixture::shape();
        let mut summary = Summary::new(&shape);
        for index in 0..1_200u32 {
            let key = format!("k{index}");
            let step = step(&shape, "compute_piece", Some((&key, index)));
            summary.apply(&shape, &[failed(step, 10, 1, &format!("no reply for {key}\nin {index} ms"))]);
        }
        expect![[r#"
            --

               errors
                1 200 × no reply for …
                        compute_piece[k0], compute_piece[k1], compute_piece[k2], … 1 197 more
        "#]]
        .assert_eq(&fixture::framed(&errors(&summary, &shape, Paint::PLAIN)));
    }
}
