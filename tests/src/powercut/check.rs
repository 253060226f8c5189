//! Whether a store that survived says what it must.

use std::collections::BTreeMap;
use std::path::Path;

use fanfold::RunState;
use fanfold::store::{LogFilter, NewCommit, RunFilter, SqliteStore, Standing, Store, StoreError};

use super::disk::Image;
use super::plan::{Plan, Step};
use super::world::{Commit, Record, Runs, World};

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// All is as it must be.
    Right,
    /// Something that was acknowledged is not there.
    Lost(String),
    /// Something is there that was never asked for, or twice.
    Doubled(String),
    /// Something is neither right nor reported.
    Wrong(String),
}

/// How far a plan came.
#[derive(Debug, Clone)]
pub struct Progress {
    plan: Plan,
    /// The worlds that the store may be in.
    candidates: Vec<World>,
    steps: Vec<Step>,
    /// The step that is under way.
    begun: bool,
}

impl Progress {
    /// Nothing was done.
    pub fn new(plan: &Plan) -> Self {
        Self { plan: plan.clone(), candidates: vec![World::default()], steps: plan.steps(), begun: false }
    }

    /// What the child says.
    ///
    /// # Panics
    /// It says something else than a child does.
    pub fn hear(&mut self, said: &str) {
        let mut words = said.split(' ');
        let (what, number) = (words.next(), words.next().and_then(|number| number.parse::<usize>().ok()));
        match (what, number) {
            (Some("begin"), Some(number)) => {
                let now = self.candidates.pop().expect("there is a world");
                let after = now.after(self.plan.seed, number, self.steps[number]);
                self.candidates = std::iter::once(now).chain(after).collect();
                self.begun = true;
            }
            (Some("done"), Some(_)) => {
                self.candidates.drain(..self.candidates.len() - 1);
                self.begun = false;
            }
            // It may have been done nevertheless: nobody knows.
            (Some("failed"), Some(_)) => {}
            _ => panic!("the child says {said:?}"),
        }
    }

    /// Whether anything was acknowledged.
    pub fn has_runs(&self) -> bool {
        self.candidates.iter().all(|world| !world.runs.is_empty())
    }

    /// Opens the store in `folder` for reading, then for writing and for reading again, and says what
    /// was found.
    pub fn check(&self, folder: &Path) -> Verdict {
        match self.look(folder) {
            Ok(verdict) => verdict,
            Err(error) => Verdict::Lost(error.to_string()),
        }
    }

    fn look(&self, folder: &Path) -> Result<Verdict, StoreError> {
        let path = folder.join("runs.db");
        let found = match SqliteStore::open_read_only(&path) {
            Ok(store) => read(&store)?,
            // The making of the store did not come to its end.
            Err(StoreError::Refused { why, .. }) if why.contains("nothing is recorded") => Runs::new(),
            Err(error) => return Err(error),
        };
        let Some(world) = self.candidates.iter().find(|world| world.runs == found) else {
            return Ok(self.judge(&found));
        };
        let verdict = go_on(&path, world)?;
        if verdict != Verdict::Right {
            return Ok(verdict);
        }
        let store = SqliteStore::open_read_only(&path)?;
        Ok(again(world, &read(&store)?))
    }

    /// What is wrong with what was found.
    fn judge(&self, found: &Runs) -> Verdict {
        let acknowledged = &self.candidates[0].runs;
        for (id, record) in acknowledged {
            let Some(found) = found.get(id) else {
                return Verdict::Lost(format!("{id} is gone"));
            };
            let (is, must) = (found.commits.len(), record.commits.len());
            if is < must {
                return Verdict::Lost(format!("{id} has {is} commits of {must}"));
            }
            if is > must + 1 {
                return Verdict::Doubled(format!("{id} has {is} commits, not {must}"));
            }
        }
        Verdict::Wrong(difference(acknowledged, found))
    }
}

