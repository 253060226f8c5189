//! Recorded runs in a folder of their own, and what was told of them beside what is recorded.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use fanfold::record::Reader;
use fanfold::runs::{Begin, Runs};
use fanfold::store::{RunFilter, SqliteStore, Store};
use fanfold::{Batch, EventKind, JobRun, RunReport, RunState, Shape, Sink, StepRef};
use tempfile::TempDir;

use crate::common::{lock, watched};

/// A store in a folder.
pub(crate) struct Place {
    pub(crate) runs: Runs,
    /// Removed when nobody uses it any more.
    folder: TempDir,
}

/// A run that has ended.
pub(crate) struct Story {
    pub(crate) report: RunReport,
    pub(crate) lines: Vec<String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for a store");
        let store = SqliteStore::open(&folder.path().join("runs.db")).expect("it opens");
        Self { runs: Runs::of(Arc::new(store)), folder }
    }

    /// Where its database lies.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("runs.db")
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        self.runs.store()
    }

    /// Runs a job to its end.
    pub(crate) async fn run<R>(&self, job: JobRun<R>) -> Story {
        let told = Told::default();
        let handle = job.record(&self.runs).sink(told.clone()).start().await.expect("it begins");
        let report = watched(handle.wait()).await;
        self.story(report, told.lines())
    }

    /// Goes on with the latest run.
    pub(crate) async fn resume(&self) -> Story {
        let told = Told::default();
        let begin = Begin { sinks: vec![Box::new(told.clone())], ..Begin::default() };
        let handle = self.runs.resume(&self.latest(), begin).await.expect("it goes on");
        let report = watched(handle.wait()).await;
        self.story(report, told.lines())
    }

    /// The id of the latest run.
    pub(crate) fn latest(&self) -> String {
        self.runs.list(&RunFilter::default()).expect("it can be read")[0].id.clone()
    }

    /// What is recorded of a run, one line an event.
    pub(crate) fn recorded(&self, run: &str) -> Vec<String> {
        let reader = Reader::open(Arc::clone(self.store()), run).expect("it can be read");
        let mut told = Told::default();
        for batch in reader.batches(0) {
            told.events(reader.shape(), &batch.expect("it can be read").1);
        }
        told.lines()
    }

    /// Checks that all that was told is recorded, and that nothing is damaged.
    fn story(&self, report: RunReport, lines: Vec<String>) -> Story {
        assert!(report.unwritten.is_none(), "{:?}", report.unwritten);
        let recorded = self.recorded(&report.run_id);
        assert!(recorded.ends_with(&lines), "told {lines:#?}\nrecorded {recorded:#?}");
        let findings = self.store().examine().expect("it can be looked at");
        assert!(findings.iter().all(|finding| finding.good), "{findings:?}");
        Story { report, lines }
    }
}

impl Story {
    /// The value of the job's only output.
    #[track_caller]
    pub(crate) fn gave<T: Clone + 'static>(&self) -> T {
        let value = self.report.outputs[0].as_ref();
        let value = value.unwrap_or_else(|| panic!("nothing was given: {:#?}", self.lines));
        value.downcast_ref::<T>().expect("a value of this type").clone()
    }

    pub(crate) fn is(&self, state: RunState) -> bool {
        self.report.state == state
    }

    /// Checks that a step failed with an error that says all of `words`.
    #[track_caller]
    pub(crate) fn failed(&self, step: &str, words: &[&str]) {
        let begin = format!("failed {step}: ");
        let error = self.lines.iter().find_map(|line| line.strip_prefix(&begin));
        let error = error.unwrap_or_else(|| panic!("`{step}` did not fail: {:#?}", self.lines));
        for word in words {
            assert!(error.contains(word), "`{word}` is not in `{error}`");
        }
    }

    /// How many lines begin so.
    pub(crate) fn count(&self, begin: &str) -> usize {
        self.lines.iter().filter(|line| line.starts_with(begin)).count()
    }
}

/// What a sink is told, one line an event, without times.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    pub(crate) fn lines(&self) -> Vec<String> {
        lock(&self.0).clone()
    }
}

impl Sink for Told {
    fn events(&mut self, shape: &Shape, batch: &Batch) {
        lock(&self.0).extend(batch.events.iter().filter_map(|event| line(shape, &event.kind)));
    }
}

fn line(shape: &Shape, kind: &EventKind) -> Option<String> {
    let name = |step: &StepRef| step.name(shape).to_string();
    Some(match kind {
        EventKind::StepSucceeded { step, .. } => format!("succeeded {}", name(step)),
        EventKind::StepFailed { step, error, .. } => format!("failed {}: {error}", name(step)),
        EventKind::StepNotRun { step, state, .. } => format!("{} {}", state.words(), name(step)),
        EventKind::ItemSuperseded { item, .. } => format!("superseded {:?}", item.keys()),
        EventKind::RunCancelling { reason } => format!("cancelling: {reason}"),
        EventKind::RunEnded { state } => format!("ended {state:?}"),
        _ => return None,
    })
}
