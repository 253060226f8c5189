//! `show RUN --failures`: each kind of failure in full.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{View, header, pretty};
use crate::report::words::{count, counted, duration, safe_lines};
use crate::summary::ErrorGroup;
use crate::text::safe;

pub(super) fn text(view: &View<'_>) -> String {
    let mut groups: Vec<_> = view.summary.errors().iter().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    let mut text = header(view);
    if groups.is_empty() {
        text.push_str("   no step failed\n");
    }
    for group in groups {
        text.push_str(&one(view, group));
    }
    let others = view.summary.ungrouped_errors();
    if others > 0 {
        let _ = writeln!(text, "   … and {} of other kinds", counted(others, "failure", "failures"));
    }
    text
}

fn one(view: &View<'_>, group: &ErrorGroup) -> String {
    let (shape, paint) = (view.reader.shape(), view.paint);
    let op = &shape.node(group.node).name;
    let name = group.examples.first().map(|step| step.name(shape).to_string()).unwrap_or_default();
    let mut text = format!("   {} × {}\n", paint.bad(&count(group.count)), paint.strong(&safe(op)));
    let attempts = counted(u64::from(group.first_attempts), "attempt", "attempts");
    let first = format!("{}, after {attempts}, at {}", safe(&name), duration(group.first_at));
    let _ = writeln!(text, "     first  {first}");
    for line in safe_lines(group.first_error.message()).lines() {
        let _ = writeln!(text, "       {line}");
    }
    for cause in group.first_error.causes() {
        let _ = writeln!(text, "       caused by: {}", safe_lines(cause).replace('\n', "\n         "));
    }
    if group.count > 1 {
        let names =
            group.examples.iter().skip(1).map(|step| safe(&step.name(shape).to_string()).into_owned());
        let names: Vec<_> = names.collect();
        let _ = writeln!(text, "     like it  {}", names.join(", "));
        let _ = writeln!(text, "     last   at {}", duration(group.last_at));
    }
    let run = view.again.short(&view.reader.row().id);
    let all = view.again.command(&format!("show {run} --steps --state failed --op {op}"));
    let _ = writeln!(text, "     all of them:  {all}\n");
    text
}

pub(super) fn json(view: &View<'_>) -> String {
    pretty(&json!({
        "version": 1,
        "run": view.reader.row().id,
        "failures": groups_json(view),
        "others": view.summary.ungrouped_errors(),
    }))
}

pub(super) fn groups_json(view: &View<'_>) -> Value {
    let shape = view.reader.shape();
    let groups = view.summary.errors().iter().map(|group| {
        let steps: Vec<_> = group.examples.iter().map(|step| step.name(shape).to_string()).collect();
        json!({
            "op": shape.node(group.node).name,
            "count": group.count,
            "pattern": group.pattern,
            "error": *group.first_error,
            "attempts": group.first_attempts,
            "first_at": group.first_at.as_secs_f64(),
            "last_at": group.last_at.as_secs_f64(),
            "steps": steps,
        })
    });
    groups.collect()
}
