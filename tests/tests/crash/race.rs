//! Two processes at one run: one drives it, and one that was frozen finds out when it wakes up (§5.5).

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};

use fanfold::RunState;
use fanfold::store::Standing;

use super::desk::{Desk, STORE, WELL};

/// How often two processes race.
const RACES: usize = 100;

/// What a process that has ended said.
fn said(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().expect("it can be waited for");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Waits until a process has ended by itself, or another one.
fn first_to_end(children: &mut [Child; 2]) -> usize {
    loop {
        for (place, child) in children.iter_mut().enumerate() {
            if child.try_wait().expect("it can be asked").is_some() {
                return place;
            }
        }
        std::thread::yield_now();
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

#[test]
fn s5_5_of_two_processes_exactly_one_drives_an_interrupted_run() {
    let desk = Desk::new();
    let mut child = desk.starts(&["run", "innocent"]);
    desk.await_steps(&mut child, 3);
    child.kill().expect("it runs");
    child.wait().expect("it ran");
    for race in 0..RACES {
        let before = desk.ledger().lines().filter(|line| line.starts_with("start ")).count();
        let resume = || desk.command(&["resume", "--retry-poison"]).spawn().expect("it starts");
        let mut children = [resume(), resume()];
        let loser = first_to_end(&mut children);
        let [a, b] = children;
        let (loser, mut winner) = if loser == 0 { (a, b) } else { (b, a) };
        let (code, said) = said(loser);
        assert_eq!(code, STORE, "race {race}: {said}");
        let holder = format!("process {} on ", winner.id());
        assert!(said.contains("is driven by") && said.contains(&holder), "race {race}: {said}, not {holder}");
        assert!(winner.try_wait().expect("it can be asked").is_none(), "race {race}: nobody drives it");
        winner.kill().expect("it runs");
        assert_eq!(winner.wait().expect("it ran").signal(), Some(9));
        let after = desk.ledger().lines().filter(|line| line.starts_with("start ")).count();
        assert!(after - before <= 3, "race {race}: steps ran more than once");
    }
    desk.tells("go");
    let (code, said) = desk.does(&["resume", "--retry-poison"]);
    assert_eq!(code, WELL, "{said}");
    println!("races: {RACES}, in each exactly one drove the run");
}

/// Freezes a process in the middle of a run, lets another take the run over, and wakes it up.
fn fenced(hold: &[&str], take_over: &[&str], code_of_store: Option<i32>) {
    let desk = Desk::new();
    let mut frozen = desk.starts(hold);
    desk.await_steps(&mut frozen, 3);
    signal(&frozen, "-STOP");
    let mut taker = desk.starts(take_over);
    desk.await_steps(&mut taker, 3);
    let (holder, of_taker) = (format!("process {} on ", taker.id()), desk.heads());
    signal(&frozen, "-CONT");
    let (code, told) = said(frozen);
    assert_eq!(code, code_of_store, "{told}");
    assert!(told.contains("was taken over by") && told.contains(&holder), "{told}, not {holder}");
    assert!(taker.try_wait().expect("it can be asked").is_none(), "the taker goes on");
    assert!(desk.heads().starts_with(&of_taker), "the record of the taker is what it was");
    let epoch = desk.heads().last().expect("a commit").0;
    desk.tells("go");
    let (code, told) = said(taker);
    assert_eq!(code, WELL, "{told}");
    let after = desk.heads();
    assert!(after[of_taker.len()..].iter().all(|(by, _)| *by == epoch), "the frozen one has written");
    assert_eq!(desk.reader().row().standing, Standing::Ended(RunState::Succeeded));
}

#[test]
fn s5_5_a_holder_that_was_frozen_is_fenced_when_it_wakes_up() {
    for _ in 0..3 {
        fenced(&["hold"], &["hold"], Some(3));
    }
}

#[test]
#[ignore = "takes ten seconds"]
fn s5_5_a_holder_that_was_frozen_can_be_taken_over_after_ten_seconds() {
    fenced(&["run", "innocent"], &["resume", "--take-over"], STORE);
}
