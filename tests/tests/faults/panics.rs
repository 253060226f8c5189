//! Panics wherever code of the user's runs (§4.10).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use fanfold::RunState;
use fanfold::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::place::Place;

#[op]
fn inc(x: i64) -> i64 {
    x + 1
}

#[op]
fn total(all: Vec<i64>) -> i64 {
    all.iter().sum()
}

/// Its drop panics.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "dropped");
    }
}

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bomb")
    }
}

/// A value that can be recorded, and whose drop panics once.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recorded(bool);

impl Drop for Recorded {
    fn drop(&mut self) {
        assert!(!self.0 || std::thread::panicking(), "dropped");
    }
}

/// A resource whose drop panics.
struct Resource;

#[resource]
fn resource() -> Resource {
    Resource
}

impl Drop for Resource {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[tokio::test]
async fn a_panic_of_an_op_or_in_a_drop_fails_its_step_alone() {
    #[op]
    fn plain() -> i64 {
        panic!("in so many words")
    }
    #[op]
    async fn later() -> i64 {
        tokio::task::yield_now().await;
        panic!("after a while")
    }
    #[op]
    fn thrown() -> i64 {
        std::panic::panic_any(7)
    }
    #[op]
    fn thrown_bomb() -> i64 {
        std::panic::panic_any(Arc::new(Bomb))
    }
    #[op]
    fn fails_with_it() -> Result<i64, Bomb> {
        Err(Bomb)
    }
    #[op(transient)]
    fn makes() -> Bomb {
        Bomb
    }
    #[op]
    fn takes(#[transient] bomb: Arc<Bomb>) -> i64 {
        drop(bomb);
        1
    }
    #[op]
    fn gives() -> Recorded {
        Recorded(true)
    }
    #[op]
    fn uses(#[resource] resource: &Resource) -> i64 {
        let Resource = resource;
        1
    }
    #[job]
    fn panicking_ops() -> Out<i64> {
        let _ = (plain(), later(), thrown(), thrown_bomb(), fails_with_it(), takes(makes()), gives(), uses());
        total((0..20).map(inc).collect::<Vec<_>>())
    }
    let place = Place::new();
    let story = place.run(panicking_ops::job().args(())).await;
    assert!(story.is(RunState::Failed));
    story.failed("plain", &["it panicked: in so many words", "panics.rs:"]);
    story.failed("later", &["after a while", "panics.rs:"]);
    story.failed("thrown", &["(no message)", "panics.rs:"]);
    story.failed("thrown_bomb", &["(no message)"]);
    story.failed("fails_with_it", &["dropped"]);
    assert_eq!(story.gave::<i64>(), 210);
    // The next run of the store is as good as the first.
    let again = place.resume().await;
    assert_eq!((again.count("failed plain"), again.count("succeeded inc")), (1, 0));
}

/// Panics where it is told to, once it is armed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Writing,
    Reading,
    Never,
}

static READING: AtomicBool = AtomicBool::new(true);

#[derive(Debug, Clone)]
struct Value(At);

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(self.0 != At::Writing, "in serialize");
        serializer.serialize_bool(self.0 == At::Reading)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let armed = bool::deserialize(deserializer)?;
        assert!(!(armed && READING.load(SeqCst)), "in deserialize");
        Ok(Self(if armed { At::Reading } else { At::Never }))
    }
}

/// Its `Display` panics.
#[derive(Debug)]
struct Mute;

impl fmt::Display for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in display")
    }
}

/// An error whose `Debug` panics, and that is fine to display.
struct Undebuggable;

impl fmt::Debug for Undebuggable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in debug")
    }
}

impl fmt::Display for Undebuggable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as it is displayed")
    }
}

impl std::error::Error for Undebuggable {}

