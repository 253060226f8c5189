//! Keys and values that are hard to keep: hostile, asymmetric, deep, not the same the next time (§2, §4.8,
//! §6).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use fanfold::export::{CsvSteps, Export};
use fanfold::prelude::*;
use fanfold::record::Reader;
use fanfold::{EventKind, RunState, StepName};
use serde::{Deserialize, Serialize};

use crate::place::Place;

/// Keys that something takes for something else, twins among them.
const HOSTILE: [&str; 24] = [
    ".",
    "..",
    "/",
    "../../x",
    "\\",
    "%2e",
    "%2e%2e",
    "'",
    "'; DROP TABLE runs; --",
    "\"",
    "<script>",
    "&lt;",
    "\u{202e}txt",
    "\u{200f}",
    "\u{feff}",
    "[0][1]",
    "]",
    "é",
    "e\u{301}",
    "A",
    "a",
    " ",
    "=1+1",
    "a,b",
];

#[op(dynamic_out)]
fn hostile() -> Vec<DynamicOutput<String>> {
    HOSTILE.iter().map(|key| DynamicOutput::new(*key, (*key).to_owned())).collect()
}

#[op]
fn texts(all: Vec<String>) -> Vec<String> {
    all
}

#[tokio::test]
async fn hostile_keys_are_recorded_resumed_and_exported_as_they_are() {
    static BROKEN: AtomicBool = AtomicBool::new(true);
    #[op]
    fn same(x: String) -> Result<String, String> {
        // Half of them succeed at first, so that a resume has to tell each from its twin.
        let early = HOSTILE.iter().position(|key| *key == x).is_some_and(|at| at % 2 == 0);
        if BROKEN.load(SeqCst) && !early { Err(x) } else { Ok(x) }
    }
    #[job]
    fn hostile_keys_recorded() -> Out<Vec<String>> {
        texts(hostile().map(same).collect())
    }
    let place = Place::new();
    let first = place.run(hostile_keys_recorded::job().args(())).await;
    assert_eq!((first.count("succeeded same["), first.count("failed same[")), (12, 12));
    BROKEN.store(false, SeqCst);
    let second = place.resume().await;
    assert_eq!(second.gave::<Vec<String>>(), HOSTILE);
    assert_eq!(second.count("succeeded same["), 12, "{:#?}", second.lines);
    let reader = Reader::open(Arc::clone(place.store()), &place.latest()).expect("it can be read");
    let (mut names, mut table) = (BTreeSet::new(), Vec::new());
    let mut csv = CsvSteps::new(&mut table);
    for batch in reader.batches(0) {
        let batch = batch.expect("it can be read").1;
        csv.batch(reader.shape(), &batch).expect("it is written");
        for event in &batch.events {
            let EventKind::StepSucceeded { step, .. } = &event.kind else { continue };
            let name: StepName = step.name(reader.shape());
            assert_eq!(name.to_string().parse(), Ok(name.clone()), "{name}");
            if name.to_string().starts_with("same") {
                assert!(names.insert(step.path.keys()[0].to_string()), "{name} came twice");
            }
        }
    }
    csv.finish().expect("it is written");
    drop(csv);
    assert_eq!(names, HOSTILE.iter().map(|key| (*key).to_owned()).collect());
    let table = String::from_utf8(table).expect("it is text");
    assert!(table.contains(r"same[\[0\]\[1\]]") && table.contains("\"same[a,b]\""), "{table}");
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Forgets {
    kept: i64,
    #[serde(skip)]
    #[expect(dead_code, reason = "it is lost")]
    forgotten: i64,
}

#[tokio::test]
async fn a_value_that_cannot_be_read_back_is_found_when_it_is_written() {
    #[op(retry(max = 3))]
    fn forgets() -> Forgets {
        Forgets { kept: 1, forgotten: 2 }
    }
    #[op]
    fn not_a_number() -> f64 {
        f64::NAN
    }
    #[op]
    fn later_not_a_number(n: i64) -> f64 {
        if n == 1 { f64::INFINITY } else { 0.5 }
    }
    #[op(dynamic_out(by_index))]
    fn numbers() -> Vec<i64> {
        vec![0, 1, 2]
    }
    #[job(max_concurrent = 1)]
    fn asymmetric_values() {
        let _ = (forgets(), not_a_number(), numbers().map(later_not_a_number));
    }
    let story = Place::new().run(asymmetric_values::job().args(())).await;
    assert!(story.is(RunState::Failed));
    story.failed("not_a_number", &["does not survive being recorded", "f64"]);
    // A field that is never written is lost in both texts, and only the first value is read back (§6.4):
    // neither is seen.
    assert_eq!(story.count("succeeded forgets"), 1);
    assert_eq!(story.count("succeeded later_not_a_number"), 3);
}

/// A value that is as deep as one likes.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Nested(Vec<Nested>);

impl Nested {
    fn deep(depth: usize) -> Self {
        (1..depth).fold(Self(Vec::new()), |inner, _| Self(vec![inner]))
    }

    fn depth(&self) -> usize {
        1 + self.0.iter().map(Self::depth).max().unwrap_or(0)
    }
}

#[tokio::test]
async fn a_value_too_deep_to_be_read_back_is_an_error_when_it_is_written_first_or_not() {
    static BROKEN: AtomicBool = AtomicBool::new(true);
    #[op(dynamic_out(by_index))]
    fn depths() -> Vec<usize> {
        vec![1, 127, 128, 200]
    }
    #[op]
    fn nests(depth: usize) -> Nested {
        Nested::deep(depth)
    }
    #[op]
    fn first_nests() -> Nested {
        Nested::deep(200)
    }
    #[op(dynamic_out(by_index))]
    fn nested_items() -> impl Iterator<Item = Nested> {
        [1, 200].into_iter().map(Nested::deep)
    }
    #[op]
    fn measures(nested: Nested) -> Result<usize, String> {
        if BROKEN.load(SeqCst) { Err("broken".to_owned()) } else { Ok(nested.depth()) }
    }
    #[job(max_concurrent = 1)]
    fn deep_values() {
        let _ = (first_nests(), nested_items(), depths().map(nests).map(measures));
    }
    let place = Place::new();
    let story = place.run(deep_values::job().args(())).await;
    story.failed("first_nests", &["`first_nests`", "Nested", "recursion limit"]);
    for step in ["nests[2]", "nests[3]", "nested_items"] {
        story.failed(step, &["Nested", "more than 127", "deep"]);
    }
    BROKEN.store(false, SeqCst);
    let again = place.resume().await;
    assert_eq!(again.count("succeeded measures"), 2, "what was recorded is read back: {:#?}", again.lines);
}

#[tokio::test]
async fn an_emitter_that_gives_other_items_in_another_order_is_resumed_by_the_rules() {
    static SESSION: AtomicU32 = AtomicU32::new(0);
    /// By key: first a..e in the order of a hash map; then without `b`, with another `c`, and with `f`.
    #[op(dynamic_out)]
    fn unsteady() -> impl Iterator<Item = Result<DynamicOutput<String>, String>> {
        let second = SESSION.load(SeqCst) > 0;
        let mut all: HashMap<&str, &str> = ["a", "b", "c", "d", "e"].map(|key| (key, key)).into();
        if second {
            all.remove("b");
            all.insert("c", "other");
            all.insert("f", "f");
        }
        let items: Vec<_> = all
            .into_iter()
            .map(|(key, value)| Ok(DynamicOutput::new(key, value.to_owned())))
            .chain((!second).then(|| Err("the page is gone".to_owned())))
            .collect();
        items.into_iter()
    }
    #[op]
    fn upper(x: String) -> Result<String, String> {
        // One of the copies had not succeeded when the run was cut.
        if x == "d" && SESSION.load(SeqCst) == 0 { Err("broken".to_owned()) } else { Ok(x.to_uppercase()) }
    }
    #[op]
    fn sorted(mut all: Vec<String>) -> Vec<String> {
        all.sort();
        all
    }
    #[job]
    fn unsteady_items() -> Out<Vec<String>> {
        sorted(unsteady().map(upper).collect())
    }
    for _ in 0..20 {
        SESSION.store(0, SeqCst);
        let place = Place::new();
        let first = place.run(unsteady_items::job().args(())).await;
        assert!(first.is(RunState::Failed));
        assert_eq!(first.count("succeeded upper["), 4);
        SESSION.store(1, SeqCst);
        let second = place.resume().await;
        assert_eq!(second.gave::<Vec<String>>(), ["A", "D", "E", "F", "OTHER"], "{:#?}", second.lines);
        let mut ran: Vec<_> =
            second.lines.iter().filter_map(|line| line.strip_prefix("succeeded upper")).collect();
        ran.sort_unstable();
        assert_eq!(ran, ["[c]", "[d]", "[f]"], "copies of items that are as they were do not run again");
        assert_eq!(second.count("superseded"), 2, "{:#?}", second.lines);
    }
}
