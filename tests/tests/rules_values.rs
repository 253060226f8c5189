//! §6: what flows along the edges, who copies it, and what is never written down.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use common::{Gauge, error_of, run, states, watched};
use fanfold::prelude::*;
use fanfold::{ErrorKind, EventKind, JobRun, RunReport, RunState, StepState};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> Vec<i64> {
    (0..n).collect()
}

#[op]
fn total(xs: &[i64]) -> i64 {
    xs.iter().sum()
}

/// Runs a job without keeping its values, as a program does.
async fn run_only<R>(job: JobRun<R>) -> RunReport {
    watched(async { job.start().await.unwrap().wait().await }).await
}

// --- 1, 2: who copies

/// Defines a type that counts how often it is cloned, and ops that give and change it.
macro_rules! counted {
    ($clones:ident, $ty:ident) => {
        static $clones: AtomicU32 = AtomicU32::new(0);

        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct $ty(i64);

        impl Clone for $ty {
            fn clone(&self) -> Self {
                $clones.fetch_add(1, SeqCst);
                Self(self.0)
            }
        }
    };
}

#[tokio::test]
async fn s6_2_a_value_is_moved_to_its_last_reader() {
    counted!(CLONES, Counted);
    #[op]
    fn make(x: i64) -> Counted {
        Counted(x)
    }
    #[op]
    fn change(mut x: Counted) -> Counted {
        x.0 += 1;
        x
    }
    #[op]
    async fn change_later(mut x: Counted) -> Counted {
        x.0 += 1;
        x
    }
    #[op]
    fn read(x: Counted) -> i64 {
        x.0
    }
    #[job]
    fn moved() -> Out<i64> {
        let _ = read(change_later(change(make(1))));
        total(emit(50).map(make).map(change).map(change_later).map(change).map(read).collect())
    }
    assert_eq!(run_only(moved::job().args(())).await.state, RunState::Succeeded);
    assert_eq!(CLONES.load(SeqCst), 0);
}

#[tokio::test]
async fn s6_2_a_value_that_others_read_too_is_copied_for_those_that_take_it() {
    counted!(CLONES, Counted);
    #[op]
    fn make() -> Counted {
        Counted(1)
    }
    #[op]
    fn take(mut x: Counted) -> i64 {
        x.0 += 10;
        x.0
    }
    #[op]
    fn lend(x: &Counted) -> i64 {
        x.0
    }
    #[op]
    async fn share(x: Arc<Counted>) -> i64 {
        x.0
    }
    #[job]
    fn copied() -> Out<i64> {
        let x = make();
        total([take(x), take(x), lend(x), share(x)])
    }
    let run = run(copied::job().args(())).await;
    assert_eq!(run.output(), 11 + 11 + 1 + 1, "nobody sees another's change");
    assert_eq!(CLONES.load(SeqCst), 2);
}

#[tokio::test]
async fn s6_2_an_op_that_may_be_tried_again_takes_a_copy() {
    counted!(CLONES, Counted);
    #[op]
    fn make() -> Counted {
        Counted(1)
    }
    #[op(retry(max = 2))]
    fn spoils(ctx: &OpContext, mut x: Counted) -> Result<i64, String> {
        x.0 += 1;
        if ctx.attempt() < 3 { Err("again".to_owned()) } else { Ok(x.0) }
    }
    #[job]
    fn again() -> Out<i64> {
        spoils(make())
    }
    assert_eq!(run(again::job().args(())).await.output(), 2);
    assert_eq!(CLONES.load(SeqCst), 3);
}

#[tokio::test]
async fn s6_2_what_is_lent_or_shared_is_never_copied_and_needs_no_clone() {
    #[derive(Debug, Serialize, Deserialize)]
    struct NoClone(i64);
    #[op]
    fn make(x: i64) -> NoClone {
        NoClone(x)
    }
    #[op]
    fn address(x: &NoClone) -> usize {
        std::ptr::from_ref(x) as usize
    }
    #[op]
    async fn address_shared(x: Arc<NoClone>) -> usize {
        Arc::as_ptr(&x) as usize
    }
    #[op]
    fn sum(xs: &[NoClone]) -> i64 {
        xs.iter().map(|x| x.0).sum()
    }
    #[op]
    fn sum_shared(xs: Vec<Arc<NoClone>>) -> i64 {
        xs.iter().map(|x| x.0).sum()
    }
    #[op]
    fn sum_keyed(xs: &Keyed<NoClone>) -> i64 {
        xs.values().map(|x| x.0).sum()
    }
    #[op]
    fn all_equal(xs: &[usize]) -> bool {
        xs.windows(2).all(|two| two[0] == two[1])
    }
    #[job]
    fn not_copied() -> (Out<bool>, Out<i64>, Out<i64>, Out<i64>) {
        let x = make(1);
        let many = emit(4).map(make);
        let same = all_equal([address(x), address_shared(x), address(x)]);
        (same, sum(many.collect()), sum_shared(many.collect()), sum_keyed(many.collect_keyed()))
    }
    assert_eq!(run(not_copied::job().args(())).await.output(), (true, 6, 6, 6));
}