#[tokio::test]
async fn a_panic_while_a_value_is_written_or_an_error_shown_is_the_steps() {
    #[op(dynamic_out(by_index))]
    fn ways() -> Vec<Value> {
        // The first value is read back at once, so that the others are only written.
        vec![Value(At::Never), Value(At::Never), Value(At::Never)]
    }
    #[op]
    fn writes(way: Value) -> Value {
        way
    }
    #[op(dynamic_out(by_index))]
    fn writes_items() -> impl Iterator<Item = Value> {
        [At::Never, At::Never, At::Writing].into_iter().map(Value)
    }
    #[op]
    fn later_writes(n: i64) -> Value {
        Value(if n == 3 { At::Writing } else { At::Never })
    }
    #[op]
    async fn task_writes(n: i64) -> Value {
        Value(if n == 3 { At::Writing } else { At::Never })
    }
    #[op]
    fn reads() -> Value {
        Value(At::Reading)
    }
    #[op]
    fn mute() -> Result<i64, Mute> {
        Err(Mute)
    }
    #[op]
    async fn undebuggable() -> Result<i64, Undebuggable> {
        Err(Undebuggable)
    }
    #[op(dynamic_out(by_index))]
    fn numbers() -> impl Iterator<Item = i64> {
        0..5
    }
    #[op]
    fn folds(_: Value, n: i64) -> Value {
        Value(if n == 4 { At::Writing } else { At::Never })
    }
    #[job]
    fn panicking_values() -> Out<i64> {
        let _ = (ways().map(writes), writes_items().map(writes), reads(), mute(), undebuggable());
        let numbers = numbers();
        let _ = (numbers.map(later_writes), numbers.map(task_writes));
        let _ = numbers.fold(Value(At::Never), folds);
        total((0..20).map(inc).collect::<Vec<_>>())
    }
    READING.store(true, SeqCst);
    let story = Place::new().run(panicking_values::job().args(())).await;
    story.failed("writes_items", &["in serialize", "panics.rs:"]);
    story.failed("later_writes[3]", &["in serialize"]);
    story.failed("task_writes[3]", &["in serialize"]);
    story.failed("folds", &["in serialize"]);
    story.failed("reads", &["in deserialize"]);
    story.failed("mute", &["in display"]);
    story.failed("undebuggable", &["as it is displayed"]);
    assert_eq!((story.count("succeeded later_writes"), story.count("succeeded task_writes")), (4, 4));
    assert_eq!(story.count("succeeded writes_2["), 2, "items that came before stay");
    assert_eq!(story.gave::<i64>(), 210);
}

/// A value that is read well at once, and panics when it is read back at a resume.
#[derive(Debug, Clone, Serialize)]
struct Later(i64);

static WORSE: AtomicBool = AtomicBool::new(false);

impl<'de> Deserialize<'de> for Later {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        assert!(!WORSE.load(SeqCst), "not what it was");
        i64::deserialize(deserializer).map(Self)
    }
}

#[tokio::test]
async fn a_panic_while_a_recorded_value_is_read_back_stops_the_run_and_is_no_loss() {
    static BROKEN: AtomicBool = AtomicBool::new(true);
    #[op]
    fn gives_later() -> Later {
        Later(4)
    }
    #[op]
    fn reads_later(later: &Later) -> Result<i64, String> {
        if BROKEN.load(SeqCst) { Err("broken".to_owned()) } else { Ok(later.0) }
    }
    #[job]
    fn worse_later() -> Out<i64> {
        reads_later(gives_later())
    }
    let place = Place::new();
    assert!(place.run(worse_later::job().args(())).await.is(RunState::Failed));
    WORSE.store(true, SeqCst);
    BROKEN.store(false, SeqCst);
    let story = place.resume().await;
    assert!(story.is(RunState::Failed), "{:#?}", story.lines);
    let why = story.lines.iter().find(|line| line.starts_with("cancelling: ")).expect("it says why");
    for words in ["`gives_later`", "not what it was", "panics.rs:"] {
        assert!(why.contains(words), "{why}");
    }
    WORSE.store(false, SeqCst);
    assert_eq!(place.resume().await.gave::<i64>(), 4);
}

#[tokio::test]
async fn a_panic_of_an_emitter_fails_it_and_the_copies_that_ran_stay_recorded() {
    static BROKEN: AtomicBool = AtomicBool::new(true);
    struct Ends(i64);
    impl Iterator for Ends {
        type Item = i64;
        fn next(&mut self) -> Option<i64> {
            self.0 += 1;
            (self.0 < 3).then_some(self.0)
        }
    }
    impl Drop for Ends {
        fn drop(&mut self) {
            assert!(!BROKEN.load(SeqCst), "in drop");
        }
    }
    #[op(dynamic_out(by_index))]
    fn in_next() -> impl Iterator<Item = i64> {
        (0..3).inspect(|x| assert!(*x < 2 || !BROKEN.load(SeqCst), "in next"))
    }
    #[op(dynamic_out(by_index))]
    fn in_drop() -> impl Iterator<Item = i64> {
        Ends(0)
    }
    #[op(dynamic_out(key = |x| { assert!(*x < 2 || !BROKEN.load(SeqCst), "in key"); x.to_string() }))]
    fn in_key() -> impl Iterator<Item = i64> {
        0..3
    }
    #[job]
    fn panicking_emitters_recorded() -> Out<i64> {
        let copies = [in_next().map(inc), in_drop().map(inc), in_key().map(inc)];
        total(copies.map(|copies| total(copies.collect())))
    }
    let place = Place::new();
    let story = place.run(panicking_emitters_recorded::job().args(())).await;
    story.failed("in_next", &["in next", "panics.rs:"]);
    story.failed("in_drop", &["in drop"]);
    story.failed("in_key", &["in key"]);
    assert_eq!(story.count("succeeded inc"), 6, "{:#?}", story.lines);
    BROKEN.store(false, SeqCst);
    let again = place.resume().await;
    assert_eq!(again.gave::<i64>(), (1 + 2 + 3) + (2 + 3) + (1 + 2 + 3));
    assert_eq!(again.count("succeeded inc"), 2, "{:#?}", again.lines);
}
