//! Steps that kill the process on every attempt are found, and innocent ones are not condemned (§4.10).

use std::os::unix::process::ExitStatusExt;

use fanfold::store::Standing;
use fanfold::{ErrorKind, RunState};

use super::desk::{Desk, FAILED, Said, WELL};

impl Desk {
    /// Only this step failed, as poison, and `succeeded` of its op succeeded.
    fn condemned(&self, step: &str, (code, said): &Said, succeeded: usize) {
        assert_eq!(*code, FAILED, "{said}");
        assert!(said.contains(step) && said.contains("the process died three times"), "{said}");
        let ends = self.ends();
        let failed: Vec<_> = ends.iter().filter(|(_, end)| end.is_err()).collect();
        assert_eq!(failed, [(&step.to_owned(), &Err(ErrorKind::Poison))]);
        let op = step.split('[').next().expect("a name");
        let like = ends.iter().filter(|(name, end)| name.starts_with(&format!("{op}[")) && end.is_ok());
        assert_eq!(like.count(), succeeded);
    }
}

#[test]
fn s4_10_a_step_that_kills_the_process_three_times_fails_as_poison() {
    let desk = Desk::new();
    let (deaths, said) = desk.until_it_lives(&["run", "deadly_late"]);
    assert_eq!(deaths, 3);
    desk.condemned("touch[2]", &said, 2);
    let (code, _) = desk.does(&["resume"]);
    assert_eq!(code, FAILED, "it stays so");
    assert!(desk.session().is_empty(), "it was run again: {:?}", desk.session());
    let (code, _) = desk.does(&["resume", "--retry-poison"]);
    assert_eq!(code, None, "it was run again, and killed the process");
    assert!(desk.session().iter().any(|line| line.starts_with("start touch[2] ")));
    desk.tells("spare");
    let (code, said) = desk.does(&["resume", "--retry-poison"]);
    assert_eq!(code, WELL, "{said}");
    assert_eq!(desk.reader().row().standing, Standing::Ended(RunState::Succeeded));
}

/// Its item was recorded by nobody when the process died for the first time: that death names nobody.
#[test]
fn s4_10_one_among_hundreds_of_short_steps_is_found() {
    for (n, at) in [(300, 150), (5_000, 3_217)] {
        let desk = Desk::new();
        let words = ["run", "deadly", "--n", &n.to_string(), "--at", &at.to_string(), "--how", "quiet"];
        let (deaths, said) = desk.until_it_lives(&words);
        desk.condemned(&format!("touch[{at}]"), &said, n - 1);
        assert!(deaths <= 4, "{deaths}");
        let in_hand = desk.deaths();
        assert!(in_hand.iter().any(|steps| *steps > 1), "it was never in hand with others: {in_hand:?}");
        println!("found after {deaths} deaths, with so many in hand: {in_hand:?}");
    }
}

#[test]
fn s4_10_an_async_step_is_found_among_others() {
    let desk = Desk::new();
    let (deaths, said) = desk.until_it_lives(&["run", "deadly_later"]);
    desk.condemned("touch_later[15]", &said, 19);
    assert!(deaths <= 4, "{deaths}");
}

#[test]
fn s4_10_an_emitter_is_found() {
    let desk = Desk::new();
    let (deaths, (code, said)) = desk.until_it_lives(&["run", "deadly_emitter"]);
    assert_eq!(code, FAILED, "{said}");
    assert!(said.contains("deadly_numbers: the process died three times"), "{said}");
    assert_eq!(deaths, 3);
    assert_eq!(desk.ends()["deadly_numbers"], Err(ErrorKind::Poison));
}

#[test]
fn s4_10_whatever_ends_the_process_is_a_death() {
    for how in ["exit", "overflow"] {
        for job in ["deadly", "deadly_later"] {
            let desk = Desk::new();
            let (deaths, said) = desk.until_it_lives(&["run", job, "--n", "4", "--at", "3", "--how", how]);
            assert!((3..=4).contains(&deaths), "{job} {how}: {deaths} deaths, {said:?}");
            let op = if job == "deadly" { "touch" } else { "touch_later" };
            desk.condemned(&format!("{op}[3]"), &said, 3);
        }
    }
}

/// As by somebody who kills whatever takes long.
#[test]
fn s4_10_innocent_steps_that_were_killed_together_run_alone_and_succeed() {
    let desk = Desk::new();
    let mut words: &[&str] = &["run", "innocent"];
    for _ in 0..2 {
        let mut child = desk.starts(words);
        // A death names only what is recorded.
        desk.await_steps(&mut child, 3);
        child.kill().expect("it runs");
        assert_eq!(child.wait().expect("it ran").signal(), Some(9));
        words = &["resume"];
    }
    desk.tells("go");
    let (code, said) = desk.does(&["resume"]);
    assert_eq!(code, WELL, "{said}");
    assert_eq!(desk.deaths(), [3, 3]);
    let (mut alone, mut steps) = (None, 0);
    for line in desk.session() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["start", step, _] => assert_eq!(alone.replace(step.to_owned()), None, "{step} is not alone"),
            ["end", step] => {
                assert_eq!(alone.take().as_deref(), Some(step));
                steps += 1;
            }
            _ => {}
        }
    }
    assert_eq!(steps, 3);
}
