//! `export`: each form, of whole runs and of what is left of broken ones.

mod transcript;

use std::fs;

use expect_test::{Expect, expect};
use serde_json::Value;
use transcript::Home;

impl Home {
    /// What `export` writes, and what it says.
    fn exported(&self, words: &[&str]) -> (String, String) {
        let output = self.parts("", &[&["export"], words].concat()).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        (stdout, format!("{stderr}exit {}", output.status.code().unwrap()))
    }
}

/// Numbers that are times, and ids, blanked.
fn blank(value: &mut Value) {
    const TIMES: [&str; 7] = ["at", "started", "took", "due", "ts", "dur", "resumed"];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    time if TIMES.contains(&time) && value.is_number() => *value = "TIME".into(),
                    "run" => *value = "RUN".into(),
                    _ => blank(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(blank),
        _ => {}
    }
}

fn check_lines(lines: impl Iterator<Item = Value>, expected: &Expect) {
    let lines = lines.map(|mut line| {
        blank(&mut line);
        format!("{line}\n")
    });
    expected.assert_eq(&lines.collect::<String>());
}

fn json(text: &str) -> impl Iterator<Item = Value> + '_ {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    // Which starts are told depends on what ran in one batch.
    lines.filter(|line| line["event"] != "step_started")
}

/// The slices of a trace.
fn slices(text: &str) -> impl Iterator<Item = Value> {
    let trace: Value = serde_json::from_str(text).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().clone();
    events.into_iter().filter(|event| event["ph"] == "X")
}

fn check_csv(text: &str, expected: &Expect) {
    let rows = text.lines().enumerate().map(|(number, row)| {
        let mut cells: Vec<_> = row.split(',').collect();
        for cell in cells.iter_mut().skip(5).take(2).filter(|cell| number > 0 && !cell.is_empty()) {
            *cell = "TIME";
        }
        cells.join(",") + "\n"
    });
    expected.assert_eq(&rows.collect::<String>());
}

