//! Whatever lies at the place of a store, and whatever happened to its file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fanfold::RunState;
use fanfold::store::{
    Commit, Drive, LogFilter, NewCommit, NewRun, RunFilter, SqliteStore, Standing, Store, StoreError,
    open_read_only,
};

use crate::common::{a_run, append, append_to, block, folder, index, line};

/// Every file in a folder, with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("it can be read")))
        .collect()
}

/// A store with two runs, one of them ended, closed in order: all of it is in one file.
pub(crate) fn make(path: &Path) {
    let store = SqliteStore::open(path).expect("it opens");
    let tags = vec![("who".to_owned(), "me".to_owned())];
    let one = store.create(NewRun { tags, ..a_run("one") }).expect("it is entered");
    append_to(&*one, 30);
    one.put_blob(&[b'v'; 5000]).expect("it is kept");
    let (follows, block) = (one.head().1, block(31));
    let logs = [line(1, 1, 3, "hello"), line(2, 1, 1, "no")];
    let end = NewCommit {
        block: &block,
        follows,
        logs: &logs,
        summary: Some(b"a summary"),
        counts: Some("{}"),
        state: Some(Some(RunState::Failed)),
        ..NewCommit::default()
    };
    one.append(end).expect("it is taken");
    let two = store.create(NewRun { parent: Some("one".to_owned()), ..a_run("two") }).expect("it is entered");
    append_to(&*two, 3);
}

fn refused(path: &Path, why: &str) {
    let folder = path.parent().expect("a folder");
    let before = files(folder);
    for opened in [SqliteStore::open(path), SqliteStore::open_read_only(path)] {
        match opened {
            Err(error @ StoreError::Refused { .. }) => assert!(error.to_string().contains(why), "{error}"),
            other => panic!("{why}: {other:?}"),
        }
    }
    assert!(before == files(folder), "{why}: it is not as it was");
}

#[test]
fn what_is_not_a_store_of_ours_stays_byte_for_byte() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    fs::write(&path, "dear diary\n".repeat(100)).expect("it is written");
    refused(&path, "not a SQLite database");
    fs::write(&path, "x").expect("it is written");
    refused(&path, "not a SQLite database");
    fs::remove_file(&path).expect("it is there");
    fs::create_dir(folder.path().join("live")).expect("it is made");
    refused(&folder.path().join("live"), "it is a folder");
    make(&path);
    fs::remove_file(folder.path().join("write.lock")).expect("it is there");
    let good = fs::read(&path).expect("it can be read");
    for (at, why) in [(68, "another program's"), (60, "a newer fanfold")] {
        let mut other = good.clone();
        other[at..at + 4].copy_from_slice(&9_u32.to_be_bytes());
        fs::write(&path, &other).expect("it is written");
        refused(&path, why);
    }
}

#[test]
fn nothing_and_an_empty_file_become_a_store() {
    let folder = folder();
    let path = folder.path().join("a/b/runs.db");
    assert!(matches!(SqliteStore::open_read_only(&path), Err(StoreError::Refused { .. })));
    assert!(!folder.path().join("a").exists(), "looking makes nothing");
    make(&path);
    let empty = folder.path().join("empty.db");
    fs::write(&empty, "").expect("it is written");
    assert!(matches!(SqliteStore::open_read_only(&empty), Err(StoreError::Refused { .. })));
    make(&empty);
}

/// What a process leaves that dies while it builds a store, at each step.
#[test]
fn leftovers_of_a_building_that_was_broken_off_do_no_harm() {
    let folder = folder();
    let made = folder.path().join("made.db");
    make(&made);
    let whole = fs::read(&made).expect("it can be read");
    for (n, leftovers) in [
        vec![("write.lock", &b""[..])],
        vec![("runs.db.new", &b""[..])],
        vec![("runs.db.new", &whole[..4096]), ("runs.db.new-journal", &b"torn"[..])],
        vec![("runs.db.new", &whole[..]), ("runs.db-wal", &b"of another life"[..])],
    ]
    .iter()
    .enumerate()
    {
        let folder = folder.path().join(n.to_string());
        fs::create_dir(&folder).expect("it is made");
        for (name, bytes) in leftovers {
            fs::write(folder.join(name), bytes).expect("it is written");
        }
        let store = SqliteStore::open(&folder.join("runs.db")).expect("it is made");
        assert!(store.runs(&RunFilter::default()).expect("a list").is_empty());
        append(&*store.create(a_run("one")).expect("it is entered")).expect("it can be written");
        assert!(!folder.join("runs.db.new").exists());
    }
}

