//! A document for programs.
//!
//! ```json
//! {
//!   "version": 1,
//!   "job": "letters",
//!   "arguments": [{"name": "from", "type": "char"}],
//!   "nodes": [{"id": 0, "name": "load_pieces", "kind": "op", "scope": 0, "dynamic": true, …}],
//!   "scopes": [{"id": 0}, {"id": 1, "parent": 0, "fan": "emitter", "node": 0, "output": 0}],
//!   "edges": [{"from": 0, "to": 1, "way": "item"}]
//! }
//! ```
//! `nodes` holds the steps; `from` of an edge is a node's id, or an argument's name as
//! `{"argument": "from"}`; `way` is `value`, `item`, `after` or the name of the collect. The version
//! rises when a field changes its meaning or goes away; new fields do not raise it.

use serde_json::{Map, Value, json};

use super::edges::{Edge, From, Way, edges};
use super::unbounded::held;
use crate::graph::{Fan, Gather, Graph, NodeId, NodeKind, ScopeId};

/// The version of the document.
const GRAPH_VERSION: u32 = 1;

pub(super) fn print(graph: &Graph) -> String {
    let arguments: Vec<_> = graph
        .job
        .args
        .iter()
        .map(|arg| json!({ "name": arg.name, "type": (arg.info.name)(), "doc": arg.doc }))
        .collect();
    let nodes: Vec<_> = (0..)
        .map(NodeId)
        .zip(&graph.nodes)
        .filter(|(_, node)| node.is_step())
        .map(|(id, _)| node(graph, id))
        .collect();
    let scopes: Vec<_> = (0..graph.scopes.len()).map(|id| scope(graph, id)).collect();
    let edges: Vec<_> = edges(graph).iter().map(|one| edge(graph, one)).collect();
    let document = json!({
        "version": GRAPH_VERSION,
        "job": graph.job.name,
        "doc": graph.job.doc,
        "arguments": arguments,
        "nodes": nodes,
        "scopes": scopes,
        "edges": edges,
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn node(graph: &Graph, id: NodeId) -> Value {
    let node = graph.node(id);
    let kind = match &node.kind {
        NodeKind::Zip { .. } => "zip",
        NodeKind::Gather { gather: Gather::Fold(_), .. } => "fold",
        NodeKind::Op(_) | NodeKind::Gather { .. } => "op",
    };
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    set("id", json!(id.0));
    set("name", json!(&*node.name));
    set("kind", json!(kind));
    set("scope", json!(node.scope.0));
    set("dynamic", json!(graph.is_dynamic(id)));
    set("depth", json!(node.depth));
    set("at", json!(node.at.to_string()));
    if let Some(op) = node.op() {
        set("op", json!(format!("{}::{}", op.module, op.function)));
        set("doc", json!(op.doc));
    }
    let options = &node.options;
    set("priority", json!(options.priority));
    if let Some(retry) = options.retry {
        set("retries", json!(retry.max));
    }
    if let Some(timeout) = options.timeout {
        set("timeout", json!(timeout.as_secs_f64()));
    }
    if let Some(pool) = &options.pool {
        set("pool", json!(&**pool));
    }
    if !options.tags.is_empty() {
        let tags: Map<_, _> =
            options.tags.iter().map(|(name, value)| (name.to_string(), json!(&**value))).collect();
        set("tags", Value::Object(tags));
    }
    Value::Object(fields)
}

fn scope(graph: &Graph, id: usize) -> Value {
    let scope = &graph.scopes[id];
    let Some(fan) = scope.fan else { return json!({ "id": id }) };
    let parent = scope.parent.map(|parent| parent.0);
    let this = ScopeId(u32::try_from(id).unwrap_or(u32::MAX));
    let unbounded = held(graph, this).is_some();
    let title = graph.fan_text(fan);
    match fan {
        Fan::Emitter { node, output } => json!({
            "id": id, "parent": parent, "title": title, "fan": "emitter", "node": node.0, "output": output,
            "held_without_bound": unbounded,
        }),
        Fan::Zip(node) => json!({
            "id": id, "parent": parent, "title": title, "fan": "zip", "node": node.0,
            "held_without_bound": unbounded,
        }),
        Fan::Held(_) => json!({
            "id": id, "parent": parent, "title": title, "fan": "held", "held_without_bound": unbounded,
        }),
    }
}

fn edge(graph: &Graph, edge: &Edge) -> Value {
    let from = match edge.from {
        From::Step(node) => json!(node.0),
        From::Argument(index) => {
            json!({ "argument": graph.job.args.get(index as usize).map(|arg| arg.name) })
        }
    };
    let way = match edge.way {
        Way::Value => "value",
        Way::Item => "item",
        Way::Collect(word) => word,
        Way::After => "after",
    };
    match edge.label {
        Some(output) => json!({ "from": from, "to": edge.to.0, "way": way, "output": output }),
        None => json!({ "from": from, "to": edge.to.0, "way": way }),
    }
}
