//! A job with all that a shape can have, changed in one place at a time.

use expect_test::{Expect, expect};

use super::{changes, corresponding};
use crate::graph::{NodeId, ScopeId};
use crate::shape::{Shape, ShapeKind, ShapeNode, ShapeOutput, ShapeScope, ShapeSource, ShapeTake};

/// `load()`, then for each item `clean` and `compute`; `merge` reads their list, `sum` folds them.
fn shape() -> Shape {
    let text = r#"{
        "job": "letters",
        "nodes": [
            { "name": "load", "scope": 0, "kind": "op", "op": "jobs::load", "retries": 0, "reads": [], "tags": [],
              "outputs": [{ "name": "result", "dynamic": true, "type_name": "String", "transient": false }] },
            { "name": "clean", "scope": 1, "kind": "op", "op": "jobs::clean", "retries": 0, "reads": [0], "tags": [],
              "outputs": [{ "name": "result", "dynamic": false, "type_name": "String", "transient": false }] },
            { "name": "compute", "scope": 1, "kind": "op", "op": "jobs::compute", "retries": 2, "reads": [1], "tags": [],
              "outputs": [{ "name": "result", "dynamic": false, "type_name": "i32", "transient": false }] },
            { "name": "collect(compute)", "scope": 0, "kind": "collect", "op": "", "retries": 0, "reads": [0, 2], "tags": [],
              "takes": [{ "over": [1], "items": [{ "node": 2 }] }], "outputs": [] },
            { "name": "merge", "scope": 0, "kind": "op", "op": "jobs::merge", "retries": 0, "reads": [3], "tags": [],
              "outputs": [{ "name": "result", "dynamic": false, "type_name": "String", "transient": false }] },
            { "name": "sum", "scope": 0, "kind": "fold", "op": "jobs::sum", "retries": 0, "reads": [0, 2], "tags": [],
              "takes": [{ "over": [1], "items": [{ "node": 2 }] }],
              "outputs": [{ "name": "result", "dynamic": false, "type_name": "i32", "transient": false }] }
        ],
        "scopes": [{ "parent": null, "fan": null }, { "parent": 0, "fan": [0, 0] }]
    }"#;
    serde_json::from_str(text).unwrap()
}

fn node<'a>(shape: &'a mut Shape, name: &str) -> &'a mut ShapeNode {
    shape.nodes.iter_mut().find(|node| &*node.name == name).unwrap()
}

#[track_caller]
fn check(change: impl FnOnce(&mut Shape), expected: &Expect) {
    let (old, mut new) = (shape(), shape());
    change(&mut new);
    let changes = changes(&old, &new);
    assert_eq!(changes.is_empty(), old.fingerprint() == new.fingerprint());
    let lines: Vec<_> = changes.iter().map(|change| format!("{change}\n")).collect();
    expected.assert_eq(&lines.concat());
}

fn output(type_name: &str) -> ShapeOutput {
    ShapeOutput {
        name: "result".to_owned(),
        dynamic: false,
        type_name: type_name.to_owned(),
        transient: false,
    }
}

