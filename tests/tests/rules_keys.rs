//! §2: mapping keys and the names of steps.

mod common;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use common::{attempts_of, error_of, run, states, step_names};
use fanfold::prelude::*;
use fanfold::{ErrorKind, EventKind, RunState, StepName, StepState};

#[op(dynamic_out)]
fn keyed(keys: Vec<String>) -> impl Iterator<Item = DynamicOutput<String>> {
    keys.into_iter().map(|key| DynamicOutput::new(&key, key.clone()))
}

#[op]
fn same(x: String) -> String {
    x
}

#[op]
fn texts(xs: Vec<String>) -> Vec<String> {
    xs
}

/// Keys that something somewhere takes for something else.
fn hostile() -> Vec<String> {
    let mut keys: Vec<String> = [
        ".",
        "..",
        "/",
        "a/b",
        "../../etc/passwd",
        "%2e%2e",
        "'",
        "\"",
        "`",
        "'; DROP TABLE steps; --",
        "<script>alert(1)</script>",
        "&amp;",
        "\u{202e}txt.exe",
        "\u{200f}",
        "\u{feff}",
        "[0][1]",
        "[",
        "]",
        "\\",
        "\\]",
        "]\\[",
        "é",
        "e\u{301}",
        "A",
        "a",
        " ",
        " a",
        "a ",
        "0",
        "00",
        "-0",
        "+1",
        "1",
        "1.0",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "NaN",
        "class",
        "None",
        "{{7*7}}",
        "$(id)",
        "${HOME}",
        "🦀",
        "👨‍👩‍👧",
        "*",
        "+x",
        "x+",
        ",",
        "op.sub",
        "CON",
        "\u{fffd}",
    ]
    .map(str::to_owned)
    .into();
    keys.push("x".repeat(255));
    keys.push("é".repeat(127));
    keys
}

// --- 1: what a key may be

#[tokio::test]
async fn s2_1_hostile_keys_are_legal_distinct_and_parse_back() {
    #[job]
    fn hostile_keys(keys: Out<Vec<String>>) -> Out<Vec<String>> {
        texts(keyed(keys).map(same).collect())
    }
    let run = run(hostile_keys::job().args((hostile(),))).await;
    assert_eq!(run.output(), hostile());
    let mut names = std::collections::BTreeSet::new();
    for event in run.events() {
        let EventKind::StepSucceeded { step, .. } = &event.kind else { continue };
        let name = step.name(&run.report().shape);
        assert_eq!(name.to_string().parse(), Ok(name.clone()), "{name}");
        names.insert(name.to_string());
    }
    assert_eq!(names.len(), hostile().len() + 2);
    assert_eq!(run.step::<String>(r"same[\[0\]\[1\]]").unwrap(), "[0][1]");
    assert_eq!(run.step::<String>(r"same[\\\]]").unwrap(), r"\]");
}

#[tokio::test]
async fn s2_1_keys_of_two_parts_cannot_be_confused_with_keys_that_look_so() {
    #[op]
    fn join(a: &str, b: &str) -> String {
        format!("{a}|{b}")
    }
    #[job]
    fn two_parts() {
        let keys = || keyed(["a", "a][b", "b"].map(str::to_owned).to_vec());
        let (xs, ys) = (keys(), keys());
        let _ = xs.map(|x| ys.map(move |y| join(x, y)));
    }
    let run = run(two_parts::job().args(())).await;
    assert_eq!(run.outputs_of::<String>("join").len(), 9);
    assert_eq!(run.step::<String>("join[a][b]").unwrap(), "a|b");
    assert_eq!(run.step::<String>(r"join[a\]\[b][b]").unwrap(), "a][b|b");
}

#[tokio::test]
async fn s2_1_numbers_chars_and_displayable_ids_convert() {
    struct Id(u32);
    impl std::fmt::Display for Id {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "id-{}", self.0)
        }
    }
    #[op(dynamic_out)]
    fn all_kinds() -> Vec<DynamicOutput<u8>> {
        vec![
            DynamicOutput::new(7, 0),
            DynamicOutput::new(-7_i8, 1),
            DynamicOutput::new(u64::MAX, 2),
            DynamicOutput::new(i128::MIN, 3),
            DynamicOutput::new('c', 4),
            DynamicOutput::new(true, 5),
            DynamicOutput::new(1.5, 6),
            DynamicOutput::new(Id(9), 7),
            DynamicOutput::new(std::net::Ipv4Addr::LOCALHOST, 8),
        ]
    }
    #[op]
    fn of(x: u8) -> u8 {
        x
    }
    #[job]
    fn converts() {
        let _ = all_kinds().map(of);
    }
    let run = run(converts::job().args(())).await;
    let keys = [
        "7",
        "-7",
        "18446744073709551615",
        "-170141183460469231731687303715884105728",
        "c",
        "true",
        "1.5",
        "id-9",
        "127.0.0.1",
    ];
    for (value, key) in (0..).zip(keys) {
        assert_eq!(run.step::<u8>(&format!("of[{key}]")), Some(value), "{key}");
    }
}