#[test]
fn a_store_closed_in_order_is_one_file_and_its_blobs() {
    let folder = folder();
    make(&folder.path().join("runs.db"));
    let names: Vec<_> = files(folder.path()).into_keys().collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(fs::read_dir(folder.path().join("live")).expect("it is there").count(), 0);
}

#[test]
fn readers_change_nothing() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    make(&path);
    let before = fs::read(&path).expect("it can be read");
    let store = SqliteStore::open_read_only(&path).expect("it opens");
    assert_eq!(store.runs(&RunFilter::default()).expect("a list").len(), 2);
    for error in [
        store.create(a_run("new")).err(),
        store.drive("two", false).err(),
        store.request_cancel("two", "").err(),
        store.remove("two", false).err(),
    ] {
        assert!(matches!(error, Some(StoreError::Refused { .. })), "{error:?}");
    }
    assert!(store.examine().expect("it can be looked at").iter().all(|finding| finding.good));
    drop(store);
    assert_eq!(fs::read(&path).expect("it can be read"), before);
    assert_eq!(fs::read_dir(folder.path().join("live")).expect("it is there").count(), 0);
}

/// Where SQLite cannot make its files: as on a read-only disk, also for a user who may do everything.
fn block_shared_memory(path: &Path) {
    let shm = path.with_extension("db-shm");
    let _ = fs::remove_file(&shm);
    fs::create_dir(&shm).expect("it is made");
}

#[test]
fn a_store_is_read_where_nothing_can_be_written() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    make(&path);
    block_shared_memory(&path);
    let store = SqliteStore::open_read_only(&path).expect("it opens");
    assert_eq!(store.commits("one", 0, 100).expect("they are whole").len(), 31);
}

#[cfg(unix)]
#[test]
fn a_folder_without_rights_is_refused_for_writing_and_read_all_the_same() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let closed = folder.path().join("closed");
    let path = closed.join("runs.db");
    make(&path);
    let rights = |mode| fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).expect("it is ours");
    rights(0o555);
    if fs::write(closed.join("probe"), "").is_ok() {
        println!("this user may write everywhere: nothing to see");
        return;
    }
    let refused = SqliteStore::open(&path).and_then(|store| store.create(a_run("new")));
    let said = refused.expect_err("nothing can be written there").to_string();
    assert!(said.contains("give yourself the right to write there"), "{said}");
    let store = SqliteStore::open_read_only(&path).expect("it opens");
    assert_eq!(store.commits("one", 0, 100).expect("they are whole").len(), 31);
    drop(store);
    rights(0o755);
}

#[test]
fn a_store_with_a_log_is_read_whole_where_nothing_can_be_written() {
    let (made, folder) = (folder(), folder());
    let store = SqliteStore::open(&made.path().join("runs.db")).expect("it opens");
    let drive = store.create(a_run("one")).expect("it is entered");
    append_to(&*drive, 9);
    let path = folder.path().join("runs.db");
    for name in ["runs.db", "runs.db-wal"] {
        fs::copy(made.path().join(name), folder.path().join(name)).expect("it is copied");
    }
    block_shared_memory(&path);
    let store = open_read_only(&format!("sqlite:{}", path.display())).expect("it opens");
    assert_eq!(store.commits("one", 0, 100).expect("they are whole").len(), 9);
}

