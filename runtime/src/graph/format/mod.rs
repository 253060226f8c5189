//! Printing a graph: for a page, for Graphviz, for a program, for a terminal.
//!
//! In every form a fan-out is one box around its template, however many items it will have; boxes
//! nest as the fan-outs do. What is no step (a collect, a list) is an edge.

mod dot;
mod edges;
mod json;
mod mermaid;
#[cfg(feature = "ui")]
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod unbounded;

use super::{Fan, Graph, NodeId, NodeKind, ScopeId, Source};
use crate::define::OutputKind;

/// How a graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphFormat {
    /// A Mermaid flow chart, for Markdown pages.
    Mermaid,
    /// The language of Graphviz.
    Dot,
    /// A document for programs.
    Json,
    /// An indented outline for a terminal.
    Text,
    /// A picture.
    #[cfg(feature = "ui")]
    Svg,
}

impl Graph {
    /// The graph in a format; the text ends with a line feed.
    pub fn print(&self, format: GraphFormat) -> String {
        match format {
            GraphFormat::Mermaid => mermaid::print(self),
            GraphFormat::Dot => dot::print(self),
            GraphFormat::Json => json::print(self),
            GraphFormat::Text => text::print(self),
            #[cfg(feature = "ui")]
            GraphFormat::Svg => svg::print(self),
        }
    }

    /// The name of an output of a node, where the node has more than one.
    fn output_name(&self, node: NodeId, output: u16) -> Option<&'static str> {
        match self.node(node).kind {
            NodeKind::Op(op) if op.outputs.len() > 1 => {
                op.outputs.get(usize::from(output)).map(|output| output.name)
            }
            _ => None,
        }
    }

    /// `load_pieces`, or `split.values` where the node has more than one output.
    fn output_text(&self, node: NodeId, output: u16) -> String {
        let name = &self.node(node).name;
        match self.output_name(node, output) {
            Some(output) => format!("{name}.{output}"),
            None => name.to_string(),
        }
    }

    /// What a fan-out goes over, for the title of its box.
    fn fan_text(&self, fan: Fan) -> String {
        match fan {
            Fan::Emitter { node, output } => format!("each item of {}", self.output_text(node, output)),
            Fan::Zip(node) => format!("each pair of {}", self.node(node).name),
            Fan::Held(node) => {
                let items = match &self.node(node).kind {
                    NodeKind::Gather { items, .. } => items.as_slice(),
                    _ => &[],
                };
                let items: Vec<_> = items.iter().map(|item| self.source_text(*item)).collect();
                format!("each {}, held whole", items.join(" and "))
            }
        }
    }

    /// What a source stands for, in a few words.
    fn source_text(&self, source: Source) -> String {
        match source {
            Source::Output(node, output) => self.output_text(node, output),
            Source::Item(scope, part) => self.item_text(scope, part),
            Source::Constant(_) => "a constant".to_owned(),
            Source::Argument(index) => {
                self.job.args.get(index as usize).map_or("an argument", |arg| arg.name).to_owned()
            }
        }
    }

    fn item_text(&self, scope: ScopeId, part: u8) -> String {
        match self.scope(scope).fan {
            Some(Fan::Emitter { node, output }) => format!("item of {}", self.output_text(node, output)),
            Some(Fan::Zip(node)) => {
                format!("{} of {}", if part == 0 { "left" } else { "right" }, self.node(node).name)
            }
            Some(Fan::Held(node)) => match &self.node(node).kind {
                NodeKind::Gather { items, .. } => items
                    .get(usize::from(part))
                    .map_or_else(|| "item".to_owned(), |item| format!("held {}", self.source_text(*item))),
                _ => "item".to_owned(),
            },
            None => "item".to_owned(),
        }
    }

    /// Whether a node gives a run-time number of items.
    fn is_dynamic(&self, node: NodeId) -> bool {
        match self.node(node).kind {
            NodeKind::Op(op) => op.outputs.iter().any(|output| output.kind == OutputKind::Dynamic),
            NodeKind::Zip { .. } => true,
            NodeKind::Gather { .. } => false,
        }
    }
}
