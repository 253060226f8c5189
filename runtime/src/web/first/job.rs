//! A job, and how it is launched.

use super::words::{maybe, seconds, standing, time};
use crate::web::api::types::{JobDetail, RunBar};
use crate::web::html::{Address, Html};

/// The page of a job.
pub(super) fn job(detail: &JobDetail, html: &mut Html) {
    head(detail, html);
    if detail.job.at.is_empty() {
        html.say("p", "This program does not have the job: it only has runs.");
    } else {
        html.element("p", |html| {
            html.link(&Address::of(&["jobs", &detail.job.name, "launch"]), "Launch");
        });
        arguments(detail, html);
    }
    last(&detail.job.last, html);
}

/// The page from which a job is launched: without scripts, by the command line.
pub(super) fn launch(detail: &JobDetail, html: &mut Html) {
    head(detail, html);
    if detail.command.is_empty() {
        html.say("p", "This program does not have the job, so it cannot launch it.");
        return;
    }
    html.say("p", "Launch it from a terminal:");
    html.say("pre", &detail.command);
    arguments(detail, html);
}

fn head(detail: &JobDetail, html: &mut Html) {
    html.say("h1", &detail.job.name);
    for paragraph in detail.job.doc.split("\n\n").filter(|text| !text.trim().is_empty()) {
        html.element("p", |html| {
            html.lines(paragraph);
        });
    }
    html.with("dl", &[("class", "facts")], |html| {
        html.fact("Where", &detail.job.at);
        html.fact("Median", &maybe(detail.job.median));
        html.fact("Command", &detail.command);
        for (pool, limit) in &detail.pools {
            html.say("dt", &format!("Pool {pool}"));
            html.say("dd", if limit.is_empty() { "no limit" } else { limit });
        }
    });
}

fn arguments(detail: &JobDetail, html: &mut Html) {
    if detail.order.is_empty() {
        html.say("p", "It takes no arguments.");
        return;
    }
    html.say("h2", "Arguments");
    html.with("table", &[("class", "arguments")], |html| {
        html.titles(&["Argument", "What it is", "Type", "Default"]);
        html.element("tbody", |html| {
            for name in &detail.order {
                let property = &detail.schema["properties"][name];
                let text = |key: &str| property[key].as_str().unwrap_or_default();
                html.element("tr", |html| {
                    html.with("th", &[("scope", "row")], |html| {
                        html.text(name);
                    });
                    html.say("td", text("description")).say("td", &kind(property));
                    html.say("td", &plain(&property["default"]));
                });
            }
        });
    });
}

/// The type of an argument in words: `integer`, `one of fast, slow`, `string, secret`.
fn kind(property: &serde_json::Value) -> String {
    let words = match (&property["enum"], &property["type"]) {
        (serde_json::Value::Array(words), _) => {
            format!("one of {}", words.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        (_, serde_json::Value::String(word)) => word.clone(),
        (_, serde_json::Value::Array(words)) => words.iter().map(plain).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    };
    if property["writeOnly"] == true { format!("{words}, secret") } else { words }
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn last(runs: &[RunBar], html: &mut Html) {
    html.say("h2", "Last runs");
    if runs.is_empty() {
        html.say("p", "It has no runs.");
        return;
    }
    html.with("table", &[("class", "runs")], |html| {
        html.titles(&["Run", "State", "Started", "Took"]);
        html.element("tbody", |html| {
            for run in runs {
                let (state, class) = standing(run.state);
                html.element("tr", |html| {
                    html.with("th", &[("scope", "row")], |html| {
                        html.link(&Address::of(&["runs", &run.id]), &run.id);
                    });
                    html.with("td", &[("class", class)], |html| {
                        html.text(state);
                    });
                    html.element("td", |html| time(html, run.started));
                    html.say("td", &seconds(run.took));
                });
            }
        });
    });
}
