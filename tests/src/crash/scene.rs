//! One run in a folder of its own: processes that drive it, and what is recorded of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use fanfold::EventKind;
use fanfold::record::{Reader, State};
use fanfold::store::{Hash, SqliteStore, Standing, Store};

use super::Ledger;
use super::ledger::is_transient;

/// How a process ended.
#[derive(Debug)]
pub enum Ended {
    /// It was killed.
    Killed,
    /// By itself, well.
    Well,
    /// By itself, with this to say.
    Badly(String),
}

/// One run.
#[derive(Debug)]
pub struct Scene {
    program: PathBuf,
    folder: PathBuf,
    /// What the ops did.
    pub ledger: Ledger,
    /// The hashes of the commits, as they were seen last.
    commits: Vec<Hash>,
}

impl Scene {
    /// A run of `program`, in an empty folder.
    pub fn new(program: &Path, folder: &Path) -> Self {
        let (program, folder) = (program.to_owned(), folder.to_owned());
        Self { program, folder, ledger: Ledger::default(), commits: Vec::new() }
    }

    fn store(&self) -> PathBuf {
        self.folder.join("runs.db")
    }

    /// A process that drives the run; it dies by itself at a point `name:n`, if one is given.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(&self, point: Option<&str>) -> Child {
        let mut command = Command::new(&self.program);
        command.arg("drive").arg(self.store()).arg(self.folder.join("ledger"));
        command.env_remove("FANFOLD_CRASH").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some(point) = point {
            command.env("FANFOLD_CRASH", point);
        }
        command.spawn().expect("the program starts")
    }

    /// Lets a process drive the run, and kills it after a while, if one is given.
    pub fn drive(&self, point: Option<&str>, kill_after: Option<Duration>) -> Ended {
        let mut child = self.start(point);
        if let Some(after) = kill_after {
            // It is the instant that is tested, not something that is waited for.
            std::thread::sleep(after);
            // It may have ended by itself.
            let _ = child.kill();
        }
        ended(child)
    }

    /// Looks at what is there: what was told is recorded, and nothing that was seen before is gone.
    /// Whether it is more than before.
    ///
    /// # Errors
    /// It is not so.
    pub fn look(&mut self) -> Result<bool, String> {
        self.ledger.read(&self.folder.join("ledger"))?;
        if !self.store().exists() {
            return if self.ledger.acks.is_empty() { Ok(false) } else { Err("lost: the store".to_owned()) };
        }
        let Some(reader) = self.reader()? else {
            return if self.ledger.acks.is_empty() { Ok(false) } else { Err("lost: the run".to_owned()) };
        };
        let heads = reader.store().heads(&reader.row().id, 0).map_err(|error| error.to_string())?;
        let commits: Vec<_> = heads.iter().map(|head| head.hash).collect();
        if !commits.starts_with(&self.commits) {
            return Err(format!("lost: {} commits were there, now {}", self.commits.len(), commits.len()));
        }
        let recorded = recorded(&reader)?;
        if let Some(lost) = self.ledger.acks.keys().find(|step| !recorded.contains_key(*step)) {
            return Err(format!("lost: `{lost}` was told as done"));
        }
        let grew = commits.len() > self.commits.len();
        self.commits = commits;
        Ok(grew)
    }

    /// Checks a run that has succeeded.
    ///
    /// # Errors
    /// A value is not the one that an uninterrupted run gives, or a step is missing.
    pub fn check_end(&mut self, expected: &HashMap<String, String>) -> Result<(), String> {
        self.look()?;
        let reader = self.reader()?.ok_or("lost: the run")?;
        if reader.row().standing != Standing::Ended(fanfold::RunState::Succeeded) {
            return Err(format!("it stands {:?}", reader.row().standing));
        }
        let recorded = recorded(&reader)?;
        for (step, value) in expected {
            match recorded.get(step) {
                Some(found) if found == value => {}
                Some(_) => return Err(format!("wrong: the value of `{step}`")),
                None => return Err(format!("lost: `{step}`")),
            }
        }
        match recorded.keys().find(|step| !expected.contains_key(*step)) {
            Some(step) => Err(format!("wrong: there is no `{step}` in an uninterrupted run")),
            None => Ok(()),
        }
    }

    /// What the steps of a run that has succeeded gave, by their names.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn values(&self) -> Result<HashMap<String, String>, String> {
        recorded(&self.reader()?.ok_or("there is no run")?)
    }

    fn reader(&self) -> Result<Option<Reader>, String> {
        let store = match SqliteStore::open_read_only(&self.store()) {
            Ok(store) => Arc::new(store) as Arc<dyn Store>,
            // It was killed while it made the store.
            Err(fanfold::store::StoreError::Refused { .. }) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let runs = store.runs(&Default::default()).map_err(|error| error.to_string())?;
        match &runs[..] {
            [] => Ok(None),
            [run] => Ok(Some(Reader::open(store, &run.id).map_err(|error| error.to_string())?)),
            more => Err(format!("doubled: {} runs", more.len())),
        }
    }
}

/// How a process ended, and what it said.
///
/// # Panics
/// It cannot be waited for.
fn ended(child: Child) -> Ended {
    let output = child.wait_with_output().expect("it can be waited for");
    if was_killed(output.status) {
        Ended::Killed
    } else if output.status.success() {
        Ended::Well
    } else {
        Ended::Badly(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(9)
}

#[cfg(not(unix))]
fn was_killed(status: ExitStatus) -> bool {
    !status.success()
}

/// The steps that are recorded as succeeded, and what they gave; each once, and all of it as it can
/// have happened.
fn recorded(reader: &Reader) -> Result<HashMap<String, String>, String> {
    let shape = Arc::clone(reader.shape());
    let mut state = State::new(&shape);
    let mut steps = HashMap::new();
    for batch in reader.batches(0) {
        let (_, batch) = batch.map_err(|error| error.to_string())?;
        for event in &batch.events {
            state.next(&shape, event).map_err(|illegal| format!("wrong: {illegal}"))?;
            if let EventKind::StepSucceeded { step, record, .. } = &event.kind {
                let name = step.name(&shape).to_string();
                let values = reader.values(batch.data(*record)).map_err(|error| error.to_string())?;
                let text =
                    values.into_iter().flatten().map(|value| String::from_utf8_lossy(&value).into_owned());
                if steps.insert(name.clone(), text.collect()).is_some() && !is_transient(&name) {
                    return Err(format!("doubled: `{name}` is recorded twice"));
                }
            }
        }
    }
    Ok(steps)
}
