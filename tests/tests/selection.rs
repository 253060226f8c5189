//! §5.3: what a selection of a rerun means, for jobs that ran.

mod common;

use std::collections::{HashMap, HashSet};

use common::run;
use expect_test::{Expect, expect};
use fanfold::graph::{NodeId, ScopeId};
use fanfold::prelude::*;
use fanfold::select::{Expr, Part, PastRun, Selection};
use fanfold::{Event, EventKind, InMemory, Shape, StepState};

/// What events tell of a run: its items by parent, node and output, and how its steps ended.
#[derive(Default)]
struct Past {
    /// The keys of each item, with those around it, and how many of them are around it.
    items: Vec<(Vec<Key>, usize)>,
    given: HashMap<(Vec<Key>, NodeId, u16), Vec<u32>>,
    states: HashMap<(Vec<Key>, NodeId), StepState>,
}

impl Past {
    fn new(events: &[Event]) -> Self {
        let mut past = Self { items: vec![(Vec::new(), 0)], ..Self::default() };
        for event in events {
            match &event.kind {
                EventKind::ItemYielded { step, output, item, .. } => {
                    let around = step.path.keys();
                    let number = past.items.len() as u32;
                    past.items.push((item.keys(), around.len()));
                    past.given.entry((around, step.node, *output)).or_default().push(number);
                }
                EventKind::StepSucceeded { step, .. } => past.ended(step, StepState::Succeeded),
                EventKind::StepFailed { step, .. } => past.ended(step, StepState::Failed),
                EventKind::StepNotRun { step, state, .. } => past.ended(step, *state),
                _ => {}
            }
        }
        past
    }

    fn ended(&mut self, step: &fanfold::StepRef, state: StepState) {
        self.states.insert((step.path.keys(), step.node), state);
    }
}

impl PastRun for Past {
    fn items(&self, parent: u32, node: NodeId, output: u16) -> Vec<u32> {
        let around = self.items[parent as usize].0.clone();
        self.given.get(&(around, node, output)).cloned().unwrap_or_default()
    }

    fn parts(&self, item: u32) -> Vec<Key> {
        let (keys, around) = &self.items[item as usize];
        keys[*around..].to_vec()
    }

    fn state(&self, item: u32, node: NodeId) -> Option<StepState> {
        self.states.get(&(self.items[item as usize].0.clone(), node)).copied()
    }
}

struct Ran {
    shape: Shape,
    past: Past,
}

impl Ran {
    fn new<R>(run: &InMemory<R>) -> Self {
        Self { shape: run.report().graph.shape(), past: Past::new(run.events()) }
    }

    fn select(&self, expr: &str) -> Result<Selection, String> {
        let expr: Expr = expr.parse().unwrap();
        Selection::resolve(&expr, &self.shape, &self.past).map_err(|error| error.to_string())
    }

    /// The steps of a part, by name, in the order of the graph.
    fn steps(&self, selection: &Selection, part: Part) -> Vec<String> {
        let mut items: Vec<_> = self.past.items.iter().map(|(keys, _)| keys).collect();
        // Two emitters race: in which order their items came is not what is looked at.
        items.sort_by_key(|keys| (keys.len(), keys.iter().map(Key::to_string).collect::<Vec<_>>()));
        let mut seen = HashSet::new();
        items.retain(|keys| seen.insert(*keys));
        let mut steps = Vec::new();
        for node in self.shape.steps() {
            for keys in &items {
                let there = self.past.states.contains_key(&((*keys).clone(), node));
                if there && selection.step(node, keys) == part {
                    let brackets: String = keys.iter().map(|key| format!("[{key}]")).collect();
                    steps.push(format!("{}{brackets}", self.shape.node(node).name));
                }
            }
        }
        steps
    }

    /// What a selection runs, what it copies, and what it cannot do.
    #[track_caller]
    fn check(&self, expr: &str, expected: &Expect) {
        let text = match self.select(expr) {
            Err(error) => error,
            Ok(selection) => {
                let (runs, reused) = (self.steps(&selection, Part::Run), self.steps(&selection, Part::Reuse));
                let count = selection.count(&self.shape, &self.past);
                assert_eq!((runs.len() as u64, reused.len() as u64), (count.runs, count.reused), "{expr}");
                self.opens_what_it_should(&selection);
                let more = if count.unknown { ", maybe others" } else { "" };
                let mut text = format!("runs   {}{more}\ncopies {}", runs.join(" "), reused.join(" "));
                for missing in selection.missing(&self.shape, &self.past, 2) {
                    text.push_str(&format!("\nbut    {missing}"));
                }
                text
            }
        };
        expected.assert_eq(&format!("{text}\n"));
    }

