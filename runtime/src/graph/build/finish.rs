//! From the calls that a body made to the graph that never changes: names, options, depths.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{
    BuildErrors, Builder, Call, CallOption, CallSite, Form, Gather, Graph, JobDef, JobResult, NodeKind, Raw,
    Source,
};
use crate::graph::{Fan, Node, Scope, StepOptions};
use crate::options::OpOptions;
use crate::value::TypeInfo;

impl Builder {
    pub(super) fn finish(mut self, job: &'static JobDef, returned: &[Raw]) -> Result<Graph, BuildErrors> {
        let results = self.results(job, returned);
        let names = self.names();
        if !self.errors.is_empty() {
            return Err(BuildErrors { job: job.name.to_owned(), errors: self.errors });
        }
        let depths = depths(&self.calls, &self.scopes);
        let nodes = self
            .calls
            .into_iter()
            .zip(names)
            .zip(depths)
            .map(|((call, name), depth)| Node {
                scope: call.scope,
                name,
                options: step_options(&call, job),
                kind: call.kind,
                inputs: call.inputs,
                after: call.after,
                depth,
                at: call.at,
            })
            .collect();
        Ok(Graph { job, nodes, scopes: self.scopes, constants: self.constants, results })
    }

    fn results(&mut self, job: &JobDef, returned: &[Raw]) -> Vec<JobResult> {
        let at = CallSite { file: job.file, line: job.line };
        let mut results = Vec::new();
        for raw in returned {
            match self.look(*raw, job.name, at) {
                Form::Single { source, info, .. } => results.push(JobResult { source: Some(source), info }),
                Form::Done { .. } => results.push(JobResult { source: None, info: TypeInfo::of::<()>() }),
                Form::Dynamic { .. } => {
                    self.error(
                        job.name,
                        at,
                        "it returns a dynamic output: collect it, so that the job gives one value",
                    );
                }
                Form::Wrong => {}
            }
        }
        results
    }

    /// The name of each call: explicit ones first, then automatic ones in call order.
    fn names(&mut self) -> Vec<Arc<str>> {
        let mut taken = HashSet::new();
        let mut names: Vec<Option<Arc<str>>> = vec![None; self.calls.len()];
        let mut twice = Vec::new();
        for (call, slot) in self.calls.iter().zip(&mut names) {
            let explicit = call.options.iter().find_map(|option| match option {
                CallOption::Name(name) => Some(name),
                _ => None,
            });
            if let Some(explicit) = explicit {
                let name: Arc<str> = format!("{}{explicit}", call.prefix).into();
                if !taken.insert(Arc::clone(&name)) {
                    twice.push((base_name(call).to_owned(), call.at, name.to_string()));
                }
                *slot = Some(name);
            }
        }
        for (op, at, name) in twice {
            self.error(
                &op,
                at,
                format!("another step is named \"{name}\" already: give each a name of its own"),
            );
        }
        let mut counts: HashMap<String, u32> = HashMap::new();
        for (call, name) in self.calls.iter().zip(&mut names) {
            if name.is_none() && is_step(&call.kind) {
                let base = format!("{}{}", call.prefix, base_name(call));
                let count = counts.entry(base.clone()).or_default();
                *name = Some(next_name(&base, count, &mut taken));
            }
        }
        let named = |source: &Source| match source {
            Source::Output(node, _) => names[node.index()].clone(),
            Source::Item(scope, _) => {
                self.scopes[scope.index()].fan.and_then(|fan| names[fan.node().index()].clone())
            }
            Source::Constant(_) | Source::Argument(_) => None,
        };
        let quiet = self.calls.iter().map(|call| match &call.kind {
            NodeKind::Gather { items, gather, .. } => {
                let item = items.first().and_then(named).unwrap_or_else(|| "item".into());
                let verb = match gather {
                    Gather::Keyed(_) => "collect_keyed",
                    Gather::Results(_) => "collect_results",
                    Gather::Held => "hold",
                    Gather::Ended => "ended",
                    Gather::List | Gather::Fold(_) => "collect",
                };
                format!("{verb}({item})").into()
            }
            NodeKind::Op(_) | NodeKind::Zip { .. } => "".into(),
        });
        let quiet: Vec<Arc<str>> = quiet.collect();
        names.into_iter().zip(quiet).map(|(name, quiet)| name.unwrap_or(quiet)).collect()
    }
}

