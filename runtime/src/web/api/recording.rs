//! Recorded runs for the tests of what is answered from them.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::event::{Batch, Event, EventKind, Span};
use crate::index::OpenRun;
use crate::record::facts::{FACTS_VERSION, RunFacts};
use crate::record::values::{StoredValue, write_notes, write_value};
use crate::record::{Encoder, Facts};
use crate::report::fixture::millis;
use crate::shape::Shape;
use crate::store::{Drive, LogRow, MemoryStore, NewCommit, NewRun, Store};
use crate::summary::Summary;

/// A run that is being recorded; it is driven until it is dropped, or given up.
pub(crate) struct Recording {
    pub(crate) store: Arc<MemoryStore>,
    shape: Arc<Shape>,
    drive: Option<Arc<dyn Drive>>,
    encoder: Encoder,
    summary: Summary,
    batch: Batch,
    lines: Vec<LogRow>,
}

impl Recording {
    pub(crate) fn new(shape: &Arc<Shape>, change: impl FnOnce(&mut Facts)) -> Self {
        let mut facts = Facts {
            version: FACTS_VERSION,
            program: "letters".to_owned(),
            shape: Shape::clone(shape),
            args: vec![("from".to_owned(), "a".into()), ("to".to_owned(), "z".into())],
            secrets: Vec::new(),
            options: RunFacts { max_concurrent: 64, ..RunFacts::default() },
        };
        change(&mut facts);
        let store = Arc::new(MemoryStore::new());
        let run = NewRun {
            id: "7k2mabcd".to_owned(),
            job: shape.job.clone(),
            started: UNIX_EPOCH + millis(1_800_000_000_000),
            parent: None,
            facts: facts.to_json(),
            tags: Vec::new(),
        };
        let drive = Some(store.create(run).unwrap());
        let summary = Summary::new(shape);
        let (encoder, batch) = (Encoder::new(), Batch::default());
        Self { store, shape: Arc::clone(shape), drive, encoder, summary, batch, lines: Vec::new() }
    }

    /// Adds events to the next commit.
    pub(crate) fn tell(&mut self, events: impl IntoIterator<Item = Event>) -> &mut Self {
        self.batch.events.extend(events);
        self
    }

    /// Adds an event with what is recorded of it.
    pub(crate) fn with(&mut self, mut event: Event, values: &[StoredValue<'_>], notes: &str) -> &mut Self {
        let start = self.batch.data.len();
        values.iter().for_each(|value| write_value(&mut self.batch.data, *value));
        if !notes.is_empty() {
            write_notes(&mut self.batch.data, notes.as_bytes());
        }
        let span = Span { start: start as u32, len: (self.batch.data.len() - start) as u32 };
        match &mut event.kind {
            EventKind::StepSucceeded { record, .. }
            | EventKind::StepReused { record, .. }
            | EventKind::ItemYielded { record, .. } => *record = span,
            kind => panic!("nothing is recorded of {kind:?}"),
        }
        self.batch.events.push(event);
        self
    }

    pub(crate) fn blob(&self, bytes: &[u8]) -> StoredValue<'static> {
        let hash = self.drive.as_ref().unwrap().put_blob(bytes).unwrap();
        StoredValue::Blob { hash, len: bytes.len() as u64 }
    }

    /// Adds a line to the next commit.
    pub(crate) fn log(&mut self, (item, node): (u32, u32), at: u64, level: u8, text: &str) -> &mut Self {
        let (target, text) = ("jobs".to_owned(), text.to_owned());
        let at = at * 1_000;
        let fields = String::new();
        self.lines.push(LogRow { number: 0, item, node, attempt: 1, at, level, target, text, fields });
        self
    }

    /// Writes what was added.
    pub(crate) fn commit(&mut self) -> &mut Self {
        let drive = self.drive.as_ref().expect("it is driven");
        let batch = std::mem::take(&mut self.batch);
        self.summary.apply(&self.shape, &batch.events);
        let mut block = Vec::new();
        let mut index = crate::store::CommitIndex::default();
        if !batch.events.is_empty() {
            index = self.encoder.encode(&self.shape, &batch, &mut block);
        }
        let follows = drive.head().1;
        let (logs, state) = (std::mem::take(&mut self.lines), self.summary.state().map(Some));
        let commit = NewCommit { block: &block, index, follows, logs: &logs, state, ..NewCommit::default() };
        drive.append(commit).unwrap();
        self
    }

    /// Its process dies.
    pub(crate) fn die(&mut self) -> &mut Self {
        self.drive = None;
        self
    }

    pub(crate) fn open(&self) -> OpenRun {
        OpenRun::open(Arc::clone(&self.store) as Arc<dyn Store>, "7k2mabcd").unwrap()
    }
}