    /// Each item around a step that runs or is copied is opened.
    fn opens_what_it_should(&self, selection: &Selection) {
        for (keys, node) in self.past.states.keys() {
            let scopes = self.around(self.shape.node(*node).scope, keys);
            if selection.step(*node, keys) != Part::Absent {
                assert!(scopes.iter().all(|(scope, keys)| selection.opens(*scope, keys)), "{keys:?}");
            }
        }
    }

    /// The scopes around a step, each with the keys of the item.
    fn around(&self, scope: ScopeId, keys: &[Key]) -> Vec<(ScopeId, Vec<Key>)> {
        let scopes: Vec<_> = self.shape.outwards(scope).collect();
        let mut items: Vec<_> = self.past.items.iter().filter(|(item, _)| keys.starts_with(item)).collect();
        items.sort_by_key(|(item, _)| std::cmp::Reverse(item.len()));
        items.dedup_by_key(|(item, _)| item.clone());
        scopes.into_iter().zip(items).map(|(scope, (keys, _))| (scope, keys.clone())).collect()
    }
}

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> Vec<i64> {
    (0..n).collect()
}

#[op(dynamic_out(by_index))]
fn sub(n: i64) -> Vec<i64> {
    (0..=n).collect()
}

#[op]
fn inc(x: i64) -> i64 {
    x + 1
}

#[op]
fn dbl(x: i64) -> i64 {
    x * 2
}

#[op]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[op]
fn total(xs: &[i64]) -> i64 {
    xs.iter().sum()
}

#[op]
fn not_one(x: i64) -> Result<i64, String> {
    if x == 1 { Err("one".to_owned()) } else { Ok(x) }
}

#[op(optional)]
fn keep_odd(x: i64) -> Option<i64> {
    (x % 2 == 1).then_some(x)
}

#[job]
fn flat() -> Out<i64> {
    total(emit(3).map(inc).map(dbl).collect())
}

