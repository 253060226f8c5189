//! What is said of stores that are damaged, foreign, in use or not there, and what keeps them small.

mod transcript;

use std::fs;
use std::path::PathBuf;

use expect_test::expect;
use rusqlite::Connection;
use transcript::{Home, check};

impl Home {
    fn store(&self) -> PathBuf {
        self.path().join("runs.db")
    }

    fn database(&self) -> Connection {
        Connection::open(self.store()).unwrap()
    }
}

#[test]
fn nothing_is_recorded_in_memory() {
    let home = Home::new();
    check(
        home.parts("fail", &["run", "parts", "--store", "memory"]),
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
        exit 1
    "#]],
    );
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    home.check_parts(
        &["show", "--store", "memory"],
        &expect![[r#"
        ! error: memory cannot be used: what was recorded in memory is gone with its process
        exit 4
    "#]],
    );
    home.check_parts(
        &["resume", "--store", "memory"],
        &expect![[r#"
        ! error: memory cannot be used: what was recorded in memory is gone with its process
        exit 4
    "#]],
    );
}

#[test]
fn a_store_that_is_named_is_named_in_what_may_be_done_next() {
    let home = Home::new();
    let address = "sqlite:my runs/a.db";
    check(
        home.parts("fail", &["run", "parts", "--store", address]),
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
        !    resume: parts resume RUN --store 'sqlite:my runs/a.db' inspect: parts show RUN --failures --store 'sqlite:my runs/a.db'
        exit 1
    "#]],
    );
    home.check_parts(
        &["show", "--failures", "--store", address],
        &expect![[r#"
           parts RUN failed
           started DATE CLOCK, took TIME
           with n=3

           1 × measure
             first measure[p1], after 2 attempts, at TIME
               part p1 cannot be read
               caused by: the disk is on fire
             all of them: parts show RUN --steps --state failed --op measure --store 'sqlite:my runs/a.db'

        exit 0
    "#]],
    );
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_asking() {
    let home = Home::new();
    for command in ["runs", "show", "logs", "resume", "rerun"] {
        home.check(&[command, "--store", "sqlite:nowhere/runs.db"], &expect![[r#"
            ! error: sqlite:nowhere/runs.db cannot be used: nothing is recorded there yet: run a job first, or name another store with `--store`
            exit 4
        "#]]);
    }
    home.check(&["doctor"], &expect![[r#"
            bad store sqlite:HOME/runs.db cannot be used: nothing is recorded there yet: run a job first, or name another store with `--store`
           good panics a panic in a step is a failure of that step alone
           good jobs 14 can be built

           what holds when
           the process dies no success that was told is lost, and `resume` runs none of them again
           the power fails the same, as far as the disk keeps what it said it had synced
           a bit flips in the record it is found out when it is read; nothing is shown in its place
        exit 4
    "#]]);
    home.check(&["cancel", "last"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: nothing is recorded there yet: run a job first, or name another store with `--store`
        exit 4
    "#]]);
    home.check(&["prune", "--keep", "1"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: nothing is recorded there yet: run a job first, or name another store with `--store`
        exit 4
    "#]]);
    home.check(&["runs", "--store", "runs.db"], &expect![[r#"
        ! error: runs.db cannot be used: it is no address of a store: write `sqlite:PATH` for a file on this machine, or `memory` for nothing that lasts
        exit 4
    "#]]);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let home = Home::new();
    fs::write(home.store(), "These are my notes, and no database.\n".repeat(100)).unwrap();
    home.check(&["run", "letters"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: it is not a SQLite database, and stays as it is: name another file with `--store`
        exit 4
    "#]]);
    home.check(&["runs"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: it is not a SQLite database, and stays as it is: name another file with `--store`
        exit 4
    "#]]);
    home.check(&["doctor"], &expect![[r#"
            bad store sqlite:HOME/runs.db cannot be used: it is not a SQLite database, and stays as it is: name another file with `--store`
           good panics a panic in a step is a failure of that step alone
           good jobs 14 can be built

           what holds when
           the process dies no success that was told is lost, and `resume` runs none of them again
           the power fails the same, as far as the disk keeps what it said it had synced
           a bit flips in the record it is found out when it is read; nothing is shown in its place
        exit 4
    "#]]);
    fs::remove_file(home.store()).unwrap();
    home.database().execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    home.check(&["run", "letters"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: it is a SQLite database of another program's, and stays as it is: name another file with `--store`
        exit 4
    "#]]);
    home.check(&["runs"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: it is a SQLite database of another program's, and stays as it is: name another file with `--store`
        exit 4
    "#]]);
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let home = Home::new();
    home.run(&["letters"]);
    home.database().pragma_update(None, "user_version", 99).unwrap();
    home.check(&["run", "letters"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: a newer fanfold wrote it (schema 99; this one knows up to 1), and it stays as it is: build with that version, or name another file with `--store`
        exit 4
    "#]]);
    home.check(&["runs"], &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: a newer fanfold wrote it (schema 99; this one knows up to 1), and it stays as it is: build with that version, or name another file with `--store`
        exit 4
    "#]]);
}

#[test]
fn a_store_in_use_by_somebody_else_is_waited_for_and_then_told() {
    let home = Home::new();
    home.kill_parts();
    let other = home.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    home.check_parts(&["resume"], &expect![[r#"
        ! error: sqlite:HOME/runs.db: another program (process PID, `history_stores-`) holds SQLite's lock on it, which no fanfold process keeps: close it there, then try again
        exit 4
    "#]]);
    home.check(&["run", "letters"], &expect![[r#"
        ! error: sqlite:HOME/runs.db: another program (process PID, `history_stores-`) holds SQLite's lock on it, which no fanfold process keeps: close it there, then try again
        exit 4
    "#]]);
    home.check(&["cancel", "last"], &expect![[r#"
        ! error: run RUN of job `parts` does not run: the process that drove it is gone. Nothing is to be stopped; `resume RUN` would go on with it
        exit 2
    "#]]);
    home.check(
        &["runs"],
        &expect![[r#"
            run job state started took steps
            RUN parts interrupted DATE CLOCK TIME 2 succeeded, 7 waiting
            exit 0
        "#]],
    );
}

#[test]
fn where_nothing_can_be_written_runs_are_read() {
    let home = Home::new();
    home.run(&["letters"]);
    // So it is on a read-only disk, also for a user who may do everything.
    fs::remove_file(home.path().join("runs.db-shm")).ok();
    fs::create_dir(home.path().join("runs.db-shm")).unwrap();
    home.check(
        &["runs"],
        &expect![[r#"
        run job state started took steps
        RUN letters succeeded DATE CLOCK TIME 5 succeeded
        exit 0
    "#]],
    );
    home.check(&["run", "letters"], &expect![[r#"
        ! error: sqlite:HOME/runs.db: attempt to write a readonly database: give yourself the right to write there, or name another place with `--store`
        exit 4
    "#]]);
}

#[test]
fn damage_is_told_and_never_hidden() {
    let home = Home::new();
    home.run_parts("");
    home.check_parts(
        &["doctor"],
        &expect![[r#"
               good schema schema 1 at HOME/runs.db
               good integrity every page is as it should be
               good record 1 run, N commit, each follows the one before
               good disk SIZE MiB left
               good log SIZE KiB not yet in the database
               good file system local
               good panics a panic in a step is a failure of that step alone
               good jobs 2 can be built

               what holds when
               the process dies no success that was told is lost, and `resume` runs none of them again
               the power fails the same, as far as the disk keeps what it said it had synced
               a bit flips in the record it is found out when it is read; nothing is shown in its place
            exit 0
        "#]],
    );
    let database = home.database();
    let data = "UPDATE commits SET data = zeroblob(length(data)) WHERE seq = (SELECT max(seq) FROM commits)";
    assert_eq!(database.execute(data, []).unwrap(), 1);
    drop(database);
    home.check_parts(&["doctor"], &expect![[r#"
           good schema schema 1 at HOME/runs.db
           good integrity every page is as it should be
            bad record sqlite:HOME/runs.db is damaged: commit N of run RUN is not what was written: `export` reads what is whole
           good disk SIZE MiB left
           good log SIZE KiB not yet in the database
           good file system local
           good panics a panic in a step is a failure of that step alone
           good jobs 2 can be built

           what holds when
           the process dies no success that was told is lost, and `resume` runs none of them again
           the power fails the same, as far as the disk keeps what it said it had synced
           a bit flips in the record it is found out when it is read; nothing is shown in its place
        exit 4
    "#]]);
    home.check_parts(
        &["show", "last", "report"],
        &expect![[r#"
            ! error: sqlite:HOME/runs.db is damaged: commit N of run RUN is not what was written
            ! help: `doctor` says what is damaged, and `export` writes what is whole
            exit 4
        "#]],
    );
    home.check_parts(
        &["rerun"],
        &expect![[r#"
            ! error: sqlite:HOME/runs.db is damaged: commit N of run RUN is not what was written
            ! help: `doctor` says what is damaged, and `export` writes what is whole
            exit 4
        "#]],
    );
    home.database().execute("UPDATE runs SET job = 'other'", []).unwrap();
    home.check_parts(
        &["show"],
        &expect![[r#"
        ! error: sqlite:HOME/runs.db is damaged: what is recorded about run RUN is not what was written
        ! help: `doctor` says what is damaged, and `export` writes what is whole
        exit 4
    "#]],
    );
    home.check_parts(
        &["runs"],
        &expect![[r#"
            ! error: sqlite:HOME/runs.db is damaged: what is recorded about run RUN is not what was written
            ! help: `doctor` says what is damaged, and `export` writes what is whole
            exit 4
        "#]],
    );
    let length = fs::metadata(home.store()).unwrap().len();
    fs::OpenOptions::new().write(true).open(home.store()).unwrap().set_len(length / 2).unwrap();
    home.check_parts(&["runs"], &expect![[r#"
        ! error: sqlite:HOME/runs.db is damaged: database disk image is malformed: nothing was changed; `export` reads what is whole
        exit 4
    "#]]);
    home.check_parts(&["doctor"], &expect![[r#"
            bad store sqlite:HOME/runs.db is damaged: database disk image is malformed: nothing was changed; `export` reads what is whole
           good panics a panic in a step is a failure of that step alone
           good jobs 2 can be built

           what holds when
           the process dies no success that was told is lost, and `resume` runs none of them again
           the power fails the same, as far as the disk keeps what it said it had synced
           a bit flips in the record it is found out when it is read; nothing is shown in its place
        exit 4
    "#]]);
}

#[test]
fn the_doctor_finds_what_was_left_behind() {
    let home = Home::new();
    home.run_parts("");
    fs::create_dir_all(home.path().join("live")).unwrap();
    fs::write(home.path().join("live/zzzzzzzzzzzz"), "").unwrap();
    home.check_parts(
        &["doctor"],
        &expect![[r#"
               good schema schema 1 at HOME/runs.db
               good integrity every page is as it should be
               good record 1 run, N commit, each follows the one before
               good live files 1 of runs that need none, in HOME/live: they can be deleted
               good disk SIZE MiB left
               good log SIZE KiB not yet in the database
               good file system local
               good panics a panic in a step is a failure of that step alone
               good jobs 2 can be built

               what holds when
               the process dies no success that was told is lost, and `resume` runs none of them again
               the power fails the same, as far as the disk keeps what it said it had synced
               a bit flips in the record it is found out when it is read; nothing is shown in its place
            exit 0
        "#]],
    );
}

#[test]
fn runs_are_removed_by_age_number_and_state() {
    let home = Home::new();
    home.run_parts("");
    home.run_parts("fail");
    home.run_parts("crash");
    let prune = |words: &[&str], expected: &_| home.check_parts(&[&["prune"], words].concat(), expected);
    prune(
        &["--older-than", "0s", "--dry-run"],
        &expect![[r#"
        RUN parts failed DATE CLOCK
        RUN parts succeeded DATE CLOCK
        would remove 2 runs
        exit 0
    "#]],
    );
    prune(
        &["--state", "failed", "--logs"],
        &expect![[r#"
        RUN parts failed DATE CLOCK
        removed the logs of 1 run
        exit 0
    "#]],
    );
    prune(
        &["--state", "failed", "--state", "interrupted"],
        &expect![[r#"
        RUN parts interrupted DATE CLOCK
        RUN parts failed DATE CLOCK
        removed 2 runs
        exit 0
    "#]],
    );
    prune(
        &["--keep", "0", "--job", "letters"],
        &expect![[r#"
        removed 0 runs
        exit 0
    "#]],
    );
    prune(
        &["--keep", "0"],
        &expect![[r#"
        RUN parts succeeded DATE CLOCK
        removed 1 run
        exit 0
    "#]],
    );
    prune(
        &["--older-than", "soon"],
        &expect![[r#"
        ! error: invalid value 'soon' for '--older-than <TIME>': `soon` is not a length of time such as `10s`: expected number at 0
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    prune(
        &["--keep", "-1"],
        &expect![[r#"
        ! error: unexpected argument '-1' found
        ! 
        ! Usage: parts prune [OPTIONS]
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]],
    );
    home.check_parts(
        &["runs"],
        &expect![[r#"
        no such runs in sqlite:HOME/runs.db
        exit 0
    "#]],
    );
    home.check_parts(
        &["show"],
        &expect![[r#"
        ! error: there are no runs in sqlite:HOME/runs.db: begin one with `run JOB`
        exit 2
    "#]],
    );
}

#[test]
fn every_command_names_the_store_in_one_way() {
    let home = Home::new();
    let commands = ["runs", "show", "logs", "resume", "rerun", "export", "cancel", "prune", "doctor"];
    let of = |words: &[&str]| {
        let output = home.jobs(&[words, &["--help"]].concat()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().skip_while(|line| !line.contains("--store <ADDRESS>"));
        let lines = lines.take_while(|line| !line.trim().is_empty()).map(str::trim);
        let option = lines.scan(0, |dashes, line| {
            *dashes += usize::from(line.starts_with('-'));
            (*dashes < 2).then_some(line)
        });
        option.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    };
    expect!["--store <ADDRESS> Where runs are recorded: `sqlite:PATH`, or `memory` [default: .fanfold/runs.db, or in FANFOLD_HOME]"].assert_eq(&of(&["run", "letters"]));
    for command in commands {
        assert_eq!(of(&[command]), of(&["run", "letters"]), "{command}");
        let refused = home.jobs(&[command, "--no-such-flag"]).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains("unexpected argument '--no-such-flag' found"), "{command}: {said}");
        assert_eq!(refused.status.code(), Some(2), "{command}");
    }
}