fn difference(must: &Runs, is: &Runs) -> String {
    let ids = |runs: &Runs| runs.keys().cloned().collect::<Vec<_>>();
    if ids(must) != ids(is) {
        return format!("the runs are {:?}, not {:?}", ids(is), ids(must));
    }
    let Some((id, is)) = is.iter().find(|(id, record)| must[*id] != **record) else {
        return "nothing differs".to_owned();
    };
    let must = &must[id];
    for (n, (is, must)) in is.commits.iter().zip(&must.commits).enumerate() {
        if is != must {
            return format!("commit {} of {id}: {:?} {:?}", n + 1, is.index, must.index);
        }
    }
    format!(
        "{id}: {} commits and {}, {:?} and {:?}, {:?} and {:?}, {:?} and {:?}, lines {:?} and {:?}",
        is.commits.len(),
        must.commits.len(),
        is.counts,
        must.counts,
        is.state,
        must.state,
        is.summary,
        must.summary,
        is.logs.len(),
        must.logs.len(),
    )
}

/// All that a store says of its runs.
///
/// # Errors
/// It refuses to say something.
pub fn read(store: &SqliteStore) -> Result<Runs, StoreError> {
    let mut runs = Runs::new();
    for row in store.runs(&RunFilter::default())? {
        store.run(&row.id)?;
        let commits = store.commits(&row.id, 0, usize::MAX)?.into_iter();
        let commits: Vec<_> = commits
            .map(|commit| Commit {
                epoch: commit.head.epoch,
                hash: commit.head.hash,
                index: commit.head.index,
                block: commit.block.into(),
            })
            .collect();
        let record = Record {
            commits,
            logs: store.logs(&row.id, &LogFilter::default(), 0, usize::MAX)?,
            summary: store.summary(&row.id)?,
            counts: row.counts,
            state: ended(row.standing),
        };
        runs.insert(row.id, record);
    }
    Ok(runs)
}

fn ended(standing: Standing) -> Option<RunState> {
    match standing {
        Standing::Ended(state) => Some(state),
        Standing::Running | Standing::Interrupted => None,
    }
}

/// What is appended after the power is back.
const MORE: &[u8] = b"the power is back";

/// Takes each run, looks at its large values, and appends a commit.
fn go_on(path: &Path, world: &World) -> Result<Verdict, StoreError> {
    let store = SqliteStore::open(path)?;
    for (id, record) in &world.runs {
        let drive = store.drive(id, false)?;
        let head = record.commits.last().map_or([0; 32], |commit| commit.hash);
        if drive.head() != (record.commits.len() as u64, head) {
            return Ok(Verdict::Wrong(format!("{id} begins again at {:?}", drive.head())));
        }
        for (hash, bytes) in world.blobs.get(id).unwrap_or(&BTreeMap::new()) {
            if store.blob(id, hash)? != *bytes {
                return Ok(Verdict::Wrong(format!("a large value of {id} is another")));
            }
        }
        drive.append(NewCommit { block: MORE, follows: head, ..NewCommit::default() })?;
    }
    let bad = store.examine()?.into_iter().find(|found| {
        !found.good && matches!(&*found.what, "schema" | "integrity" | "record" | "live files" | "locks")
    });
    Ok(bad.map_or(Verdict::Right, |bad| Verdict::Wrong(format!("{}: {}", bad.what, bad.text))))
}

/// What was there is still there, and what was appended.
fn again(world: &World, found: &Runs) -> Verdict {
    let mut before = found.clone();
    for (id, record) in &mut before {
        match record.commits.pop() {
            Some(last) if *last.block == *MORE => {}
            _ => return Verdict::Lost(format!("the last commit of {id}")),
        }
    }
    if before == world.runs { Verdict::Right } else { Verdict::Wrong(difference(&world.runs, &before)) }
}

/// Whether reading a store changes nothing of what lies there.
///
/// # Errors
/// The folder cannot be read.
pub fn reading_changes_nothing(folder: &Path) -> std::io::Result<bool> {
    let kept = |image: Image| {
        let mut files = image.files;
        files.retain(|path, _| !path.to_string_lossy().ends_with("-shm"));
        // A log that is empty is as good as none.
        files.retain(|path, content| !(content.is_empty() && path.to_string_lossy().ends_with("-wal")));
        files
    };
    let before = kept(Image::of(folder)?);
    if let Ok(store) = SqliteStore::open_read_only(&folder.join("runs.db")) {
        drop(read(&store));
    }
    Ok(before == kept(Image::of(folder)?))
}