#[tokio::test]
async fn s2_1_keys_by_index_and_by_a_closure() {
    #[op(dynamic_out(by_index))]
    fn by_index() -> Vec<String> {
        vec!["x".into(), "y".into()]
    }
    #[op(dynamic_out(key = |word| word.to_uppercase()))]
    fn by_value() -> impl Iterator<Item = String> {
        ["x", "y"].into_iter().map(str::to_owned)
    }
    #[job]
    fn sugar() {
        let _ = (by_index().map(same), by_value().map(same).named("upper"));
    }
    let run = run(sugar::job().args(())).await;
    assert_eq!(run.step::<String>("same[1]").unwrap(), "y");
    assert_eq!(run.step::<String>("upper[Y]").unwrap(), "y");
}

#[tokio::test]
async fn s2_1_a_step_knows_its_name_and_its_key() {
    #[op]
    fn tell(ctx: &OpContext, _x: &str) -> String {
        format!("{} {}", ctx.step_name(), ctx.mapping_key().unwrap())
    }
    #[job]
    fn told() {
        let keys = || keyed(vec!["a]".to_owned()]);
        let ys = keys();
        let _ = keys().map(|_| ys.map(tell));
    }
    let run = run(told::job().args(())).await;
    assert_eq!(run.step::<String>(r"tell[a\]][a\]]").unwrap(), r"tell[a\]][a\]] a]");
}

