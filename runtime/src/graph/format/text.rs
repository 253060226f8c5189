//! An indented outline for a terminal.

use std::fmt::Write as _;

use super::edges::word;
use super::unbounded::held;
use crate::graph::{Gather, Graph, Input, NodeId, NodeKind, ScopeId, Source, StepOptions};
use crate::options::Backoff;
use crate::shape::{Part, outline};
use crate::text::safe;

pub(super) fn print(graph: &Graph) -> String {
    let arguments: Vec<_> = graph.job.args.iter().map(|arg| arg.name).collect();
    let mut text = format!("{}({})\n", safe(graph.job.name), arguments.join(", "));
    let mut depth = 1;
    for part in outline(&graph.shape()) {
        match part {
            Part::Step(node) => {
                let _ = writeln!(text, "{:1$}{2}", "", depth * 2, step(graph, node));
            }
            Part::Open(scope) => {
                let _ = writeln!(text, "{:1$}└ {2}", "", depth * 2, fan_out(graph, scope));
                depth += 2;
            }
            Part::Close => depth -= 2,
        }
    }
    if !graph.results.is_empty() {
        let results: Vec<_> = graph
            .results
            .iter()
            .map(|result| {
                result.source.map_or_else(|| "the end of its steps".to_owned(), |it| read(graph, it))
            })
            .collect();
        let _ = writeln!(text, "  gives {}", safe(&results.join(", ")));
    }
    text
}

fn fan_out(graph: &Graph, scope: ScopeId) -> String {
    let title = graph.scope(scope).fan.map(|fan| graph.fan_text(fan)).unwrap_or_default();
    match held(graph, scope) {
        None => format!("for {}", safe(&title)),
        Some(held) => format!(
            "for {}: items are held without bound, since {} waits for {}",
            safe(&title),
            safe(&graph.node(held.waiting).name),
            safe(&read(graph, Source::Output(held.gather, 0)))
        ),
    }
}

/// `compute_piece(item of load_pieces)  priority 5 · pool api`.
fn step(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let mut inputs: Vec<_> = node.inputs.iter().map(|input| input_text(graph, input)).collect();
    match &node.kind {
        NodeKind::Op(_) => {}
        NodeKind::Gather { items, gather, .. } => {
            let items: Vec<_> = items.iter().map(|item| read(graph, *item)).collect();
            inputs.push(format!("{} {}", word(gather), items.join(" and ")));
        }
        NodeKind::Zip { left, right } => inputs.extend([left, right].map(|side| read(graph, side.item))),
    }
    let dynamic = if graph.is_dynamic(id) { " → many" } else { "" };
    let mut text = format!("{}({}){dynamic}", node.name, inputs.join(", "));
    if !node.after.is_empty() {
        let after: Vec<_> = node.after.iter().map(|source| read(graph, *source)).collect();
        let _ = write!(text, " after {}", after.join(", "));
    }
    let options = options(&node.options);
    if !options.is_empty() {
        let _ = write!(text, "  [{}]", options.join(" · "));
    }
    safe(&text).into_owned()
}

fn input_text(graph: &Graph, input: &Input) -> String {
    match input {
        Input::One(source) => read(graph, *source),
        Input::Nothing => "nothing".to_owned(),
        Input::List(sources) => {
            let sources: Vec<_> = sources.iter().map(|source| read(graph, *source)).collect();
            format!("[{}]", sources.join(", "))
        }
    }
}

/// As [`Graph::source_text`], with collects as they are written in the job.
fn read(graph: &Graph, source: Source) -> String {
    if let Source::Output(node, _) = source
        && let NodeKind::Gather { items, gather, .. } = &graph.node(node).kind
        && !graph.node(node).is_step()
    {
        let items: Vec<_> = items.iter().map(|item| read(graph, *item)).collect();
        let word = if matches!(gather, Gather::Ended) { "all" } else { word(gather) };
        return format!("{word} {}", items.join(" and "));
    }
    graph.source_text(source)
}

/// The options that are not the default, in words.
pub(super) fn options(options: &StepOptions) -> Vec<String> {
    let mut words = Vec::new();
    if options.priority != 0 {
        words.push(format!("priority {}", options.priority));
    }
    if let Some(retry) = options.retry {
        let backoff = match retry.backoff {
            Backoff::None => "",
            Backoff::Linear => ", linear",
            Backoff::Exponential => ", exponential",
        };
        let delay = if retry.delay.is_zero() {
            String::new()
        } else {
            format!(" after {}{backoff}", humantime::format_duration(retry.delay))
        };
        words.push(format!("retry {}{delay}", retry.max));
    }
    if let Some(timeout) = options.timeout {
        words.push(format!("timeout {}", humantime::format_duration(timeout)));
    }
    if let Some(pool) = &options.pool {
        words.push(format!("pool {pool}"));
    }
    words.extend(options.tags.iter().map(|(name, value)| format!("{name}:{value}")));
    words
}
