//! Processes that are killed at any instant, and at each named point: nothing that was told as done is
//! lost or done again (§5.1, §5.2).
//!
//! `FANFOLD_KILLS` says how many processes are killed at random (`just torture-crash`), `FANFOLD_SEED`
//! when.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fanfold::crash::POINTS;
use fanfold_tests::crash::{Ended, Figures, Scene};

/// One at a time: what is killed at which instant depends on how much else is going on.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_crash_job"))
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// A run in a folder of its own, which goes away with it.
fn scene() -> (tempfile::TempDir, Scene) {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::new(program(), folder.path());
    (folder, scene)
}

/// What a run gives that nobody kills, and how long that takes.
fn uninterrupted() -> (HashMap<String, String>, Duration) {
    let (_folder, mut scene) = scene();
    let timed = |scene: &Scene| {
        let began = Instant::now();
        assert!(matches!(scene.drive(None, None), Ended::Well));
        began.elapsed()
    };
    let mut took = timed(&scene);
    for _ in 0..2 {
        // At its quickest: else most kills come too late on a machine that was busy for a moment.
        took = took.min(timed(&self::scene().1));
    }
    let values = scene.values().expect("it is recorded");
    assert_eq!(values["all"], values["folded"]);
    scene.check_end(&values).expect("it is right");
    (values, took)
}

/// How many sessions in a row may be killed before one is let through.
const KILLS_IN_A_ROW: u64 = 12;

/// Drives a run through what `next` says until it has succeeded, and looks at it after each death.
fn through(
    expected: &HashMap<String, String>,
    figures: &mut Figures,
    mut next: impl FnMut(u64) -> (Option<String>, Option<Duration>),
) -> Result<(), String> {
    let (_folder, mut scene) = scene();
    for session in 0.. {
        let (point, kill_after) = if session < KILLS_IN_A_ROW { next(session) } else { (None, None) };
        match scene.drive(point.as_deref(), kill_after) {
            Ended::Killed => {
                figures.kills += 1;
                if let Some((point, _)) = point.as_deref().and_then(|point| point.split_once(':')) {
                    figures.points.insert(point.to_owned());
                }
                figures.progress += u64::from(scene.look()?);
                figures.again += scene.ledger.again;
                figures.worst = figures.worst.max(scene.ledger.again);
            }
            Ended::Well => break,
            Ended::Badly(said) => return Err(said),
        }
    }
    scene.check_end(expected)?;
    figures.runs += 1;
    figures.acks += scene.ledger.acks.len() as u64;
    Ok(())
}

#[test]
fn s5_1_kill_9_at_any_instant_loses_nothing_and_doubles_nothing() {
    let _turn = turn();
    let kills = from_env("FANFOLD_KILLS").unwrap_or(150);
    let seed = from_env("FANFOLD_SEED").unwrap_or_else(|| fastrand::u64(..));
    let (expected, whole) = uninterrupted();
    let mut figures = Figures::default();
    let mut random = fastrand::Rng::with_seed(seed);
    let began = Instant::now();
    while figures.kills < kills {
        let done = through(&expected, &mut figures, |_| {
            (None, Some(Duration::from_secs_f64(whole.as_secs_f64() * random.f64())))
        });
        done.unwrap_or_else(|error| {
            panic!(
                "{error}\nafter {figures}\nagain: FANFOLD_SEED={seed} FANFOLD_KILLS={kills} cargo test -p fanfold-tests --test crash s5_1_kill -- --nocapture"
            )
        });
    }
    println!("{figures}; a whole run takes {whole:.0?}, all took {:.0?}", began.elapsed());
}

#[test]
fn s5_1_a_death_at_each_named_point_loses_nothing_and_doubles_nothing() {
    let _turn = turn();
    let (expected, _) = uninterrupted();
    let mut figures = Figures::default();
    let began = Instant::now();
    for point in POINTS {
        // At once, in each session; and in those that follow on a death in the middle.
        for (passing, first) in [(1, None), (1, Some("after_commit:2")), (3, Some("after_commit:2"))] {
            let done = through(&expected, &mut figures, |session| match (session, first) {
                (0, Some(first)) => (Some(first.to_owned()), None),
                (0..3, _) => (Some(format!("{point}:{passing}")), None),
                _ => (None, None),
            });
            done.unwrap_or_else(|error| {
                panic!("{point}:{passing} after {first:?}: {error}\nafter {figures}")
            });
        }
        assert!(figures.points.contains(*point), "nothing dies at {point}: {figures}");
    }
    println!("{figures}; all took {:.0?}", began.elapsed());
}
