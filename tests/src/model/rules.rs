//! The interpreter on small plans written by hand, each for the rule that it names.
//!
//! Numbers: an emitter without inputs yields 32, 33, … and an op given one of those alone calls
//! it 63, 64, … before it asks its rules: [`only`] fits the copy of the n-th item.

use super::counters::Sightings;
use super::harness::Campaign;
use super::interpret::interpret;
use super::plan::{Backoff, Emission, Failure, Form, Handle, Input, Op, Plan, Retry, Rule, Work};
use super::report::{Outcome, RunState, State};
use super::value::Value;
use super::write::{Body, emission, gathers};

/// Holds for an op whose only input is the n-th item of an emitter without inputs.
fn only(n: i64) -> Option<Rule> {
    Some(Rule { modulus: 1_000, rest: 62 + n })
}

/// Holds for every input.
fn always() -> Option<Rule> {
    Some(Rule { modulus: 1, rest: 0 })
}

fn retry(max: u32) -> Option<Retry> {
    Some(Retry { max, delay: 10, backoff: Backoff::None })
}

/// Makes an optional op give nothing where `rule` holds.
fn nothing_when(rule: Option<Rule>) -> impl FnOnce(&mut Op) {
    move |op| {
        let Work::Single { nothing_when, .. } = &mut op.work else { unreachable!("a single output") };
        *nothing_when = rule;
    }
}

/// `f` over `over`, failing on the n-th item.
fn failing_copy(job: &mut Body, over: Handle, n: i64) -> Handle {
    job.map(over, |inside, item| inside.op_with("f", &[item], |op| op.failing.when = only(n)))
}

/// `f` over `over`, giving nothing on the n-th item.
fn skipped_copy(job: &mut Body, over: Handle, n: i64) -> Handle {
    job.map(over, |inside, item| inside.op_with("f", &[item], nothing_when(only(n))))
}

/// Every step with its state, by name: `gather 32 33`, `f[b] failed ×2`; then the run's.
fn told(plan: &Plan) -> Vec<String> {
    let report = interpret(plan);
    let run = match report.state {
        RunState::Succeeded => "run succeeded",
        RunState::Failed => "run failed",
    };
    let steps = report.steps.iter().map(|(name, Outcome { state, attempts, .. })| {
        let times = if *attempts > 1 { format!(" ×{attempts}") } else { String::new() };
        let state = match state {
            State::Succeeded(Some(Value::List(entries))) => {
                let numbers = entries.iter().map(|entry| format!(" {}", entry.number()));
                return format!("{name}{}", numbers.collect::<String>());
            }
            State::Succeeded(_) => "ok",
            State::Failed => "failed",
            State::Skipped => "skipped",
            State::UpstreamFailed => "upstream failed",
        };
        format!("{name} {state}{times}")
    });
    steps.chain([run.to_owned()]).collect()
}

/// Compares what is told of `job` with `expected`, one step a line.
#[track_caller]
fn expect(job: Body, expected: &[&str]) {
    assert_eq!(told(&job.plan()), expected);
}

#[test]
fn rule_1_4_an_op_that_uses_no_item_runs_once_outside() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    job.map(items, |inside, item| {
        let one = inside.op("one", &[]);
        inside.op("f", &[item, one])
    });
    let none = job.emit(&[]);
    job.map(none, |inside, item| {
        let two = inside.op("two", &[]);
        inside.op("g", &[item, two])
    });
    expect(job, &["emit ok", "emit_2 ok", "f[a] ok", "f[b] ok", "one ok", "two ok", "run succeeded"]);
}

#[test]
fn rule_1_3_after_counts_as_an_input_for_the_scope() {
    let mut job = Body::default();
    let items = job.emit(&["a"]);
    job.map(items, |inside, item| inside.op_with("f", &[], |op| op.after = vec![item]));
    expect(job, &["emit ok", "f[a] ok", "run succeeded"]);
}

#[test]
fn rule_1_7_an_outer_handle_is_repeated_for_each_key() {
    let mut job = Body::default();
    let one = job.op("one", &[]);
    let items = job.emit(&["a", "b"]);
    let repeated = job.map(items, |_, _| one);
    job.gather(repeated);
    expect(job, &["emit ok", "gather 1 1", "one ok", "run succeeded"]);
}