fn is_step(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Op(_) | NodeKind::Zip { .. } => true,
        NodeKind::Gather { gather, .. } => matches!(gather, Gather::Fold(_)),
    }
}

fn base_name(call: &Call) -> &'static str {
    match call.kind {
        NodeKind::Op(op) | NodeKind::Gather { gather: Gather::Fold(op), .. } => op.name,
        NodeKind::Zip { .. } => "zip",
        NodeKind::Gather { .. } => "collect",
    }
}

/// `base`, `base_2`, …: the next that is not taken.
fn next_name(base: &str, count: &mut u32, taken: &mut HashSet<Arc<str>>) -> Arc<str> {
    loop {
        *count += 1;
        let name: Arc<str> = if *count == 1 { base.into() } else { format!("{base}_{count}").into() };
        if taken.insert(Arc::clone(&name)) {
            return name;
        }
    }
}

/// What the call says, else the op, else the job.
fn step_options(call: &Call, job: &JobDef) -> StepOptions {
    let (op, folds) = match call.kind {
        NodeKind::Op(op) => (op.options, false),
        NodeKind::Gather { gather: Gather::Fold(op), .. } => (op.options, true),
        NodeKind::Gather { .. } | NodeKind::Zip { .. } => return StepOptions::default(),
    };
    let OpOptions { retry, timeout, priority, pool, tags, streaming } = op;
    let mut options = StepOptions {
        priority: priority.unwrap_or(0),
        retry: if folds { None } else { retry.or(job.options.retry) },
        timeout,
        pool: pool.map(Into::into),
        tags: tags.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        streaming,
    };
    for option in &call.options {
        match option {
            CallOption::Name(_) => {}
            CallOption::Priority(priority) => options.priority = *priority,
            CallOption::Retry(retry) => options.retry = Some(*retry),
            CallOption::Timeout(timeout) => options.timeout = Some(*timeout),
            CallOption::Pool(pool) => options.pool = Some(pool.as_str().into()),
            CallOption::Tag(name, value) => {
                options.tags.retain(|(known, _)| **known != **name);
                options.tags.push((name.as_str().into(), value.as_str().into()));
            }
        }
    }
    options
}

/// Every source that a call waits for.
pub(super) fn sources(call: &Call) -> Vec<Source> {
    call.kind.waits_for(&call.inputs, &call.after)
}

/// The longest path behind each call. `after` may name a later call, so this goes by what waits
/// for what and not by call order; it ends because nothing can be said about a call once it is used.
fn depths(calls: &[Call], scopes: &[Scope]) -> Vec<u32> {
    let behind = |source: &Source| match source {
        Source::Output(node, _) => Some(node.index()),
        Source::Item(scope, _) => scopes[scope.index()].fan.map(Fan::node).map(|node| node.index()),
        Source::Constant(_) | Source::Argument(_) => None,
    };
    let reads: Vec<Vec<usize>> =
        calls.iter().map(|call| sources(call).iter().filter_map(behind).collect()).collect();
    let mut readers = vec![Vec::new(); calls.len()];
    let mut missing: Vec<usize> = reads.iter().map(Vec::len).collect();
    for (reader, reads) in reads.iter().enumerate() {
        for read in reads {
            readers[*read].push(reader);
        }
    }
    let mut depths = vec![0; calls.len()];
    let mut ready: Vec<usize> = (0..calls.len()).filter(|call| missing[*call] == 0).collect();
    while let Some(call) = ready.pop() {
        let next = depths[call] + u32::from(is_step(&calls[call].kind));
        for reader in &readers[call] {
            depths[*reader] = depths[*reader].max(next);
            missing[*reader] -= 1;
            if missing[*reader] == 0 {
                ready.push(*reader);
            }
        }
    }
    depths
}
