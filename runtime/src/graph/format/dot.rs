//! The language of Graphviz.

use std::fmt::Write as _;

use super::edges::{From, Way, edges};
use super::unbounded::held;
use crate::graph::{Gather, Graph, NodeKind};
use crate::shape::{Part, outline};
use crate::text::safe;

pub(super) fn print(graph: &Graph) -> String {
    let mut text = format!("digraph {} {{\n", quote(graph.job.name));
    text.push_str("    node [shape=box, style=rounded];\n");
    let edges = edges(graph);
    for (index, arg) in graph.job.args.iter().enumerate() {
        if edges.iter().any(|edge| matches!(edge.from, From::Argument(used) if used as usize == index)) {
            let _ = writeln!(text, "    a{index} [label={}, shape=plaintext];", quote(arg.name));
        }
    }
    let mut indent = 4;
    for part in outline(&graph.shape()) {
        match part {
            Part::Step(id) => {
                let node = graph.node(id);
                let shape = match node.kind {
                    NodeKind::Gather { gather: Gather::Fold(_), .. } => ", shape=invtrapezium",
                    NodeKind::Zip { .. } => ", shape=hexagon",
                    _ => "",
                };
                let _ = writeln!(text, "{:indent$}n{} [label={}{shape}];", "", id.0, quote(&node.name));
            }
            Part::Open(id) => {
                let title = graph.scope(id).fan.map(|fan| graph.fan_text(fan)).unwrap_or_default();
                let note = if held(graph, id).is_some() { ", held without bound" } else { "" };
                let _ = writeln!(text, "{:indent$}subgraph cluster_{} {{", "", id.0);
                indent += 4;
                let _ = writeln!(text, "{:indent$}label={};", "", quote(&format!("{title}{note}")));
            }
            Part::Close => {
                indent -= 4;
                let _ = writeln!(text, "{:indent$}}}", "");
            }
        }
    }
    for edge in edges {
        let from = match edge.from {
            From::Step(node) => format!("n{}", node.0),
            From::Argument(index) => format!("a{index}"),
        };
        let words: Vec<_> = edge.label.into_iter().chain(edge.way.word()).collect();
        let mut attributes = Vec::new();
        if !words.is_empty() {
            attributes.push(format!("label={}", quote(&words.join(" "))));
        }
        match edge.way {
            Way::Value | Way::Item => {}
            Way::Collect(_) => attributes.push("color=\"black:invis:black\"".to_owned()),
            Way::After => attributes.push("style=dotted".to_owned()),
        }
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        let _ = writeln!(text, "    {from} -> n{}{attributes};", edge.to.0);
    }
    text.push_str("}\n");
    text
}

/// A quoted string, in which nothing but quotes and backslashes is special.
fn quote(text: &str) -> String {
    format!("\"{}\"", safe(text).replace('\\', "\\\\").replace('"', "\\\""))
}