#[test]
fn rule_1_7_an_outer_dynamic_output_gives_the_product() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    let product = job.map(items, |_, _| items);
    job.gather(product);
    job.each(product, "f");
    let steps = ["f[a][a] ok", "f[a][b] ok", "f[b][a] ok", "f[b][b] ok", "gather 32 33 32 33"];
    expect(job, &[&["emit ok"], &steps[..], &["run succeeded"]].concat());
}

#[test]
fn rule_1_8_a_chain_and_a_closure_are_the_same_graph() {
    let mut chain = Body::default();
    let items = chain.emit(&["a", "b"]);
    let first = chain.each(items, "f");
    chain.each(first, "g");
    let mut closure = Body::default();
    let items = closure.emit(&["a", "b"]);
    closure.map(items, |inside, item| {
        let first = inside.op("f", &[item]);
        inside.op("g", &[first])
    });
    assert_eq!(interpret(&chain.plan()).steps, interpret(&closure.plan()).steps);
}

#[test]
fn rule_1_9_nested_outputs_are_flat_in_outer_then_inner_yield_order() {
    let mut job = Body::default();
    let outer = job.emit(&["b", "a"]);
    let flat =
        job.map(outer, |inside, item| inside.emit_with(&[item], &["y", "x"], |op, _| op.function = "sub"));
    let keyed = job.collect(flat, Form::Keyed);
    job.op_with("gather", &[keyed], gathers);
    let report = interpret(&job.plan());
    let State::Succeeded(Some(Value::List(entries))) = &report.steps["gather"].state else {
        panic!("no list")
    };
    assert_eq!(entries.len(), 4);
    let subs: Vec<_> = report.steps.keys().filter(|name| name.starts_with("sub")).collect();
    assert_eq!(subs, ["sub[a]", "sub[b]"]);
}

#[test]
fn rule_1_9_an_inner_collect_collects_per_outer_key() {
    let mut job = Body::default();
    let outer = job.emit(&["a", "b"]);
    let totals = job.map(outer, |inside, item| {
        let sub = inside.emit_with(&[item], &["x", "y"], |op, _| op.function = "sub");
        let inner = inside.each(sub, "f");
        inside.gather(inner)
    });
    job.gather(totals);
    let told = told(&job.plan());
    let names: Vec<_> = told.iter().filter_map(|line| line.split(' ').next()).collect();
    let inner = ["f[a][x]", "f[a][y]", "f[b][x]", "f[b][y]", "gather[a]", "gather[b]"];
    assert_eq!(names, [&["emit"], &inner[..], &["gather_2", "sub[a]", "sub[b]", "run"]].concat());
}

#[test]
fn rule_1_9_a_product_of_a_fan_out_with_itself_has_all_pairs() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    job.map(items, |inside, x| inside.map(items, |inside, y| inside.op("add", &[x, y])));
    let pairs = ["add[a][a] ok", "add[a][b] ok", "add[b][a] ok", "add[b][b] ok"];
    expect(job, &[&pairs[..], &["emit ok", "run succeeded"]].concat());
}

#[test]
fn rule_1_10_a_zip_pairs_by_key_in_the_order_of_the_left() {
    let mut job = Body::default();
    let (left, right) = (job.emit(&["a", "b"]), job.emit(&["b", "a"]));
    let pairs = job.zip(left, right);
    let rights = job.map_items(pairs, 2, |_, items| vec![items[1]]);
    job.gather(rights[0]);
    expect(job, &["emit ok", "emit_2 ok", "gather 33 32", "zip ok", "run succeeded"]);
}

#[test]
fn rule_1_10_a_key_on_one_side_only_fails_the_zip_and_pairs_stay() {
    let mut job = Body::default();
    let (left, right) = (job.emit(&["a", "b"]), job.emit(&["b", "c"]));
    let pairs = job.zip(left, right);
    let sums = job.map_items(pairs, 2, |inside, items| vec![inside.op("f", items)]);
    job.gather(sums[0]);
    let steps = ["emit ok", "emit_2 ok", "f[b] ok", "gather upstream failed", "zip failed", "run failed"];
    expect(job, &steps);
}

