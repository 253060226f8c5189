//! The power is cut at any instant.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use fanfold_tests::powercut::check::{Progress, Verdict, reading_changes_nothing};
use fanfold_tests::powercut::disk::{Disk, Loss};
use fanfold_tests::powercut::tape::{Op, Tape};
use fanfold_tests::powercut::{number, seed};

use crate::common::{Work, folder};

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) images: usize,
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    pub(crate) wrong: usize,
    /// The first that was not right, with how it came about.
    pub(crate) first: Option<String>,
}

impl Figures {
    pub(crate) fn take(&mut self, verdict: Verdict, how: impl FnOnce() -> String) {
        self.images += 1;
        let text = match verdict {
            Verdict::Right => return,
            Verdict::Lost(text) => {
                self.lost += 1;
                text
            }
            Verdict::Doubled(text) => {
                self.doubled += 1;
                text
            }
            Verdict::Wrong(text) => {
                self.wrong += 1;
                text
            }
        };
        if self.first.is_none() {
            self.first = Some(format!("{}: {text}", how()));
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.images += other.images;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.wrong += other.wrong;
        self.first = self.first.take().or(other.first);
    }

    pub(crate) fn print(&self, what: &str) {
        println!(
            "powercut {what}: FANFOLD_SEED={}, {} images, {} lost, {} doubled, {} wrong",
            seed(),
            self.images,
            self.lost,
            self.doubled,
            self.wrong
        );
    }

    pub(crate) fn all_right(&self) {
        assert!(self.first.is_none(), "{}", self.first.as_deref().unwrap_or_default());
    }
}

/// Cuts the power `count` times at random instants of what was recorded, and looks at what is left.
pub(crate) fn cut(tape: &Tape, work: &Work<'_>, count: usize, figures: &mut Figures) {
    let mut random = fastrand::Rng::with_seed(work.seed ^ 0xc07);
    let left = folder();
    let mut cuts: Vec<_> = (0..count).map(|_| random.usize(..=tape.ops.len())).collect();
    cuts.sort_unstable();
    let (mut disk, mut progress, mut at) = (Disk::default(), Progress::new(&work.plan()), 0);
    for cut in cuts {
        for op in &tape.ops[at..cut] {
            disk.take(op);
            if let Op::Say(said) = op {
                progress.hear(said);
            }
        }
        at = cut;
        let (loss, strict) = (Loss::ALL[random.usize(..Loss::ALL.len())], random.bool());
        let folder = left.path().join("store");
        disk.cut(loss, strict, &mut random).lay(&folder).expect("it can be written");
        if random.u8(..16) == 0 {
            assert!(reading_changes_nothing(&folder).expect("it can be read"), "reading changed a file");
        }
        figures.take(progress.check(&folder), || {
            format!("{work:?}, cut at {cut} of {}, {loss:?} lost, strict {strict}", tape.ops.len())
        });
        if let Some(first) = &figures.first
            && std::env::var_os("FANFOLD_KEEP").is_some()
        {
            let path = left.keep();
            panic!("{first}\nleft at {}", path.display());
        }
    }
}

fn work(kind: &str, seed: u64) -> Work<'_> {
    Work { kind, seed, how: "full" }
}

fn record(work: &Work<'_>) -> Tape {
    work.record(folder().path(), None)
}

/// Kinds of plans, each with its share of the images in percent.
const SHARES: [(&str, usize); 4] = [("many", 22), ("one", 21), ("many", 22), ("short", 35)];

/// Images of plans that write much take long.
const LARGE: usize = 8;

#[test]
#[ignore = "needs strace"]
fn nothing_that_was_acknowledged_is_lost_when_the_power_is_cut() {
    let count = number("FANFOLD_IMAGES").unwrap_or(5_000) as usize;
    let start = Instant::now();
    let mut jobs: Vec<_> =
        (seed()..).zip(SHARES).map(|(seed, (kind, share))| (work(kind, seed), count * share / 100)).collect();
    jobs.push((work("large", seed()), (count / 600).max(LARGE)));
    let jobs = Mutex::new(jobs);
    let figures = Mutex::new(Figures::default());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let next = || jobs.lock().unwrap().pop();
                while let Some((work, count)) = next() {
                    let mut mine = Figures::default();
                    cut(&record(&work), &work, count, &mut mine);
                    figures.lock().unwrap().add(mine);
                }
            });
        }
    });
    let figures = figures.into_inner().unwrap();
    figures.print(&format!("in {} ms", start.elapsed().as_millis()));
    figures.all_right();
}

/// The harness sees what it is there to see.
#[test]
#[ignore = "needs strace"]
fn a_store_that_does_not_wait_for_the_disk_is_found_out() {
    let work = Work { how: "weak", ..work("one", seed()) };
    let mut figures = Figures::default();
    cut(&record(&work), &work, 200, &mut figures);
    figures.print("with `synchronous = NORMAL`");
    assert!(figures.lost > 20, "{figures:?}");
}

/// What is recorded is what the store is known to do.
#[test]
#[ignore = "needs strace"]
fn the_tape_shows_all_that_reaches_the_disk() {
    let work = work("many", seed());
    let folder = folder();
    let tape = work.record(folder.path(), None);
    let mut disk = Disk::default();
    tape.ops.iter().for_each(|op| disk.take(op));
    let mut random = fastrand::Rng::with_seed(1);
    let told = disk.cut(Loss::Nothing, false, &mut random);
    let there = fanfold_tests::powercut::disk::Image::of(&folder.path().join("store")).expect("it is there");
    let names = |files: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| -> BTreeSet<_> {
        files.keys().filter(|path| !path.ends_with("runs.db-shm")).cloned().collect()
    };
    assert_eq!(names(&told.files), names(&there.files));
    for (path, content) in &told.files {
        assert!(there.files[path] == *content, "{} differs", path.display());
    }
    assert!(told.files.contains_key(Path::new("runs.db")));
}
