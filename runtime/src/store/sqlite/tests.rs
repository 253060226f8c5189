//! What can be seen only from inside: that every query is answered by an index, and what happens beside
//! a program that knows nothing of our locks.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::{SqliteStore, catalogue, lines, schema};
use crate::event::RunState;
use crate::store::{LogFilter, NewCommit, NewRun, RunFilter, RunRow, Standing, Store, StoreError};

/// How SQLite would answer.
fn plan(query: &str, values: Vec<Value>) -> String {
    let mut conn = Connection::open_in_memory().expect("a database");
    schema::migrate(&mut conn).expect("the schema is legal");
    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {query}")).expect("a legal query");
    let steps = explain.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).expect("a plan");
    steps.map(|step| step.expect("a text")).collect::<Vec<_>>().join("; ")
}

fn is_indexed(what: &str, plan: &str) {
    assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{what}: {plan}");
}

#[test]
fn every_list_of_runs_is_read_in_order_by_an_index() {
    let ended = Standing::Ended(RunState::Failed);
    let other = Standing::Ended(RunState::Succeeded);
    for job in [None, Some("letters".to_owned())] {
        for standing in [
            vec![],
            vec![ended],
            vec![ended, other],
            vec![Standing::Running],
            vec![Standing::Interrupted, ended],
        ] {
            for tags in [vec![], vec![("a".to_owned(), "b".to_owned())]] {
                let since = Some(std::time::SystemTime::UNIX_EPOCH);
                let job = job.clone();
                let filter =
                    RunFilter { job, standing: standing.clone(), tags, since, ..RunFilter::default() };
                let (query, values) = catalogue::query(&filter);
                let plan = plan(&query, values);
                is_indexed(&format!("{filter:?}"), &plan);
            }
        }
    }
}

#[test]
fn reruns_are_found_among_the_runs_after_the_one_that_they_are_of() {
    let filter = RunFilter { parent: Some("one".to_owned()), ..RunFilter::default() };
    let (query, values) = catalogue::query(&filter);
    is_indexed("reruns", &plan(&query, values));
}