#[test]
fn a_failed_run_is_exported_in_each_form() {
    let home = Home::new();
    home.run_parts("fail");
    let (text, said) = home.exported(&["--format", "json"]);
    assert_eq!(said, "exit 0");
    check_lines(
        json(&text),
        &expect![[r#"
        {"args":{"n":"3"},"at":"TIME","event":"run_started","job":"parts","run":"RUN","started":"TIME","version":1}
        {"at":"TIME","event":"item_yielded","key":"p0","op":"list","output":"result","step":"list","version":1}
        {"at":"TIME","event":"item_yielded","key":"p1","op":"list","output":"result","step":"list","version":1}
        {"at":"TIME","event":"item_yielded","key":"p2","op":"list","output":"result","step":"list","version":1}
        {"at":"TIME","attempt":1,"event":"step_succeeded","op":"list","outputs":{},"started":"TIME","step":"list","took":"TIME","version":1}
        {"at":"TIME","event":"fan_out_closed","items":3,"op":"list","output":"result","step":"list","version":1}
        {"at":"TIME","attempt":1,"event":"step_succeeded","op":"measure","outputs":{"result":0},"started":"TIME","step":"measure[p0]","took":"TIME","version":1}
        {"at":"TIME","attempt":1,"event":"step_succeeded","op":"settle","outputs":{"result":0},"started":"TIME","step":"settle[p0]","took":"TIME","version":1}
        {"at":"TIME","attempt":1,"due":"TIME","error":{"causes":["the disk is on fire"],"kind":"op","message":"part p1 cannot be read"},"event":"attempt_failed","op":"measure","started":"TIME","step":"measure[p1]","took":"TIME","version":1}
        {"at":"TIME","attempt":1,"event":"step_succeeded","op":"measure","outputs":{"result":20},"started":"TIME","step":"measure[p2]","took":"TIME","version":1}
        {"at":"TIME","attempt":1,"event":"step_succeeded","op":"settle","outputs":{"result":20},"started":"TIME","step":"settle[p2]","took":"TIME","version":1}
        {"at":"TIME","attempt":2,"error":{"causes":["the disk is on fire"],"kind":"op","message":"part p1 cannot be read"},"event":"step_failed","left_behind":false,"op":"measure","started":"TIME","step":"measure[p1]","took":"TIME","version":1}
        {"at":"TIME","cause":"measure[p1]","event":"step_not_run","op":"settle","state":"upstream_failed","step":"settle[p1]","version":1}
        {"at":"TIME","cause":"measure[p1]","event":"step_not_run","op":"total","state":"upstream_failed","step":"total","version":1}
        {"at":"TIME","cause":"measure[p1]","event":"step_not_run","op":"report","state":"upstream_failed","step":"report","version":1}
        {"at":"TIME","event":"run_ended","state":"failed","version":1}
    "#]],
    );
    let (text, said) = home.exported(&["last", "--format", "csv"]);
    assert_eq!(said, "exit 0");
    check_csv(
        &text,
        &expect![[r#"
        step,op,keys,state,attempt,started,took,error
        list,list,,succeeded,1,TIME,TIME,
        measure[p0],measure,[p0],succeeded,1,TIME,TIME,
        settle[p0],settle,[p0],succeeded,1,TIME,TIME,
        measure[p2],measure,[p2],succeeded,1,TIME,TIME,
        settle[p2],settle,[p2],succeeded,1,TIME,TIME,
        measure[p1],measure,[p1],failed,2,TIME,TIME,part p1 cannot be read: the disk is on fire
        settle[p1],settle,[p1],upstream_failed,,,,measure[p1]
        total,total,,upstream_failed,,,,measure[p1]
        report,report,,upstream_failed,,,,measure[p1]
    "#]],
    );
    let (text, said) = home.exported(&["last", "--format", "perfetto"]);
    assert_eq!(said, "exit 0");
    check_lines(
        slices(&text),
        &expect![[r#"
        {"args":{"attempt":1,"keys":"","state":"succeeded"},"cat":"list","dur":"TIME","name":"list","ph":"X","pid":1,"tid":1,"ts":"TIME"}
        {"args":{"attempt":1,"keys":"[p0]","state":"succeeded"},"cat":"measure","dur":"TIME","name":"measure[p0]","ph":"X","pid":1,"tid":1,"ts":"TIME"}
        {"args":{"attempt":1,"keys":"[p0]","state":"succeeded"},"cat":"settle","dur":"TIME","name":"settle[p0]","ph":"X","pid":1,"tid":1,"ts":"TIME"}
        {"args":{"attempt":1,"error":"part p1 cannot be read: the disk is on fire","keys":"[p1]","state":"attempt_failed"},"cat":"measure","dur":"TIME","name":"FAILED measure[p1]","ph":"X","pid":1,"tid":1,"ts":"TIME"}
        {"args":{"attempt":1,"keys":"[p2]","state":"succeeded"},"cat":"measure","dur":"TIME","name":"measure[p2]","ph":"X","pid":1,"tid":1,"ts":"TIME"}
        {"args":{"attempt":1,"keys":"[p2]","state":"succeeded"},"cat":"settle","dur":"TIME","name":"settle[p2]","ph":"X","pid":1,"tid":1,"ts":"TIME"}
        {"args":{"attempt":2,"error":"part p1 cannot be read: the disk is on fire","keys":"[p1]","state":"failed"},"cat":"measure","dur":"TIME","name":"FAILED measure[p1]","ph":"X","pid":1,"tid":1,"ts":"TIME"}
    "#]],
    );
}

#[test]
fn a_run_is_exported_to_a_file() {
    let home = Home::new();
    home.run_parts("");
    let (text, said) = home.exported(&["--format", "csv", "--output", "steps.csv"]);
    assert_eq!((&*text, &*said), ("", "exit 0"));
    let written = fs::read_to_string(home.path().join("steps.csv")).unwrap();
    assert_eq!(home.exported(&["--format", "csv"]).0, written);
    home.check_parts(
        &["export", "--format", "csv", "-o", "no/such/steps.csv"],
        &expect![[r#"
        ! error: cannot write no/such/steps.csv: No such file or directory (os error 2)
        exit 5
    "#]],
    );
    home.check_parts(
        &["export", "--format", "csv", "-o", "."],
        &expect![[r#"
        ! error: cannot write .: Is a directory (os error 21)
        exit 5
    "#]],
    );
    home.check_parts(
        &["export"],
        &expect![[r#"
        ! error: the following required arguments were not provided:
        !   --format <FORM>
        ! 
        ! Usage: parts export --format <FORM> [RUN]
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    home.check_parts(
        &["export", "--format", "xml"],
        &expect![[r#"
        ! error: invalid value 'xml' for '--format <FORM>'
        !   [possible values: json, csv, perfetto]
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    home.check_parts(
        &["export", "zzzz", "--format", "csv"],
        &expect![[r#"
        ! error: no run's id begins with `zzzz`; the newest is `RUN`, of job `parts`
        exit 2
    "#]],
    );
}

#[test]
fn an_interrupted_run_is_exported_as_far_as_it_came() {
    let home = Home::new();
    home.kill_parts();
    let (text, said) = home.exported(&["--format", "csv"]);
    assert_eq!(said, "exit 0");
    check_csv(
        &text,
        &expect![[r#"
            step,op,keys,state,attempt,started,took,error
            list,list,,succeeded,1,TIME,TIME,
            measure[p0],measure,[p0],succeeded,1,TIME,TIME,
        "#]],
    );
    let (text, said) = home.exported(&["--format", "perfetto"]);
    assert_eq!((slices(&text).count() > 0, &*said), (true, "exit 0"));
}

#[test]
fn of_a_damaged_run_what_is_whole_is_exported_and_the_rest_is_told() {
    let home = Home::new();
    home.run_parts("fail");
    home.kill_parts();
    drop(home.parts("", &["resume", "--quiet"]).output().unwrap());
    let whole = home.exported(&["--format", "json"]).0;
    let database = rusqlite::Connection::open(home.path().join("runs.db")).unwrap();
    // The last commit of the newest run.
    let data = "UPDATE commits SET data = zeroblob(length(data)) WHERE run = 2 AND seq = \
                (SELECT max(seq) FROM commits WHERE run = 2)";
    assert_eq!(database.execute(data, []).unwrap(), 1);
    drop(database);
    let (text, said) = home.exported(&["--format", "json"]);
    assert!(!text.is_empty() && text.len() < whole.len() && whole.starts_with(&text), "{text}");
    assert!(said.ends_with("exit 4") && said.contains("is exported"), "{said}");
    let (text, said) = home.exported(&["--format", "perfetto"]);
    assert!(slices(&text).count() > 0 && said.ends_with("exit 4"), "{text}{said}");
    home.check_parts(&["export", "--format", "csv", "-o", "steps.csv"], &expect![[r#"
        ! error: sqlite:HOME/runs.db is damaged: commit N of run RUN is not what was written
        ! help: what was recorded before that is exported; keep a copy of the store before you change anything in it
        exit 4
    "#]]);
}
