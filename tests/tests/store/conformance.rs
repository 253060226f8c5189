//! The rules of a store, whichever it is.

use std::sync::{Arc, Barrier};
use std::thread;

use fanfold::RunState;
use fanfold::store::{
    Drive, IN_HAND_BYTES, IN_HAND_CUT, IN_HAND_WORKERS, LogFilter, LogRow, NewCommit, NewRun, RunFilter,
    Standing, Store, StoreError,
};
use tempfile::TempDir;

use crate::common::{a_run, append, append_to, at, block, index, line};

/// Makes an empty store.
pub(crate) type Make<'a> = &'a dyn Fn() -> (Arc<dyn Store>, Option<TempDir>);

type Kept = Arc<dyn Store>;

/// Holds every rule against a store of its own.
pub(crate) fn all(make: Make<'_>) {
    let rules: &[(&str, fn(Kept))] = &[
        ("a run is read as it was entered", a_run_is_read_as_it_was_entered),
        ("an id is taken once", an_id_is_taken_once),
        ("an id that cannot name a file is refused", an_id_that_cannot_name_a_file_is_refused),
        ("commits are read as they were written", commits_are_read_as_they_were_written),
        ("a commit follows the last one", a_commit_follows_the_last_one),
        ("after an error a right is worth nothing", after_an_error_a_right_is_worth_nothing),
        ("one drives a run at a time", one_drives_a_run_at_a_time),
        ("a right that is given back is free, and worth nothing", a_right_is_given_back),
        ("of many takers exactly one gets a run", of_many_takers_exactly_one_gets_a_run),
        ("a holder that stands still is taken over and fenced", a_holder_that_stands_still_is_fenced),
        ("a holder that beats is not taken over", a_holder_that_beats_is_not_taken_over),
        ("what was in hand is forgotten at an end in order", what_was_in_hand_ends),
        ("runs are found by what they are", runs_are_found_by_what_they_are),
        ("runs are listed page by page", runs_are_listed_page_by_page),
        ("a run ends and can go on", a_run_ends_and_can_go_on),
        ("lines are found by step and level", lines_are_found_by_step_and_level),
        ("a summary stands for a commit", a_summary_stands_for_a_commit),
        ("a large value is named by its hash", a_large_value_is_named_by_its_hash),
        ("a request reaches the holder, an old one does not", a_request_reaches_the_holder),
        ("a run that is driven is not removed", a_run_that_is_driven_is_not_removed),
        ("nothing is known of a run that is not there", nothing_is_known_of_no_run),
        ("every change gives another version, and reading none", every_change_gives_another_version),
        ("hostile texts are data", hostile_texts_are_data),
    ];
    for (name, rule) in rules {
        let (store, folder) = make();
        println!("{name}");
        rule(store);
        drop(folder);
    }
}

fn held(result: Result<Arc<dyn Drive>, StoreError>) {
    match result {
        Err(StoreError::Held { holder, .. }) => {
            assert!(holder.contains(&std::process::id().to_string()), "{holder}");
        }
        other => panic!("expected that it is held, got {other:?}"),
    }
}

fn a_run_is_read_as_it_was_entered(store: Kept) {
    let tags = vec![("who".to_owned(), "me".to_owned()), ("team".to_owned(), "a".to_owned())];
    let run = NewRun { parent: Some("older".to_owned()), tags, ..a_run("first") };
    let drive = store.create(run.clone()).expect("it is entered");
    assert_eq!((drive.run(), drive.epoch(), drive.head()), ("first", 1, (0, [0; 32])));
    let row = store.run("first").expect("it is there");
    assert_eq!((row.id, row.job, row.started), (run.id, run.job, run.started));
    assert_eq!((row.parent, row.facts), (run.parent, run.facts));
    assert_eq!(row.tags, [("team".to_owned(), "a".to_owned()), ("who".to_owned(), "me".to_owned())]);
    assert_eq!((row.standing, row.head), (Standing::Running, 0));
    drop(drive);
    assert_eq!(store.run("first").expect("it is there").standing, Standing::Interrupted);
}

