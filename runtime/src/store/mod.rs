//! Where runs are recorded: a catalogue, and for each run a log of commits.
//!
//! A store keeps bytes. What the events in a commit mean is not its business, and nothing above it
//! knows which store it is. All of it is synchronous: whoever calls has a thread for it.
//!
//! Writing takes the right to drive a run ([`Drive`]): one process has it at a time. Each taking raises
//! the run's epoch, and a commit under an older epoch, or one that does not follow the last commit, is
//! refused: whoever slept and wakes up cannot write.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::event::{RunState, StepState};

mod memory;
mod open;
mod rules;
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;
mod standstill;

pub use memory::MemoryStore;
pub use open::{default_address, open, open_read_only};
use rules::{check_id, cut_in_hand, not_the_head, taken};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// A hash of 32 bytes (BLAKE3).
pub type Hash = [u8; 32];

/// A place where runs are recorded.
pub trait Store: Send + Sync + fmt::Debug {
    /// What messages call it: `sqlite:.fanfold/runs.db`.
    fn name(&self) -> String;

    /// Enters a new run into the catalogue, and takes the right to drive it (epoch 1).
    ///
    /// # Errors
    /// There is a run of that id, or the store cannot be written.
    fn create(&self, run: NewRun) -> Result<Arc<dyn Drive>, StoreError>;

    /// Takes the right to drive a run that another process began; raises its epoch. A holder that
    /// died is recognised at once. `take_over` takes it from one that lives but has not moved for
    /// [`STANDSTILL`], which this call waits to see.
    ///
    /// # Errors
    /// [`StoreError::Held`] if another process drives it, [`StoreError::Damaged`] if commits that were
    /// acknowledged are gone.
    fn drive(&self, run: &str, take_over: bool) -> Result<Arc<dyn Drive>, StoreError>;

    /// Runs, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError>;

    /// As [`runs`](Self::runs), with what is wrong with a run in its place: one that is damaged hides no
    /// other. The limit counts those that can be read.
    ///
    /// # Errors
    /// The store cannot be read.
    fn each_run(&self, filter: &RunFilter) -> Result<Vec<Result<RunRow, StoreError>>, StoreError> {
        Ok(self.runs(filter)?.into_iter().map(Ok).collect())
    }

    /// The names of the jobs that have runs, sorted.
    ///
    /// # Errors
    /// The store cannot be read.
    fn jobs(&self) -> Result<Vec<String>, StoreError> {
        let mut jobs: Vec<_> = self.runs(&RunFilter::default())?.into_iter().map(|run| run.job).collect();
        jobs.sort_unstable();
        jobs.dedup();
        Ok(jobs)
    }

    /// How many runs of each job ended how, by job.
    ///
    /// # Errors
    /// The store cannot be read.
    fn ended(&self) -> Result<Vec<(String, RunState, u64)>, StoreError> {
        let mut ended: Vec<(String, RunState, u64)> = Vec::new();
        for run in self.runs(&RunFilter::default())? {
            let Standing::Ended(state) = run.standing else { continue };
            match ended.iter_mut().find(|(job, other, _)| *job == run.job && *other == state) {
                Some((.., runs)) => *runs += 1,
                None => ended.push((run.job, state, 1)),
            }
        }
        ended.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(ended)
    }

    /// The ids of runs that begin with `prefix`, newest first, at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    fn ids(&self, prefix: &str, limit: usize) -> Result<Vec<String>, StoreError>;

    /// One run, by its whole id.
    ///
    /// # Errors
    /// [`StoreError::NoRun`], or the store cannot be read.
    fn run(&self, id: &str) -> Result<RunRow, StoreError>;

    /// The heads of a run's commits after `after` (0 for all), in order: without their blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    fn heads(&self, run: &str, after: u64) -> Result<Vec<CommitHead>, StoreError>;

