//! What the page does and what it tells while it happens: the real program over plain HTTP, with
//! processes that are killed on both sides.
#![cfg(unix)]

#[path = "page_acting/served.rs"]
mod served;
#[path = "page_acting/stream.rs"]
mod stream;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use served::{Served, jobs, newest, said};
use stream::Stream;

/// How many steps of a run stand how, as `show` has it.
fn counts(home: &Path, run: &str) -> Value {
    let shown: Value = serde_json::from_str(&said(home, &["runs", "--json"])).unwrap();
    let runs = shown["runs"].as_array().unwrap();
    runs.iter().find(|one| one["run"] == run).unwrap()["steps"].clone()
}

#[test]
fn a_job_is_launched_with_its_arguments_and_a_dry_launch_begins_nothing() {
    let (folder, page) = Served::new(&[]);
    let request = json!({ "args": { "from": "b", "to": "d" }, "tags": { "team": "red" } });
    let dry = page.post("/api/v1/jobs/letters/runs?dry=1", &request);
    assert_eq!((dry.status, &dry.json["run"]), (200, &Value::Null), "{}", dry.json);
    let command = dry.json["command"].as_str().unwrap();
    assert!(command.contains("run letters --from b --to d --tag team=red"), "{command}");
    assert!(!folder.path().join("runs.db").exists(), "something was begun");

    let begun = page.post("/api/v1/jobs/letters/runs", &request);
    assert_eq!(begun.status, 200, "{}", begun.json);
    let run = begun.json["run"].as_str().unwrap().to_owned();
    let state = Stream::open(&page, &run, "").until("end");
    assert_eq!(state["state"], "succeeded");
    let shown: Value = serde_json::from_str(&said(folder.path(), &["show", &run, "--json"])).unwrap();
    assert_eq!(shown["tags"]["team"], "red");
    assert!(counts(folder.path(), &run)["succeeded"].as_u64().unwrap() >= 5);
    // A second click is a second run.
    let again = page.post("/api/v1/jobs/letters/runs", &request);
    assert_ne!(again.json["run"].as_str().unwrap(), run);
}

#[test]
fn what_cannot_be_asked_for_is_refused_in_the_words_of_the_command_line() {
    let (_folder, page) = Served::new(&[]);
    let refused = |job: &str, request: Value, status: u16, word: &str| {
        let answer = page.post(&format!("/api/v1/jobs/{job}/runs"), &request);
        let said = answer.json["error"].as_str().unwrap_or_default();
        assert_eq!(answer.status, status, "{}", answer.json);
        assert!(said.contains(word), "{said}");
    };
    refused("letters", json!({ "args": { "to": 7 } }), 400, "`to` takes `char`");
    refused("letters", json!({ "args": { "form": "a" } }), 400, "did you mean `from`?");
    refused("lettuce", json!({}), 404, "no job `lettuce`");
    refused("letters", json!({ "limits": { "max_concurrent": 0 } }), 400, "a limit is at least 1");
    refused("letters", json!({ "argh": 1 }), 400, "argh");
    refused("forms", json!({ "args": { "small": 1 } }), 400, "FANFOLD_ARG_TOKEN");
    refused("forms", json!({ "args": { "small": 1, "token": "x" } }), 400, "never given on the command line");
    refused("forms", json!({ "secrets": { "tokens": "x" } }), 400, "did you mean `token`?");
    let long = json!({ "small": 1, "words": ["x".repeat(300_000)] });
    refused("forms", json!({ "args": long, "secrets": { "token": "x" } }), 400, "cannot be started");
    assert_eq!(page.post("/api/v1/runs/nowhere/cancel", &json!({})).status, 404);
    assert_eq!(page.post("/api/v1/runs/nowhere/resume?dry=yes", &json!({})).status, 400);
}

#[test]
fn what_keeps_a_run_from_beginning_comes_back_as_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let address = format!("sqlite:{}", place.join("runs.db").display());
    let page = Served::at(folder.path(), &["--store", &address]);
    std::fs::write(&place, "in the way").unwrap();
    let answer = page.post("/api/v1/jobs/letters/runs", &json!({}));
    assert_eq!(answer.status, 503, "{}", answer.json);
    let said = answer.json["error"].as_str().unwrap();
    assert!(said.contains("Not a directory") && !said.starts_with("error"), "{said}");
}