fn an_id_is_taken_once(store: Kept) {
    let first = store.create(a_run("one")).expect("it is entered");
    append_to(&*first, 2);
    assert!(store.create(a_run("one")).is_err());
    drop(first);
    assert!(store.create(a_run("one")).is_err());
    assert_eq!(store.run("one").expect("it is as it was").head, 2);
}

fn an_id_that_cannot_name_a_file_is_refused(store: Kept) {
    for id in ["", "..", "a/b", "a.b", "a b", "\0", &"a".repeat(65)] {
        assert!(store.create(a_run(id)).is_err(), "{id:?}");
    }
    assert!(store.runs(&RunFilter::default()).expect("a list").is_empty());
}

fn commits_are_read_as_they_were_written(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    append_to(&*drive, 20);
    let commits = store.commits("one", 0, 100).expect("they are whole");
    assert_eq!(commits.len(), 20);
    for (commit, seq) in commits.iter().zip(1..) {
        assert_eq!((commit.head.seq, commit.head.epoch), (seq, 1));
        assert_eq!((&commit.block, commit.head.index), (&block(seq), index(seq)));
        assert_eq!(commit.head.bytes as usize, commit.block.len());
    }
    assert_eq!(commits[19].head.hash, drive.head().1);
    let part: Vec<_> =
        store.commits("one", 5, 3).expect("they are whole").iter().map(|c| c.head.seq).collect();
    assert_eq!(part, [6, 7, 8]);
    let heads: Vec<_> = store.heads("one", 17).expect("they are whole").iter().map(|head| head.seq).collect();
    assert_eq!(heads, [18, 19, 20]);
    assert!(store.commits("one", 20, 10).expect("none").is_empty());
    assert!(store.heads("one", 25).expect("none").is_empty());
}

fn a_commit_follows_the_last_one(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    append_to(&*drive, 3);
    let other = NewCommit { block: b"new", follows: [1; 32], ..NewCommit::default() };
    assert!(matches!(drive.append(other), Err(StoreError::Damaged { .. })));
    assert_eq!(store.run("one").expect("it is there").head, 3);
}

fn after_an_error_a_right_is_worth_nothing(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    let other = NewCommit { block: b"new", follows: [1; 32], ..NewCommit::default() };
    drive.append(other).expect_err("it does not follow");
    append(&*drive).expect_err("nothing is taken any more");
    drive.put_blob(b"large").expect_err("nothing is taken any more");
    drop(drive);
    append(&*store.drive("one", false).expect("another taking is another matter")).expect("it is taken");
}

fn one_drives_a_run_at_a_time(store: Kept) {
    let first = store.create(a_run("one")).expect("it is entered");
    append_to(&*first, 2);
    held(store.drive("one", false));
    let head = first.head();
    drop(first);
    let second = store.drive("one", false).expect("nobody has it");
    assert_eq!((second.epoch(), second.head()), (2, head));
    append_to(&*second, 3);
    let epochs: Vec<_> = store.heads("one", 0).expect("whole").iter().map(|head| head.epoch).collect();
    assert_eq!(epochs, [1, 1, 2]);
}

fn a_right_is_given_back(store: Kept) {
    let first = store.create(a_run("one")).expect("it is entered");
    append_to(&*first, 2);
    first.release();
    let second = store.drive("one", false).expect("nobody has it");
    append(&*first).expect_err("it was given back");
    first.in_hand(0, b"square[1]");
    first.beat();
    drop(first);
    append_to(&*second, 3);
    held(store.drive("one", false));
}

fn of_many_takers_exactly_one_gets_a_run(store: Kept) {
    drop(store.create(a_run("one")).expect("it is entered"));
    for round in 0..10 {
        let start = Barrier::new(8);
        let rights: Vec<_> = thread::scope(|scope| {
            let takers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let right = store.drive("one", false);
                        // Nobody lets go before all have tried.
                        start.wait();
                        right
                    })
                })
                .collect();
            takers.into_iter().map(|taker| taker.join().expect("a taker does not panic")).collect()
        });
        let (got, not): (Vec<_>, Vec<_>) = rights.into_iter().partition(Result::is_ok);
        assert_eq!(got.len(), 1, "round {round}: {not:?}");
        not.into_iter().for_each(held);
        append(&**got[0].as_ref().expect("one got it")).expect("it can write");
    }
}

