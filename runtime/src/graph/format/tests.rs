use expect_test::{Expect, expect};

use super::GraphFormat;
use crate::report::fixture;

fn check(format: GraphFormat, expected: &Expect) {
    let text = fixture::graph().print(format);
    // Lines of the fixture's file say nothing here, and change with it.
    let lines = text.lines().map(|line| match line.split_once("fixture.rs:") {
        Some((before, _)) => format!("{before}fixture.rs:…\","),
        None => line.to_owned(),
    });
    expected.assert_eq(&format!("{}\n", lines.collect::<Vec<_>>().join("\n")));
}

#[test]
fn text_is_an_outline() {
    check(
        GraphFormat::Text,
        &expect![[r#"
        letters(from, to)
          load_pieces(from, to) → many
          └ for each item of load_pieces
              clean(item of load_pieces)
              compute_piece(clean)  [priority 5 · retry 2 · timeout 30s · pool api · team:red]
          merge(collect compute_piece)
          gives merge
    "#]],
    );
}

#[test]
fn mermaid_has_one_box_for_a_fan_out() {
    check(
        GraphFormat::Mermaid,
        &expect![[r#"
        flowchart TD
            a0(["from"])
            a1(["to"])
            n0["load_pieces"]
            subgraph s1["each item of load_pieces"]
                n1["clean"]
                n2["compute_piece"]
            end
            n4["merge"]
            a0 --> n0
            a1 --> n0
            n0 --> n1
            n1 --> n2
            n2 ==>|"collect"| n4
    "#]],
    );
}

#[test]
fn dot_has_one_cluster_for_a_fan_out() {
    check(
        GraphFormat::Dot,
        &expect![[r#"
        digraph "letters" {
            node [shape=box, style=rounded];
            a0 [label="from", shape=plaintext];
            a1 [label="to", shape=plaintext];
            n0 [label="load_pieces"];
            subgraph cluster_1 {
                label="each item of load_pieces";
                n1 [label="clean"];
                n2 [label="compute_piece"];
            }
            n4 [label="merge"];
            a0 -> n0;
            a1 -> n0;
            n0 -> n1;
            n1 -> n2;
            n2 -> n4 [label="collect", color="black:invis:black"];
        }
    "#]],
    );
}

#[test]
fn json_says_all_of_it() {
    check(
        GraphFormat::Json,
        &expect![[r#"
            {
              "arguments": [
                {
                  "doc": "",
                  "name": "from",
                  "type": "char"
                },
                {
                  "doc": "",
                  "name": "to",
                  "type": "char"
                }
              ],
              "doc": "Upper-cases a range of letters.",
              "edges": [
                {
                  "from": {
                    "argument": "from"
                  },
                  "to": 0,
                  "way": "value"
                },
                {
                  "from": {
                    "argument": "to"
                  },
                  "to": 0,
                  "way": "value"
                },
                {
                  "from": 0,
                  "to": 1,
                  "way": "item"
                },
                {
                  "from": 1,
                  "to": 2,
                  "way": "value"
                },
                {
                  "from": 2,
                  "to": 4,
                  "way": "collect"
                }
              ],
              "job": "letters",
              "nodes": [
                {
                  "at": "runtime/src/report/fixture.rs:…",
                  "depth": 0,
                  "doc": "",
                  "dynamic": true,
                  "id": 0,
                  "kind": "op",
                  "name": "load_pieces",
                  "op": "jobs::load_pieces",
                  "priority": 0,
                  "scope": 0
                },
                {
                  "at": "runtime/src/report/fixture.rs:…",
                  "depth": 1,
                  "doc": "",
                  "dynamic": false,
                  "id": 1,
                  "kind": "op",
                  "name": "clean",
                  "op": "jobs::clean",
                  "priority": 0,
                  "scope": 1
                },
                {
                  "at": "runtime/src/report/fixture.rs:…",
                  "depth": 2,
                  "doc": "",
                  "dynamic": false,
                  "id": 2,
                  "kind": "op",
                  "name": "compute_piece",
                  "op": "jobs::compute_piece",
                  "pool": "api",
                  "priority": 5,
                  "retries": 2,
                  "scope": 1,
                  "tags": {
                    "team": "red"
                  },
                  "timeout": 30.0
                },
                {
                  "at": "runtime/src/report/fixture.rs:…",
                  "depth": 3,
                  "doc": "",
                  "dynamic": false,
                  "id": 4,
                  "kind": "op",
                  "name": "merge",
                  "op": "jobs::merge",
                  "priority": 0,
                  "scope": 0
                }
              ],
              "scopes": [
                {
                  "id": 0
                },
                {
                  "fan": "emitter",
                  "held_without_bound": false,
                  "id": 1,
                  "node": 0,
                  "output": 0,
                  "parent": 0,
                  "title": "each item of load_pieces"
                }
              ],
              "version": 1
            }
        "#]],
    );
}