    /// A run's commits after `after` (0 for all), in order, at most `limit`. The chain from each to
    /// the next, and each block's hash, were checked.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a hash does not fit.
    fn commits(&self, run: &str, after: u64, limit: usize) -> Result<Vec<Commit>, StoreError>;

    /// The cached summary of a run, and the sequence number of the commit that it stands for.
    ///
    /// # Errors
    /// The store cannot be read.
    fn summary(&self, run: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError>;

    /// Lines of a run's log after the line number `after` (0 for all), in order, at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    fn logs(
        &self,
        run: &str,
        filter: &LogFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError>;

    /// Lines of a run's log before the line number `before` (`u64::MAX` for all), the last first, at most
    /// `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    fn last_logs(
        &self,
        run: &str,
        filter: &LogFilter,
        before: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError>;

    /// How many lines of a run's log a filter lets through.
    ///
    /// # Errors
    /// The store cannot be read.
    fn count_logs(&self, run: &str, filter: &LogFilter) -> Result<u64, StoreError>;

    /// A large value.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is missing or is not what its hash says.
    fn blob(&self, run: &str, hash: &Hash) -> Result<Vec<u8>, StoreError>;

    /// A number that is another one after anything in the store was changed, by whichever process, so that
    /// who asks again and again need not look at anything else. It says nothing of whether a holder lives.
    ///
    /// # Errors
    /// The store cannot be read.
    fn version(&self) -> Result<u64, StoreError>;

    /// Asks whoever drives a run to cancel it.
    ///
    /// # Errors
    /// The store cannot be written.
    fn request_cancel(&self, run: &str, reason: &str) -> Result<(), StoreError>;

    /// Removes a run with all that belongs to it, or only its log lines. Never one that is driven.
    ///
    /// # Errors
    /// [`StoreError::Held`] if it is driven.
    fn remove(&self, run: &str, logs_only: bool) -> Result<(), StoreError>;

    /// Leaves the store as closing it would, as far as others who have it open allow. For a process that
    /// ends without dropping it, when nothing more is to be written.
    fn tidy(&self) {}

    /// Looks for what is wrong with the store, for `doctor`.
    ///
    /// # Errors
    /// It cannot even be looked at.
    fn examine(&self) -> Result<Vec<Finding>, StoreError>;
}

/// The right to write one run's record, until it is dropped.
pub trait Drive: Send + Sync + fmt::Debug {
    /// The run's id.
    fn run(&self) -> &str;

    /// Which taking of the run this is; 1 is the first.
    fn epoch(&self) -> u64;

    /// The last commit: its sequence number (0 if there is none) and hash.
    fn head(&self) -> (u64, Hash);

