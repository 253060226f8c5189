//! A run: its head, its failures, its ops, what runs now, and the last lines of its log.

use std::collections::BTreeSet;
use std::time::Duration;

use super::lists::arguments;
use super::words::{count, maybe, seconds, standing, steps, time};
use crate::record::Reader;
use crate::report::words::clock;
use crate::store::{LogFilter, LogRow};
use crate::web::App;
use crate::web::api::types::{FailureGroup, Op, RunDetail, RunLink, RunningNow};
use crate::web::html::{Address, Html};
use crate::web::refused::Refused;

/// How many lines of the log are shown.
pub(super) const LINES: usize = 20;

/// A line of a log, and the name of its step.
pub(super) type Line = (LogRow, String);

/// The last lines of a run's log, oldest first; of one step, or of all.
pub(super) fn last_lines(app: &App, run: &str, filter: &LogFilter) -> Result<Vec<Line>, Refused> {
    let mut lines = app.store.last_logs(run, filter, u64::MAX, LINES)?;
    lines.sort_by_key(|line| line.number);
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let steps: BTreeSet<_> = lines.iter().map(|line| (line.item, line.node)).collect();
    let reader = Reader::open(std::sync::Arc::clone(&app.store), run)?;
    let names = reader.step_refs(&steps)?;
    let name = |line: &LogRow| {
        let step = names.get(&(line.item, line.node));
        step.map(|step| step.name(reader.shape()).to_string()).unwrap_or_default()
    };
    Ok(lines.into_iter().map(|line| (name(&line), line)).map(|(name, line)| (line, name)).collect())
}

/// The page of a run.
pub(super) fn run(detail: &RunDetail, lines: &[Line], html: &mut Html) {
    head(detail, html);
    failures(detail, html);
    ops(&detail.ops, html);
    running(detail, html);
    log(lines, html);
    commands(detail, html);
}

/// What is known of the run as a whole.
pub(super) fn head(detail: &RunDetail, html: &mut Html) {
    let run = &detail.run;
    let (state, class) = standing(run.state);
    html.element("h1", |html| {
        html.link(&Address::of(&["jobs", &run.job]), &run.job).text(" ").text(&run.short).text(" ");
        html.with("span", &[("class", class)], |html| {
            html.text(state);
        });
    });
    html.with("dl", &[("class", "facts")], |html| {
        html.fact("Run", &run.id);
        html.say("dt", "Started").element("dd", |html| time(html, run.started));
        html.fact("Took", &seconds(run.took));
        html.fact("Steps", &steps(&run.steps));
        html.fact("With", &arguments(&run.args));
        html.fact("Secrets", &detail.secrets.join(", "));
        html.fact("Being cancelled", detail.cancelling.as_deref().unwrap_or_default());
        let tags = run.tags.iter().map(|(name, value)| format!("{name}={value}"));
        html.fact("Tags", &tags.collect::<Vec<_>>().join(" "));
        links("Rerun of", run.parent.as_slice(), html);
        links("Reruns", &detail.children, html);
    });
}

fn links(name: &'static str, runs: &[RunLink], html: &mut Html) {
    if runs.is_empty() {
        return;
    }
    html.say("dt", name).element("dd", |html| {
        for run in runs {
            html.link(&Address::of(&["runs", &run.id]), &run.short).text(" ");
        }
    });
}

fn failures(detail: &RunDetail, html: &mut Html) {
    if detail.failures.is_empty() {
        return;
    }
    html.say("h2", "Failures");
    html.with("table", &[("class", "failures")], |html| {
        html.titles(&["Op", "Steps", "Error", "First", "Last", "Some of them"]);
        html.element("tbody", |html| {
            detail.failures.iter().for_each(|group| failure(&detail.run.id, group, html));
        });
    });
    if detail.other_failures > 0 {
        html.say("p", &format!("{} failures of other kinds are not shown.", count(detail.other_failures)));
    }
}

fn failure(run: &str, group: &FailureGroup, html: &mut Html) {
    html.element("tr", |html| {
        html.with("th", &[("scope", "row")], |html| {
            html.text(&group.op);
        });
        html.say("td", &count(group.count));
        html.element("td", |html| {
            html.element("pre", |html| {
                html.lines(&group.error.message);
                for cause in &group.error.causes {
                    html.lines(&format!("\n  {cause}"));
                }
            });
        });
        html.say("td", &seconds(group.first_at)).say("td", &seconds(group.last_at));
        html.element("td", |html| {
            for step in &group.examples {
                html.link(&Address::of(&["runs", run, "steps", step]), step).text(" ");
            }
        });
    });
}

fn ops(ops: &[Op], html: &mut Html) {
    html.say("h2", "Ops");
    html.with("table", &[("class", "ops")], |html| {
        html.titles(&["Op", "Steps", "How they stand", "Retries", "p50", "p95", "Longest"]);
        html.element("tbody", |html| ops.iter().for_each(|op| op_row(op, html)));
    });
}

fn op_row(op: &Op, html: &mut Html) {
    let now = &op.now;
    let class = if now.counts.failed > 0 { "state-failed" } else { "" };
    html.with("tr", &[("class", class)], |html| {
        html.with("th", &[("scope", "row")], |html| {
            // As wide as in a terminal: a rule of the stylesheet would not be read without it.
            html.text(&"\u{a0}\u{a0}".repeat(op.depth as usize)).text(&op.name);
        });
        let more = if now.growing { "≥ " } else { "" };
        html.say("td", &format!("{more}{}", count(now.known)));
        html.say("td", &steps(&now.counts));
        html.say("td", &if now.retries > 0 { count(now.retries) } else { String::new() });
        html.say("td", &maybe(now.p50)).say("td", &maybe(now.p95)).say("td", &maybe(now.max));
    });
}

fn running(detail: &RunDetail, html: &mut Html) {
    let link = |step: &str, html: &mut Html| {
        html.link(&Address::of(&["runs", &detail.run.id, "steps", step]), step);
    };
    if !detail.running.is_empty() {
        html.say("h2", "Running now");
        html.element("ul", |html| {
            for RunningNow { step, attempt, started } in &detail.running {
                html.element("li", |html| {
                    link(step, html);
                    html.text(&format!(", attempt {attempt}, since {}", seconds(*started)));
                });
            }
        });
    }
    if !detail.slowest.is_empty() {
        html.say("h2", "Slowest steps");
        html.element("ul", |html| {
            for slow in &detail.slowest {
                html.element("li", |html| {
                    link(&slow.step, html);
                    html.text(&format!(" {}", seconds(slow.took)));
                });
            }
        });
    }
}

/// The last lines of a log.
pub(super) fn log(lines: &[Line], html: &mut Html) {
    if lines.is_empty() {
        return;
    }
    html.say("h2", "Last log lines");
    html.with("ol", &[("class", "logs")], |html| {
        for (line, step) in lines {
            let level = line.level_name();
            let at = clock(Duration::from_micros(line.at));
            html.element("li", |html| {
                html.text(&format!("{at} {level} {step} ")).lines(&line.text);
                if !line.fields.is_empty() {
                    html.text(" ").text(&line.fields);
                }
            });
        }
    });
}

fn commands(detail: &RunDetail, html: &mut Html) {
    let commands = &detail.commands;
    html.say("h2", "In a terminal");
    html.element("ul", |html| {
        for command in [&commands.show, &commands.resume, &commands.rerun, &commands.cancel, &commands.logs] {
            html.element("li", |html| {
                html.say("code", command);
            });
        }
    });
}
