//! What a child does with a store: the same again for the same seed.

use std::time::{Duration, SystemTime};

use fanfold::RunState;
use fanfold::store::{CommitIndex, LogRow, NewRun};

/// One thing that is done with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The store is opened; made, if there is none.
    Open,
    /// It is closed, in order.
    Close,
    /// A run is entered.
    Create(u8),
    /// A run that is there is taken.
    Drive(u8),
    /// It is given back.
    Release(u8),
    /// A commit, with a block of about so many bytes.
    Append(u8, u32),
    /// A large value of so many bytes.
    Blob(u8, u32),
    /// Somebody asks to cancel a run.
    Cancel(u8),
    /// The lines of a run are removed.
    PruneLogs(u8),
    /// A run is removed.
    Prune(u8),
}

/// What is done, one process after the other: a process that does not close the store last just ends.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What each process does.
    pub sessions: Vec<Vec<Step>>,
    /// What makes the data of its steps.
    pub seed: u64,
}

/// The plans there are.
pub const KINDS: [&str; 4] = ["one", "many", "short", "large"];

impl Plan {
    /// The plan of a kind.
    ///
    /// # Panics
    /// There is no such kind.
    pub fn new(kind: &str, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let sessions = match kind {
            "one" => one(&mut random),
            "many" => many(&mut random),
            "short" => short(&mut random),
            "large" => large(),
            _ => panic!("{kind:?} is no kind of plan"),
        };
        Self { sessions, seed }
    }

    /// All steps, in order.
    pub fn steps(&self) -> Vec<Step> {
        self.sessions.concat()
    }

    /// The number of a session's first step.
    pub fn first_of(&self, session: usize) -> usize {
        self.sessions[..session].iter().map(Vec::len).sum()
    }
}

/// A size: most are small, few are large.
fn size(random: &mut fastrand::Rng) -> u32 {
    match random.u8(..10) {
        0 => random.u32(4_000..40_000),
        1 | 2 => random.u32(400..5_000),
        _ => random.u32(1..300),
    }
}

fn appends(random: &mut fastrand::Rng, run: u8, count: usize) -> Vec<Step> {
    (0..count).map(|_| Step::Append(run, size(random))).collect()
}

/// One run of twenty commits, in one process.
fn one(random: &mut fastrand::Rng) -> Vec<Vec<Step>> {
    let mut steps = vec![Step::Open, Step::Create(1)];
    steps.extend(appends(random, 1, 20));
    steps.extend([Step::Release(1), Step::Close]);
    vec![steps]
}

/// Two runs at once, resumed after an end in order and after one without; one is removed.
fn many(random: &mut fastrand::Rng) -> Vec<Vec<Step>> {
    let mut first = vec![Step::Open, Step::Create(1)];
    first.extend(appends(random, 1, 6));
    first.push(Step::Create(2));
    for _ in 0..8 {
        first.push(Step::Append(random.u8(1..3), size(random)));
    }
    first.extend([Step::Blob(1, 5_000), Step::Append(1, 100), Step::Release(1), Step::Close]);
    let mut second = vec![Step::Open, Step::Drive(1), Step::Drive(2), Step::Blob(2, 70_000)];
    for _ in 0..6 {
        second.push(Step::Append(random.u8(1..3), size(random)));
    }
    second.extend([Step::Cancel(2), Step::Release(1), Step::PruneLogs(1), Step::Create(3)]);
    second.extend(appends(random, 3, 3));
    let mut third = vec![Step::Open, Step::Drive(2)];
    third.extend(appends(random, 2, 2));
    third.extend([Step::Prune(1), Step::Append(2, 30_000), Step::Close, Step::Open, Step::Create(4)]);
    third.extend(appends(random, 4, 2));
    third.extend([Step::Release(4), Step::Prune(4), Step::Close]);
    vec![first, second, third]
}

/// A few small commits in several processes, none of which closes the store.
fn short(random: &mut fastrand::Rng) -> Vec<Vec<Step>> {
    let mut first = vec![Step::Open, Step::Create(1)];
    first.extend(appends(random, 1, 2));
    let mut second = vec![Step::Open, Step::Drive(1), Step::Append(1, 60), Step::Blob(1, 9_000)];
    second.extend(appends(random, 1, 1));
    let third = vec![Step::Open, Step::Drive(1), Step::Append(1, 60), Step::Release(1), Step::Prune(1)];
    vec![first, second, third]
}

/// So much that checkpoints are made meanwhile.
fn large() -> Vec<Vec<Step>> {
    let mut first = vec![Step::Open, Step::Create(1)];
    first.extend([Step::Append(1, 700_000); 8]);
    first.extend([Step::Append(1, 50); 8]);
    let second = vec![Step::Open, Step::Drive(1), Step::Append(1, 50), Step::Close];
    vec![first, second]
}

/// The id of a run.
pub fn id(run: u8) -> String {
    format!("run-{run}")
}

/// A run as it is entered.
pub fn new_run(run: u8) -> NewRun {
    NewRun {
        id: id(run),
        job: "letters".to_owned(),
        started: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        parent: None,
        facts: format!("{{\"run\":{run}}}"),
        tags: vec![("run".to_owned(), run.to_string())],
    }
}

/// What one commit writes.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its block.
    pub block: Vec<u8>,
    /// What it is found by.
    pub index: CommitIndex,
    /// Lines, without their numbers.
    pub logs: Vec<LogRow>,
    /// The run's summary.
    pub summary: Option<Vec<u8>>,
    /// The run's counts.
    pub counts: Option<String>,
    /// How the run stands after it.
    pub state: Option<Option<RunState>>,
}

/// What step number `step` of a plan appends, in a block of `size` bytes.
pub fn written(seed: u64, step: usize, size: u32) -> Written {
    let mut random = fastrand::Rng::with_seed(seed ^ (step as u64) << 32);
    let index = CommitIndex {
        steps_before: step as u64,
        steps: random.u32(..),
        items_before: random.u32(..),
        items: random.u32(..),
        from: 1_000 * step as u64,
        to: 1_000 * step as u64 + random.u64(..999),
        nodes: random.u64(..),
        states: random.u8(..),
    };
    let logs = (0..random.usize(..4)).map(|line| log_line(step, line)).collect();
    Written {
        block: bytes(seed, step, size),
        index,
        logs,
        summary: random.bool().then(|| format!("summary {step}").into_bytes()),
        counts: random.bool().then(|| format!("{{\"step\":{step}}}")),
        state: match random.u8(..4) {
            0 => Some(Some(RunState::Failed)),
            1 => Some(None),
            _ => None,
        },
    }
}

fn log_line(step: usize, line: usize) -> LogRow {
    LogRow {
        number: 0,
        item: step as u32,
        node: line as u32,
        attempt: 1,
        at: step as u64,
        level: 1 + line as u8,
        target: "letters".to_owned(),
        text: format!("line {line} of step {step}"),
        fields: String::new(),
    }
}

/// The data of step number `step`.
pub fn bytes(seed: u64, step: usize, size: u32) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed.rotate_left(7) ^ step as u64);
    (0..size).map(|_| random.u8(..)).collect()
}