#[test]
fn a_secret_reaches_the_run_and_no_command_line() {
    let (folder, page) = Served::new(&[]);
    let request = json!({ "args": { "small": 7 }, "secrets": { "token": "hunter2-hunter2" } });
    let begun = page.post("/api/v1/jobs/forms/runs", &request);
    assert_eq!(begun.status, 200, "{}", begun.json);
    assert!(!begun.json.to_string().contains("hunter2"), "{}", begun.json);
    let run = begun.json["run"].as_str().unwrap();
    assert_eq!(Stream::open(&page, run, "").until("end")["state"], "succeeded");
    // To run it again it is needed again.
    let without = page.post(&format!("/api/v1/runs/{run}/rerun"), &json!({}));
    assert_eq!(without.status, 400, "{}", without.json);
    assert!(without.json["error"].as_str().unwrap().contains("it is secret"), "{}", without.json);
    let again = page.post(&format!("/api/v1/runs/{run}/rerun"), &json!({ "secrets": { "token": "x" } }));
    assert_eq!(again.status, 200, "{}", again.json);
    drop(folder);
}

#[test]
fn the_end_of_the_page_ends_no_run_and_another_page_cancels_it() {
    let (folder, mut page) = Served::new(&[]);
    let begun = page.post("/api/v1/jobs/waiting/runs", &json!({}));
    assert_eq!(begun.status, 200, "{}", begun.json);
    let run = begun.json["run"].as_str().unwrap().to_owned();
    page.kill();
    let other = Served::at(folder.path(), &[]);
    let mut stream = Stream::open(&other, &run, "");
    assert_eq!(stream.until("state")["state"], "running");
    let refused = other.post(&format!("/api/v1/runs/{run}/resume"), &json!({}));
    assert_eq!(refused.status, 409, "{}", refused.json);
    assert!(refused.json["error"].as_str().unwrap().contains("is driven by"), "{}", refused.json);
    let cancel = format!("/api/v1/runs/{run}/cancel");
    let dry = other.post(&format!("{cancel}?dry=1"), &json!({}));
    assert_eq!((dry.status, &dry.json["run"]), (200, &Value::Null));
    assert_eq!(other.post(&cancel, &json!({ "reason": "enough of it" })).status, 200);
    let told = stream.state(|live| live["cancelling"] != Value::Null);
    assert_eq!(told["cancelling"], "enough of it");
    assert_eq!(stream.until("end")["state"], "cancelled");
    let late = other.post(&cancel, &json!({}));
    assert_eq!(late.status, 409);
    assert!(late.json["error"].as_str().unwrap().contains("was cancelled"), "{}", late.json);
}

#[test]
fn a_run_that_is_killed_is_told_as_interrupted_and_goes_on() {
    let (folder, page) = Served::new(&[]);
    let mut run = jobs(folder.path(), &["run", "waiting"]).spawn().unwrap();
    let id = newest(folder.path());
    let mut stream = Stream::open(&page, &id, "");
    let running = stream.state(|live| live["steps"]["running"] == 1);
    assert_eq!(running["running"][0]["step"], "wait_for_ever");
    run.kill().unwrap();
    run.wait().unwrap();
    let dead = stream.state(|live| live["state"] == "interrupted");
    assert_eq!((&dead["steps"]["running"], &dead["steps"]["waiting"]), (&json!(0), &json!(1)));
    assert_eq!(dead["running"], json!([]));

    let resume = format!("/api/v1/runs/{id}/resume");
    let dry = page.post(&format!("{resume}?dry=1"), &json!({}));
    assert_eq!((dry.status, &dry.json["steps"]), (200, &json!(1)), "{}", dry.json);
    let begun = page.post(&resume, &json!({}));
    assert_eq!((begun.status, &begun.json["run"]), (200, &json!(id)), "{}", begun.json);
    stream.state(|live| live["state"] == "running" && live["steps"]["running"] == 1);
    page.post(&format!("/api/v1/runs/{id}/cancel"), &json!({}));
    assert_eq!(stream.until("end")["state"], "cancelled");
}

#[test]
fn a_rerun_runs_as_many_steps_as_were_said() {
    let (folder, page) = Served::new(&[]);
    said_anyhow(folder.path(), &["run", "failing"]);
    let run = newest(folder.path());
    let rerun = format!("/api/v1/runs/{run}/rerun");
    let request = json!({ "select": "odd_fails[1],odd_fails[3]" });
    let dry = page.post(&format!("{rerun}?dry=1"), &request);
    assert_eq!(dry.status, 200, "{}", dry.json);
    assert!(dry.json["text"].as_str().unwrap().contains("2 steps would run"), "{}", dry.json);
    let begun = page.post(&rerun, &request);
    assert_eq!(begun.status, 200, "{}", begun.json);
    let new = begun.json["run"].as_str().unwrap();
    assert_eq!(Stream::open(&page, new, "").until("end")["state"], "failed");
    assert_eq!(counts(folder.path(), new)["failed"].as_u64(), dry.json["steps"].as_u64());
    let wrong = page.post(&rerun, &json!({ "select": "odd_fail[1]" }));
    assert_eq!(wrong.status, 400);
    assert!(wrong.json["error"].as_str().unwrap().contains("odd_fails"), "{}", wrong.json);
    // What has succeeded has nothing to resume.
    said(folder.path(), &["run", "letters"]);
    let refused = page.post(&format!("/api/v1/runs/{}/resume", newest(folder.path())), &json!({}));
    assert_eq!(refused.status, 409);
    assert!(refused.json["error"].as_str().unwrap().contains("nothing to resume"), "{}", refused.json);
}