#[test]
fn rule_1_10_a_failed_or_skipped_partner_is_not_a_missing_key() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    let (failed, skipped) = (failing_copy(&mut job, items, 1), skipped_copy(&mut job, items, 2));
    let pairs = job.zip(failed, skipped);
    job.map_items(pairs, 2, |inside, items| vec![inside.op("g", items)]);
    let copies = ["f[a] failed", "f[b] ok", "f_2[a] ok", "f_2[b] ok", "g[a] upstream failed", "g[b] skipped"];
    expect(job, &[&["emit ok"], &copies[..], &["zip ok", "run failed"]].concat());
}

#[test]
fn rule_1_11_every_copy_can_receive_the_whole_list() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    job.map(items, |inside, item| {
        let all = inside.collect(items, Form::List);
        inside.op_with("f", &[item, all], gathers)
    });
    expect(job, &["emit ok", "f[a] 32 32 33", "f[b] 33 32 33", "run succeeded"]);
}

#[test]
fn rule_1_12_a_collect_is_in_yield_order_not_sorted() {
    let mut job = Body::default();
    let items = job.emit(&["c", "a", "b"]);
    job.gather(items);
    expect(job, &["emit ok", "gather 32 33 34", "run succeeded"]);
}

#[test]
fn rule_1_12_a_fold_leaves_out_skipped_items_and_needs_the_others() {
    let mut job = Body::default();
    let (none, items) = (job.emit(&[]), job.emit(&["a", "b"]));
    job.fold(none);
    let skipped = skipped_copy(&mut job, items, 1);
    job.fold(skipped);
    let failed = failing_copy(&mut job, items, 1);
    job.fold(failed);
    let report = interpret(&job.plan());
    assert_eq!(report.steps["add"].state, State::Succeeded(Some(Value::Number(0))));
    assert_eq!(report.steps["add_2"].state, State::Succeeded(Some(Value::Number(64))));
    assert_eq!(report.steps["add_3"].state, State::UpstreamFailed);
}

#[test]
fn rule_1_13_steps_of_a_graph_are_named_under_it() {
    let mut job = Body::default();
    let items = job.emit(&["k"]);
    let stripped = job.graph("clean", |inside| inside.each(items, "strip"));
    job.graph("clean", |inside| inside.each(stripped, "strip"));
    expect(job, &["clean.strip[k] ok", "clean_2.strip[k] ok", "emit ok", "run succeeded"]);
}

#[test]
fn rule_1_15_explicit_names_first_then_automatic_ones_skipping_those_taken() {
    let mut job = Body::default();
    job.op("dbl", &[]);
    job.op("dbl", &[]);
    job.op_with("inc", &[], |op| op.named = Some("dbl_2".to_owned()));
    job.op("dbl", &[]);
    expect(job, &["dbl ok", "dbl_2 ok", "dbl_3 ok", "dbl_4 ok", "run succeeded"]);
}

#[test]
fn rule_2_1_brackets_and_backslashes_in_keys_are_escaped() {
    let mut job = Body::default();
    let items = job.emit(&["[0][1]", "\\", ".."]);
    job.each(items, "f");
    expect(job, &["emit ok", "f[..] ok", "f[\\[0\\]\\[1\\]] ok", "f[\\\\] ok", "run succeeded"]);
}

#[test]
fn rule_2_2_a_bad_key_fails_the_emitter_and_is_never_retried() {
    let too_long = "x".repeat(256);
    for bad in ["a", "", "\n", &too_long] {
        let mut job = Body::default();
        let items = job.emit_with(&[], &["a", bad, "b"], |op, _| op.retry = retry(3));
        job.each(items, "f");
        job.gather(items);
        expect(job, &["emit failed", "f[a] ok", "gather upstream failed", "run failed"]);
    }
}

#[test]
fn rule_3_1_a_step_needs_its_inputs_and_a_collect_needs_all_of_a_fan_out() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    let copies = job.each(items, "f");
    job.each(copies, "g");
    job.gather(copies);
    let needs = interpret(&job.plan()).needs;
    let needed = |step: &str| needs[step].iter().cloned().collect::<Vec<_>>();
    assert!(needed("f[a]").is_empty(), "its item only: {:?}", needed("f[a]"));
    assert_eq!(needed("g[b]"), ["f[b]"]);
    assert_eq!(needed("gather"), ["emit", "f[a]", "f[b]"]);
}