fn a_holder_that_stands_still_is_fenced(store: Kept) {
    let frozen = store.create(a_run("one")).expect("it is entered");
    append_to(&*frozen, 2);
    frozen.in_hand(0, b"square[1]");
    let taker = store.drive("one", true).expect("it stands still");
    assert_eq!((taker.epoch(), taker.head()), (2, frozen.head()));
    assert_eq!(taker.left_in_hand(), [b"square[1]".to_vec()]);
    frozen.in_hand(1, b"square[2]");
    assert!(
        matches!(frozen.cancel_requested(), Err(StoreError::Fenced { .. })),
        "it need not write to know it"
    );
    assert!(matches!(append(&*frozen), Err(StoreError::Fenced { .. })));
    append_to(&*taker, 4);
    drop(frozen);
    append_to(&*taker, 5);
    held(store.drive("one", false));
    assert_eq!(store.run("one").expect("it is there").standing, Standing::Running);
    drop(taker);
    assert!(store.drive("one", false).expect("it is free").left_in_hand().is_empty());
}

fn a_holder_that_beats_is_not_taken_over(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    let done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                drive.beat();
                thread::yield_now();
            }
        });
        held(store.drive("one", true));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    append(&*drive).expect("it still has it");
}

fn what_was_in_hand_ends(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    drive.in_hand(3, b"a");
    drop(drive);
    let drive = store.drive("one", false).expect("it is free");
    assert!(drive.left_in_hand().is_empty());
    drive.in_hand(0, &[b'x'; IN_HAND_BYTES + 1]);
    drive.in_hand(1, &[b'y'; IN_HAND_BYTES]);
    drive.in_hand(2, b"gone soon");
    drive.in_hand(2, b"");
    drive.in_hand(IN_HAND_WORKERS, b"nobody looks");
    let taker = store.drive("one", true).expect("it stands still");
    let left = taker.left_in_hand();
    assert_eq!(left.len(), 2);
    assert_eq!((left[0].len(), left[0].last()), (IN_HAND_BYTES, Some(&IN_HAND_CUT)));
    assert_eq!(left[1], [b'y'; IN_HAND_BYTES]);
}

/// The ids of the runs that a filter admits.
fn found(store: &Kept, filter: &RunFilter) -> Vec<String> {
    store.runs(filter).expect("a list").into_iter().map(|row| row.id).collect()
}

