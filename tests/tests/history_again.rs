//! Runs that go on, are run again or are stopped from another process, as whole transcripts.

mod transcript;

use std::io::Read as _;

use expect_test::expect;
use transcript::{Home, check};

#[test]
fn a_run_that_failed_goes_on() {
    let home = Home::new();
    home.run_parts("fail");
    check(
        home.parts("fail", &["resume"]),
        home.path(),
        &expect![[r#"
        !       INFO [TIME] measure[p1]: measuring part=1
        !       WARN [TIME] measure[p1]: it does not answer
        !       INFO [TIME] measure[p1]: measuring part=1
        !       WARN [TIME] measure[p1]: it does not answer
        !       FAIL [TIME] measure[p1] attempt 4/4: part p1 cannot be read: the disk is on fire
        !    op succeeded failed not run retries total p50 p95 max
        !    list 1 - - - TIME - - -
        !      measure 2 1 - 2 TIME TIME TIME TIME
        !      settle 2 - 1 - TIME TIME TIME TIME
        !    total - - 1 - - - - -
        !    report - - 1 - - - - -
        ! 
        !    errors
        !         1 × part p1 cannot be read: the disk is on fire
        !             measure[p1]
        ! 
        !    slowest: …
        !    time: …
        !     Failed parts RUN in TIME: 5 succeeded, 1 failed, 3 upstream failed
        !    resume: parts resume RUN inspect: parts show RUN --failures
        exit 1
    "#]],
    );
    home.check_parts(
        &["resume"],
        &expect![[r#"
        30 mm
        !       INFO [TIME] measure[p1]: measuring part=1
        !    op succeeded failed not run retries total p50 p95 max
        !    list 1 - - - TIME - - -
        !      measure 3 - - 2 TIME TIME TIME TIME
        !      settle 3 - - - TIME TIME TIME TIME
        !    total 1 - - - TIME - - -
        !    report 1 - - - TIME - - -
        ! 
        !    slowest: …
        !    time: …
        !  Succeeded parts RUN in TIME: 9 succeeded
        exit 0
    "#]],
    );
    home.check_parts(
        &["show"],
        &expect![[r#"
           parts RUN succeeded
           started DATE CLOCK, took TIME
           resumed 2 times, last DATE CLOCK
           with n=3

           op succeeded failed not run retries total p50 p95 max
           list 1 - - - TIME - - -
             measure 3 - - 2 TIME TIME TIME TIME
             settle 3 - - - TIME TIME TIME TIME
           total 1 - - - TIME - - -
           report 1 - - - TIME - - -

           slowest: …
           time: …
           9 succeeded
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "measure[p1]"],
        &expect![[r#"
           measure[p1] succeeded
           of run RUN of job parts
           CLOCK attempt 1 failed, took TIME, again in TIME
                     part p1 cannot be read
                     caused by: the disk is on fire
           CLOCK attempt 2 failed, took TIME
                     part p1 cannot be read
                     caused by: the disk is on fire
           CLOCK the run was resumed: it begins anew
           CLOCK attempt 3 failed, took TIME, again in TIME
                     part p1 cannot be read
                     caused by: the disk is on fire
           CLOCK attempt 4 failed, took TIME
                     part p1 cannot be read
                     caused by: the disk is on fire
           CLOCK the run was resumed: it begins anew
           CLOCK attempt 5 succeeded, took TIME

           result
           10

           unit = mm

           sizes =
             side size
             left 10
             right 2

           progress: 2 of 4

           last lines of its log
           CLOCK INFO measuring part=1
           CLOCK WARN it does not answer
           CLOCK INFO (attempt 2) measuring part=1
           CLOCK WARN (attempt 2) it does not answer
           CLOCK INFO (attempt 3) measuring part=1
           CLOCK WARN (attempt 3) it does not answer
           CLOCK INFO (attempt 4) measuring part=1
           CLOCK WARN (attempt 4) it does not answer
           CLOCK INFO (attempt 5) measuring part=1
        exit 0
    "#]],
    );
    home.check_parts(
        &["resume"],
        &expect![[r#"
        ! error: run RUN has succeeded: there is nothing to resume; `rerun RUN` runs it again
        exit 2
    "#]],
    );
}

#[test]
fn a_run_whose_process_died_goes_on() {
    let home = Home::new();
    home.kill_parts();
    home.check_parts(
        &["runs"],
        &expect![[r#"
            run job state started took steps
            RUN parts interrupted DATE CLOCK TIME 2 succeeded, 7 waiting
            exit 0
        "#]],
    );
    home.check_parts(
        &["show"],
        &expect![[r#"
           parts RUN interrupted
           started DATE CLOCK, and last heard of after TIME
           with n=3

           op succeeded failed not run retries total p50 p95 max
           list 1 - - - TIME - - -
             measure 1 - - - TIME - - -
             settle - - - - - - - -
           total - - - - - - - -
           report - - - - - - - -
           2 succeeded, 7 waiting
           resume: parts resume RUN
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "measure[p0]"],
        &expect![[r#"
           measure[p0] succeeded
           of run RUN of job parts
           CLOCK attempt 1 succeeded, took TIME

           result
           0

           unit = mm

           sizes =
             side size
             left 10
             right 2

           progress: 1 of 4

           last lines of its log
           CLOCK INFO measuring part=0
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "settle[p0]"],
        &expect![[r#"
               settle[p0] waiting
               of run RUN of job parts
               ran when the run's process died: `parts resume RUN` runs it again
               CLOCK attempt 1 began
            exit 0
        "#]],
    );
    home.check_parts(&["cancel", "last"], &expect![[r#"
        ! error: run RUN of job `parts` does not run: the process that drove it is gone. Nothing is to be stopped; `resume RUN` would go on with it
        exit 2
    "#]]);
    home.check_parts(&["rerun", "--dry-run", "--select", "total"], &expect![[r#"
        ! error: what is selected needs steps that did not succeed in run RUN:
        !   `total` needs `settle[p0]`, which did not end in the old run: select it too, `settle[p0]`, or all before with `*total`
        !   `total` needs `settle[p1]`, which did not end in the old run: select it too, `settle[p1]`, or all before with `*total`
        !   `total` needs `settle[p2]`, which did not end in the old run: select it too, `settle[p2]`, or all before with `*total`
        exit 2
    "#]]);
    home.check_parts(
        &["resume"],
        &expect![[r#"
        30 mm
        !       INFO [TIME] measure[p1]: measuring part=1
        !       INFO [TIME] measure[p2]: measuring part=2
        !    op succeeded failed not run retries total p50 p95 max
        !    list 1 - - - TIME - - -
        !      measure 3 - - - TIME TIME TIME TIME
        !      settle 3 - - - TIME TIME TIME TIME
        !    total 1 - - - TIME - - -
        !    report 1 - - - TIME - - -
        ! 
        !    slowest: …
        !  Succeeded parts RUN in TIME: 9 succeeded
        exit 0
    "#]],
    );
    home.check_parts(
        &["show"],
        &expect![[r#"
           parts RUN succeeded
           started DATE CLOCK, took TIME
           resumed 1 time, last DATE CLOCK
           with n=3

           op succeeded failed not run retries total p50 p95 max
           list 1 - - - TIME - - -
             measure 3 - - - TIME TIME TIME TIME
             settle 3 - - - TIME TIME TIME TIME
           total 1 - - - TIME - - -
           report 1 - - - TIME - - -

           slowest: …
           9 succeeded
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "settle[p0]"],
        &expect![[r#"
           settle[p0] succeeded
           of run RUN of job parts
           CLOCK attempt 1 began
           CLOCK the run was resumed: it begins anew
           CLOCK attempt 2 succeeded, took TIME

           result
           0
        exit 0
    "#]],
    );
}

#[test]
fn steps_are_run_again() {
    let home = Home::new();
    home.run_parts("");
    home.check_parts(
        &["rerun", "--dry-run"],
        &expect![[r#"
        9 steps, more or fewer if there are other keys, would run
        exit 0
    "#]],
    );
    home.check_parts(
        &["rerun", "--dry-run", "--select", "measure[p1]*"],
        &expect![[r#"
        4 steps would run; 3 steps taken from RUN
        exit 0
    "#]],
    );
    home.check_parts(
        &["rerun", "--dry-run", "--select", "list+"],
        &expect![[r#"
        4 steps, more or fewer if there are other keys, would run
        exit 0
    "#]],
    );
    home.check_parts(
        &["rerun", "--select", "measure[p1]*", "--tag", "why=again"],
        &expect![[r#"
        30 mm
        ! 4 steps would run; 3 steps taken from RUN
        !       INFO [TIME] measure[p1]: measuring part=1
        !    op succeeded failed not run retries total p50 p95 max
        !    list 1 - - - - - - -
        !      measure 1 - - - TIME - - -
        !      settle 3 - - - TIME - - -
        !    total 1 - - - TIME - - -
        !    report 1 - - - TIME - - -
        ! 
        !    slowest: …
        !  Succeeded parts RUN in TIME: 7 succeeded
        exit 0
    "#]],
    );
    home.check_parts(
        &["show"],
        &expect![[r#"
           parts RUN succeeded
           started DATE CLOCK, took TIME
           with n=3
           rerun of RUN, 3 steps reused
           tagged why=again

           op succeeded failed not run retries total p50 p95 max
           list 1 - - - - - - -
             measure 1 - - - TIME - - -
             settle 3 - - - TIME - - -
           total 1 - - - TIME - - -
           report 1 - - - TIME - - -

           slowest: …
           7 succeeded
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "measure[p0]"],
        &expect![[r#"
           measure[p0] not part of this run: nothing that was run again needed it
           of run RUN of job parts
        exit 0
    "#]],
    );
    home.check_parts(
        &["runs"],
        &expect![[r#"
        run job state started took steps
        RUN parts succeeded DATE CLOCK TIME 7 succeeded rerun of RUN why=again
        RUN parts succeeded DATE CLOCK TIME 9 succeeded
        exit 0
    "#]],
    );
}

#[test]
fn what_cannot_be_selected_is_pointed_at() {
    let home = Home::new();
    home.run_parts("");
    let select = |expr, expected: &_| home.check_parts(&["rerun", "--select", expr], expected);
    select(
        "mesure",
        &expect![[r#"
        ! error: the job has no op `mesure`
        !   |
        !   | mesure
        !   | ^^^^^^
        !   = help: did you mean `measure`?
        exit 2
    "#]],
    );
    select(
        "list, measure[p9]",
        &expect![[r#"
        ! 1 step, more or fewer if there are other keys, would run
        !  Succeeded parts RUN in TIME: 1 succeeded
        exit 0
    "#]],
    );
    select(
        "measure[p9]+, total",
        &expect![[r#"
        ! error: the run has no step `measure[p9]`: nothing was yielded under the key `p9`
        !   |
        !   | measure[p9]+, total
        !   | ^^^^^^^^^^^^
        !   = help: there is `p0`, `p1`, `p2`; if you select the emitter too, the new keys apply
        exit 2
    "#]],
    );
    select(
        "measure[x\u{1b}y]",
        &expect![[r#"
        ! error: no step has such a key: the mapping key "x\u{1b}y" holds a control character
        !   |
        !   | measure[x\u{1b}y]
        !   |        ^^^^^^^^^^
        !   = help: write the key as it stands in the step's name
        exit 2
    "#]],
    );
    select(
        "total[p1]",
        &expect![[r#"
        ! error: `total` lies in no fan-out: it is one step, without a key
        !   |
        !   | total[p1]
        !   | ^^^^^^^^^
        !   = help: write `total`
        exit 2
    "#]],
    );
    select(
        "state:failed",
        &expect![[r#"
        ! error: this selects no step of the run
        !   |
        !   | state:failed
        !   | ^^^^^^^^^^^^
        !   = help: `show RUN` says which steps there are
        exit 2
    "#]],
    );
    select(
        "state:borken",
        &expect![[r#"
        ! error: there is no state `borken` to select by
        !   |
        !   | state:borken
        !   |       ^^^^^^
        !   = help: there is `failed`, `upstream_failed`, `skipped`, `cancelled`, `not_succeeded`
        exit 2
    "#]],
    );
    select(
        "measure[p1",
        &expect![[r#"
        ! error: this key is not closed
        !   |
        !   | measure[p1
        !   |        ^^^
        !   = help: close it with `]`; inside a key write `\[`, `\]` and `\\`
        exit 2
    "#]],
    );
    select(
        "",
        &expect![[r#"
        ! error: the selection is empty
        !   = help: write ops, `op[key]`, `+op`, `op*` or `state:failed`, with commas or spaces between
        exit 2
    "#]],
    );
    home.run_parts("fail");
    select(
        "total",
        &expect![[r#"
            ! error: what is selected needs steps that did not succeed in run RUN:
            !   `total` needs `settle[p1]`, which did not succeed in the old run (upstream failed): select it too, `settle[p1]`, or all before with `*total`
            exit 2
        "#]],
    );
}

#[test]
fn a_job_that_has_changed_since_is_not_resumed() {
    let home = Home::new();
    home.run_parts("fail");
    let later = |words: &[&str], expected: &_| check(home.parts_later(words), home.path(), expected);
    later(
        &["resume"],
        &expect![[r#"
        ! error: job `parts` has changed since run RUN was begun, so it cannot be resumed:
        !   `measure` is now called `weigh`: give it `#[op(name = "measure")]` or `.named("measure")` to keep the old name, or `rerun`
        !   the value of `total` is of type `i64`, and recorded as `u64`: give it the old type, or `rerun`
        !   `report` is gone: `rerun` does without it
        ! help: `rerun RUN` makes a new run and takes from this one what still fits
        exit 3
    "#]],
    );
    later(
        &["rerun", "--dry-run"],
        &expect![[r#"
        8 steps, more or fewer if there are other keys, would run
        exit 0
    "#]],
    );
    later(
        &["rerun", "--dry-run", "--select", "measure"],
        &expect![[r#"
        ! error: the job has no op `measure`
        !   |
        !   | measure
        !   | ^^^^^^^
        !   = help: it has `list`, `weigh`, `settle`, `total`
        exit 2
    "#]],
    );
    later(
        &["show"],
        &expect![[r#"
           parts RUN failed
           started DATE CLOCK, took TIME
           with n=3

           op succeeded failed not run retries total p50 p95 max
           list 1 - - - TIME - - -
             measure 2 1 - 1 TIME TIME TIME TIME
             settle 2 - 1 - TIME TIME TIME TIME
           total - - 1 - - - - -
           report - - 1 - - - - -

           errors
                1 × part p1 cannot be read: the disk is on fire
                    measure[p1]

           slowest: …
           time: …
           5 succeeded, 1 failed, 3 upstream failed
           resume: parts_later resume RUN inspect: parts_later show RUN --failures
        exit 0
    "#]],
    );
    drop(home.parts("", &["run", "single", "--quiet"]).output().unwrap());
    later(
        &["rerun"],
        &expect![[r#"
        ! error: run RUN is of job `single`, which this program does not have
        exit 3
    "#]],
    );
    later(
        &["resume"],
        &expect![[r#"
        ! error: run RUN is of job `single`, which this program does not have
        exit 3
    "#]],
    );
}

#[test]
fn a_run_is_stopped_from_another_process() {
    let home = Home::new();
    let (run, mut events) = home.waiting_parts();
    home.check_parts(&["resume"], &expect![[r#"
        ! error: run RUN is driven by process PID on HOST since TIME: wait for it, or cancel it with `cancel RUN`
        exit 4
    "#]]);
    home.check_parts(&["prune", "--state", "running"], &expect![[r#"
        ! error: a run that goes on is not removed: stop it with `cancel RUN`, then prune it as a cancelled one
        exit 2
    "#]]);
    home.check_parts(
        &["cancel", "last", "--reason", "enough\u{1b}[2J"],
        &expect![[r#"
        ! run RUN of job `parts` is asked to stop: `show RUN` says when it has
        exit 0
    "#]],
    );
    let mut rest = String::new();
    events.read_to_string(&mut rest).unwrap();
    let output = run.wait_with_output().unwrap();
    expect![[r#"
        !       INFO [TIME] measure[p0]: measuring part=0
        ! Cancelling enough\u{1b}[2J
        !    op succeeded failed not run retries total p50 p95 max
        !    list 1 - - - TIME - - -
        !      measure 1 - 2 - TIME - - -
        !      settle 1 - 2 - TIME - - -
        !    total - - 1 - - - - -
        !    report - - 1 - - - - -
        ! 
        !    slowest: …
        !  Cancelled parts RUN in TIME: 3 succeeded, 6 cancelled (enough\u{1b}[2J)
        !    resume: parts resume RUN
        exit 130
    "#]]
    .assert_eq(&transcript::transcript(&output, home.path()));
    home.check_parts(
        &["cancel", "last"],
        &expect![[r#"
        ! error: run RUN of job `parts` does not run any more: it was cancelled
        exit 2
    "#]],
    );
    home.check_parts(
        &["show"],
        &expect![[r#"
           parts RUN cancelled (enough\u{1b}[2J)
           started DATE CLOCK, took TIME
           with n=3

           op succeeded failed not run retries total p50 p95 max
           list 1 - - - TIME - - -
             measure 1 - 2 - TIME - - -
             settle 1 - 2 - TIME - - -
           total - - 1 - - - - -
           report - - 1 - - - - -

           slowest: …
           3 succeeded, 6 cancelled
           resume: parts resume RUN
        exit 0
    "#]],
    );
}

#[test]
fn which_run_is_meant_must_be_clear() {
    use fanfold::store::{NewRun, SqliteStore, Store as _};
    let home = Home::new();
    home.check(&["show", "7k2m"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: nothing is recorded there yet: run a job first, or name another store with `--store`
        exit 4
    "#]]);
    home.check(&["resume"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: nothing is recorded there yet: run a job first, or name another store with `--store`
        exit 4
    "#]]);
    let store = SqliteStore::open(&home.path().join("runs.db")).unwrap();
    home.check(
        &["show"],
        &expect![[r#"
        ! error: there are no runs in sqlite:HOME/runs.db: begin one with `run JOB`
        exit 2
    "#]],
    );
    for id in ["7k2ma0000000", "7k2mb0000000"] {
        let (id, job, facts) = (id.to_owned(), "letters".to_owned(), "{}".to_owned());
        let started = std::time::SystemTime::now();
        drop(store.create(NewRun { id, job, started, parent: None, facts, tags: Vec::new() }).unwrap());
    }
    drop(store);
    for command in ["show", "logs", "resume", "rerun", "cancel"] {
        home.check(
            &[command, "7k2m"],
            &expect![[r#"
            ! error: the ids of several runs begin with `7k2m`: write more of the one you mean
            !   RUN letters interrupted DATE CLOCK
            !   RUN letters interrupted DATE CLOCK
            exit 2
        "#]],
        );
    }
    home.check(&["show", "7k3m"], &expect![[r#"
        ! error: no run's id begins with `7k3m`: did you mean `RUN` or `RUN`? The newest is `RUN`, of job `letters`
        exit 2
    "#]]);
    home.check(
        &["resume", "zzzz"],
        &expect![[r#"
        ! error: no run's id begins with `zzzz`; the newest is `RUN`, of job `letters`
        exit 2
    "#]],
    );
    home.check(&["show", "7k2ma"], &expect![[r#"
        ! error: what is recorded of run RUN cannot be read: missing field `version` at line 1 column 2; the store is damaged, and `doctor` says more
        exit 4
    "#]]);
    home.check(
        &["show", ""],
        &expect![[r#"
        ! error: the ids of several runs begin with ``: write more of the one you mean
        !   RUN letters interrupted DATE CLOCK
        !   RUN letters interrupted DATE CLOCK
        exit 2
    "#]],
    );
}