#[test]
fn rule_3_2_held_items_of_an_attempt_that_fails_were_never_yielded() {
    let mut job = Body::default();
    let items = job.emit_with(&[], &["a", "a"], |_, emitter| emitter.held = true);
    job.each(items, "f");
    expect(job, &["emit failed", "run failed"]);
}

#[test]
fn rule_4_1_the_consumers_of_an_empty_fan_out_run_with_an_empty_list() {
    let mut job = Body::default();
    let items = job.emit(&[]);
    let copies = job.each(items, "f");
    job.gather(copies);
    expect(job, &["emit ok", "gather", "run succeeded"]);
}

#[test]
fn rule_4_2_skips_go_down_and_a_collect_drops_them() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    let odd = skipped_copy(&mut job, items, 1);
    let next = job.each(odd, "g");
    job.gather(next);
    let steps = ["emit ok", "f[a] ok", "f[b] ok", "g[a] skipped", "g[b] ok", "gather 95", "run succeeded"];
    expect(job, &steps);
}

#[test]
fn rule_4_2_a_collect_whose_entries_are_all_skipped_is_skipped() {
    let mut job = Body::default();
    let items = job.emit(&["a"]);
    let none = skipped_copy(&mut job, items, 1);
    job.gather(none);
    let list = job.collect(none, Form::List);
    job.op_with("h", &[], |op| op.inputs = vec![Input::Maybe(list)]);
    expect(job, &["emit ok", "f[a] ok", "gather skipped", "h ok", "run succeeded"]);
}

#[test]
fn rule_4_2_a_static_list_drops_skipped_entries() {
    let mut job = Body::default();
    let (none, one) = (job.op_with("none", &[], nothing_when(always())), job.op("one", &[]));
    job.op_with("f", &[], |op| {
        op.inputs = vec![Input::List(vec![none, one])];
        gathers(op);
    });
    job.op_with("g", &[], |op| op.inputs = vec![Input::List(vec![none])]);
    job.op_with("h", &[], |op| op.inputs = vec![Input::List(vec![])]);
    expect(job, &["f 1", "g skipped", "h ok", "none ok", "one ok", "run succeeded"]);
}

#[test]
fn rule_4_2_a_dynamic_output_that_gives_nothing_skips_its_collects() {
    let mut job = Body::default();
    let items = job.emit_with(&[], &["a"], |_, emitter| emitter.nothing_when = always());
    job.each(items, "f");
    job.gather(items);
    job.fold(items);
    expect(job, &["add skipped", "emit ok", "gather skipped", "run succeeded"]);
}

#[test]
fn rule_4_3_a_failed_copy_leaves_its_siblings_alone() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    let copies = failing_copy(&mut job, items, 2);
    let next = job.each(copies, "g");
    job.gather(next);
    job.op("one", &[]);
    let copies = ["f[a] ok", "f[b] failed", "g[a] ok", "g[b] upstream failed", "gather upstream failed"];
    expect(job, &[&["emit ok"], &copies[..], &["one ok", "run failed"]].concat());
}

#[test]
fn rule_4_4_a_skipped_input_comes_before_a_failed_one() {
    let mut job = Body::default();
    let skipped = job.op_with("none", &[], nothing_when(always()));
    let failed = job.op_with("bad", &[], |op| op.failing.when = always());
    job.op("f", &[failed, skipped]);
    expect(job, &["bad failed", "f skipped", "none ok", "run failed"]);
}

#[test]
fn rule_4_4_a_collect_with_a_failed_entry_has_failed_whatever_the_others_are() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    let copies = job.map(items, |inside, item| {
        inside.op_with("f", &[item], |op| {
            op.failing.when = only(1);
            nothing_when(only(2))(op);
        })
    });
    job.gather(copies);
    expect(job, &["emit ok", "f[a] failed", "f[b] ok", "gather upstream failed", "run failed"]);
}

#[test]
fn rule_4_5_failures_taken_by_a_tolerant_collect_do_not_fail_the_run() {
    let mut job = Body::default();
    let items = job.emit(&["a", "b"]);
    let copies = failing_copy(&mut job, items, 1);
    let next = job.each(copies, "g");
    job.collect(next, Form::Results);
    let steps = ["emit ok", "f[a] failed", "f[b] ok", "g[a] upstream failed", "g[b] ok"];
    expect(job, &[&steps[..], &["run succeeded"]].concat());
}

