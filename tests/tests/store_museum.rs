//! Every schema that was ever released can be opened: one folder of `museum/` for each, made when it was
//! current, and never changed again. `UPDATE_MUSEUM=1` makes today's, if it is not there yet.

#[path = "store/common.rs"]
mod common;

use std::fs;
use std::path::{Path, PathBuf};

use fanfold::RunState;
use fanfold::store::{
    LogFilter, NewCommit, NewRun, RunFilter, SqliteStore, Standing, Store, StoreError, open_read_only,
};

use common::{a_run, append, append_to, at, block, folder, index, line};

/// The schema that is current.
const TODAY: &str = "v1";

fn museum() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("museum")
}

/// Runs that ended, that were interrupted, and one in many commits.
fn furnish(path: &Path) {
    let store = SqliteStore::open(path).expect("it opens");
    let tags = vec![("who".to_owned(), "me".to_owned())];
    let ended = store.create(NewRun { tags, ..a_run("ended") }).expect("it is entered");
    append_to(&*ended, 2);
    let (block, follows) = (block(3), ended.head().1);
    let last = NewCommit {
        block: &block,
        follows,
        index: index(3),
        logs: &[line(1, 2, 1, "no"), line(2, 2, 3, "hello")],
        summary: Some(b"a summary"),
        counts: Some("{\"failed\":1}"),
        state: Some(Some(RunState::Failed)),
    };
    ended.append(last).expect("it is taken");
    let parent = Some("ended".to_owned());
    let run = NewRun { job: "numbers".to_owned(), parent, started: at(60), ..a_run("interrupted") };
    append_to(&*store.create(run).expect("it is entered"), 100);
}

/// A copy of an exhibit, as opening it for writing changes it.
fn lent(version: &Path, name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join("runs.db");
    fs::copy(version.join(name), &path).expect("it is there");
    (folder, path)
}

#[test]
fn the_exhibit_of_todays_schema_is_made_once() {
    let version = museum().join(TODAY);
    let (good, damaged) = (version.join("good.db"), version.join("damaged.db"));
    if std::env::var_os("UPDATE_MUSEUM").is_none() || good.exists() {
        assert!(good.exists() && damaged.exists(), "run this test with UPDATE_MUSEUM=1");
        return;
    }
    fs::create_dir_all(&version).expect("it is made");
    let folder = folder();
    let path = folder.path().join("runs.db");
    furnish(&path);
    let bytes = fs::read(&path).expect("it can be read");
    fs::write(&good, &bytes).expect("it is written");
    fs::write(&damaged, damage(bytes)).expect("it is written");
}

/// Changes a letter in a block of the run `interrupted`, also where SQLite left an old copy of it.
fn damage(mut bytes: Vec<u8>) -> Vec<u8> {
    let block = block(77);
    let places: Vec<_> = (0..bytes.len()).filter(|place| bytes[*place..].starts_with(&block)).collect();
    assert!(!places.is_empty(), "it is there");
    for place in places {
        bytes[place] = b'B';
    }
    bytes
}

#[test]
fn every_past_schema_is_read_and_gone_on_with() {
    for version in fs::read_dir(museum()).expect("it is there") {
        let version = version.expect("a folder").path();
        let (_folder, path) = lent(&version, "good.db");
        let store = SqliteStore::open(&path).expect("it opens");
        read(&store);
        let drive = store.drive("interrupted", false).expect("nobody drives it");
        assert_eq!((drive.epoch(), drive.head().0), (2, 100));
        append(&*drive).expect("it goes on");
        assert!(store.examine().expect("it can be looked at").iter().all(|finding| finding.good));
    }
}

fn read(store: &SqliteStore) {
    let rows = store.runs(&RunFilter::default()).expect("a list");
    let [interrupted, ended] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((&*ended.id, ended.standing), ("ended", Standing::Ended(RunState::Failed)));
    assert_eq!((ended.started, &*ended.counts, ended.head), (at(0), "{\"failed\":1}", 3));
    assert_eq!(ended.tags, [("who".to_owned(), "me".to_owned())]);
    assert_eq!((&*interrupted.job, interrupted.standing), ("numbers", Standing::Interrupted));
    assert_eq!((interrupted.parent.as_deref(), interrupted.started), (Some("ended"), at(60)));
    assert_eq!(store.run("ended").expect("it is whole").facts, "{\"id\":\"ended\"}");
    for (commit, seq) in store.commits("interrupted", 0, 1000).expect("they are whole").iter().zip(1..) {
        assert_eq!((commit.head.seq, &commit.block, commit.head.index), (seq, &block(seq), index(seq)));
    }
    assert_eq!(store.summary("ended").expect("it is there"), Some((3, b"a summary".to_vec())));
    let lines = store.logs("ended", &LogFilter::default(), 0, 9).expect("lines");
    assert_eq!(lines.iter().map(|line| &*line.text).collect::<Vec<_>>(), ["no", "hello"]);
}

#[test]
fn damage_in_every_past_schema_is_told_and_the_rest_is_read() {
    for version in fs::read_dir(museum()).expect("it is there") {
        let (_folder, path) = lent(&version.expect("a folder").path(), "damaged.db");
        let store = open_read_only(&format!("sqlite:{}", path.display())).expect("it opens");
        let said = store.commits("interrupted", 0, 1000).map(|commits| commits.len());
        let said = said.expect_err("it is damaged");
        assert!(matches!(said, StoreError::Damaged { .. }), "{said}");
        assert!(said.to_string().contains("commit 77 of run interrupted"), "{said}");
        assert_eq!(store.commits("interrupted", 0, 76).expect("they are whole").len(), 76);
        assert_eq!(store.commits("ended", 0, 1000).expect("they are whole").len(), 3);
        assert!(store.examine().expect("it can be looked at").iter().any(|finding| !finding.good));
    }
}