#[test]
fn a_damaged_run_hides_no_other() {
    let folder = std::env::temp_dir().join(format!("fanfold-each-{}", std::process::id()));
    let path = folder.join("runs.db");
    let store = SqliteStore::open(&path).expect("it opens");
    for (id, job, parent) in [("one", "b", None), ("two", "a", Some("one")), ("three", "a", Some("one"))] {
        let parent = parent.map(str::to_owned);
        drop(store.create(NewRun { job: job.to_owned(), parent, ..new_run(id) }).expect("it is entered"));
    }
    assert_eq!(store.jobs().expect("jobs"), ["a", "b"]);
    let drive = store.drive("three", false).expect("it is free");
    let end = NewCommit { state: Some(Some(RunState::Failed)), ..NewCommit::default() };
    drive.append(end).expect("it is noted");
    drop(drive);
    assert_eq!(store.ended().expect("counts"), [("a".to_owned(), RunState::Failed, 1)]);
    let reruns = RunFilter { parent: Some("one".to_owned()), ..RunFilter::default() };
    let reruns = store.runs(&reruns).expect("reruns").into_iter().map(|run| run.id);
    assert_eq!(reruns.collect::<Vec<_>>(), ["three", "two"]);
    let other = Connection::open(&path).expect("another opens it");
    other.execute("UPDATE runs SET job = 'c' WHERE id = 'two'", []).expect("another spoils it");
    assert!(store.runs(&RunFilter::default()).is_err());
    let each = |limit| store.each_run(&RunFilter { limit, ..RunFilter::default() }).expect("the others");
    let said = |run: Result<RunRow, StoreError>| run.map_or_else(|error| error.to_string(), |run| run.id);
    let all: Vec<_> = each(2).into_iter().map(said).collect();
    assert!(all[0] == "three" && all[1].contains("about run two is not") && all[2] == "one", "{all:?}");
    drop((store, other));
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn every_list_of_lines_is_read_in_order_by_an_index() {
    for step in [None, Some((1, 2))] {
        for node in [None, Some(2)] {
            for level in 0..=5 {
                let filter = LogFilter { step, node, level };
                let expected = match (step, level) {
                    (Some(_), _) => "logs_by_step",
                    (None, 1 | 2) => "logs_of_trouble",
                    _ => "PRIMARY KEY",
                };
                for from in [lines::From::After(0), lines::From::Before(9)] {
                    let (query, values) = lines::query(&filter, 1, from, 10);
                    let plan = plan(&query, values);
                    is_indexed(&format!("{filter:?}"), &plan);
                    assert!(plan.contains(expected), "{filter:?}, {from:?}: {plan}");
                }
                let (query, values) = lines::query_count(&filter, 1);
                is_indexed(&format!("how many: {filter:?}"), &plan(&query, values));
            }
        }
    }
}

#[test]
fn every_statement_that_is_written_out_finds_its_rows_by_an_index() {
    for query in STATEMENTS {
        let count = query.matches('?').count();
        let values = (0..count).map(|_| Value::Integer(1)).collect();
        is_indexed(query, &plan(query, values));
    }
}

/// The other statements, as they stand in the code but for their columns.
const STATEMENTS: [&str; 12] = [
    "SELECT number FROM runs WHERE id = ?",
    "UPDATE runs SET head = 1 WHERE number = ? AND epoch = ? AND head = ? AND hash = ?",
    "SELECT name, value FROM tags WHERE run = ? ORDER BY name, value",
    "SELECT data FROM commits WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?",
    "SELECT seq, hash FROM commits WHERE run = ? ORDER BY seq DESC LIMIT 1",
    "SELECT reason FROM requests WHERE run = ? ORDER BY number LIMIT 1",
    "SELECT data FROM summaries WHERE run = ?",
    "DELETE FROM commits WHERE run = ?",
    "DELETE FROM requests WHERE run = ?",
    "DELETE FROM tags WHERE run = ?",
    "DELETE FROM runs WHERE number = ?",
    "SELECT 1 FROM removed WHERE id = ?",
];

#[test]
fn a_program_that_holds_sqlites_lock_is_named() {
    let folder = std::env::temp_dir().join(format!("fanfold-busy-{}", std::process::id()));
    let path = folder.join("runs.db");
    let store = SqliteStore::open(&path).expect("it opens");
    drop(store.create(new_run("before")).expect("nobody holds it"));
    let other = Connection::open(&path).expect("another opens it");
    other.execute_batch("BEGIN IMMEDIATE").expect("another takes its lock");
    let said = store.create(new_run("during")).expect_err("another holds it").to_string();
    assert!(said.contains("SQLite's lock"), "{said}");
    let findings = store.examine().expect("it can be looked at");
    assert!(findings.iter().any(|finding| !finding.good && finding.what == "locks"), "{findings:?}");
    other.execute_batch("ROLLBACK").expect("another gives it up");
    drop(store.create(new_run("during")).expect("a lock that was waited for in vain spoils nothing"));
    drop((store, other));
    std::fs::remove_dir_all(folder).expect("the folder is removed");
}

/// Not asserted, as it depends on the machine: `cargo test -- --ignored --nocapture` prints it.
#[test]
#[ignore = "prints a figure"]
fn how_long_a_page_of_many_runs_takes() {
    const RUNS: usize = 100_000;
    let mut conn = Connection::open_in_memory().expect("a database");
    schema::migrate(&mut conn).expect("the schema is legal");
    let tx = conn.transaction().expect("a transaction");
    let place = super::Place::new(std::path::Path::new("runs.db")).expect("a path");
    for n in 0..RUNS {
        let job = format!("job-{}", n % 7);
        let tags = vec![("customer".to_owned(), (n % 1000).to_string())];
        let run = NewRun { job, tags, facts: "x".repeat(2000), ..new_run(&format!("run-{n}")) };
        catalogue::insert(&tx, &run, "process 1 on host").expect("it is entered");
    }
    let job = Some("job-3".to_owned());
    let tags = vec![("customer".to_owned(), "17".to_owned())];
    let ended = vec![Standing::Ended(RunState::Failed), Standing::Ended(RunState::Succeeded)];
    for (what, filter) in [
        ("newest", RunFilter::default()),
        ("of a job", RunFilter { job, ..RunFilter::default() }),
        ("with a tag", RunFilter { tags, ..RunFilter::default() }),
        ("ended, which none is", RunFilter { standing: ended, ..RunFilter::default() }),
    ] {
        let began = std::time::Instant::now();
        let filter = RunFilter { limit: 50, ..filter };
        let rows = catalogue::rows(&tx, &place, &filter, |_| false).expect("a page");
        println!("{RUNS} runs, {what}: {} rows in {:?}", rows.len(), began.elapsed());
    }
}

/// While somebody reads an old state the log grows; when it is long, it is cut between two commits.
#[test]
fn the_log_does_not_grow_for_ever() {
    let folder = std::env::temp_dir().join(format!("fanfold-long-{}", std::process::id()));
    let path = folder.join("runs.db");
    let store = SqliteStore::open(&path).expect("it opens");
    let drive = store.create(new_run("one")).expect("it is entered");
    let mut letters = ["x", "y"].into_iter().cycle();
    let mut write = || {
        // Never the same again: SQLite writes only pages that change.
        let long = letters.next().unwrap_or_default().repeat(1 << 20);
        drive.append(NewCommit { counts: Some(&long), ..NewCommit::default() }).expect("it is noted");
        std::fs::metadata(folder.join("runs.db-wal")).expect("it is there").len()
    };
    let reader = Connection::open(&path).expect("another opens it");
    reader.execute_batch("BEGIN; SELECT count(*) FROM runs").expect("another reads");
    let mut length = 0;
    while length < 20 << 20 {
        length = write();
    }
    drop(reader);
    assert!((0..1000).any(|_| write() < length), "it was never cut");
    drop((drive, store));
    std::fs::remove_dir_all(folder).expect("the folder is removed");
}

/// What a process leaves that dies while it removes a run, after the rows and before the files.
#[test]
fn a_run_that_is_half_removed_is_gone_and_nothing_is_damaged() {
    let folder = std::env::temp_dir().join(format!("fanfold-removed-{}", std::process::id()));
    let store = SqliteStore::open(&folder.join("runs.db")).expect("it opens");
    for id in ["half", "other"] {
        let drive = store.create(new_run(id)).expect("it is entered");
        drive.append(NewCommit { block: b"block", ..NewCommit::default() }).expect("it is taken");
    }
    super::remove::rows(&store.inner, "half", 1).expect("they are removed");
    assert!(store.inner.place.live("half").exists());
    let said = store.commits("half", 0, 1);
    assert!(matches!(said, Err(StoreError::NoRun { .. })), "{said:?}");
    let findings = store.examine().expect("it can be looked at");
    assert!(findings.iter().all(|finding| finding.good || finding.what != "live files"), "{findings:?}");
    store.remove("other", false).expect("nobody drives it");
    assert!(!store.inner.place.live("half").exists(), "whoever removes a run next removes its files");
    drop(store);
    std::fs::remove_dir_all(folder).expect("the folder is removed");
}

fn new_run(id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        job: String::new(),
        started: std::time::SystemTime::UNIX_EPOCH,
        parent: None,
        facts: String::new(),
        tags: Vec::new(),
    }
}

/// Data goes into SQLite as values of parameters, never as a part of a query's text.
#[test]
fn no_query_is_made_of_data() {
    /// Pieces that stand in the sources as literals.
    const FIXED: [&str; 3] = ["ROW", "HEAD", "columns"];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite");
    let (mut queries, mut made) = (0, 0);
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let source = std::fs::read_to_string(&file).unwrap();
        // Outside of them there is no quote in these sources, so every other piece is a literal.
        for literal in source.split('"').skip(1).step_by(2) {
            let is_query =
                ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "PRAGMA ", " FROM ", " WHERE ", " AND "]
                    .iter()
                    .any(|word| literal.contains(word));
            if !is_query {
                continue;
            }
            queries += 1;
            for piece in literal.split('{').skip(1) {
                let name = piece.split(['}', ':']).next().unwrap_or_default();
                made += 1;
                assert!(FIXED.contains(&name), "{}: {{{name}}} in {literal}", file.display());
            }
        }
    }
    assert!(queries > 30 && made >= 5, "{queries} {made}");
}