#[test]
fn a_run_that_is_pruned_is_told_to_be_gone() {
    let (folder, page) = Served::new(&[]);
    let mut run = jobs(folder.path(), &["run", "waiting"]).spawn().unwrap();
    let id = newest(folder.path());
    let mut stream = Stream::open(&page, &id, "");
    stream.state(|live| live["state"] == "running");
    run.kill().unwrap();
    run.wait().unwrap();
    said(folder.path(), &["prune", "--keep", "0", "--state", "interrupted"]);
    stream.until("gone");
    assert_eq!(stream.next(), None, "nothing follows");
    assert_eq!(page.get(&format!("/api/v1/runs/{id}/live")).status, 404);
}

#[test]
fn who_comes_back_is_told_only_what_is_new() {
    let (folder, page) = Served::new(&[]);
    said(folder.path(), &["run", "letters"]);
    let run = newest(folder.path());
    let first = Stream::open(&page, &run, "").until("state");
    assert_eq!(first["ops"].as_object().unwrap().len(), 3);
    let seq = &first["seq"];
    let known = Stream::open(&page, &run, &format!("?after={seq}")).until("state");
    assert_eq!((&known["ops"], &known["state"]), (&json!({}), &json!("succeeded")));
    let mut again =
        Stream::with(&page, &format!("/api/v1/runs/{run}/live"), &format!("Last-Event-ID: {seq}\r\n"));
    assert_eq!(again.until("state")["ops"], json!({}));
    assert_eq!(page.get(&format!("/api/v1/runs/{run}/live?after=x")).status, 400);
}

#[test]
fn the_list_of_runs_says_that_it_changed() {
    let (folder, page) = Served::new(&[]);
    said(folder.path(), &["run", "letters"]);
    let mut stream = Stream::with(&page, "/api/v1/live", "");
    stream.until("ping");
    said(folder.path(), &["run", "letters"]);
    stream.until("changed");
}

#[test]
fn a_page_that_is_for_reading_does_nothing() {
    let (_folder, page) = Served::new(&["--read-only"]);
    assert_eq!(page.post("/api/v1/jobs/letters/runs", &json!({})).status, 403);
}

/// How old what a stream tells is, while steps run as fast as they can. Printed, not asserted.
#[test]
fn what_is_told_is_young_and_every_message_is_bounded() {
    let (folder, page) = Served::new(&[]);
    let mut run = jobs(folder.path(), &["run", "many", "--n", "40000"]).spawn().unwrap();
    let id = newest(folder.path());
    let mut stream = Stream::open(&page, &id, "");
    let mut ages = Vec::new();
    let began = Instant::now();
    let mut started = None;
    while let Some((event, data)) = stream.next() {
        assert!(data.len() <= 8 * 1024, "{} bytes", data.len());
        if event == "end" {
            break;
        }
        let live: Value = serde_json::from_str(&data).unwrap();
        if event == "state" && live["state"] == "running" {
            let started = *started
                .get_or_insert_with(|| live["now"].as_f64().unwrap() - live["took"].as_f64().unwrap());
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
            ages.push(now - started - live["elapsed"].as_f64().unwrap());
        }
    }
    run.wait().unwrap();
    ages.sort_by(f64::total_cmp);
    let millis = |age: Option<&f64>| age.map_or(0.0, |age| age * 1_000.0);
    println!(
        "{} messages in {:?}: told what was {:.0} ms old (median), {:.0} ms (at most)",
        ages.len(),
        began.elapsed(),
        millis(ages.get(ages.len() / 2)),
        millis(ages.last())
    );
    // At most four a second, and one for what is there at first.
    let most = began.elapsed().as_secs() as usize * 4 + 8;
    assert!(ages.len() <= most, "{} messages", ages.len());
}

/// Runs a command that may fail.
fn said_anyhow(home: &Path, words: &[&str]) {
    jobs(home, words).output().unwrap();
}

/// How long anything is waited for that comes in milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);
