//! A disk that fails once, or from then on: at each of the calls that can fail.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use fanfold_tests::powercut::check::{Progress, Verdict};
use fanfold_tests::powercut::disk::{Disk, Loss};
use fanfold_tests::powercut::tape::{Op, Tape};
use fanfold_tests::powercut::{number, seed};

use crate::common::{CHILD, Work, calls, folder, said};
use crate::images::Figures;

/// So many images are made of what each fault left.
const IMAGES: usize = 2;

/// A call that fails: in which session, and how, in the words of `strace`.
#[derive(Debug, Clone)]
struct Fault {
    work: Work<'static>,
    session: usize,
    inject: String,
}

fn all(work: Work<'static>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (session, call, count) in calls(&work) {
        for n in 1..=count {
            for (error, when) in [("EIO", ""), ("EIO", "+"), ("ENOSPC", ""), ("ENOSPC", "+")] {
                let inject = format!("{call}:error={error}:when={n}{when}");
                faults.push(Fault { work, session, inject });
            }
        }
    }
    faults
}

impl Fault {
    fn meet(&self, figures: &mut Figures) {
        let folder = folder();
        let tape = self.work.record(folder.path(), Some((self.session, &self.inject)));
        let mut progress = Progress::new(&self.work.plan());
        for said in said(&tape) {
            if said == "unspoilt" {
                figures.take(Verdict::Wrong("a right that failed still writes".to_owned()), || self.text());
                return;
            }
            progress.hear(said);
        }
        self.cut(&tape, &progress, figures);
        figures.take(progress.check(&folder.path().join("store")), || self.text());
    }

    /// The power goes, too: whatever the disk did not confirm may be gone.
    fn cut(&self, tape: &Tape, progress: &Progress, figures: &mut Figures) {
        let mut random = fastrand::Rng::with_seed(self.work.seed ^ tape.ops.len() as u64);
        let (mut disk, left) = (Disk::default(), folder());
        tape.ops.iter().for_each(|op: &Op| disk.take(op));
        for _ in 0..IMAGES {
            let (loss, strict) = (Loss::ALL[random.usize(..Loss::ALL.len())], random.bool());
            disk.cut(loss, strict, &mut random).lay(left.path()).expect("it can be written");
            figures.take(progress.check(left.path()), || {
                format!("{}, then a power cut, {loss:?} lost, strict {strict}", self.text())
            });
        }
    }

    fn text(&self) -> String {
        format!("{self:?}")
    }
}

#[test]
#[ignore = "needs strace"]
fn nothing_that_was_acknowledged_is_lost_when_the_disk_fails() {
    let count = number("FANFOLD_FAULTS").unwrap_or(400) as usize;
    let start = Instant::now();
    let mut faults = all(Work { kind: "short", seed: seed(), how: "full" });
    faults.extend(all(Work { kind: "many", seed: seed(), how: "full" }));
    let there = faults.len();
    fastrand::Rng::with_seed(seed()).shuffle(&mut faults);
    // Of names there are few: all of them.
    faults.sort_by_key(|fault| {
        ["pwrite64", "fsync", "ftruncate"].iter().any(|name| fault.inject.starts_with(name))
    });
    faults.truncate(count);
    let (met, faults, figures) = (faults.len(), Mutex::new(faults), Mutex::new(Figures::default()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let next = || faults.lock().unwrap().pop();
                while let Some(fault) = next() {
                    let mut mine = Figures::default();
                    fault.meet(&mut mine);
                    figures.lock().unwrap().add(mine);
                }
            });
        }
    });
    let figures = figures.into_inner().unwrap();
    figures.print(&format!("{met} of {there} faults in {} ms", start.elapsed().as_millis()));
    figures.all_right();
}

/// Does the first session of some work with files that may have so many blocks: a write that reaches the
/// end of the room is cut short, and the next one fails.
fn with_room(work: &Work<'_>, folder: &Path, blocks: usize) -> (Progress, bool) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$1\" && shift && exec \"$@\"", "sh", &blocks.to_string()]);
    let output =
        shell.arg(CHILD).args(work.args(folder, 0)).stdout(Stdio::piped()).output().expect("a shell");
    assert!(output.status.success(), "{blocks}: {}", String::from_utf8_lossy(&output.stderr));
    let (mut progress, mut whole) = (Progress::new(&work.plan()), true);
    for said in String::from_utf8_lossy(&output.stdout).lines() {
        assert_ne!(said, "unspoilt", "{blocks}: a right that failed still writes");
        whole &= !said.starts_with("failed");
        progress.hear(said);
    }
    (progress, whole)
}

#[test]
fn a_write_that_is_cut_short_is_never_taken_for_whole() {
    let work = Work { kind: "short", seed: seed(), how: "full" };
    let (mut figures, mut blocks) = (Figures::default(), 0);
    loop {
        let folder = folder();
        let (progress, whole) = with_room(&work, folder.path(), blocks);
        figures.take(progress.check(&folder.path().join("store")), || format!("{work:?}, room {blocks}"));
        if whole {
            break;
        }
        blocks += 1;
    }
    figures.print("with little room");
    figures.all_right();
    assert!(figures.images > 50, "{figures:?}");
}
