//! The list of runs and the list of jobs.

use super::words::{count, maybe, seconds, standing, steps, time};
use crate::web::App;
use crate::web::api::types::{Argument, JobList, Run, RunPage};
use crate::web::html::{Address, Html};

/// The list of runs.
pub(super) fn runs(app: &App, page: &RunPage, html: &mut Html) {
    html.say("h1", "Runs");
    if page.runs.is_empty() {
        html.say("p", "No runs yet. A job is begun so:");
        commands(app, html);
    } else {
        table(&page.runs, html);
    }
    for damaged in &page.damaged {
        html.with("p", &[("class", "damaged"), ("role", "alert")], |html| {
            html.text(damaged);
        });
    }
    if page.next.is_some() {
        html.element("p", |html| {
            html.text("There are older runs: ").say("code", &app.again().command("runs --limit 0"));
        });
    }
}

/// How the jobs of the program are begun.
fn commands(app: &App, html: &mut Html) {
    html.element("ul", |html| {
        for job in crate::define::jobs() {
            html.element("li", |html| {
                html.say("code", &app.again().command(&format!("run {}", job.name)));
            });
        }
    });
}

/// A table of runs.
pub(super) fn table(runs: &[Run], html: &mut Html) {
    html.with("table", &[("class", "runs")], |html| {
        html.titles(&["Run", "State", "Job", "Arguments", "Started", "Took", "Steps", "Rerun of"]);
        html.element("tbody", |html| runs.iter().for_each(|run| row(run, html)));
    });
}

fn row(run: &Run, html: &mut Html) {
    let (state, class) = standing(run.state);
    html.element("tr", |html| {
        html.with("th", &[("scope", "row")], |html| {
            html.link(&Address::of(&["runs", &run.id]), &run.short);
        });
        html.with("td", &[("class", class)], |html| {
            html.text(state);
        });
        html.element("td", |html| {
            html.link(&Address::of(&["jobs", &run.job]), &run.job);
        });
        html.say("td", &arguments(&run.args));
        html.element("td", |html| time(html, run.started));
        html.say("td", &seconds(run.took));
        html.say("td", &steps(&run.steps));
        html.element("td", |html| {
            if let Some(parent) = &run.parent {
                html.link(&Address::of(&["runs", &parent.id]), &parent.short);
            }
        });
    });
}

/// The arguments that are not as they are where nothing is said.
pub(super) fn arguments(args: &[Argument]) -> String {
    let told = args.iter().filter(|arg| arg.is_default != Some(true));
    told.map(|arg| format!("{}={}", arg.name, arg.value)).collect::<Vec<_>>().join(" ")
}

/// The list of jobs.
pub(super) fn jobs(list: &JobList, html: &mut Html) {
    html.say("h1", "Jobs");
    if list.jobs.is_empty() {
        html.say("p", "The program has no jobs.");
        return;
    }
    html.with("table", &[("class", "jobs")], |html| {
        html.titles(&["Job", "What it does", "Last run", "Runs", "Median"]);
        html.element("tbody", |html| {
            for job in &list.jobs {
                html.element("tr", |html| {
                    html.with("th", &[("scope", "row")], |html| {
                        html.link(&Address::of(&["jobs", &job.name]), &job.name);
                    });
                    html.say("td", job.doc.lines().next().unwrap_or_default());
                    html.element("td", |html| {
                        if let Some(last) = job.last.first() {
                            html.link(&Address::of(&["runs", &last.id]), standing(last.state).0);
                        }
                    });
                    html.say("td", &count(job.last.len() as u64));
                    html.say("td", &maybe(job.median));
                });
            }
        });
    });
}