#[tokio::test]
async fn s6_2_a_collect_into_a_list_of_shared_values_copies_none() {
    counted!(CLONES, Counted);
    #[op]
    fn make(x: i64) -> Counted {
        Counted(x)
    }
    #[op]
    fn shared(xs: Vec<Arc<Counted>>) -> usize {
        xs.len()
    }
    #[op]
    fn owned(xs: Vec<Counted>) -> usize {
        xs.len()
    }
    #[job]
    fn shares() -> Out<usize> {
        shared(emit(10).map(make).collect())
    }
    #[job]
    fn owns() -> Out<usize> {
        owned(emit(10).map(make).collect())
    }
    assert_eq!(run(shares::job().args(())).await.output(), 10);
    assert_eq!(CLONES.load(SeqCst), 0);
    assert_eq!(run(owns::job().args(())).await.output(), 10);
    assert!(CLONES.load(SeqCst) <= 10);
}

#[tokio::test]
async fn s6_2_str_slices_and_paths_read_what_owns_them() {
    #[op]
    fn text() -> String {
        "text".to_owned()
    }
    #[op]
    fn numbers() -> Vec<i64> {
        vec![1, 2]
    }
    #[op]
    fn path() -> PathBuf {
        "a/b".into()
    }
    #[op]
    fn reads(text: &str, numbers: &[i64], path: &Path, shared: Arc<String>) -> String {
        format!("{text} {numbers:?} {} {shared}", path.display())
    }
    #[op]
    async fn reads_later(text: &str, path: &Path) -> String {
        tokio::task::yield_now().await;
        format!("{text} {}", path.display())
    }
    #[job]
    fn borrowed() -> (Out<String>, Out<String>) {
        (reads(text(), numbers(), path(), "constant"), reads_later(text(), "x/y"))
    }
    let (reads, later) = run(borrowed::job().args(())).await.output();
    assert_eq!((reads.as_str(), later.as_str()), ("text [1, 2] a/b constant", "text x/y"));
}

#[tokio::test]
async fn s6_2_constants_and_arguments_are_there_for_every_copy_and_every_run() {
    counted!(CLONES, Counted);
    #[op]
    fn add(x: i64, by: &Counted, list: Vec<i64>) -> i64 {
        x + by.0 + list.iter().sum::<i64>()
    }
    #[job]
    fn constants(list: Out<Vec<i64>>) -> Out<i64> {
        total(emit(3).map(|x| add(x, Counted(10), list)).collect())
    }
    for _ in 0..2 {
        assert_eq!(run(constants::job().args((vec![1, 2],))).await.output(), 3 + 30 + 9);
    }
    assert_eq!(CLONES.load(SeqCst), 0);
}

// --- 1: transient values

