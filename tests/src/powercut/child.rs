//! What the child process does: one session of a plan, and each step told before and after.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use fanfold::store::{Drive, NewCommit, SqliteStore, Store, StoreError};

use super::plan::{self, Plan, Step};

/// What the process has.
#[derive(Default)]
struct Hands {
    store: Option<SqliteStore>,
    drives: BTreeMap<u8, Arc<dyn Drive>>,
    weak: bool,
}

/// Does a session, as the arguments say: the store's file, the kind of plan, its seed, which session,
/// and `weak` for a store that does not wait for the disk.
///
/// # Panics
/// The arguments are wrong.
pub fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [path, kind, seed, session, how] = &args[..] else { panic!("PATH KIND SEED SESSION HOW: {args:?}") };
    let plan = Plan::new(kind, seed.parse().expect("a number"));
    let session: usize = session.parse().expect("a number");
    let mut hands = Hands { weak: how == "weak", ..Hands::default() };
    for (number, step) in (plan.first_of(session)..).zip(&plan.sessions[session]) {
        say(&format!("begin {number}"));
        match hands.does(Path::new(path), plan.seed, number, *step) {
            Ok(()) => say(&format!("done {number}")),
            Err(error) => {
                say(&format!("failed {number} {error}"));
                hands.after_failure(*step);
                break;
            }
        }
    }
    // Nothing is closed that the plan does not close: a process that dies closes nothing.
    std::process::exit(0);
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", what.replace('\n', " ")).and_then(|()| out.flush()).expect("somebody listens");
}

impl Hands {
    fn does(&mut self, path: &Path, seed: u64, number: usize, step: Step) -> Result<(), StoreError> {
        match step {
            Step::Open => {
                let store = SqliteStore::open(path)?;
                self.store = Some(if self.weak { store.with_weak_sync()? } else { store });
            }
            Step::Close => {
                self.drives.clear();
                self.store = None;
            }
            Step::Create(run) => {
                let drive = self.store().create(plan::new_run(run))?;
                self.drives.insert(run, drive);
            }
            Step::Drive(run) => {
                let drive = self.store().drive(&plan::id(run), false)?;
                self.drives.insert(run, drive);
            }
            Step::Release(run) => drop(self.drives.remove(&run)),
            Step::Append(run, size) => self.append(run, seed, number, size)?,
            Step::Blob(run, size) => {
                self.drives[&run].put_blob(&plan::bytes(seed, number, size))?;
            }
            Step::Cancel(run) => self.store().request_cancel(&plan::id(run), "enough")?,
            Step::PruneLogs(run) => self.store().remove(&plan::id(run), true)?,
            Step::Prune(run) => self.store().remove(&plan::id(run), false)?,
        }
        Ok(())
    }

    fn append(&self, run: u8, seed: u64, number: usize, size: u32) -> Result<(), StoreError> {
        let written = plan::written(seed, number, size);
        let drive = &self.drives[&run];
        drive.append(NewCommit {
            block: &written.block,
            index: written.index,
            follows: drive.head().1,
            logs: &written.logs,
            summary: written.summary.as_deref(),
            counts: written.counts.as_deref(),
            state: written.state,
        })
    }

    /// A right that failed is worth nothing: whatever it is asked to write, it refuses.
    fn after_failure(&self, step: Step) {
        let (Step::Append(run, _) | Step::Blob(run, _)) = step else { return };
        let Some(drive) = self.drives.get(&run) else { return };
        let (head, follows) = drive.head();
        for _ in 0..2 {
            let again = drive.append(NewCommit { block: b"again", follows, ..NewCommit::default() });
            if again.is_ok() || drive.head() != (head, follows) || drive.put_blob(b"again").is_ok() {
                say("unspoilt");
            }
        }
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().expect("plans open the store first")
    }
}
