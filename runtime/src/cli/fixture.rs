//! Recorded runs for the tests of what reads them.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::event::{Batch, Event, EventKind, RunState};
use crate::record::facts::{FACTS_VERSION, RunFacts};
use crate::record::{Encoder, Facts};
use crate::report::fixture::{failing_letters, half_way, millis};
use crate::shape::Shape;
use crate::store::{Drive, MemoryStore, NewCommit, NewRun, Store};
use crate::summary::{Counts, Summary};

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Succeeded,
    Failed,
    /// It still runs.
    Not,
    /// Its process died.
    Lost,
}

/// A store of runs of `letters`; what runs does so until its drive is dropped.
pub(crate) fn shelf(runs: &[(&str, Ends)]) -> (Arc<dyn Store>, Vec<Arc<dyn Drive>>) {
    let store = Arc::new(MemoryStore::new());
    let drives = runs.iter().filter_map(|(id, ends)| {
        let (shape, events) = match ends {
            Ends::Failed => failing_letters(),
            _ => half_way(),
        };
        let drive = begin(&store, id, &shape);
        append(&*drive, &shape, events, *ends);
        (*ends == Ends::Not).then_some(drive)
    });
    let drives = drives.collect();
    (store, drives)
}

fn begin(store: &MemoryStore, id: &str, shape: &Shape) -> Arc<dyn Drive> {
    let facts = Facts {
        version: FACTS_VERSION,
        program: "letters".to_owned(),
        shape: shape.clone(),
        args: Vec::new(),
        secrets: Vec::new(),
        options: RunFacts::default(),
    };
    store
        .create(NewRun {
            id: id.to_owned(),
            job: shape.job.clone(),
            started: UNIX_EPOCH + millis(1_800_000_000_000),
            parent: None,
            facts: facts.to_json(),
            tags: Vec::new(),
        })
        .unwrap()
}

fn append(drive: &dyn Drive, shape: &Shape, mut events: Vec<Event>, ends: Ends) {
    if ends == Ends::Succeeded {
        events.push(Event { at: millis(900), kind: EventKind::RunEnded { state: RunState::Succeeded } });
    }
    let mut summary = Summary::new(shape);
    summary.apply(shape, &events);
    let mut block = Vec::new();
    let index = Encoder::new().encode(shape, &Batch { events, data: Vec::new() }, &mut block);
    let (bytes, counts) = (summary.to_bytes(), Counts::of(&summary, shape).to_json());
    let commit = NewCommit {
        block: &block,
        index,
        follows: drive.head().1,
        summary: Some(&bytes),
        counts: Some(&counts),
        state: summary.state().map(Some),
        ..NewCommit::default()
    };
    drive.append(commit).unwrap();
}
