//! Bits that flip, and files that lose their ends: what is read of them is right, or refused.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use fanfold::Summary;
use fanfold::prelude::*;
use fanfold::record::Reader;
use fanfold::record::reader::StepFilter;
use fanfold::runs::{Begin, Runs};
use fanfold::store::{LogFilter, RunFilter, SqliteStore, Store};
use fanfold_tests::powercut::disk::Image;
use fanfold_tests::powercut::{check, number, plan, seed};

#[op(dynamic_out(by_index))]
fn some() -> impl Iterator<Item = i64> {
    0..6
}

#[op]
fn half(x: i64) -> Result<i64, String> {
    if x % 2 == 0 { Ok(x / 2) } else { Err(format!("{x} is odd")) }
}

#[op]
fn twice(x: i64) -> String {
    format!("{}", x * 2).repeat(20)
}

#[op]
fn joined(all: Vec<String>) -> String {
    all.concat()
}

/// Half of its items fail.
#[job]
fn halves() -> Out<Vec<i64>> {
    some().map(half).collect()
}

/// All of it succeeds.
#[job]
fn doubles() -> Out<String> {
    joined(some().map(twice).collect())
}

/// A run that failed, one that succeeded, and one written by hand, with lines.
async fn furnish(path: &Path) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path).unwrap());
    let runs = Runs::of(Arc::clone(&store));
    halves::job().args(()).record(&runs).start().await.unwrap().wait().await;
    let failed = runs.list(&RunFilter::default()).unwrap()[0].id.clone();
    runs.resume(&failed, Begin::default()).await.unwrap().wait().await;
    doubles::job().args(()).record(&runs).start().await.unwrap().wait().await;
    let drive = store.create(plan::new_run(1)).unwrap();
    for step in 0..6 {
        let written = plan::written(1, step, 300 * step as u32 + 1);
        let commit = fanfold::store::NewCommit {
            block: &written.block,
            index: written.index,
            follows: drive.head().1,
            logs: &written.logs,
            summary: written.summary.as_deref(),
            counts: written.counts.as_deref(),
            state: written.state,
        };
        drive.append(commit).unwrap();
    }
    store
}

/// All that a store says, each piece under a name of its own: the text, or nothing if it was refused.
type Said = BTreeMap<String, Option<String>>;

/// The summary, told from the events: one that is cached is finer by what events leave out of times.
fn told_anew(reader: &Reader) -> Option<Summary> {
    let mut summary = Summary::new(reader.shape());
    for batch in reader.batches(0) {
        summary.apply(reader.shape(), &batch.ok()?.1.events);
    }
    Some(summary)
}

fn text<T: Debug, E>(said: Result<T, E>) -> Option<String> {
    said.ok().map(|said| format!("{said:?}"))
}

fn said(store: &Arc<dyn Store>, ids: &[String]) -> Said {
    let mut all = Said::new();
    all.insert("ids".to_owned(), text(store.ids("", 100)));
    all.insert("runs".to_owned(), text(store.runs(&RunFilter::default())));
    for id in ids {
        let mut say = |what: &str, said| all.insert(format!("{what} of {id}"), said);
        say("row", text(store.run(id)));
        say("heads", text(store.heads(id, 0)));
        say("commits", text(store.commits(id, 0, 100)));
        say("lines", text(store.logs(id, &LogFilter::default(), 0, 100)));
        say("errors", text(store.logs(id, &LogFilter { level: 1, ..LogFilter::default() }, 0, 100)));
        // By hand nothing is written that has a meaning.
        let Ok(reader) = Reader::open(Arc::clone(store), id) else { continue };
        say("summary", text(reader.summary()));
        say("anew", text(told_anew(&reader).ok_or(())));
        let page = reader.steps(&StepFilter::default(), 0, 100);
        say("steps", text(page.as_ref()));
        for row in page.map(|page| page.steps).unwrap_or_default() {
            let name = row.step.name(reader.shape());
            let told = reader.step(&name);
            say(&format!("step {name}"), text(told.as_ref()));
            if let Ok(Some(told)) = told
                && !told.record.is_empty()
            {
                say(&format!("value {name}"), text(reader.values(&told.record)));
            }
        }
    }
    all
}

/// What was counted.
#[derive(Debug, Default)]
struct Figures {
    files: usize,
    refused: usize,
    told: usize,
    /// What was wrong, and how often.
    wrong: BTreeMap<String, usize>,
    first: Option<String>,
}