    /// Makes blocks, log lines and the row's new facts durable, all or nothing, in one transaction.
    /// When this returns, they survive a power cut. After an error the right is worth nothing any
    /// more: a failed sync is never tried again.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if another process took the run over; else the store cannot be written.
    fn append(&self, commit: NewCommit<'_>) -> Result<(), StoreError>;

    /// Keeps a large value, durably, and gives the hash to name it by. Any thread may call it.
    ///
    /// # Errors
    /// The store cannot be written.
    fn put_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError>;

    /// Why the run is to be cancelled, if somebody asked since this right was taken.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if another process took the run over; else the store cannot be read.
    fn cancel_requested(&self) -> Result<Option<String>, StoreError>;

    /// Says that the holder lives. Cheap; called about once a second.
    fn beat(&self);

    /// What worker `worker` has in hand from now on (any bytes, empty for nothing), so that after a
    /// death it is known who was at work. Not synced, and cheap: once a grant. What is longer than
    /// [`IN_HAND_BYTES`] is cut there, and ends in [`IN_HAND_CUT`]; of workers from
    /// [`IN_HAND_WORKERS`] on nothing is kept.
    fn in_hand(&self, worker: usize, steps: &[u8]);

    /// What the workers of the last holder had in hand when it died: empty if it ended well.
    fn left_in_hand(&self) -> &[Vec<u8>];

    /// Gives the right back, in order: nothing is in hand, and nothing can be written any more. Dropping
    /// the last reference does the same.
    fn release(&self);
}

/// So much of what one worker has in hand is kept.
pub const IN_HAND_BYTES: usize = 4080;

/// Of so many workers it is kept what they have in hand.
pub const IN_HAND_WORKERS: usize = 64;

/// The last byte of what was too long to be kept whole: no text in UTF-8 ends so.
pub const IN_HAND_CUT: u8 = 0xff;

/// How long the heartbeat of a living holder must have stood still before it can be taken over.
pub const STANDSTILL: Duration = Duration::from_secs(10);

/// A run that is to be entered.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id.
    pub id: String,
    /// The job's name.
    pub job: String,
    /// When it began.
    pub started: SystemTime,
    /// The run that it is a rerun of.
    pub parent: Option<String>,
    /// What else is known from the first: the shape of the job, its arguments, how it is run; JSON.
    pub facts: String,
    /// Tags that the user gave to the run: name and value. Kept sorted, each once.
    pub tags: Vec<(String, String)>,
}

/// A run in the catalogue.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// Its place in the order in which runs were entered.
    pub number: u64,
    /// The job's name.
    pub job: String,
    /// When it began.
    pub started: SystemTime,
    /// The time of its last commit, or of its end.
    pub changed: SystemTime,
    /// How it stands.
    pub standing: Standing,
    /// The run that it is a rerun of.
    pub parent: Option<String>,
    /// As in [`NewRun`].
    pub facts: String,
    /// As in [`NewRun`].
    pub tags: Vec<(String, String)>,
    /// What the last commit said in short: JSON for lists of runs (counts of steps by state).
    pub counts: String,
    /// The sequence number of its last commit; 0 if there is none.
    pub head: u64,
    /// Who drives it, or drove it last, for messages: process, host, since when.
    pub holder: String,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A process drives it.
    Running,
    /// It has not ended, and the process that drove it is gone.
    Interrupted,
    /// It ended.
    Ended(RunState),
}

/// Which runs are asked for.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this job.
    pub job: Option<String>,
    /// That stand so; empty for any.
    pub standing: Vec<Standing>,
    /// That began at or after.
    pub since: Option<SystemTime>,
    /// That began before.
    pub until: Option<SystemTime>,
    /// With all these tags: name and value.
    pub tags: Vec<(String, String)>,
    /// That are reruns of this run: its whole id.
    pub parent: Option<String>,
    /// Entered before the run of this number: the next page.
    pub before: Option<u64>,
    /// At most so many; 0 for all.
    pub limit: usize,
}

/// What is to be written in one transaction.
#[derive(Debug, Clone, Default)]
pub struct NewCommit<'a> {
    /// The block of events; may be empty, then there is no new commit in the chain.
    pub block: &'a [u8],
    /// What readers find commits by.
    pub index: CommitIndex,
    /// The hash of the commit that it follows; refused if that is not the head. Without a block
    /// nothing follows, and it is not looked at.
    pub follows: Hash,
    /// Lines of step logs.
    pub logs: &'a [LogRow],
    /// The summary that stands for the run up to and with this commit, if it is to be cached.
    pub summary: Option<&'a [u8]>,
    /// The row's counts, if they changed.
    pub counts: Option<&'a str>,
    /// How the run ended; `Some(None)` if it goes on after an end.
    pub state: Option<Option<RunState>>,
}

/// What readers find commits by, without decoding their blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommitIndex {
    /// How many steps had ended in all commits before.
    pub steps_before: u64,
    /// How many steps ended in it.
    pub steps: u32,
    /// How many items were opened in all commits before.
    pub items_before: u32,
    /// How many items were opened in it.
    pub items: u32,
    /// The times of its first and last event, in microseconds since the run began.
    pub from: u64,
    /// See `from`.
    pub to: u64,
    /// Which nodes its events are about: bit `n % 64` for node `n`.
    pub nodes: u64,
    /// Which states other than success its steps ended in, or came to: bit by `StepState`. The bit of
    /// success is [`UNDONE`](Self::UNDONE).
    pub states: u8,
}

