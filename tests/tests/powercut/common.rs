//! Children that are watched, and folders for what they leave.

use std::path::Path;
use std::process::Stdio;

use fanfold_tests::powercut::plan::Plan;
use fanfold_tests::powercut::strace;
use fanfold_tests::powercut::tape::{Op, Tape};
use tempfile::TempDir;

/// The child.
pub(crate) const CHILD: &str = env!("CARGO_BIN_EXE_powercut_child");

/// A folder in memory, where there is one: what a disk has confirmed is decided by the tape.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder for a store")
}

/// What a plan is done with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) kind: &'a str,
    pub(crate) seed: u64,
    /// `full`, or `weak` for a store that does not wait for the disk.
    pub(crate) how: &'a str,
}

impl Work<'_> {
    pub(crate) fn plan(&self) -> Plan {
        Plan::new(self.kind, self.seed)
    }

    /// The arguments of the child for one session.
    pub(crate) fn args(&self, folder: &Path, session: usize) -> Vec<String> {
        let path = folder.join("store/runs.db").display().to_string();
        vec![path, self.kind.to_owned(), self.seed.to_string(), session.to_string(), self.how.to_owned()]
    }

    /// Does all sessions in `folder/store`, or those up to one in which something failed; `inject` says
    /// which calls of which session fail.
    pub(crate) fn record(&self, folder: &Path, inject: Option<(usize, &str)>) -> Tape {
        let (mut tape, log) = (Tape::default(), folder.join("log"));
        for session in 0..self.plan().sessions.len() {
            let inject = inject.filter(|(at, _)| *at == session).map(|(_, inject)| inject);
            let mut command = strace::command(Path::new(CHILD), &log, inject);
            let child = command.args(self.args(folder, session)).stdout(Stdio::piped());
            let output = child.output().expect("strace is installed");
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{inject:?}: {} {text}", output.status);
            tape.add(&folder.join("store"), &std::fs::read(&log).expect("strace wrote it"));
            if said(&tape).any(|said| said.starts_with("failed")) {
                break;
            }
        }
        tape
    }
}

/// How often each call is made that can fail, for each session of some work.
pub(crate) fn calls(work: &Work<'_>) -> Vec<(usize, &'static str, usize)> {
    let (folder, mut counts) = (folder(), Vec::new());
    for session in 0..work.plan().sessions.len() {
        let log = folder.path().join("log");
        let mut command = strace::command(Path::new(CHILD), &log, None);
        let output = command.args(work.args(folder.path(), session)).output().expect("strace is installed");
        assert!(output.status.success());
        let text = std::fs::read(&log).expect("strace wrote it");
        for name in CAN_FAIL {
            let is_it = |line: &&[u8]| {
                let call = strace::split(line).and_then(|(_, text)| strace::call(text));
                call.is_some_and(|call| call.name == name)
            };
            counts.push((session, name, text.split(|byte| *byte == b'\n').filter(is_it).count()));
        }
    }
    counts
}

/// Calls that only the store makes.
const CAN_FAIL: [&str; 6] = ["pwrite64", "fsync", "ftruncate", "rename", "unlink", "mkdir"];

/// What the children said.
pub(crate) fn said(tape: &Tape) -> impl Iterator<Item = &str> {
    tape.ops.iter().filter_map(|op| if let Op::Say(said) = op { Some(&**said) } else { None })
}
