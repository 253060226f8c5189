//! Programs with mistakes that are found before anything runs: each needs a program of its own.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use fanfold::prelude::*;
use fanfold::{JobError, RunError, StartError};

struct Db;

#[resource]
fn db() -> Db {
    Db
}

mod elsewhere {
    use super::Db;
    use fanfold::prelude::*;

    #[resource]
    fn another_db() -> Db {
        Db
    }
}

static RUNS: AtomicU32 = AtomicU32::new(0);

#[op]
fn query(#[resource] _db: &Db) {
    RUNS.fetch_add(1, SeqCst);
}

#[op]
fn one() -> i64 {
    RUNS.fetch_add(1, SeqCst);
    1
}

#[job]
fn queries() {
    let _ = query();
}

#[job]
fn fine() -> Out<i64> {
    one()
}

#[job]
fn broken() {
    let _ = one().priority(1).priority(2);
}

#[job]
fn explodes() {
    panic!("in the body");
}

mod twin {
    use fanfold::prelude::*;

    #[job]
    fn fine() -> Out<i64> {
        super::one()
    }
}

#[tokio::test]
async fn two_resources_of_one_type_are_an_error_at_start_that_names_both() {
    let error = queries::job().args(()).run_in_memory().await.unwrap_err();
    assert!(matches!(error, RunError::Start(StartError::Resource(_))), "{error}");
    let text = error.to_string();
    for part in ["Db", "another_db", "db (", "library_mistakes.rs:"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(RUNS.load(SeqCst), 0);
}

#[test]
fn check_all_jobs_tells_every_mistake_of_every_job() {
    let errors = fanfold::check_all_jobs().unwrap_err();
    let text = errors.to_string();
    // Names first: which of two is meant cannot be said.
    assert!(
        errors.errors().iter().any(|error| matches!(error, JobError::SameName { name: "fine", .. })),
        "{text}"
    );
    assert!(text.contains("library_mistakes.rs:"), "{text}");
}

#[test]
fn a_broken_job_and_one_whose_body_panics_are_told_by_name() {
    let text = broken::job().graph().unwrap_err().to_string();
    assert!(text.contains("`broken`") && text.contains("`priority`"), "{text}");
    let panic = std::panic::catch_unwind(|| explodes::job().graph()).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"in the body"));
    // The place is given back: the next job builds.
    fine::job().graph().unwrap();
    queries::job().graph().unwrap();
}
