//! The commands that read what was recorded, as whole transcripts: ids, times and paths are blanked.

mod transcript;

use expect_test::expect;
use transcript::{Home, check};

#[test]
fn runs_are_listed_and_found() {
    let home = Home::new();
    home.check(
        &["runs"],
        &expect![[r#"
            ! error: sqlite:HOME/runs.db cannot be used: nothing is recorded there yet: run a job first, or name another store with `--store`
            exit 4
        "#]],
    );
    home.run(&["letters", "--to", "e"]);
    home.run(&["failing", "--n", "2"]);
    home.check(
        &["runs"],
        &expect![[r#"
        run job state started took steps
        RUN failing failed DATE CLOCK TIME 2 succeeded, 1 failed, 1 upstream failed
        RUN letters succeeded DATE CLOCK TIME 7 succeeded
        exit 0
    "#]],
    );
    home.check(
        &["runs", "--state", "succeeded", "--job", "letters"],
        &expect![[r#"
        run job state started took steps
        RUN letters succeeded DATE CLOCK TIME 7 succeeded
        exit 0
    "#]],
    );
    home.check(
        &["runs", "--since", "2020-01-01", "--until", "2h"],
        &expect![[r#"
        no such runs in sqlite:HOME/runs.db
        exit 0
    "#]],
    );
    home.check(&["runs", "--since", "soon"], &expect![[r#"
        ! error: invalid value 'soon' for '--since <TIME>': `soon` is no time: write how long ago, such as `2h` or `3days`, or a date such as `DATE` or `2026-07-01T10:30`
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]]);
    home.check(
        &["show", "zzzz"],
        &expect![[r#"
        ! error: no run's id begins with `zzzz`; the newest is `RUN`, of job `failing`
        exit 2
    "#]],
    );
}

#[test]
fn a_failed_run_is_shown() {
    let home = Home::new();
    home.run(&["failing", "--n", "2"]);
    home.check(
        &["show"],
        &expect![[r#"
           failing RUN failed
           started DATE CLOCK, took TIME
           with n=2

           op succeeded failed not run retries total p50 p95 max
           count 1 - - - TIME - - -
             odd_fails 1 1 - 1 TIME TIME TIME TIME
           sum - - 1 - - - - -

           errors
                1 × item 1 is odd
                    odd_fails[1]

           slowest: …
           time: …
           2 succeeded, 1 failed, 1 upstream failed
           resume: jobs resume RUN inspect: jobs show RUN --failures
        exit 0
    "#]],
    );
    home.check(
        &["show", "last", "--failures"],
        &expect![[r#"
           failing RUN failed
           started DATE CLOCK, took TIME
           with n=2

           1 × odd_fails
             first odd_fails[1], after 2 attempts, at TIME
               item 1 is odd
             all of them: jobs show RUN --steps --state failed --op odd_fails

        exit 0
    "#]],
    );
    home.check(
        &["show", "last", "--steps", "--state", "succeeded"],
        &expect![[r#"
        ended state took step
        CLOCK succeeded TIME count
        CLOCK succeeded TIME odd_fails[0]
        exit 0
    "#]],
    );
    home.check(
        &["show", "last", "odd_fails[1]"],
        &expect![[r#"
           odd_fails[1] failed
           of run RUN of job failing
           CLOCK attempt 1 failed, took TIME, again in TIME
                     item 1 is odd
           CLOCK attempt 2 failed, took TIME
                     item 1 is odd
        exit 0
    "#]],
    );
    home.check(
        &["show", "last", "odd_fails[0]"],
        &expect![[r#"
           odd_fails[0] succeeded
           of run RUN of job failing
           CLOCK attempt 1 succeeded, took TIME

           result
           0
        exit 0
    "#]],
    );
    home.check(&["show", "last", "odd_fails[33]"], &expect![[r#"
        ! error: run RUN has no step `odd_fails[33]`: `jobs show RUN --steps --op odd_fails` lists those of `odd_fails`
        exit 2
    "#]]);
    home.check(
        &["show", "last", "count"],
        &expect![[r#"
           count succeeded
           of run RUN of job failing
           gave 2 items
           CLOCK attempt 1 succeeded, took TIME
        exit 0
    "#]],
    );
}

#[test]
fn hostile_keys_and_errors_are_inert_when_they_are_read_back() {
    let home = Home::new();
    home.run(&["hostile"]);
    for words in [&["show"][..], &["show", "last", "--failures"], &["show", "last", "--steps"], &["runs"]] {
        let output = home.jobs(words).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let harmful = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(harmful), "{text:?}");
        assert!(output.status.success());
    }
}

#[test]
fn what_steps_logged_is_printed() {
    let home = Home::new();
    let telling = |words: &[&str]| {
        let mut command = home.command(env!("CARGO_BIN_EXE_telling"), words);
        command.env("FANFOLD_ARG_PASSWORD", "hunter2");
        command
    };
    drop(telling(&["run", "secret", "--quiet", "--max-concurrent", "1"]).output().unwrap());
    check(
        telling(&["logs", "last", "--level", "warn"]),
        home.path(),
        &expect![[r#"
        CLOCK WARN balance[0] reading with Secret account=0
        CLOCK WARN balance[1] reading with Secret account=1
        CLOCK WARN balance[2] reading with Secret account=2
        CLOCK WARN balance[3] reading with Secret account=3
        CLOCK WARN balance[4] reading with Secret account=4
        CLOCK WARN balance[4] (attempt 2) reading with Secret account=4
        exit 0
    "#]],
    );
    check(
        telling(&["logs", "last", "log_in"]),
        home.path(),
        &expect![[r#"
        CLOCK INFO log_in logging in password="Secret" pin="None"
        exit 0
    "#]],
    );
    check(
        telling(&["logs", "last", "balance[4]", "--follow"]),
        home.path(),
        &expect![[r#"
        CLOCK WARN balance[4] reading with Secret account=4
        CLOCK WARN balance[4] (attempt 2) reading with Secret account=4
        exit 0
    "#]],
    );
    check(
        telling(&["show", "last", "log_in"]),
        home.path(),
        &expect![[r#"
           log_in succeeded
           of run RUN of job secret
           CLOCK attempt 1 succeeded, took TIME

           result
           nothing, or nothing that is recorded

           given = Secret

           last lines of its log
           CLOCK INFO logging in password="Secret" pin="None"
        exit 0
    "#]],
    );
    check(
        telling(&["logs", "last", "balanse"]),
        home.path(),
        &expect![[r#"
        ! error: unknown op `balanse`: did you mean `balance`?
        exit 2
    "#]],
    );
}

#[test]
fn runs_that_nobody_needs_are_removed() {
    let home = Home::new();
    home.run(&["letters", "--to", "b"]);
    home.run(&["letters", "--to", "c"]);
    home.check(&["prune"], &expect![[r#"
        ! error: say which runs may go: --older-than 30d, --keep 100 (of each job), --state failed; with --dry-run nothing is removed
        exit 2
    "#]]);
    home.check(
        &["prune", "--keep", "1", "--dry-run"],
        &expect![[r#"
        RUN letters succeeded DATE CLOCK
        would remove 1 run
        exit 0
    "#]],
    );
    home.check(
        &["prune", "--older-than", "1h"],
        &expect![[r#"
        removed 0 runs
        exit 0
    "#]],
    );
    home.check(
        &["prune", "--keep", "1"],
        &expect![[r#"
        RUN letters succeeded DATE CLOCK
        removed 1 run
        exit 0
    "#]],
    );
    home.check(
        &["prune", "--keep", "1"],
        &expect![[r#"
        removed 0 runs
        exit 0
    "#]],
    );
    home.check(
        &["cancel", "last"],
        &expect![[r#"
        ! error: run RUN of job `letters` does not run any more: it succeeded
        exit 2
    "#]],
    );
}

#[test]
fn the_doctor_looks_at_store_and_program() {
    let home = Home::new();
    home.run(&["letters", "--to", "b"]);
    let output = home.jobs(&["doctor"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("a panic in a step is a failure of that step alone"), "{text}");
    assert!(text.contains("1 run, "), "{text}");
    assert!(output.status.success(), "{text}");
    let mut broken = home.jobs(&["doctor"]);
    broken.env("FANFOLD_HOME", home.path().join("nowhere"));
    assert_eq!(broken.output().unwrap().status.code(), Some(4));
}

#[test]
fn runs_are_found_by_state_tag_and_number() {
    let home = Home::new();
    home.run(&["letters", "--to", "b", "--tag", "team=red", "--tag", "night=1"]);
    home.run(&["letters", "--to", "c", "--tag", "team=blue"]);
    home.kill_parts();
    home.check(
        &["runs"],
        &expect![[r#"
            run job state started took steps
            RUN parts interrupted DATE CLOCK TIME 2 succeeded, 7 waiting
            RUN letters succeeded DATE CLOCK TIME 5 succeeded team=blue
            RUN letters succeeded DATE CLOCK TIME 4 succeeded night=1 team=red
            exit 0
        "#]],
    );
    home.check(
        &["runs", "--tag", "team=red"],
        &expect![[r#"
        run job state started took steps
        RUN letters succeeded DATE CLOCK TIME 4 succeeded night=1 team=red
        exit 0
    "#]],
    );
    home.check(
        &["runs", "--state", "interrupted", "--state", "failed"],
        &expect![[r#"
            run job state started took steps
            RUN parts interrupted DATE CLOCK TIME 2 succeeded, 7 waiting
            exit 0
        "#]],
    );
    home.check(
        &["runs", "--limit", "1"],
        &expect![[r#"
            run job state started took steps
            RUN parts interrupted DATE CLOCK TIME 2 succeeded, 7 waiting
            exit 0
        "#]],
    );
    home.check(
        &["runs", "--job", "leters"],
        &expect![[r#"
        no such runs in sqlite:HOME/runs.db
        exit 0
    "#]],
    );
    home.check(
        &["runs", "--tag", "red"],
        &expect![[r#"
        ! error: invalid value 'red' for '--tag <NAME=VALUE>': `red` is not NAME=VALUE, such as `team=red`
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    home.check(
        &["runs", "--state", "broken"],
        &expect![[r#"
        ! error: invalid value 'broken' for '--state <STATE>'
        !   [possible values: running, interrupted, succeeded, failed, cancelled]
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
}

#[test]
fn a_step_that_failed_shows_attempts_metadata_logs_and_the_causes() {
    let home = Home::new();
    check(
        home.parts("fail", &["run", "parts"]),
        home.path(),
        &expect![[r#"
            !       INFO [TIME] measure[p0]: measuring part=0
            !       INFO [TIME] measure[p1]: measuring part=1
            !       WARN [TIME] measure[p1]: it does not answer
            !       INFO [TIME] measure[p2]: measuring part=2
            !       INFO [TIME] measure[p1]: measuring part=1
            !       WARN [TIME] measure[p1]: it does not answer
            !       FAIL [TIME] measure[p1] attempt 2/2: part p1 cannot be read: the disk is on fire
            !    op succeeded failed not run retries total p50 p95 max
            !    list 1 - - - TIME - - -
            !      measure 2 1 - 1 TIME TIME TIME TIME
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
           resume: parts resume RUN inspect: parts show RUN --failures
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "--failures"],
        &expect![[r#"
           parts RUN failed
           started DATE CLOCK, took TIME
           with n=3

           1 × measure
             first measure[p1], after 2 attempts, at TIME
               part p1 cannot be read
               caused by: the disk is on fire
             all of them: parts show RUN --steps --state failed --op measure

        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "measure[p1]"],
        &expect![[r#"
           measure[p1] failed
           of run RUN of job parts
           CLOCK attempt 1 failed, took TIME, again in TIME
                     part p1 cannot be read
                     caused by: the disk is on fire
           CLOCK attempt 2 failed, took TIME
                     part p1 cannot be read
                     caused by: the disk is on fire

           last lines of its log
           CLOCK INFO measuring part=1
           CLOCK WARN it does not answer
           CLOCK INFO (attempt 2) measuring part=1
           CLOCK WARN (attempt 2) it does not answer
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "measure[p2]"],
        &expect![[r#"
           measure[p2] succeeded
           of run RUN of job parts
           CLOCK attempt 1 succeeded, took TIME

           result
           20

           unit = mm

           sizes =
             side size
             left 10
             right 2

           progress: 3 of 4

           last lines of its log
           CLOCK INFO measuring part=2
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "total"],
        &expect![[r#"
           total upstream failed, as measure[p1] failed
           of run RUN of job parts
           CLOCK upstream failed
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "mesure[p1]"],
        &expect![[r#"
        ! error: run RUN has no step `mesure[p1]`: did you mean `measure`?
        exit 2
    "#]],
    );
    home.check_parts(&["show", "last", "measure[p1"], &expect![[r#"
        ! error: `measure[p1` is not a step's name: write `op`, `op[key]` or `op[outer][inner]`, with `\` before `[`, `]` and `\` in a key
        exit 2
    "#]]);
    home.check_parts(
        &["logs", "last", "measure[p1]", "--level", "warn"],
        &expect![[r#"
        CLOCK WARN measure[p1] it does not answer
        CLOCK WARN measure[p1] (attempt 2) it does not answer
        exit 0
    "#]],
    );
    home.check_parts(
        &["logs", "last", "measure", "--follow"],
        &expect![[r#"
        CLOCK INFO measure[p0] measuring part=0
        CLOCK INFO measure[p1] measuring part=1
        CLOCK WARN measure[p1] it does not answer
        CLOCK INFO measure[p2] measuring part=2
        CLOCK INFO measure[p1] (attempt 2) measuring part=1
        CLOCK WARN measure[p1] (attempt 2) it does not answer
        exit 0
    "#]],
    );
    home.check_parts(
        &["logs", "last", "measure[p7]"],
        &expect![[r#"
        ! error: run RUN has no step `measure[p7]`: `show RUN --steps` lists them
        exit 2
    "#]],
    );
    home.check_parts(
        &["show", "last", "--steps", "--op", "mesure"],
        &expect![[r#"
        ! error: unknown op `mesure`: did you mean `measure`?
        exit 2
    "#]],
    );
    home.check_parts(
        &["show", "last", "--steps", "--state", "upstream-failed"],
        &expect![[r#"
        ended state took step
        CLOCK upstream failed - settle[p1] as measure[p1] failed
        CLOCK upstream failed - total as measure[p1] failed
        CLOCK upstream failed - report as measure[p1] failed
        exit 0
    "#]],
    );
}

#[test]
fn a_run_that_succeeded_is_shown_and_nothing_is_offered() {
    let home = Home::new();
    home.run_parts("");
    home.check_parts(
        &["show"],
        &expect![[r#"
           parts RUN succeeded
           started DATE CLOCK, took TIME
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
        &["show", "--failures"],
        &expect![[r#"
           parts RUN succeeded
           started DATE CLOCK, took TIME
           with n=3

           no step failed
        exit 0
    "#]],
    );
    home.check_parts(
        &["show", "last", "report"],
        &expect![[r#"
           report succeeded
           of run RUN of job parts
           CLOCK attempt 1 succeeded, took TIME

           result
           "30 mm"
        exit 0
    "#]],
    );
}