impl CommitIndex {
    /// In the states of a commit: steps that had ended before are counted no more. The run was resumed,
    /// an item was superseded, or a step is made again.
    pub const UNDONE: u8 = 1 << StepState::Succeeded as u8;
}

/// A commit without its block.
#[derive(Debug, Clone, Copy)]
pub struct CommitHead {
    /// Its place in the run; 1 is the first.
    pub seq: u64,
    /// Under which taking of the run it was written.
    pub epoch: u64,
    /// Its hash: of the hash before and of the block.
    pub hash: Hash,
    /// What it can be found by.
    pub index: CommitIndex,
    /// How long its block is.
    pub bytes: u32,
}

/// A commit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// All but the block.
    pub head: CommitHead,
    /// The block of events.
    pub block: Vec<u8>,
}

/// A line of a step's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    /// Its number in the run, in the order of writing; 1 is the first. Given by the store.
    pub number: u64,
    /// The step's item: its number in the run, 0 outside all fan-outs.
    pub item: u32,
    /// The step's node.
    pub node: u32,
    /// Which attempt.
    pub attempt: u32,
    /// When: microseconds since the run began.
    pub at: u64,
    /// 1 error, 2 warning, 3 info, 4 debug, 5 trace.
    pub level: u8,
    /// Who said it, as `tracing` names it.
    pub target: String,
    /// What was said.
    pub text: String,
    /// The fields, as a JSON object; empty for none.
    pub fields: String,
}

/// The names of the levels of log lines, the worst first.
#[cfg(feature = "cli")]
pub(crate) const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

#[cfg(feature = "cli")]
impl LogRow {
    /// The name of its level; the nearest, where it has a number that no level has.
    pub(crate) fn level_name(&self) -> &'static str {
        LEVELS[usize::from(self.level.clamp(1, 5)) - 1]
    }
}

/// Which lines are asked for.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Of this step: its item and its node.
    pub step: Option<(u32, u32)>,
    /// Of this node.
    pub node: Option<u32>,
    /// At most this level: 2 gives errors and warnings; 0 for all.
    pub level: u8,
}

/// Something that `doctor` tells.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Whether it is as it should be.
    pub good: bool,
    /// What was looked at: `schema`, `integrity`, `disk`.
    pub what: String,
    /// What was found, and what to do if it is not good.
    pub text: String,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such run.
    #[error("there is no run `{run}` in {store}")]
    NoRun {
        /// What was asked for.
        run: String,
        /// Where.
        store: String,
    },
    /// Another process drives the run.
    #[error("run {run} is driven by {holder}: wait for it, or cancel it with `cancel {run}`")]
    Held {
        /// The run.
        run: String,
        /// Who: process, host, since when.
        holder: String,
    },
    /// Another process took the run over.
    #[error("run {run} was taken over by {holder} while this process stood still: it stops here")]
    Fenced {
        /// The run.
        run: String,
        /// Who.
        holder: String,
    },
    /// The record is not what was written.
    #[error("{store} is damaged: {what}")]
    Damaged {
        /// Where.
        store: String,
        /// What is wrong.
        what: String,
    },
    /// It is not a store of fanfold's, or not one that this version reads.
    #[error("{store} cannot be used: {why}")]
    Refused {
        /// Where.
        store: String,
        /// Why, and what to do.
        why: String,
    },
    /// Reading or writing failed.
    #[error("{store}: {what}")]
    Failed {
        /// Where.
        store: String,
        /// What went wrong, and what to do.
        what: String,
    },
}

/// Why nothing can be written by a right that was given back.
fn released(store: &str, run: &str) -> StoreError {
    let what = format!("the right to drive run {run} was given back");
    StoreError::Failed { store: store.to_owned(), what }
}