#[tokio::test]
async fn s6_1_a_transient_value_needs_no_serde_and_flows_like_any_other() {
    static ALIVE: Gauge = Gauge::new();
    struct Connection(#[allow(dead_code, reason = "it counts by being dropped")] common::Entered, i64);
    #[op(transient)]
    fn connect(x: i64) -> Connection {
        Connection(ALIVE.enter(), x)
    }
    #[op(transient)]
    async fn same(#[transient] connection: Arc<Connection>) -> i64 {
        connection.1
    }
    #[op]
    fn query(#[transient] connection: &Connection, x: i64) -> i64 {
        connection.1 + x
    }
    #[job]
    fn connected() -> (Out<i64>, Out<i64>) {
        let one = connect(100);
        let each = emit(3).map(|x| query(connect(x), x));
        (total(emit(3).map(|x| query(one, x)).collect()), total([same(one), total(each.collect())]))
    }
    let run = run(connected::job().args(())).await;
    assert_eq!(run.output(), (303, 106));
    assert_eq!(ALIVE.ever(), 4);
}

#[tokio::test]
async fn s6_1_items_and_several_outputs_may_be_transient() {
    struct Handle(i64);
    #[op(dynamic_out(by_index), transient)]
    fn open(n: i64) -> impl Iterator<Item = Handle> {
        (0..n).map(Handle)
    }
    #[op]
    fn read(#[transient] handle: &Handle) -> i64 {
        handle.0
    }
    #[op]
    fn count(#[transient] handles: &[Handle]) -> usize {
        handles.len()
    }
    #[job]
    fn handles() -> Out<i64> {
        total(open(4).map(read).collect())
    }
    let _ = count::call(&[]);
    assert_eq!(run(handles::job().args(())).await.output(), 6);
}

// --- 3: secrets

#[tokio::test]
async fn s6_3_a_secret_is_given_to_ops_and_never_shown() {
    const CLEAR: &str = "hunter2-in-clear";
    #[op(transient)]
    fn token(of: &Secret<String>) -> Secret<String> {
        Secret::new(format!("{}!", of.expose()))
    }
    #[op]
    fn length(secret: &Secret<String>) -> usize {
        secret.expose().len()
    }
    #[op]
    fn fails_with_it(secret: &Secret<String>) -> Result<(), String> {
        Err(format!("cannot log in with {secret:?}"))
    }
    #[job]
    fn logs_in(password: Out<Secret<String>>) -> Out<usize> {
        let _ = fails_with_it(password);
        length(token(password))
    }
    let secret = Secret::new(CLEAR.to_owned());
    let run = run(logs_in::job().args((secret,))).await;
    assert_eq!(run.step::<usize>("length"), Some(CLEAR.len() + 1));
    let shown = format!("{:?} {:?} {}", run.events(), run.report(), error_of(&run, "fails_with_it"));
    assert!(!shown.contains("hunter2"), "{shown}");
    let args = run.events().iter().find_map(|event| match &event.kind {
        EventKind::RunStarted { args, .. } => Some(args.clone()),
        _ => None,
    });
    assert_eq!(args.unwrap(), [("password".to_owned(), "given".to_owned())]);
}

#[tokio::test]
async fn s6_3_a_secret_inside_a_recorded_value_is_an_error_that_names_the_remedy() {
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Login {
        user: String,
        password: Secret<String>,
    }
    #[op]
    fn login() -> Login {
        Login { user: "ada".to_owned(), password: Secret::new("hunter2".to_owned()) }
    }
    #[op]
    fn user(login: &Login) -> String {
        login.user.clone()
    }
    #[op]
    fn bare() -> Secret<String> {
        Secret::new("hunter2".to_owned())
    }
    #[op(dynamic_out(by_index))]
    fn many() -> Vec<Secret<i64>> {
        vec![Secret::new(1)]
    }
    #[job]
    fn leaks() {
        let _ = (user(login()), bare(), many());
    }
    let run = run(leaks::job().args(())).await;
    for op in ["login", "bare", "many"] {
        let error = error_of(&run, op);
        assert!(error.contains(&format!("`{op}`")) && error.contains("transient"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert_eq!(run.state_of("user"), Some(StepState::UpstreamFailed));
}

// --- 4: the first value is read back

/// What serde reads is not what it writes.
#[derive(Debug, Clone, PartialEq)]
struct Asymmetric(i64);

impl Serialize for Asymmetric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Asymmetric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|_| Self(0))
    }
}

/// It is read back, as something else.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Forgets {
    kept: i64,
    #[serde(skip_deserializing)]
    forgotten: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Measured(f64);

#[tokio::test]
async fn s6_4_a_type_that_does_not_survive_the_round_trip_is_an_error_at_once() {
    #[op(retry(max = 3))]
    fn cannot_be_read() -> Asymmetric {
        Asymmetric(1)
    }
    #[op]
    async fn reads_as_another() -> Forgets {
        Forgets { kept: 1, forgotten: 2 }
    }
    #[op]
    fn not_a_number() -> Measured {
        Measured(f64::NAN)
    }
    #[op(dynamic_out(by_index), retry(max = 3))]
    fn item_cannot_be_read() -> impl Iterator<Item = Asymmetric> {
        [Asymmetric(1), Asymmetric(2)].into_iter()
    }
    #[op(dynamic_out(by_index))]
    fn listed_cannot_be_read() -> Vec<Asymmetric> {
        vec![Asymmetric(1)]
    }
    #[op]
    fn fold_cannot_be_read(_so_far: Asymmetric, x: i64) -> Asymmetric {
        Asymmetric(x)
    }
    #[op]
    fn fine() -> i64 {
        1
    }
    #[job]
    fn round_trips() {
        let _ = (cannot_be_read(), reads_as_another(), not_a_number(), fine());
        let _ = (item_cannot_be_read(), listed_cannot_be_read());
        let _ = emit(2).fold(Asymmetric(0), fold_cannot_be_read);
    }
    let run = run(round_trips::job().args(())).await;
    let steps = [
        "cannot_be_read",
        "reads_as_another",
        "not_a_number",
        "item_cannot_be_read",
        "listed_cannot_be_read",
        "fold_cannot_be_read",
    ];
    for step in steps {
        let error = error_of(&run, step);
        assert!(error.contains(&format!("`{step}`")) && error.contains("Serialize"), "{step}: {error}");
        let failed = run.events().iter().find_map(|event| match &event.kind {
            EventKind::StepFailed { step: of, attempt, error, .. }
                if of.name(&run.report().shape).op() == step =>
            {
                Some((*attempt, error.kind()))
            }
            _ => None,
        });
        assert_eq!(failed.unwrap(), (1, ErrorKind::Codec), "{step} is not tried again");
    }
    assert_eq!(run.state_of("fine"), Some(StepState::Succeeded));
}

#[tokio::test]
async fn s6_4_each_of_several_outputs_is_read_back() {
    #[derive(Outputs)]
    struct Three {
        first: Dynamic<i64>,
        second: Dynamic<Asymmetric>,
        third: i64,
    }
    #[op(outputs)]
    fn at_the_end() -> Three {
        let items = |n| vec![DynamicOutput::new(0, n)];
        Three { first: items(1), second: vec![DynamicOutput::new(0, Asymmetric(1))], third: 1 }
    }
    #[op(outputs)]
    fn as_they_come() -> impl Iterator<Item = ThreeItem> {
        let first = (0..5).map(|n| ThreeItem::First(DynamicOutput::new(n, n)));
        first.chain([ThreeItem::Third(1), ThreeItem::Second(DynamicOutput::new(0, Asymmetric(1)))])
    }
    #[derive(Outputs)]
    struct Last {
        items: Dynamic<i64>,
        last: Asymmetric,
    }
    #[op(outputs)]
    fn single() -> Last {
        Last { items: vec![DynamicOutput::new(0, 1)], last: Asymmetric(1) }
    }
    #[op]
    fn of(x: i64) -> i64 {
        x
    }
    #[job]
    fn all_outputs() {
        let (a, b, c) = (at_the_end(), as_they_come(), single());
        let _ = (a.first.map(of), b.first.map(of).named("streamed"), c.items.map(of));
    }
    let run = run(all_outputs::job().args(())).await;
    for step in ["at_the_end", "as_they_come", "single"] {
        assert!(error_of(&run, step).contains("Asymmetric"), "{:?}", states(&run));
    }
    // What was given before goes on.
    assert_eq!(run.outputs_of::<i64>("streamed"), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn s6_4_only_the_first_value_costs_a_round_trip() {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    #[derive(Debug, Clone, Deserialize)]
    struct Counts(i64);
    impl Serialize for Counts {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            WRITTEN.fetch_add(1, SeqCst);
            serializer.serialize_i64(self.0)
        }
    }
    #[op(dynamic_out(by_index))]
    fn items(n: i64) -> impl Iterator<Item = Counts> {
        (0..n).map(Counts)
    }
    #[op]
    fn value(x: &Counts) -> i64 {
        x.0
    }
    #[job(max_concurrent = 1)]
    fn written() -> Out<i64> {
        total(emit(20).map(|x| items(x).map(value)).collect())
    }
    assert_eq!(run(written::job().args(())).await.output(), (0..20).map(|n| n * (n - 1) / 2).sum::<i64>());
    assert_eq!(WRITTEN.load(SeqCst), 2, "there and back, once for the output");
}

#[tokio::test]
async fn s6_4_values_that_survive_are_the_ones_that_were_given() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Unit,
        Pair(i64, String),
        Named { x: f64, y: Option<Vec<u8>> },
    }
    #[op]
    fn shapes() -> Vec<Shape> {
        let named = Shape::Named { x: 0.1 + 0.2, y: Some(vec![0, 255]) };
        vec![Shape::Unit, Shape::Pair(i64::MIN, "\u{0}\u{202e}é".to_owned()), named]
    }
    #[op]
    fn large() -> (u64, i64, f64, char, ()) {
        (u64::MAX, i64::MIN, f64::MIN_POSITIVE, '\u{10ffff}', ())
    }
    #[op]
    fn by_number() -> std::collections::BTreeMap<u32, Option<bool>> {
        [(1, None), (2, Some(true))].into()
    }
    type All = (Out<Vec<Shape>>, Out<(u64, i64, f64, char, ())>);
    #[job]
    fn survive() -> (Out<Vec<Shape>>, Out<(u64, i64, f64, char, ())>) {
        let _ = by_number();
        let all: All = (shapes(), large());
        all
    }
    let run = run(survive::job().args(())).await;
    assert_eq!(run.output(), (shapes::call(), large::call()));
    assert_eq!(run.state_of("by_number"), Some(StepState::Succeeded));
}