#[tokio::test(start_paused = true)]
async fn ops_keys_and_reaches_of_a_fan_out() {
    let ran = Ran::new(&run(flat::job().args(())).await);
    ran.check(
        "inc",
        &expect![[r#"
        runs   inc[0] inc[1] inc[2]
        copies emit
    "#]],
    );
    ran.check(
        "dbl[1]",
        &expect![[r#"
        runs   dbl[1]
        copies emit inc[1]
    "#]],
    );
    ran.check(
        "+dbl[1]",
        &expect![[r#"
        runs   inc[1] dbl[1]
        copies emit
    "#]],
    );
    ran.check(
        "*dbl[1]",
        &expect![[r#"
        runs   emit inc[1] dbl[1], maybe others
        copies 
    "#]],
    );
    ran.check(
        "inc[1]+",
        &expect![[r#"
        runs   inc[1] dbl[1]
        copies emit
    "#]],
    );
    ran.check(
        "inc[1]*",
        &expect![[r#"
        runs   inc[1] dbl[1] total
        copies emit dbl[0] dbl[2]
    "#]],
    );
    ran.check(
        "+total",
        &expect![[r#"
        runs   dbl[0] dbl[1] dbl[2] total
        copies emit inc[0] inc[1] inc[2]
    "#]],
    );
    ran.check(
        "emit+",
        &expect![[r#"
        runs   emit inc[0] inc[1] inc[2], maybe others
        copies 
    "#]],
    );
    ran.check(
        "emit*",
        &expect![[r#"
        runs   emit inc[0] inc[1] inc[2] dbl[0] dbl[1] dbl[2] total, maybe others
        copies 
    "#]],
    );
    ran.check(
        "total",
        &expect![[r#"
        runs   total
        copies emit dbl[0] dbl[1] dbl[2]
    "#]],
    );
    ran.check(
        "dbl[0] dbl[2], total",
        &expect![[r#"
        runs   dbl[0] dbl[2] total
        copies emit inc[0] inc[2] dbl[1]
    "#]],
    );
    ran.check(
        "emit, inc[7]",
        &expect![[r#"
        runs   emit, maybe others
        copies 
    "#]],
    );
}

#[tokio::test(start_paused = true)]
async fn mistakes_that_only_the_run_knows() {
    let ran = Ran::new(&run(flat::job().args(())).await);
    ran.check(
        "emit, totl",
        &expect![[r#"
        the job has no op `totl`
          |
          | emit, totl
          |       ^^^^
          = help: did you mean `total`?
    "#]],
    );
    ran.check(
        "inc, xyzzy",
        &expect![[r#"
        the job has no op `xyzzy`
          |
          | inc, xyzzy
          |      ^^^^^
          = help: it has `emit`, `inc`, `dbl`, `total`
    "#]],
    );
    ran.check(
        "inc[7]",
        &expect![[r#"
        the run has no step `inc[7]`: nothing was yielded under the key `7`
          |
          | inc[7]
          | ^^^^^^
          = help: there is `0`, `1`, `2`; if you select the emitter too, the new keys apply
    "#]],
    );
    ran.check(
        "inc[1][2]",
        &expect![[r#"
            the steps of `inc` have one key
              |
              | inc[1][2]
              | ^^^^^^^^^
              = help: write `inc[key]`
        "#]],
    );
    ran.check(
        "total[1]",
        &expect![[r#"
            `total` lies in no fan-out: it is one step, without a key
              |
              | total[1]
              | ^^^^^^^^
              = help: write `total`
        "#]],
    );
    ran.check(
        "state:failed",
        &expect![[r#"
        this selects no step of the run
          |
          | state:failed
          | ^^^^^^^^^^^^
          = help: `show RUN` says which steps there are
    "#]],
    );
    ran.check(
        "emit, total",
        &expect![[r#"
        `total` needs what `dbl` gave, and `emit` runs again and may yield other items
          |
          | emit, total
          | ^^^^^^^^^^^
          = help: select `dbl` too, or everything after the emitter: `emit*`
    "#]],
    );
    ran.check(
        "emit, dbl[1]",
        &expect![[r#"
        `dbl` needs what `inc[1]` gave, and `emit` runs again and may yield other items
          |
          | emit, dbl[1]
          | ^^^^^^^^^^^^
          = help: select `inc\[1\]` too, or everything after the emitter: `emit*`
    "#]],
    );
}

#[job]
fn nested() -> Out<i64> {
    total(emit(3).map(|x| total(sub(x).map(inc).collect()).named("inner")).collect())
}

#[tokio::test(start_paused = true)]
async fn nested_fan_outs_by_outer_and_inner_keys() {
    let ran = Ran::new(&run(nested::job().args(())).await);
    ran.check(
        "inc[1]",
        &expect![[r#"
        runs   inc[1][0] inc[1][1]
        copies emit sub[1]
    "#]],
    );
    ran.check(
        "inc[2][1]",
        &expect![[r#"
        runs   inc[2][1]
        copies emit sub[2]
    "#]],
    );
    ran.check(
        "inc[2][1]+",
        &expect![[r#"
        runs   inc[2][1] inner[2]
        copies emit sub[2] inc[2][0] inc[2][2]
    "#]],
    );
    ran.check(
        "inner[1]",
        &expect![[r#"
        runs   inner[1]
        copies emit sub[1] inc[1][0] inc[1][1]
    "#]],
    );
    ran.check(
        "*inner[1]",
        &expect![[r#"
        runs   emit sub[1] inc[1][0] inc[1][1] inner[1], maybe others
        copies 
    "#]],
    );
    ran.check(
        "sub[1], inc[1]",
        &expect![[r#"
        runs   sub[1] inc[1][0] inc[1][1], maybe others
        copies emit
    "#]],
    );
    ran.check(
        "sub[1], inner",
        &expect![[r#"
        `inner` needs what `inc` gave, and `sub` runs again and may yield other items
          |
          | sub[1], inner
          | ^^^^^^^^^^^^^
          = help: select `inc` too, or everything after the emitter: `sub*`
    "#]],
    );
    ran.check(
        "inc[2][5]",
        &expect![[r#"
        the run has no step `inc[2][5]`: nothing was yielded under the key `5`
          |
          | inc[2][5]
          | ^^^^^^^^^
          = help: there is `0`, `1`, `2`; if you select the emitter too, the new keys apply
    "#]],
    );
    ran.check(
        "inc[5][2]",
        &expect![[r#"
        the run has no step `inc[5][2]`: nothing was yielded under the key `5`
          |
          | inc[5][2]
          | ^^^^^^^^^
          = help: there is `0`, `1`, `2`; if you select the emitter too, the new keys apply
    "#]],
    );
}

#[job]
fn product() -> Out<i64> {
    let (a, b) = (emit(2), emit(3).map(dbl));
    total(a.map(move |x| b.map(move |y| add(x, y))).collect())
}

#[tokio::test(start_paused = true)]
async fn products_need_the_other_side_only_where_they_read_it() {
    let ran = Ran::new(&run(product::job().args(())).await);
    ran.check(
        "add[1][2]",
        &expect![[r#"
        runs   add[1][2]
        copies emit emit_2 dbl[2]
    "#]],
    );
    ran.check(
        "add[1]",
        &expect![[r#"
        runs   add[1][0] add[1][1] add[1][2]
        copies emit emit_2 dbl[0] dbl[1] dbl[2]
    "#]],
    );
    ran.check(
        "+add[1][2]",
        &expect![[r#"
        runs   emit dbl[2] add[1][2], maybe others
        copies emit_2
    "#]],
    );
    ran.check(
        "dbl[2]+",
        &expect![[r#"
            runs   dbl[2] add[0][2] add[1][2]
            copies emit emit_2
        "#]],
    );
    ran.check(
        "dbl[2]*",
        &expect![[r#"
            runs   dbl[2] add[0][2] add[1][2] total
            copies emit emit_2 dbl[0] dbl[1] add[0][0] add[0][1] add[1][0] add[1][1]
        "#]],
    );
    ran.check("emit_2, dbl, add", &expect![[r#"
        runs   emit_2 dbl[0] dbl[1] dbl[2] add[0][0] add[0][1] add[0][2] add[1][0] add[1][1] add[1][2], maybe others
        copies emit
    "#]]);
    ran.check(
        "emit_2, dbl, total",
        &expect![[r#"
        `total` needs what `add` gave, and `emit_2` runs again and may yield other items
          |
          | emit_2, dbl, total
          | ^^^^^^^^^^^^^^^^^^
          = help: select `add` too, or everything after the emitter: `emit_2*`
    "#]],
    );
    ran.check(
        "add[1][7]",
        &expect![[r#"
        the run has no step `add[1][7]`: nothing was yielded under the key `7`
          |
          | add[1][7]
          | ^^^^^^^^^
          = help: there is `0`, `1`, `2`; if you select the emitter too, the new keys apply
    "#]],
    );
}

#[job]
fn zipped() -> Out<i64> {
    let items = emit(3);
    let pairs = items.map(inc).zip(items.map(dbl));
    total(pairs.map(|(a, b)| add(a, b)).collect())
}

#[tokio::test(start_paused = true)]
async fn zips_need_the_partners_that_are_read() {
    let ran = Ran::new(&run(zipped::job().args(())).await);
    ran.check(
        "add[1]",
        &expect![[r#"
        runs   add[1]
        copies emit inc[1] dbl[1] zip
    "#]],
    );
    ran.check(
        "+add[1]",
        &expect![[r#"
            runs   zip add[1]
            copies emit inc[0] inc[1] inc[2] dbl[0] dbl[1] dbl[2]
        "#]],
    );
    ran.check(
        "inc[1]+",
        &expect![[r#"
        runs   inc[1] zip
        copies emit inc[0] inc[2] dbl[0] dbl[1] dbl[2]
    "#]],
    );
    ran.check(
        "inc[1]*",
        &expect![[r#"
            runs   inc[1] zip add[0] add[1] add[2] total
            copies emit inc[0] inc[2] dbl[0] dbl[1] dbl[2]
        "#]],
    );
    ran.check(
        "zip",
        &expect![[r#"
        runs   zip
        copies emit inc[0] inc[1] inc[2] dbl[0] dbl[1] dbl[2]
    "#]],
    );
    ran.check(
        "emit, add",
        &expect![[r#"
        `add` needs what `zip` gave, and `emit` runs again and may yield other items
          |
          | emit, add
          | ^^^^^^^^^
          = help: select `zip` too, or everything after the emitter: `emit*`
    "#]],
    );
    ran.check(
        "*add[1]",
        &expect![[r#"
        runs   emit inc[0] inc[1] inc[2] dbl[0] dbl[1] dbl[2] zip add[1], maybe others
        copies 
    "#]],
    );
}

/// Held items with keys of two parts, and a zip of two held lists.
#[job]
fn long_keys() -> Out<i64> {
    let pairs = emit(3).map(|x| sub(x).map(inc));
    let sums = emit(2).map(move |x| pairs.map(move |y| add(x, y)));
    let zipped = emit(2).map(move |_| pairs.zip(pairs.map(dbl)).map(|(a, b)| add(a, b)));
    total([total(sums.collect()), total(zipped.collect())])
}

#[tokio::test(start_paused = true)]
async fn keys_of_several_parts_are_read_from_the_front() {
    let ran = Ran::new(&run(long_keys::job().args(())).await);
    ran.check(
        "add[1][2]",
        &expect![[r#"
        runs   add[1][2][0] add[1][2][1] add[1][2][2]
        copies emit sub[2] inc[2][0] inc[2][1] inc[2][2] emit_2
    "#]],
    );
    ran.check(
        "add[1][2][0]",
        &expect![[r#"
        runs   add[1][2][0]
        copies emit sub[2] inc[2][0] emit_2
    "#]],
    );
    ran.check(
        "add[1][2][7]",
        &expect![[r#"
        the run has no step `add[1][2][7]`: nothing was yielded under the key `7`
          |
          | add[1][2][7]
          | ^^^^^^^^^^^^
          = help: there is `0`, `1`, `2`; if you select the emitter too, the new keys apply
    "#]],
    );
    ran.check(
        "add[1][2][0][0]",
        &expect![[r#"
        the steps of `add` have 3 keys
          |
          | add[1][2][0][0]
          | ^^^^^^^^^^^^^^^
          = help: write `add[key][key][key]`
    "#]],
    );
    ran.check("inc[2][0]*", &expect![[r#"
        runs   inc[2][0] add[0][2][0] add[1][2][0] dbl[0][2][0] dbl[1][2][0] zip[0] zip[1] add_2[0][0][0] add_2[0][1][0] add_2[0][1][1] add_2[0][2][0] add_2[0][2][1] add_2[0][2][2] add_2[1][0][0] add_2[1][1][0] add_2[1][1][1] add_2[1][2][0] add_2[1][2][1] add_2[1][2][2] total total_2 total_3
        copies emit sub[0] sub[1] sub[2] inc[0][0] inc[1][0] inc[1][1] inc[2][1] inc[2][2] emit_2 add[0][0][0] add[0][1][0] add[0][1][1] add[0][2][1] add[0][2][2] add[1][0][0] add[1][1][0] add[1][1][1] add[1][2][1] add[1][2][2] emit_3 dbl[0][0][0] dbl[0][1][0] dbl[0][1][1] dbl[0][2][1] dbl[0][2][2] dbl[1][0][0] dbl[1][1][0] dbl[1][1][1] dbl[1][2][1] dbl[1][2][2]
    "#]]);
    ran.check(
        "add_2[1][2][0]",
        &expect![[r#"
        runs   add_2[1][2][0]
        copies emit sub[2] inc[2][0] emit_3 dbl[1][2][0] zip[1]
    "#]],
    );
    ran.check(
        "add_2[1][1]",
        &expect![[r#"
        runs   add_2[1][1][0] add_2[1][1][1]
        copies emit sub[1] inc[1][0] inc[1][1] emit_3 dbl[1][1][0] dbl[1][1][1] zip[1]
    "#]],
    );
    ran.check("*add_2[1][2][0]", &expect![[r#"
        runs   emit sub[0] sub[1] sub[2] inc[0][0] inc[1][0] inc[1][1] inc[2][0] inc[2][1] inc[2][2] dbl[1][0][0] dbl[1][1][0] dbl[1][1][1] dbl[1][2][0] dbl[1][2][1] dbl[1][2][2] zip[1] add_2[1][2][0], maybe others
        copies emit_3
    "#]]);
}

#[job]
fn folded() -> Out<i64> {
    let items = emit(3);
    let sum = items.map(inc).fold(0, add);
    total([sum, dbl(sum)])
}

#[tokio::test(start_paused = true)]
async fn a_fold_is_one_step() {
    let ran = Ran::new(&run(folded::job().args(())).await);
    ran.check(
        "add",
        &expect![[r#"
        runs   add
        copies emit inc[0] inc[1] inc[2]
    "#]],
    );
    ran.check(
        "dbl",
        &expect![[r#"
        runs   dbl
        copies add
    "#]],
    );
    ran.check(
        "inc[1]+",
        &expect![[r#"
        runs   inc[1] add
        copies emit inc[0] inc[2]
    "#]],
    );
    ran.check(
        "+add",
        &expect![[r#"
        runs   inc[0] inc[1] inc[2] add
        copies emit
    "#]],
    );
}

#[job]
fn failing() -> Out<i64> {
    let items = emit(4);
    let odd = items.map(keep_odd).map(not_one).map(dbl);
    total(odd.collect())
}

#[tokio::test(start_paused = true)]
async fn what_did_not_succeed_is_selected_by_its_state_or_missing() {
    let ran = Ran::new(&run(failing::job().args(())).await);
    ran.check(
        "state:failed",
        &expect![[r#"
        runs   not_one[1]
        copies emit keep_odd[1]
    "#]],
    );
    ran.check(
        "state:failed*",
        &expect![[r#"
        runs   not_one[1] dbl[1] total
        copies emit keep_odd[1] dbl[0] dbl[2] dbl[3]
    "#]],
    );
    ran.check(
        "state:not_succeeded",
        &expect![[r#"
        runs   not_one[1] dbl[1] total
        copies emit keep_odd[1] dbl[0] dbl[2] dbl[3]
    "#]],
    );
    ran.check(
        "state:skipped",
        &expect![[r#"
        runs   not_one[0] not_one[2] dbl[0] dbl[2]
        copies emit keep_odd[0] keep_odd[2]
    "#]],
    );
    ran.check("total", &expect![[r#"
        runs   total
        copies emit dbl[0] dbl[1] dbl[2] dbl[3]
        but    `total` needs `dbl[1]`, which did not succeed in the old run (upstream failed): select it too, `dbl[1]`, or all before with `*total`
    "#]]);
    ran.check(
        "dbl[3]",
        &expect![[r#"
        runs   dbl[3]
        copies emit not_one[3]
    "#]],
    );
    ran.check(
        "state:cancelled",
        &expect![[r#"
        this selects no step of the run
          |
          | state:cancelled
          | ^^^^^^^^^^^^^^^
          = help: `show RUN` says which steps there are
    "#]],
    );
}

#[graph]
fn clean(x: Out<i64>) -> Out<i64> {
    dbl(inc(x))
}

#[job]
fn grouped() -> Out<i64> {
    total([clean(inc(1)), total(emit(2).map(clean).collect())])
}

#[tokio::test(start_paused = true)]
async fn a_sub_graph_is_all_its_steps() {
    let ran = Ran::new(&run(grouped::job().args(())).await);
    ran.check(
        "clean.*",
        &expect![[r#"
        runs   clean.inc clean.dbl
        copies inc
    "#]],
    );
    ran.check(
        "clean_2",
        &expect![[r#"
        runs   clean_2.inc[0] clean_2.inc[1] clean_2.dbl[0] clean_2.dbl[1]
        copies emit
    "#]],
    );
    ran.check(
        "clean_2.*[1]+",
        &expect![[r#"
        runs   clean_2.inc[1] clean_2.dbl[1] total
        copies emit clean_2.dbl[0]
    "#]],
    );
    ran.check(
        "clean_2.inc[1]",
        &expect![[r#"
        runs   clean_2.inc[1]
        copies emit
    "#]],
    );
    ran.check(
        "clean.inc[1]",
        &expect![[r#"
            `clean.inc` lies in no fan-out: it is one step, without a key
              |
              | clean.inc[1]
              | ^^^^^^^^^^^^
              = help: write `clean.inc`
        "#]],
    );
}

#[op(dynamic_out(by_index), transient)]
fn handles(n: i64) -> Vec<i64> {
    (0..n).collect()
}

#[job]
fn not_recorded() -> Out<i64> {
    total(handles(2).map(inc).map(dbl).collect())
}

#[tokio::test(start_paused = true)]
async fn what_is_never_recorded_runs_again_where_its_value_is_needed() {
    let ran = Ran::new(&run(not_recorded::job().args(())).await);
    ran.check(
        "dbl[1]",
        &expect![[r#"
        runs   dbl[1]
        copies handles inc[1]
    "#]],
    );
    ran.check(
        "inc[1]",
        &expect![[r#"
        runs   handles inc[1], maybe others
        copies 
    "#]],
    );
    ran.check(
        "inc[1], total",
        &expect![[r#"
        `total` needs what `dbl` gave, and `handles` runs again and may yield other items
          |
          | inc[1], total
          | ^^^^^^^^^^^^^
          = help: select `dbl` too, or everything after the emitter: `handles*`
    "#]],
    );
}
