//! What a store must say: the plan as far as it was done, computed without the store.

use std::collections::BTreeMap;

use fanfold::RunState;
use fanfold::store::{CommitIndex, Hash, LogRow};

use super::plan::{self, Step};

/// The runs that there are, by their ids.
pub type Runs = BTreeMap<String, Record>;

/// What is recorded of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Its commits.
    pub commits: Vec<Commit>,
    /// Its lines.
    pub logs: Vec<LogRow>,
    /// Its summary, and the commit that it stands for.
    pub summary: Option<(u64, Vec<u8>)>,
    /// Its counts.
    pub counts: String,
    /// How it ended.
    pub state: Option<RunState>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Under which taking of the run it was written.
    pub epoch: u64,
    /// Its hash.
    pub hash: Hash,
    /// What it is found by.
    pub index: CommitIndex,
    /// Its block.
    pub block: std::sync::Arc<[u8]>,
}

/// All that is known.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// What the store says of its runs.
    pub runs: Runs,
    /// How often each was taken.
    epochs: BTreeMap<String, u64>,
    /// The large values of each.
    pub blobs: BTreeMap<String, BTreeMap<Hash, Vec<u8>>>,
}

impl World {
    /// The worlds that a step leads through, the last when it is done. A step of one transaction leads
    /// through none but the last.
    pub fn after(&self, seed: u64, number: usize, step: Step) -> Vec<Self> {
        let mut next = self.clone();
        match step {
            Step::Open | Step::Close | Step::Release(_) | Step::Cancel(_) => {}
            Step::Create(run) => {
                next.runs.insert(plan::id(run), Record::default());
                next.epochs.insert(plan::id(run), 1);
            }
            Step::Drive(run) => *next.epochs.entry(plan::id(run)).or_default() += 1,
            Step::Append(run, size) => next.append(&plan::id(run), plan::written(seed, number, size)),
            Step::Blob(run, size) => {
                let bytes = plan::bytes(seed, number, size);
                let hash = *blake3::hash(&bytes).as_bytes();
                next.blobs.entry(plan::id(run)).or_default().insert(hash, bytes);
            }
            Step::PruneLogs(run) => next.record(&plan::id(run)).logs.clear(),
            Step::Prune(run) => {
                let id = plan::id(run);
                next.record(&id).logs.clear();
                next.blobs.remove(&id);
                let without_logs = next.clone();
                next.runs.remove(&id);
                return vec![without_logs, next];
            }
        }
        vec![next]
    }

    fn record(&mut self, id: &str) -> &mut Record {
        self.runs.get_mut(id).expect("plans name runs that there are")
    }

    fn append(&mut self, id: &str, written: plan::Written) {
        let epoch = self.epochs[id];
        let record = self.record(id);
        let before = record.commits.last().map_or([0; 32], |commit| commit.hash);
        let hash = *blake3::Hasher::new().update(&before).update(&written.block).finalize().as_bytes();
        record.commits.push(Commit { epoch, hash, index: written.index, block: written.block.into() });
        let seq = record.commits.len() as u64;
        let last = record.logs.last().map_or(0, |line| line.number);
        record.logs.extend(written.logs.into_iter().zip(last + 1..).map(|(mut line, number)| {
            line.number = number;
            line
        }));
        if let Some(summary) = written.summary {
            record.summary = Some((seq, summary));
        }
        record.counts = written.counts.unwrap_or(std::mem::take(&mut record.counts));
        record.state = written.state.unwrap_or(record.state);
    }
}
