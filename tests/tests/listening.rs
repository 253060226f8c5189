//! Sinks of a program of its own: they are told of the run that a command begins, resumes or runs again.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs a command, and gives its exit code and what the sink was told, sorted; `None` if there was no sink.
fn told(home: &Path, words: &[&str]) -> (i32, Option<Vec<String>>) {
    let events = home.join("events");
    let _ = std::fs::remove_file(&events);
    let mut command = Command::new(env!("CARGO_BIN_EXE_listening"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
        command.env_remove(name);
    }
    command.args(words).current_dir(home).env("FANFOLD_HOME", home).env("FANFOLD_PROGRESS", "none");
    let output = command.env("EVENTS", &events).output().unwrap();
    let text = std::fs::read_to_string(&events).ok();
    let events = text.map(|text| {
        // Steps that run beside each other end in any order.
        let mut events: Vec<_> = text.lines().filter_map(shown).collect();
        events.sort_unstable();
        events
    });
    (output.status.code().unwrap(), events)
}

/// An event by its name and its step; without starts, which are told only of what takes time.
fn shown(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).unwrap();
    let words = ["event", "step", "state"].iter().filter_map(|field| event[field].as_str());
    Some(words.collect::<Vec<_>>().join(" ")).filter(|shown| !shown.starts_with("step_started"))
}

#[test]
fn a_sink_of_the_program_is_told_of_run_resume_and_rerun() {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let home = home.path();
    let (code, events) = told(home, &["run", "house"]);
    let wanted = [
        "fan_out_closed doors",
        "item_yielded doors",
        "item_yielded doors",
        "run_ended failed",
        "run_started",
        "step_failed open[back]",
        "step_not_run count upstream_failed",
        "step_succeeded doors",
        "step_succeeded open[front]",
    ];
    assert_eq!((code, events.unwrap()), (1, wanted.map(str::to_owned).to_vec()));

    std::fs::write(home.join("key"), "").unwrap();
    let (code, events) = told(home, &["resume", "last"]);
    let wanted = [
        "fan_out_closed doors",
        "run_ended succeeded",
        "run_resumed",
        "step_succeeded count",
        "step_succeeded open[back]",
    ];
    assert_eq!((code, events.unwrap()), (0, wanted.map(str::to_owned).to_vec()));

    let (code, events) = told(home, &["rerun", "last", "--select", "count"]);
    let wanted = [
        "fan_out_closed doors",
        "item_yielded doors",
        "item_yielded doors",
        "run_ended succeeded",
        "run_started",
        "step_reused doors",
        "step_reused open[back]",
        "step_reused open[front]",
        "step_succeeded count",
    ];
    assert_eq!((code, events.unwrap()), (0, wanted.map(str::to_owned).to_vec()));

    assert_eq!(told(home, &["runs"]), (0, None), "nothing runs, so no sink is made");
}