impl Figures {
    fn take(&mut self, said: &Said, truth: &Said, what: &str) {
        self.files += 1;
        let wrong: Vec<_> = said
            .iter()
            .filter(|(name, text)| text.is_some() && truth.get(*name) != Some(text))
            // A cached summary that is damaged is none: it is told anew.
            .filter(|(name, text)| truth.get(&name.replace("summary", "anew")) != Some(text))
            .map(|(name, _)| name)
            .collect();
        // Lines of logs are no part of the record, and have no seal.
        if let Some(name) =
            wrong.iter().find(|name| !name.starts_with("lines") && !name.starts_with("errors"))
        {
            self.first.get_or_insert_with(|| {
                format!("{what}: {name} is {:?}, not {:?}", said[*name], truth.get(*name))
            });
        }
        for name in wrong {
            *self.wrong.entry(name.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
        self.told += usize::from(said.values().any(Option::is_none));
    }
}

/// What lies in a folder, but for what SQLite makes there for readers, and which says nothing.
fn image(folder: &Path) -> Image {
    let mut image = Image::of(folder).unwrap();
    image.files.retain(|path, content| {
        let name = path.to_string_lossy();
        !(name.ends_with("-shm") || name.ends_with("-wal") && content.is_empty())
    });
    image
}

/// Opens a folder for reading, which changes nothing there, and says what is said.
fn look(folder: &Path, ids: &[String]) -> Option<Said> {
    let before = image(folder);
    let said = SqliteStore::open_read_only(&folder.join("runs.db")).ok().map(|store| {
        let store: Arc<dyn Store> = Arc::new(store);
        said(&store, ids)
    });
    assert!(before == image(folder), "reading changed a file");
    said
}

#[tokio::test]
async fn what_is_read_of_a_file_with_a_flipped_bit_is_right_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = furnish(&path).await;
    let ids = store.ids("", 100).unwrap();
    drop(store);
    let good = Image::of(folder.path()).unwrap();
    let truth = look(folder.path(), &ids).unwrap();
    assert!(truth.values().all(Option::is_some) && truth.len() > 30, "{truth:?}");
    assert_eq!(Some(&truth), look(folder.path(), &ids).as_ref(), "it says the same again");
    let (mut random, mut figures) = (fastrand::Rng::with_seed(seed()), Figures::default());
    for n in 0..number("FANFOLD_FLIPS").unwrap_or(2_000) {
        let mut bad = good.clone();
        let content = bad.files.get_mut(Path::new("runs.db")).unwrap();
        let what = if n % 10 == 0 {
            content.truncate(random.usize(..content.len()));
            format!("cut to {}", content.len())
        } else {
            let (at, bit) = (random.usize(..content.len()), random.u8(..8));
            content[at] ^= 1 << bit;
            format!("bit {bit} of byte {at}")
        };
        bad.lay(folder.path()).unwrap();
        match look(folder.path(), &ids) {
            Some(said) => figures.take(&said, &truth, &format!("FANFOLD_SEED={}, {n}: {what}", seed())),
            None => figures.refused += 1,
        }
    }
    println!(
        "damage: FANFOLD_SEED={}, {} files read and {} refused, {} told, wrong {:?}",
        seed(),
        figures.files,
        figures.refused,
        figures.told,
        figures.wrong
    );
    assert!(figures.first.is_none(), "{}", figures.first.unwrap_or_default());
}

/// The log of SQLite with what two processes left in it that did not close the store.
fn with_a_log(folder: &Path) {
    let path = folder.join("runs.db").display().to_string();
    for session in ["0", "1"] {
        let args = [&*path, "many", "5", session, "full"];
        let child = Command::new(env!("CARGO_BIN_EXE_powercut_child")).args(args).output().unwrap();
        assert!(child.status.success() && !String::from_utf8_lossy(&child.stdout).contains("failed"));
    }
}

/// A log that is damaged loses its end: what comes before is right, and what was acknowledged and is
/// gone is told where the live file of the run is there.
#[test]
fn what_is_read_beside_a_damaged_log_is_right_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    with_a_log(folder.path());
    let good = image(folder.path());
    let path = folder.path().join("runs.db");
    let truth = check::read(&SqliteStore::open_read_only(&path).unwrap()).unwrap();
    assert_eq!(truth.len(), 3);
    let log = Path::new("runs.db-wal");
    assert!(good.files[log].len() > 100_000, "{}", good.files[log].len());
    let mut random = fastrand::Rng::with_seed(seed());
    let (mut shorter, mut refused, count) = (0, 0, number("FANFOLD_FLIPS").unwrap_or(2_000) / 4);
    for n in 0..count {
        let mut bad = good.clone();
        let has_live = n % 2 == 0;
        bad.files.retain(|path, _| has_live || !path.starts_with("live"));
        let content = bad.files.get_mut(log).unwrap();
        match n % 20 {
            0 => drop(bad.files.remove(log)),
            1..4 => content.truncate(random.usize(..content.len())),
            _ => content[random.usize(..good.files[log].len())] ^= 1 << random.u8(..8),
        }
        bad.lay(folder.path()).unwrap();
        let Ok(store) = SqliteStore::open_read_only(&path) else {
            refused += 1;
            continue;
        };
        for (id, record) in &truth {
            match store.commits(id, 0, usize::MAX) {
                Ok(commits) => {
                    let blocks = commits.iter().map(|commit| &*commit.block);
                    assert!(
                        record.commits.iter().map(|commit| &*commit.block).take(commits.len()).eq(blocks)
                    );
                    let is_whole = commits.len() == record.commits.len();
                    assert!(is_whole || !has_live, "{n}: a lost end of {id} is not told");
                    shorter += usize::from(!is_whole);
                }
                Err(_) => refused += 1,
            }
        }
        drop(store);
        assert!(bad == image(folder.path()), "{n}: reading changed a file");
    }
    println!(
        "damage: FANFOLD_SEED={}, {count} damaged logs, {refused} refused, {shorter} shorter, 0 wrong",
        seed()
    );
    assert!(refused > 0 && shorter > 0);
}