fn runs_are_found_by_what_they_are(store: Kept) {
    let tag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for (id, job, started, tags) in [
        ("a", "letters", 0, vec![tag("who", "me")]),
        ("b", "numbers", 10, vec![tag("who", "you"), tag("x", "1")]),
        ("c", "letters", 20, vec![tag("who", "me"), tag("x", "1")]),
        ("d", "letters", 30, vec![]),
    ] {
        let parent = (id == "d").then(|| "a".to_owned());
        let run = NewRun { job: job.to_owned(), started: at(started), tags, parent, ..a_run(id) };
        let drive = store.create(run).expect("it is entered");
        let state = match id {
            "a" => Some(RunState::Succeeded),
            "b" => Some(RunState::Failed),
            _ => None,
        };
        drive.append(NewCommit { state: Some(state), ..NewCommit::default() }).expect("it is noted");
    }
    let _driven = store.drive("d", false).expect("it is free");
    let filter = RunFilter::default;
    let standing = |standing: &[Standing]| RunFilter { standing: standing.to_vec(), ..filter() };
    let succeeded = Standing::Ended(RunState::Succeeded);
    let failed = Standing::Ended(RunState::Failed);
    let cancelled = Standing::Ended(RunState::Cancelled);
    for (filter, ids) in [
        (filter(), "dcba"),
        (RunFilter { job: Some("letters".to_owned()), ..filter() }, "dca"),
        (RunFilter { since: Some(at(10)), ..filter() }, "dcb"),
        (RunFilter { until: Some(at(20)), since: Some(at(5)), ..filter() }, "b"),
        (RunFilter { tags: vec![tag("who", "me")], ..filter() }, "ca"),
        (RunFilter { tags: vec![tag("who", "me"), tag("x", "1")], ..filter() }, "c"),
        (RunFilter { tags: vec![tag("who", "nobody")], ..filter() }, ""),
        (RunFilter { parent: Some("a".to_owned()), ..filter() }, "d"),
        (RunFilter { parent: Some("d".to_owned()), ..filter() }, ""),
        (standing(&[succeeded]), "a"),
        (standing(&[succeeded, failed]), "ba"),
        (standing(&[succeeded, failed, cancelled]), "ba"),
        (standing(&[Standing::Running]), "d"),
        (standing(&[Standing::Interrupted]), "c"),
        (standing(&[Standing::Running, Standing::Interrupted]), "dc"),
        (standing(&[Standing::Interrupted, failed]), "cb"),
        (standing(&[Standing::Running, succeeded, failed, cancelled]), "dba"),
        (RunFilter { job: Some("letters".to_owned()), ..standing(&[succeeded]) }, "a"),
    ] {
        assert_eq!(found(&store, &filter).concat(), ids, "{filter:?}");
    }
    assert_eq!(store.jobs().expect("jobs"), ["letters", "numbers"]);
}