#[test]
fn s2_1_what_is_no_step_name_does_not_parse() {
    for text in ["", "[a]", "a[", "a[]", "a]b", r"a[\x]", "a[b]c", "a[[b]]", r"a[b\]"] {
        let error = text.parse::<StepName>().unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
}

// --- 2: what fails an emitter

/// An emitter of these keys, the copies of its items, and what collects them.
#[op(dynamic_out, retry(max = 3))]
fn retried(keys: Vec<String>) -> impl Iterator<Item = DynamicOutput<String>> {
    keys.into_iter().map(|key| DynamicOutput::new(&key, key.clone()))
}

#[op(dynamic_out, retry(max = 3))]
fn retried_list(keys: Vec<String>) -> Vec<DynamicOutput<String>> {
    keys.into_iter().map(|key| DynamicOutput::new(&key, key.clone())).collect()
}

#[job]
fn fails_on_keys(keys: Out<Vec<String>>) -> (Out<Vec<String>>, Out<Vec<String>>) {
    let (streamed, listed) = (retried(keys), retried_list(keys));
    (texts(streamed.map(same).collect()), texts(listed.map(same).collect()))
}

#[tokio::test]
async fn s2_2_bad_keys_fail_the_emitter_naming_op_and_key_and_are_never_retried() {
    let long = "x".repeat(256);
    let wide = "é".repeat(128);
    for (keys, says) in [
        (vec!["a", "b", "a"], "\"a\""),
        (vec!["1", "1"], "\"1\""),
        (vec![""], "empty"),
        (vec!["ok", ""], "empty"),
        (vec![long.as_str()], "256 bytes"),
        (vec![wide.as_str()], "256 bytes"),
        (vec!["a\nb"], "control character"),
        (vec!["\0"], "control character"),
        (vec!["\u{7f}"], "control character"),
        (vec!["\u{85}"], "control character"),
        (vec!["\u{1b}[31m"], "control character"),
    ] {
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        let run = run(fails_on_keys::job().args((keys.clone(),))).await;
        assert_eq!(run.state(), RunState::Failed, "{keys:?}");
        for op in ["retried", "retried_list"] {
            let error = error_of(&run, op);
            assert!(error.contains(&format!("`{op}`")) && error.contains(says), "{keys:?}: {error}");
            assert!(!error.contains(char::is_control), "{error:?}");
            assert_eq!(attempts_of(&run, op), 1, "{keys:?}");
        }
        assert_eq!(run.state_of("texts"), Some(StepState::UpstreamFailed));
        let kinds = run.events().iter().filter_map(|event| match &event.kind {
            EventKind::StepFailed { error, .. } => Some(error.kind()),
            _ => None,
        });
        assert!(kinds.clone().count() == 2 && kinds.into_iter().all(|kind| kind == ErrorKind::Key));
    }
}

#[tokio::test]
async fn s2_2_items_before_a_bad_key_run_to_their_end() {
    let keys = ["a", "b", "a"].map(str::to_owned).to_vec();
    let run = run(fails_on_keys::job().args((keys,))).await;
    assert_eq!(run.step::<String>("same[a]").unwrap(), "a");
    assert_eq!(run.step::<String>("same[b]").unwrap(), "b");
    assert!(states(&run).iter().filter(|line| line.starts_with("same[")).count() == 2);
}

#[tokio::test]
async fn s2_2_two_nans_are_a_duplicate() {
    #[op(dynamic_out)]
    fn nans() -> Vec<DynamicOutput<String>> {
        vec![DynamicOutput::new(f64::NAN, "a".into()), DynamicOutput::new(f64::NAN, "b".into())]
    }
    #[job]
    fn not_a_number() {
        let _ = nans().map(same);
    }
    let run = run(not_a_number::job().args(())).await;
    assert!(error_of(&run, "nans").contains("\"NaN\""));
}

#[tokio::test]
async fn s2_2_a_duplicate_is_found_however_the_keys_are_kept() {
    // Ascending numbers, descending ones, gaps, a prefix with numbers, anything.
    let numbers = |range: std::ops::Range<i64>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    let prefixed = |range: std::ops::Range<i64>| range.map(|n| format!("part-{n}")).collect::<Vec<_>>();
    let mut descending = numbers(0..50);
    descending.reverse();
    let forms: Vec<Vec<String>> = vec![
        numbers(0..100),
        numbers(-50..50),
        descending,
        numbers(0..100).into_iter().step_by(3).collect(),
        prefixed(0..100),
        prefixed(7..40).into_iter().step_by(2).collect(),
        ["zebra", "apple", "mango", "part-3", "3", "part-", "-"].map(str::to_owned).to_vec(),
        ["x1", "x2", "y1", "y2", "x3", "x01"].map(str::to_owned).to_vec(),
    ];
    for keys in forms {
        let good = run(fails_on_keys::job().args((keys.clone(),))).await;
        assert_eq!(good.output().0, keys);
        for again in [0, keys.len() / 2, keys.len() - 1] {
            let mut twice = keys.clone();
            twice.push(keys[again].clone());
            let run = run(fails_on_keys::job().args((twice,))).await;
            let error = error_of(&run, "retried");
            assert!(error.contains(&format!("\"{}\"", keys[again])), "{error}");
        }
    }
}

#[tokio::test]
async fn s2_2_a_key_may_return_in_another_output_and_for_another_outer_item() {
    #[op(dynamic_out(by_index))]
    fn twice(_x: &str) -> Vec<String> {
        vec!["x".into(), "y".into()]
    }
    #[job]
    fn again() {
        let _ = keyed(vec!["0".to_owned(), "1".to_owned()]).map(|x| twice(x).map(same));
    }
    let run = run(again::job().args(())).await;
    assert_eq!(run.outputs_of::<String>("same").len(), 4);
}

#[tokio::test]
async fn s2_2_keys_of_several_outputs_and_of_streams_are_checked_too() {
    #[derive(Outputs)]
    struct Two {
        left: Dynamic<i64>,
        right: Dynamic<i64>,
    }
    #[op(outputs)]
    fn two() -> Two {
        let twice = || vec![DynamicOutput::new("k", 1), DynamicOutput::new("k", 2)];
        Two { left: vec![DynamicOutput::new("k", 1)], right: twice() }
    }
    #[op(outputs)]
    fn two_as_they_come() -> impl Iterator<Item = TwoItem> {
        let item = || DynamicOutput::new("k", 1);
        [TwoItem::Left(item()), TwoItem::Right(item()), TwoItem::Left(item())].into_iter()
    }
    #[op(dynamic_out(by_index))]
    fn fine() -> Vec<i64> {
        vec![1]
    }
    #[op]
    fn of(x: i64) -> i64 {
        x
    }
    #[job]
    fn checked() {
        let (a, b) = (two(), two_as_they_come());
        let _ = (a.left.map(of), a.right.map(of), b.left.map(of), b.right.map(of), fine().map(of));
    }
    assert_eq!(step_names(&checked::job().graph().unwrap()).len(), 8);
    let run = run(checked::job().args(())).await;
    assert!(error_of(&run, "two").contains("\"k\""));
    assert!(error_of(&run, "two_as_they_come").contains("\"k\""));
    assert_eq!(run.state_of("fine"), Some(StepState::Succeeded));
}

#[tokio::test]
async fn s2_2_a_key_closure_that_panics_fails_the_emitter() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    fn key(value: i64) -> i64 {
        CALLS.fetch_add(1, Relaxed);
        assert!(value < 2, "no key for {value}");
        value
    }
    #[op(dynamic_out(key = |v| key(*v)))]
    fn panics() -> Vec<i64> {
        vec![0, 1, 2, 3]
    }
    #[op]
    fn of(x: i64) -> i64 {
        x
    }
    #[job]
    fn panicking_key() {
        let _ = panics().map(of);
    }
    let run = run(panicking_key::job().args(())).await;
    let error = error_of(&run, "panics");
    assert!(error.contains("no key for 2") && error.contains("rules_keys.rs"), "{error}");
    assert_eq!(CALLS.load(Relaxed), 3);
}

#[test]
fn s2_2_an_op_called_directly_checks_its_keys_in_the_same_words() {
    let twice = vec!["a".to_owned(), "a".to_owned()];
    let panic = std::panic::catch_unwind(|| retried_list::call(twice)).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("`retried_list`") && message.contains("\"a\""), "{message}");
    let mut items = keyed::call(vec!["a".to_owned(), String::new()]);
    assert_eq!(items.next().unwrap().key().to_string(), "a");
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| items.next())).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("`keyed`") && message.contains("empty"), "{message}");
}
