//! An app with recorded runs, for the tests of what answers from it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::App;
use crate::define::RegisteredJob;
use crate::event::RunState;
use crate::record::facts::{FACTS_VERSION, RunFacts};
use crate::record::{Encoder, Facts};
use crate::report::fixture::{LETTERS, failing_letters};
use crate::store::{Drive, MemoryStore, NewCommit, NewRun, Store};
use crate::summary::{Counts, Summary};

// The program has the job that the runs are of.
inventory::submit! { RegisteredJob(&LETTERS) }

/// When the runs of the tests began: one second after another.
pub(crate) const BEGAN: u64 = 1_800_000_000;

/// What answers from a store.
pub(crate) fn app(store: Arc<dyn Store>) -> App {
    App::new(store, "memory".to_owned(), "letters", PathBuf::from("letters"), false)
}

/// A run to be entered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) id: String,
    pub(crate) job: String,
    pub(crate) args: Vec<(String, Value)>,
    pub(crate) secrets: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) parent: Option<String>,
    pub(crate) state: Option<RunState>,
}

impl Given {
    /// A run of `letters` that succeeded.
    pub(crate) fn new(id: &str) -> Self {
        let (id, job) = (id.to_owned(), "letters".to_owned());
        Self { id, job, state: Some(RunState::Succeeded), ..Self::default() }
    }

    /// Enters it. Where it has no end, it runs until the drive is dropped.
    pub(crate) fn enter(self, store: &dyn Store) -> Option<Arc<dyn Drive>> {
        let (shape, _) = failing_letters();
        let facts = Facts {
            version: FACTS_VERSION,
            program: "letters".to_owned(),
            shape: (*shape).clone(),
            args: self.args,
            secrets: self.secrets,
            options: RunFacts::default(),
        };
        let number = store.ids("", usize::MAX).unwrap().len() as u64;
        let drive = store.create(NewRun {
            id: self.id,
            job: self.job,
            started: UNIX_EPOCH + Duration::from_secs(BEGAN + number),
            parent: self.parent,
            facts: facts.to_json(),
            tags: self.tags.into_iter().collect(),
        });
        let drive = drive.unwrap();
        if self.state.is_none() {
            return Some(drive);
        }
        let commit = NewCommit { state: Some(self.state), ..NewCommit::default() };
        drive.append(commit).unwrap();
        None
    }
}

/// A store with these runs.
pub(crate) fn entered(runs: impl IntoIterator<Item = Given>) -> Arc<dyn Store> {
    let store = MemoryStore::new();
    for run in runs {
        run.enter(&store);
    }
    Arc::new(store)
}

/// A store with a run of `letters` of which a step failed, with all its events.
pub(crate) fn failed(id: &str) -> Arc<dyn Store> {
    let store = MemoryStore::new();
    let (shape, events) = failing_letters();
    let drive = Given { state: None, ..Given::new(id) }.enter(&store).unwrap();
    let mut summary = Summary::new(&shape);
    summary.apply(&shape, &events);
    let mut block = Vec::new();
    let batch = crate::event::Batch { events, data: Vec::new() };
    let index = Encoder::new().encode(&shape, &batch, &mut block);
    let counts = Counts::of(&summary, &shape).to_json();
    let commit = NewCommit {
        block: &block,
        index,
        follows: drive.head().1,
        counts: Some(&counts),
        state: summary.state().map(Some),
        ..NewCommit::default()
    };
    drive.append(commit).unwrap();
    Arc::new(store)
}