fn runs_are_listed_page_by_page(store: Kept) {
    for n in 0..25 {
        drop(store.create(a_run(&format!("run-{n:02}"))).expect("it is entered"));
    }
    let mut filter = RunFilter { limit: 10, ..RunFilter::default() };
    let mut pages = Vec::new();
    loop {
        let page = store.runs(&filter).expect("a page");
        let Some(last) = page.last() else { break };
        filter.before = Some(last.number);
        pages.push(page.iter().map(|row| row.id.clone()).collect::<Vec<_>>());
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!((&*pages[0][0], &*pages[2][4]), ("run-24", "run-00"));
    assert_eq!(store.ids("run-1", 3).expect("ids"), ["run-19", "run-18", "run-17"]);
    assert_eq!(store.ids("run-07", 3).expect("ids"), ["run-07"]);
    assert!(store.ids("r%", 3).expect("ids").is_empty());
}

fn a_run_ends_and_can_go_on(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    let standing = || store.run("one").expect("it is there").standing;
    let end = |state| {
        let counts = Some("{\"failed\":1}");
        drive.append(NewCommit { state: Some(state), counts, ..NewCommit::default() }).expect("it is noted");
    };
    end(Some(RunState::Failed));
    assert_eq!(standing(), Standing::Ended(RunState::Failed));
    assert_eq!(store.run("one").expect("it is there").counts, "{\"failed\":1}");
    end(None);
    append_to(&*drive, 1);
    assert_eq!(standing(), Standing::Running);
    end(Some(RunState::Cancelled));
    assert_eq!(standing(), Standing::Ended(RunState::Cancelled));
}

fn lines_are_found_by_step_and_level(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    let lines =
        [line(0, 1, 3, "a"), line(1, 2, 1, "b"), line(2, 2, 2, "c"), line(1, 2, 4, "d"), line(1, 3, 3, "e")];
    drive.append(NewCommit { logs: &lines[..2], ..NewCommit::default() }).expect("they are kept");
    append_to(&*drive, 1);
    drive.append(NewCommit { logs: &lines[2..], ..NewCommit::default() }).expect("they are kept");
    let said = |lines: Vec<LogRow>| {
        lines.into_iter().map(|line| format!("{}{}", line.number, line.text)).collect::<Vec<_>>().concat()
    };
    let read =
        |filter: LogFilter, after, limit| said(store.logs("one", &filter, after, limit).expect("lines"));
    let read_back = |filter: LogFilter, before, limit| {
        said(store.last_logs("one", &filter, before, limit).expect("lines"))
    };
    let filter = LogFilter::default;
    assert_eq!(read(filter(), 0, 9), "1a2b3c4d5e");
    assert_eq!(read(filter(), 1, 2), "2b3c");
    assert_eq!(read(LogFilter { step: Some((1, 2)), ..filter() }, 0, 9), "2b4d");
    assert_eq!(read(LogFilter { step: Some((1, 2)), level: 3, ..filter() }, 0, 9), "2b");
    assert_eq!(read(LogFilter { node: Some(2), ..filter() }, 0, 9), "2b3c4d");
    assert_eq!(read(LogFilter { level: 1, ..filter() }, 0, 9), "2b");
    assert_eq!(read(LogFilter { level: 2, node: Some(2), ..filter() }, 2, 9), "3c");
    assert_eq!(read(LogFilter { level: 3, ..filter() }, 0, 9), "1a2b3c5e");
    assert_eq!(read_back(filter(), u64::MAX, 9), "5e4d3c2b1a");
    let count = |filter: LogFilter| store.count_logs("one", &filter).expect("a number");
    assert_eq!((count(filter()), count(LogFilter { level: 2, ..filter() })), (5, 2));
    assert_eq!(count(LogFilter { step: Some((1, 2)), ..filter() }), 2);
    assert_eq!(read_back(filter(), 4, 2), "3c2b");
    assert_eq!(read_back(LogFilter { step: Some((1, 2)), ..filter() }, u64::MAX, 9), "4d2b");
    assert_eq!(read_back(LogFilter { step: Some((1, 2)), level: 3, ..filter() }, 4, 9), "2b");
    assert_eq!(read_back(LogFilter { node: Some(2), ..filter() }, u64::MAX, 1), "4d");
    assert_eq!(read_back(LogFilter { level: 2, node: Some(2), ..filter() }, 9, 9), "3c2b");
    assert_eq!(read_back(LogFilter { level: 3, ..filter() }, 5, 2), "3c2b");
    assert_eq!(read_back(filter(), 1, 9), "");
    drop(drive);
    store.remove("one", true).expect("nobody drives it");
    assert_eq!(read(filter(), 0, 9), "");
    assert_eq!(store.commits("one", 0, 9).expect("the record stays").len(), 1);
}

fn a_summary_stands_for_a_commit(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    assert_eq!(store.summary("one").expect("none yet"), None);
    append_to(&*drive, 4);
    let (follows, block) = (drive.head().1, block(5));
    let commit = NewCommit { block: &block, follows, summary: Some(b"all"), ..NewCommit::default() };
    drive.append(commit).expect("it is taken");
    append_to(&*drive, 6);
    assert_eq!(store.summary("one").expect("it is there"), Some((5, b"all".to_vec())));
}

fn a_large_value_is_named_by_its_hash(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    let hash = drive.put_blob(b"large").expect("it is kept");
    assert_eq!(drive.put_blob(b"large").expect("it is there"), hash);
    let other = drive.put_blob(b"other").expect("it is kept");
    assert_ne!(hash, other);
    assert_eq!(store.blob("one", &hash).expect("it is there"), b"large");
    assert!(matches!(store.blob("one", &[7; 32]), Err(StoreError::Damaged { .. })));
    drop(drive);
    store.remove("one", false).expect("nobody drives it");
    assert!(matches!(store.blob("one", &hash), Err(StoreError::NoRun { .. })));
}

fn a_request_reaches_the_holder(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    assert_eq!(drive.cancel_requested().expect("none"), None);
    store.request_cancel("one", "enough").expect("it is noted");
    store.request_cancel("one", "really").expect("it is noted");
    assert_eq!(drive.cancel_requested().expect("one"), Some("enough".to_owned()));
    drop(drive);
    let drive = store.drive("one", false).expect("it is free");
    assert_eq!(drive.cancel_requested().expect("an old one"), None);
}

fn a_run_that_is_driven_is_not_removed(store: Kept) {
    let drive = store.create(a_run("one")).expect("it is entered");
    append_to(&*drive, 2);
    for logs_only in [false, true] {
        assert!(matches!(store.remove("one", logs_only), Err(StoreError::Held { .. })));
    }
    append_to(&*drive, 3);
    drop(drive);
    store.remove("one", false).expect("nobody drives it");
    assert!(matches!(store.run("one"), Err(StoreError::NoRun { .. })));
    drop(store.create(a_run("one")).expect("its id is free"));
    assert_eq!(store.run("one").expect("it is new").head, 0);
}

fn nothing_is_known_of_no_run(store: Kept) {
    let none = |error: StoreError| assert!(matches!(error, StoreError::NoRun { .. }), "{error}");
    for id in ["none", "../x", ""] {
        none(store.run(id).expect_err("none"));
        none(store.drive(id, false).expect_err("none"));
        none(store.drive(id, true).expect_err("none"));
        none(store.heads(id, 0).expect_err("none"));
        none(store.commits(id, 0, 1).expect_err("none"));
        none(store.summary(id).expect_err("none"));
        none(store.logs(id, &LogFilter::default(), 0, 1).expect_err("none"));
        none(store.count_logs(id, &LogFilter::default()).expect_err("none"));
        none(store.last_logs(id, &LogFilter::default(), 9, 1).expect_err("none"));
        none(store.blob(id, &[0; 32]).expect_err("none"));
        none(store.request_cancel(id, "").expect_err("none"));
        none(store.remove(id, false).expect_err("none"));
    }
}

fn hostile_texts_are_data(store: Kept) {
    let hostile = "'); DROP TABLE runs; --\u{202e}\0\u{1b}[31m";
    let tags = vec![(hostile.to_owned(), hostile.to_owned())];
    let run =
        NewRun { job: hostile.to_owned(), facts: hostile.to_owned(), tags: tags.clone(), ..a_run("one") };
    let drive = store.create(run).expect("it is entered");
    let lines = [line(1, 1, 1, hostile)];
    drive.append(NewCommit { logs: &lines, counts: Some(hostile), ..NewCommit::default() }).expect("taken");
    store.request_cancel("one", hostile).expect("it is noted");
    assert_eq!(drive.cancel_requested().expect("one").as_deref(), Some(hostile));
    let filter = RunFilter { job: Some(hostile.to_owned()), tags, ..RunFilter::default() };
    let rows = store.runs(&filter).expect("a list");
    assert_eq!((&*rows[0].facts, &*rows[0].counts), (hostile, hostile));
    assert_eq!(store.logs("one", &LogFilter::default(), 0, 1).expect("lines")[0].text, hostile);
    assert!(store.ids(hostile, 5).expect("ids").is_empty());
    assert!(store.examine().expect("it can be looked at").iter().all(|finding| finding.good));
}

fn every_change_gives_another_version(store: Kept) {
    let mut before = store.version().expect("it is told");
    let mut changed = |what: &str| {
        let now = store.version().expect("it is told");
        assert_ne!(now, before, "after {what}");
        assert_eq!(now, store.version().expect("it is told"), "nothing happened since {what}");
        before = now;
    };
    let drive = store.create(a_run("one")).expect("it is entered");
    changed("a run was entered");
    append(&*drive).expect("it is written");
    changed("a commit");
    store.request_cancel("one", "enough").expect("it is asked for");
    changed("a request");
    drop(drive);
    let drive = store.drive("one", false).expect("nobody drives it");
    changed("the run was taken");
    drop(drive);
    let settled = store.version().expect("it is told");
    let row = store.run("one").expect("it is there");
    assert_eq!(store.commits("one", 0, 9).expect("they are read").len() as u64, row.head);
    assert_eq!(store.version().expect("it is told"), settled, "after reading");
    store.remove("one", false).expect("nobody drives it");
    assert_ne!(store.version().expect("it is told"), settled, "after the run was removed");
}