/// Why the store cannot be written to any more, for good.
fn is_noticed(drive: &dyn Drive, store: &SqliteStore) {
    let said = append(drive).expect_err("it is noticed").to_string();
    assert!(said.contains("was deleted or replaced"), "{said}");
    append(drive).expect_err("for good");
    store.create(a_run("new")).expect_err("for all");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_deleted_or_replaced_while_it_is_open_is_noticed() {
    for (what, name) in [("deleted", "runs.db"), ("replaced", "runs.db"), ("deleted", "runs.db-wal")] {
        let folder = folder();
        let path = folder.path().join("runs.db");
        let store = SqliteStore::open(&path).expect("it opens");
        let drive = store.create(a_run("one")).expect("it is entered");
        append_to(&*drive, 2);
        let file = folder.path().join(name);
        if what == "replaced" {
            let other = folder.path().join("other/runs.db");
            make(&other);
            fs::rename(other, &file).expect("it is replaced");
        } else {
            fs::remove_file(&file).expect("it is deleted");
        }
        is_noticed(&*drive, &store);
    }
}

/// All that a store says of its runs; the first complaint for what it refuses to say.
#[derive(Debug, PartialEq)]
struct Said {
    run: Result<(String, Option<String>, String, Vec<(String, String)>, Standing), String>,
    commits: Vec<(u64, Vec<u8>, fanfold::store::CommitIndex)>,
    complaint: Option<String>,
    summary: Result<Option<(u64, Vec<u8>)>, String>,
}

fn said(store: &SqliteStore, run: &str) -> Said {
    let mut said = Said {
        run: store
            .run(run)
            .map(|row| (row.job, row.parent, row.facts, row.tags, row.standing))
            .map_err(|error| error.to_string()),
        commits: Vec::new(),
        complaint: None,
        summary: store.summary(run).map_err(|error| error.to_string()),
    };
    loop {
        match store.commits(run, said.commits.len() as u64, 1) {
            Ok(commits) if commits.is_empty() => return said,
            Ok(commits) => {
                said.commits
                    .extend(commits.into_iter().map(|Commit { head, block }| (head.seq, block, head.index)));
            }
            Err(error) => {
                said.complaint = Some(error.to_string());
                return said;
            }
        }
    }
}

/// What a damaged store says is right, or refused; at most it says less, and complains.
fn is_right(said: &Said, truth: &Said, what: &str) -> bool {
    if let Ok(run) = &said.run {
        assert_eq!(Ok(run), truth.run.as_ref(), "{what}");
    }
    if let Ok(Some(summary)) = &said.summary {
        assert_eq!(Some(summary), truth.summary.as_ref().ok().and_then(Option::as_ref), "{what}");
    }
    assert!(truth.commits.starts_with(&said.commits), "{what}");
    assert!(said.commits.len() == truth.commits.len() || said.complaint.is_some(), "{what}: {said:?}");
    said.run.is_ok() && said.complaint.is_none()
}

#[test]
fn a_damaged_file_never_says_anything_wrong() {
    let seed: u64 = std::env::var("FANFOLD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(4);
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = folder();
    let path = folder.path().join("runs.db");
    make(&path);
    let good = fs::read(&path).expect("it can be read");
    let truth = |store: &SqliteStore| ["one", "two"].map(|run| said(store, run));
    let right = truth(&SqliteStore::open_read_only(&path).expect("it opens"));
    let (mut refused, mut told) = (0, 0);
    for n in 0..300 {
        let mut bad = good.clone();
        let what = if n % 6 == 0 {
            bad.truncate(random.usize(..bad.len()));
            format!("FANFOLD_SEED={seed}, {n}: cut to {}", bad.len())
        } else {
            let (at, bit) = (random.usize(..bad.len()), random.u8(..8));
            bad[at] ^= 1 << bit;
            format!("FANFOLD_SEED={seed}, {n}: bit {bit} of byte {at}")
        };
        fs::write(&path, &bad).expect("it is written");
        let Ok(store) = SqliteStore::open_read_only(&path) else {
            refused += 1;
            continue;
        };
        let whole = truth(&store).iter().zip(&right).all(|(said, truth)| is_right(said, truth, &what));
        told += u32::from(!whole);
        drop(store);
        assert!(bad == fs::read(&path).expect("it can be read"), "{what}: it was changed");
        for side in ["runs.db-wal", "runs.db-shm"] {
            let _ = fs::remove_file(folder.path().join(side));
        }
    }
    println!("FANFOLD_SEED={seed}: 300 damaged files, {refused} refused, {told} told, 0 wrong");
    assert!(refused > 0 && told > 0);
}

/// A log that is damaged ends where the damage is; that more was acknowledged is known beside it.
#[test]
fn a_damaged_log_loses_a_suffix_and_says_so() {
    let seed: u64 = std::env::var("FANFOLD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(4);
    let mut random = fastrand::Rng::with_seed(seed);
    let (made, folder) = (folder(), folder());
    let store = SqliteStore::open(&made.path().join("runs.db")).expect("it opens");
    let drive = store.create(a_run("one")).expect("it is entered");
    append_to(&*drive, 30);
    let mut right = said(&store, "one");
    // Of a copy nobody is the holder.
    right.run = right.run.map(|run| (run.0, run.1, run.2, run.3, Standing::Interrupted));
    let path = folder.path().join("runs.db");
    fs::create_dir(folder.path().join("live")).expect("it is made");
    for name in ["runs.db", "runs.db-wal", "live/one"] {
        fs::copy(made.path().join(name), folder.path().join(name)).expect("it is copied");
    }
    let (db, log) = (fs::read(&path), fs::read(folder.path().join("runs.db-wal")));
    let (db, log) = (db.expect("it can be read"), log.expect("it can be read"));
    let mut told = 0;
    for n in 0..100 {
        let (at, bit) = (random.usize(..log.len()), random.u8(..8));
        let mut bad = log.clone();
        bad[at] ^= 1 << bit;
        let _ = fs::remove_file(folder.path().join("runs.db-shm"));
        fs::write(&path, &db).expect("it is written");
        fs::write(folder.path().join("runs.db-wal"), &bad).expect("it is written");
        let store = SqliteStore::open_read_only(&path).expect("it opens");
        let said = said(&store, "one");
        told += u32::from(!is_right(&said, &right, &format!("FANFOLD_SEED={seed}, {n}: bit {bit} of {at}")));
        drop(store);
        assert!(bad == fs::read(folder.path().join("runs.db-wal")).expect("it is still there"));
    }
    assert!(told > 50, "{told} told");
}

#[test]
fn a_damaged_large_value_is_never_given() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let store = SqliteStore::open(&path).expect("it opens");
    let drive = store.create(a_run("one")).expect("it is entered");
    let hash = drive.put_blob(&[b'v'; 5000]).expect("it is kept");
    let blobs = folder.path().join("blobs/one");
    let file = fs::read_dir(&blobs).expect("it is there").next().expect("a file").expect("a file").path();
    for bad in [vec![b'w'; 5000], vec![b'v'; 4999]] {
        fs::write(&file, bad).expect("it is written");
        let said = store.blob("one", &hash).expect_err("it is damaged").to_string();
        assert!(said.contains("is not what was written"), "{said}");
    }
    fs::remove_file(&file).expect("it is there");
    assert!(store.blob("one", &hash).expect_err("it is gone").to_string().contains("is missing"));
    drop(drive);
    store.remove("one", false).expect("nobody drives it");
    assert!(!blobs.exists());
    assert!(store.logs("one", &LogFilter::default(), 0, 1).is_err());
}

/// Each commit takes a row of its own; what the row says beside its block has to stay small.
#[test]
fn a_lone_small_commit_takes_little_room() {
    const COMMITS: u64 = 500;
    let folder = folder();
    let path = folder.path().join("runs.db");
    let size = || fs::metadata(&path).expect("it is there").len();
    drop(SqliteStore::open(&path).expect("it opens"));
    let empty = size();
    let store = SqliteStore::open(&path).expect("it opens");
    let drive = store.create(a_run("one")).expect("it is entered");
    for n in 0..COMMITS {
        let index = fanfold::store::CommitIndex { nodes: 1 << 40, ..index(n * 1000) };
        let commit = NewCommit { block: &[b'x'; 60], index, follows: drive.head().1, ..NewCommit::default() };
        drive.append(commit).expect("it is taken");
    }
    drop((drive, store));
    let each = (size() - empty) / COMMITS;
    println!("{each} bytes a commit of 60");
    assert!(each <= 250, "{each} bytes a commit of 60");
}
