//! A step: how it stands and why, what happened to it, what it read and gave, the steps around it, its log.

use super::run::{Line, head, log};
use super::words::{count, maybe, seconds};
use crate::web::api::types::{Neighbours, Output, RunDetail, Shown, Step, StepLink, StepStanding, Turn};
use crate::web::html::{Address, Html};

/// The page of a step.
pub(super) fn step(run: &RunDetail, step: &Step, lines: &[Line], html: &mut Html) {
    head(run, html);
    html.say("h2", &step.step);
    facts(&run.run.id, step, html);
    turns(&step.turns, html);
    for input in &step.inputs {
        value("Read", &input.from, input.value.as_ref(), html);
    }
    step.outputs.iter().for_each(|output| given(output, html));
    log(lines, html);
    near(&run.run.id, step, html);
}

/// How a step stands, and the class of what stands so.
fn standing(state: StepStanding) -> (&'static str, &'static str) {
    match state {
        StepStanding::Succeeded => ("succeeded", "state state-succeeded"),
        StepStanding::Failed => ("failed", "state state-failed"),
        StepStanding::UpstreamFailed => ("upstream failed", "state state-upstream-failed"),
        StepStanding::Skipped => ("skipped", "state state-skipped"),
        StepStanding::Cancelled => ("cancelled", "state state-cancelled"),
        StepStanding::Running => ("running", "state state-running"),
        StepStanding::Waiting => ("waiting", "state state-waiting"),
    }
}

fn facts(run: &str, step: &Step, html: &mut Html) {
    let (state, class) = standing(step.state);
    html.with("p", &[("class", class)], |html| {
        html.text(state);
        if let Some(why) = &step.why {
            html.text(": ").text(&why.text).text(" ");
            links(run, &why.steps, html);
        }
    });
    html.with("dl", &[("class", "facts")], |html| {
        html.fact("Op", &step.op);
        html.fact("What it does", step.doc.lines().next().unwrap_or_default());
        if let Some((done, of)) = step.progress {
            let of = if of > 0 { format!(" of {}", count(of)) } else { String::new() };
            html.fact("Progress", &format!("{}{of}", count(done)));
        }
        for note in &step.metadata {
            html.say("dt", &note.name).say("dd", &note.value.to_string());
        }
    });
}

fn turns(turns: &[Turn], html: &mut Html) {
    if turns.is_empty() {
        return;
    }
    html.say("h3", "What happened");
    html.with("table", &[("class", "turns")], |html| {
        html.titles(&["At", "What", "Attempt", "Took", "Error"]);
        html.element("tbody", |html| {
            for turn in turns {
                html.element("tr", |html| {
                    html.say("td", &seconds(turn.at)).say("td", &turn.what.replace('_', " "));
                    html.say("td", &turn.attempt.to_string()).say("td", &maybe(turn.took));
                    html.element("td", |html| error(turn, html));
                });
            }
        });
    });
}

fn error(turn: &Turn, html: &mut Html) {
    let Some(error) = &turn.error else { return };
    html.element("pre", |html| {
        html.lines(&error.message);
        for cause in &error.causes {
            html.lines(&format!("\n  {cause}"));
        }
    });
}

fn given(output: &Output, html: &mut Html) {
    let items = output.items.map(|items| format!(", {} items", count(items))).unwrap_or_default();
    value("Gave", &format!("{}{items}", output.name), output.value.as_ref(), html);
}

fn value(title: &'static str, name: &str, shown: Option<&Shown>, html: &mut Html) {
    html.element("h3", |html| {
        html.text(title).text(" ").text(name);
    });
    let Some(shown) = shown else {
        html.say("p", "No value of it is recorded.");
        return;
    };
    html.element("pre", |html| {
        html.lines(&shown.json);
    });
    if shown.cut {
        html.say("p", &format!("Cut here: it has {} bytes.", count(shown.bytes)));
    }
}

/// The steps around it, and how it is run again.
fn near(run: &str, step: &Step, html: &mut Html) {
    for (title, near) in [("Needs", &step.upstream), ("Needed by", &step.downstream)] {
        if near.is_empty() {
            continue;
        }
        html.say("h3", title).element("ul", |html| {
            for Neighbours { op, total, steps } in near {
                html.element("li", |html| {
                    html.text(&format!("{op} ({}): ", count(*total)));
                    links(run, steps, html);
                });
            }
        });
    }
    html.say("h3", "In a terminal").element("ul", |html| {
        for command in [&step.show, &step.rerun] {
            html.element("li", |html| {
                html.say("code", command);
            });
        }
    });
}

fn links(run: &str, steps: &[StepLink], html: &mut Html) {
    for link in steps {
        let (state, class) = standing(link.state);
        html.link(&Address::of(&["runs", run, "steps", &link.step]), &link.step).text(" ");
        html.with("span", &[("class", class)], |html| {
            html.text(state);
        });
        html.text(" ");
    }
}