#[test]
fn rule_4_5_a_failure_that_also_reaches_a_plain_collect_fails_the_run() {
    let mut job = Body::default();
    let items = job.emit(&["a"]);
    let copies = failing_copy(&mut job, items, 1);
    job.collect(copies, Form::Results);
    job.gather(copies);
    expect(job, &["emit ok", "f[a] failed", "gather upstream failed", "run failed"]);
}

#[test]
fn rule_4_7_retries_are_counted_per_copy_and_the_call_beats_the_op() {
    let mut job = Body::default();
    job.op_with("f", &[], |op| (op.failing.first, op.retry) = (2, retry(2)));
    job.op_with("g", &[], |op| (op.failing.first, op.retry) = (2, retry(1)));
    job.op_with("h", &[], |op| {
        (op.failing.first, op.retry, op.retry_at_call) = (2, retry(0), retry(2));
    });
    job.op_with("i", &[], |op| {
        (op.failing.when, op.failing.how, op.retry) = (always(), Failure::Permanent, retry(5));
    });
    expect(job, &["f ok ×3", "g failed ×2", "h ok ×3", "i failed", "run failed"]);
}

/// An emitter that yields `first`, fails, and then yields `second`.
fn twice(job: &mut Body, first: &[&str], second: Emission, max: u32) -> Handle {
    let failed = Emission { fails: Some(Failure::Error), ..emission(first) };
    job.emit_with(&[], &[], |op, emitter| {
        op.retry = retry(max);
        emitter.attempts = vec![failed, second];
    })
}

#[test]
fn rule_4_8_items_not_yielded_again_are_superseded() {
    let mut job = Body::default();
    let items = twice(&mut job, &["a", "b"], emission(&["b"]), 1);
    job.each(items, "f");
    let report = interpret(&job.plan());
    assert_eq!(report.steps.keys().collect::<Vec<_>>(), ["emit", "f[b]"]);
    assert!(report.steps["f[b]"].restarted, "its value went from 33 to 32");
}

#[test]
fn rule_4_8_an_emitter_that_fails_for_good_breaks_what_gathers_over_it() {
    let mut job = Body::default();
    let failed = Emission { fails: Some(Failure::Error), ..emission(&["a"]) };
    let items = twice(&mut job, &["a", "b"], failed, 1);
    let copies = job.each(items, "f");
    job.gather(copies);
    job.fold(copies);
    let other = job.emit(&["a"]);
    job.zip(copies, other);
    job.map(other, |inside, x| inside.map(items, |inside, y| inside.op("product", &[x, y])));
    let gathering = ["gather upstream failed", "zip upstream failed"];
    let copies = ["add upstream failed", "emit failed ×2", "emit_2 ok", "f[a] ok", "f[b] ok"];
    expect(job, &[&copies[..], &gathering, &["run failed"]].concat());
}

#[test]
fn random_plans_meet_every_case_that_must_be_seen() {
    let campaign = Campaign::of(2_000);
    let (mut seen, mut steps) = (Sightings::default(), 0);
    campaign.run("random_plans", |plan, _| {
        let report = interpret(plan);
        steps += report.steps.len();
        seen.add(&report.seen);
        Ok::<(), String>(())
    });
    println!("interpreter: {} cases, {steps} steps; {seen}", campaign.cases);
    assert!(!campaign.is_whole() || seen.missing().is_empty(), "never met: {:?}", seen.missing());
}

#[test]
fn a_failing_plan_shrinks_to_the_few_lets_that_fail() {
    let failed = std::panic::catch_unwind(|| {
        Campaign { first: 1, cases: 1_000 }.run("shrinks", |plan, _| {
            let states = interpret(plan).steps.into_values().map(|outcome| outcome.state);
            let skipped = states.filter(|state| *state == State::Skipped).count();
            if skipped > 1 { Err("two skipped steps") } else { Ok(()) }
        });
    });
    let text = *failed.unwrap_err().downcast::<String>().expect("a text");
    let lets = text.matches("let ").count();
    assert!(lets <= 6 && text.contains("again: FANFOLD_SEED="), "{lets} lets:\n{text}");
}
