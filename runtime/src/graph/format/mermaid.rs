//! A Mermaid flow chart.

use std::fmt::Write as _;

use super::edges::{From, Way, edges};
use super::unbounded::held;
use crate::graph::{Gather, Graph, NodeKind};
use crate::shape::{Part, outline};

pub(super) fn print(graph: &Graph) -> String {
    let mut text = "flowchart TD\n".to_owned();
    let edges = edges(graph);
    for (index, arg) in graph.job.args.iter().enumerate() {
        if edges.iter().any(|edge| matches!(edge.from, From::Argument(used) if used as usize == index)) {
            let _ = writeln!(text, "    a{index}([\"{}\"])", escape(arg.name));
        }
    }
    let mut indent = 4;
    for part in outline(&graph.shape()) {
        match part {
            Part::Step(id) => {
                let node = graph.node(id);
                let name = escape(&node.name);
                let (left, right) = match node.kind {
                    NodeKind::Gather { gather: Gather::Fold(_), .. } => ("[/", "\\]"),
                    NodeKind::Zip { .. } => ("{{", "}}"),
                    _ => ("[", "]"),
                };
                let _ = writeln!(text, "{:indent$}n{}{left}\"{name}\"{right}", "", id.0);
            }
            Part::Open(id) => {
                let title = graph.scope(id).fan.map(|fan| graph.fan_text(fan)).unwrap_or_default();
                let note = if held(graph, id).is_some() { ", held without bound" } else { "" };
                let title = escape(&format!("{title}{note}"));
                let _ = writeln!(text, "{:indent$}subgraph s{}[\"{title}\"]", "", id.0);
                indent += 4;
            }
            Part::Close => {
                indent -= 4;
                let _ = writeln!(text, "{:indent$}end", "");
            }
        }
    }
    for edge in edges {
        let from = match edge.from {
            From::Step(node) => format!("n{}", node.0),
            From::Argument(index) => format!("a{index}"),
        };
        let arrow = match edge.way {
            Way::Value | Way::Item => "-->",
            Way::Collect(_) => "==>",
            Way::After => "-.->",
        };
        let words: Vec<_> = edge.label.into_iter().chain(edge.way.word()).map(escape).collect();
        let label = if words.is_empty() { String::new() } else { format!("|\"{}\"|", words.join(" ")) };
        let _ = writeln!(text, "    {from} {arrow}{label} n{}", edge.to.0);
    }
    text
}

/// Text inside quotes. Everything but letters, digits and a few marks is written as its number,
/// so that no name can end the label, open a tag or be read as Markdown.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_alphanumeric() || matches!(character, ' ' | '_' | '.' | ',' | '-') {
            escaped.push(character);
        } else {
            let _ = write!(escaped, "#{};", u32::from(character));
        }
    }
    escaped
}