#[test]
fn how_steps_are_run_and_where_ops_are_defined_is_no_change() {
    check(
        |shape| {
            let compute = node(shape, "compute");
            compute.op = "moved::compute".to_owned();
            compute.retries = 7;
            compute.tags.push(("team".to_owned(), "red".to_owned()));
        },
        &expect![[r#""#]],
    );
}

#[test]
fn a_renamed_op_is_told_from_one_that_is_gone() {
    check(
        |shape| node(shape, "clean").name = "tidy".into(),
        &expect![[r#"
        `clean` is now called `tidy`: give it `#[op(name = "clean")]` or `.named("clean")` to keep the old name, or `rerun`
    "#]],
    );
    check(
        |shape| {
            node(shape, "load").name = "read".into();
            node(shape, "clean").name = "tidy".into();
            node(shape, "compute").name = "io.compute".into();
            node(shape, "collect(compute)").name = "collect(io.compute)".into();
        },
        &expect![[r#"
            `load` is now called `read`: give it `#[op(name = "load")]` or `.named("load")` to keep the old name, or `rerun`
            `clean` is now called `tidy`: give it `#[op(name = "clean")]` or `.named("clean")` to keep the old name, or `rerun`
            `compute` is now called `io.compute`: give it `#[op(name = "compute")]` or `.named("compute")` to keep the old name, or `rerun`
        "#]],
    );
    check(
        |shape| {
            let clean = node(shape, "clean");
            clean.name = "tidy".into();
            clean.outputs = vec![output("Vec<u8>")];
        },
        &expect![[r#"
            `tidy` is new: `rerun` runs it
            `compute` now reads `tidy`, and no more `clean`
            `clean` is gone: `rerun` does without it
        "#]],
    );
}

#[test]
fn steps_that_are_new_or_gone() {
    check(
        |shape| {
            shape.nodes.push(ShapeNode {
                name: "tell".into(),
                reads: vec![NodeId(4)],
                ..shape.nodes[4].clone()
            });
        },
        &expect![[r#"
            `tell` is new: `rerun` runs it
        "#]],
    );
    check(
        |shape| _ = shape.nodes.pop(),
        &expect![[r#"
        `sum` is gone: `rerun` does without it
    "#]],
    );
}

#[test]
fn a_step_that_reads_something_else() {
    check(
        |shape| node(shape, "compute").reads = vec![NodeId(0)],
        &expect![[r#"
            `compute` now reads items of `load`, and no more `clean`
        "#]],
    );
    check(
        |shape| {
            let list = node(shape, "collect(compute)");
            list.reads = vec![NodeId(0), NodeId(1)];
            list.takes[0].items = vec![ShapeSource::Node(NodeId(1))];
            list.name = "collect(clean)".into();
        },
        &expect![[r#"
            `merge` now reads the list of `clean`, and no more the list of `compute`
        "#]],
    );
    check(
        |shape| node(shape, "collect(compute)").kind = ShapeKind::Results,
        &expect![[r#"
            `merge` now reads the results of `compute`, and no more the list of `compute`
        "#]],
    );
    check(
        |shape| node(shape, "merge").reads.push(NodeId(5)),
        &expect![[r#"
            `merge` now also reads `sum`
        "#]],
    );
    check(
        |shape| {
            let sum = node(shape, "sum");
            sum.reads = vec![NodeId(0)];
            sum.takes[0].items = vec![ShapeSource::Item(ScopeId(1))];
        },
        &expect![[r#"
            `sum` now reads items of `load`, and no more `compute`
        "#]],
    );
    check(
        |shape| node(shape, "merge").reads.clear(),
        &expect![[r#"
        `merge` does not read the list of `compute` any more
    "#]],
    );
}

#[test]
fn a_value_of_another_type() {
    check(
        |shape| node(shape, "compute").outputs = vec![output("i64")],
        &expect![[r#"
            the value of `compute` is of type `i64`, and recorded as `i32`: give it the old type, or `rerun`
        "#]],
    );
    check(
        |shape| node(shape, "compute").outputs[0].transient = true,
        &expect![[r#"
            the value of `compute` is transient now, and was recorded
        "#]],
    );
    check(
        |shape| {
            node(shape, "compute").outputs.push(ShapeOutput {
                name: "rest".to_owned(),
                dynamic: true,
                ..output("i8")
            })
        },
        &expect![[r#"
            `compute` gives `result`, `rest` (dynamic), and not `result`
        "#]],
    );
    check(
        |shape| node(shape, "sum").kind = ShapeKind::Op,
        &expect![[r#"
        `sum` was a fold, and is the step of an op
    "#]],
    );
}

#[test]
fn a_step_in_other_fan_outs() {
    check(
        |shape| {
            shape.scopes.push(ShapeScope { parent: Some(ScopeId(1)), fan: Some((NodeId(1), 0)) });
            node(shape, "compute").scope = ScopeId(2);
        },
        &expect![[r#"
            `compute` runs for each of the items of `load` and of the items of `clean`, and not for each of the items of `load`
            `compute` now reads items of `clean`, and no more `clean`
            `merge` now reads the list of `compute` for each of the items of `load`, and no more the list of `compute`
            `sum` now reads `compute` for each of the items of `load`, and no more `compute`
        "#]],
    );
    check(
        |shape| node(shape, "merge").scope = ScopeId(1),
        &expect![[r#"
        `merge` runs for each of the items of `load`, and not once, outside all fan-outs
    "#]],
    );
}

#[test]
fn the_order_of_the_calls_and_lists_that_nobody_reads() {
    check(
        |shape| {
            shape.nodes.swap(4, 5);
        },
        &expect![[r#"
            the steps are the same, and are called for in another order, or other lists are made of them: restore the calls, or `rerun`
        "#]],
    );
    check(
        |shape| {
            let take = ShapeTake { over: vec![ScopeId(1)], items: vec![ShapeSource::Node(NodeId(1))] };
            shape.nodes.push(ShapeNode { takes: vec![take], ..shape.nodes[3].clone() });
        },
        &expect![[r#"
            the steps are the same, and are called for in another order, or other lists are made of them: restore the calls, or `rerun`
        "#]],
    );
    check(
        |shape| shape.job = "words".to_owned(),
        &expect![[r#"
        the run is of the job `letters`, not of `words`
    "#]],
    );
}

#[test]
fn nodes_correspond_by_name_and_kind() {
    let (old, mut new) = (shape(), shape());
    new.nodes.swap(4, 5);
    new.nodes[1].name = "tidy".into();
    let numbers: Vec<_> = corresponding(&old, &new).into_iter().map(|it| it.map(|it| it.0)).collect();
    assert_eq!(numbers, [Some(0), None, Some(2), Some(3), Some(5), Some(4)]);
}
