//! From an expression to the steps that it names: ops, sub-graphs, states and keys.

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};

use crate::event::StepState;
use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::step::StepName;
use crate::text::nearest;

use super::keys::{KeySet, Pattern, cut};
use super::lines::Lines;
use super::past::{Visit, walk};
use super::{Expr, Mistake, PastRun, Reach, SelectError, StateName, Target, steps_by_scope};

/// How many keys are compared with one that there is not.
const COMPARED: usize = 10_000;
/// How many near keys are named.
const NEAR_KEYS: usize = 3;

/// A term, and the steps that it names.
pub(super) struct Named {
    before: Reach,
    after: Reach,
    steps: Vec<(NodeId, Pattern)>,
    at: Range<usize>,
    /// The keys that were written: they must be there.
    keys: Vec<Key>,
}

/// The steps that the terms name.
pub(super) fn find(expr: &Expr, lines: &Lines<'_>, past: &dyn PastRun) -> Result<Vec<Named>, SelectError> {
    let named = |(term, at): &(super::Term, Range<usize>)| {
        let error = |mistake| SelectError { text: expr.text.clone(), at: at.clone(), mistake };
        let (keys, steps) = match &term.target {
            Target::Steps { op, keys } => (keys.clone(), of_op(op, keys, lines).map_err(error)?),
            Target::Graph { graph, keys } => {
                (keys.clone(), of_ops(&below(graph, lines), graph, keys, lines).map_err(error)?)
            }
            Target::State(state) => (Vec::new(), in_state(*state, lines, past)),
        };
        Ok(Named { before: term.before, after: term.after, steps, at: at.clone(), keys })
    };
    expr.terms.iter().map(named).collect()
}

fn of_op(op: &str, keys: &[Key], lines: &Lines<'_>) -> Result<Vec<(NodeId, Pattern)>, Mistake> {
    let alone = lines.shape.steps().find(|node| *lines.shape.node(*node).name == *op);
    let nodes = alone.map_or_else(|| below(op, lines), |node| vec![node]);
    of_ops(&nodes, op, keys, lines)
}

/// The ops of a sub-graph.
fn below(graph: &str, lines: &Lines<'_>) -> Vec<NodeId> {
    let inside = |name: &str| name.strip_prefix(graph).is_some_and(|rest| rest.starts_with('.'));
    lines.shape.steps().filter(|node| inside(&lines.shape.node(*node).name)).collect()
}

fn of_ops(
    nodes: &[NodeId],
    name: &str,
    keys: &[Key],
    lines: &Lines<'_>,
) -> Result<Vec<(NodeId, Pattern)>, Mistake> {
    let Some(deepest) = nodes.iter().map(|node| lines.keys_of(*node)).max() else {
        return Err(unknown(name, lines));
    };
    if deepest < keys.len() {
        return Err(Mistake::TooManyKeys { op: name.to_owned(), keys: deepest });
    }
    let pattern: Pattern = keys.iter().cloned().map(Some).collect();
    let nodes = nodes.iter().filter(|node| lines.keys_of(**node) >= keys.len());
    Ok(nodes.map(|node| (*node, pattern.clone())).collect())
}

fn unknown(name: &str, lines: &Lines<'_>) -> Mistake {
    let known: Vec<_> = lines.shape.steps().map(|node| lines.shape.node(node).name.to_string()).collect();
    let graphs = known.iter().filter_map(|name| name.rsplit_once('.')).map(|(graph, _)| graph);
    let near = nearest(name, known.iter().map(String::as_str).chain(graphs)).map(str::to_owned);
    Mistake::UnknownOp { op: name.to_owned(), near, known }
}

fn in_state(state: StateName, lines: &Lines<'_>, past: &dyn PastRun) -> Vec<(NodeId, Pattern)> {
    let steps = steps_by_scope(lines.shape);
    let mut found = Vec::new();
    walk(lines.shape, past, |visit: Visit<'_>| {
        for node in &steps[visit.scope.index()] {
            if state.is(past.state(visit.item, *node)) {
                found.push((*node, visit.keys.iter().cloned().map(Some).collect()));
            }
        }
        ControlFlow::Continue(true)
    });
    found
}

impl StateName {
    fn is(self, state: Option<StepState>) -> bool {
        match self {
            Self::Failed => state == Some(StepState::Failed),
            Self::UpstreamFailed => state == Some(StepState::UpstreamFailed),
            Self::Skipped => state == Some(StepState::Skipped),
            Self::Cancelled => state == Some(StepState::Cancelled),
            Self::NotSucceeded => !matches!(state, Some(StepState::Succeeded | StepState::Skipped)),
        }
    }
}

/// Adds the steps of a term, and those that it reaches, to the steps that run.
pub(super) fn select(named: &Named, lines: &Lines<'_>, run: &mut [KeySet]) {
    for (node, pattern) in &named.steps {
        run[node.index()].insert(pattern);
    }
    reach(&named.steps, named.before, lines, run, |node, pattern| {
        let before = lines.reads(node).iter();
        before
            .flat_map(|read| lines.before(node, *read, pattern).into_iter().map(|pattern| (*read, pattern)))
            .collect()
    });
    reach(&named.steps, named.after, lines, run, |node, pattern| lines.after(node, pattern));
}

fn reach(
    start: &[(NodeId, Pattern)],
    reach: Reach,
    lines: &Lines<'_>,
    run: &mut [KeySet],
    next: impl Fn(NodeId, &[Option<Key>]) -> Vec<(NodeId, Pattern)>,
) {
    if reach == Reach::Nothing {
        return;
    }
    let mut seen = vec![KeySet::default(); run.len()];
    let mut queue = start.to_vec();
    while let Some((node, pattern)) = queue.pop() {
        for (other, pattern) in next(node, &pattern) {
            let is_step = lines.shape.node(other).is_step();
            let pattern = if is_step { cut(&pattern, lines.keys_of(other)) } else { pattern };
            if !seen[other.index()].insert(&pattern) {
                continue;
            }
            if is_step {
                run[other.index()].insert(&pattern);
            }
            if !is_step || reach == Reach::All {
                queue.push((other, pattern));
            }
        }
    }
}

/// Refuses a key that the old run does not have, unless the item may be a new one.
pub(super) fn check_keys(
    expr: &Expr,
    named: &[Named],
    lines: &Lines<'_>,
    past: &dyn PastRun,
    fresh: &[KeySet],
) -> Result<(), SelectError> {
    let may_be_new = |node: NodeId, pattern: &Pattern| {
        lines.around(node).any(|scope| fresh[scope.index()].meets(&cut(pattern, lines.depth(scope))))
    };
    let written: Vec<&Named> = named
        .iter()
        .filter(|term| !term.keys.is_empty())
        .filter(|term| !term.steps.iter().any(|(node, pattern)| may_be_new(*node, pattern)))
        .collect();
    let there = existing(&written, lines, past);
    for term in written {
        let exists = |(node, _): &(NodeId, Pattern)| {
            there[level(*node, &term.keys, lines).index()].contains(&*term.keys)
        };
        if let Some((node, _)) = term.steps.first()
            && !term.steps.iter().any(exists)
        {
            let mistake = no_key(*node, &term.keys, lines, past);
            return Err(SelectError { text: expr.text.clone(), at: term.at.clone(), mistake });
        }
    }
    Ok(())
}

/// The outermost scope around a node whose items have so many keys.
fn level(node: NodeId, keys: &[Key], lines: &Lines<'_>) -> ScopeId {
    let deep = |scope: &ScopeId| lines.depth(*scope) >= keys.len();
    lines.around(node).take_while(deep).last().unwrap_or(ScopeId::ROOT)
}

/// Those of the written keys that items of the old run begin with, each in its scope.
fn existing<'n>(written: &[&'n Named], lines: &Lines<'_>, past: &dyn PastRun) -> Vec<HashSet<&'n [Key]>> {
    let mut open = vec![KeySet::default(); lines.shape.scopes.len()];
    let mut wanted: Vec<HashSet<&'n [Key]>> = vec![HashSet::new(); open.len()];
    let mut lengths = vec![Vec::new(); open.len()];
    for (term, (node, pattern)) in written.iter().flat_map(|term| term.steps.iter().map(move |it| (term, it)))
    {
        let level = level(*node, &term.keys, lines);
        wanted[level.index()].insert(&term.keys);
        if !lengths[level.index()].contains(&term.keys.len()) {
            lengths[level.index()].push(term.keys.len());
        }
        for scope in lines.shape.outwards(level) {
            open[scope.index()].insert(&cut(pattern, lines.depth(scope)));
        }
    }
    let mut there = vec![HashSet::new(); open.len()];
    let mut left: usize = wanted.iter().map(HashSet::len).sum();
    if left == 0 {
        return there;
    }
    walk(lines.shape, past, |visit: Visit<'_>| {
        if visit.scope != ScopeId::ROOT && !open[visit.scope.index()].touches(visit.keys) {
            return ControlFlow::Continue(false);
        }
        for length in &lengths[visit.scope.index()] {
            let keys = visit.keys.get(..*length).unwrap_or(visit.keys);
            if let Some(keys) = wanted[visit.scope.index()].take(keys) {
                there[visit.scope.index()].insert(keys);
                left -= 1;
            }
        }
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(true) }
    });
    there
}

/// Which of the keys is the first that there is not, and what there is instead.
fn no_key(node: NodeId, keys: &[Key], lines: &Lines<'_>, past: &dyn PastRun) -> Mistake {
    let mut scopes: Vec<_> = lines.around(node).collect();
    scopes.reverse();
    let mut items = vec![0];
    let mut found = 0;
    let mut near = Vec::new();
    for scope in scopes {
        let Some((fan, output)) = lines.shape.scope(scope).fan else { continue };
        let given: Vec<_> = items
            .iter()
            .flat_map(|item| past.items(*item, fan, output))
            .map(|item| (item, past.parts(item)))
            .collect();
        let rest = &keys[found..];
        let agreeing = |parts: &[Key]| parts.iter().zip(rest).take_while(|(a, b)| a == b).count();
        let longest = given.iter().map(|(_, parts)| agreeing(parts)).max().unwrap_or(0);
        let parts = rest.len().min(lines.depth(scope) - found);
        if longest < parts {
            let siblings = given.iter().filter(|(_, parts)| agreeing(parts) == longest);
            near = near_keys(&rest[longest], siblings.filter_map(|(_, parts)| parts.get(longest)));
            found += longest;
            break;
        }
        items = given.into_iter().filter(|(_, it)| agreeing(it) == longest).map(|(item, _)| item).collect();
        found += parts;
        if found >= keys.len() {
            break;
        }
    }
    let missing = keys.get(found).or(keys.last()).map(Key::to_string).unwrap_or_default();
    Mistake::NoKey { step: StepName::of(&lines.shape.node(node).name, keys).to_string(), key: missing, near }
}

fn near_keys<'k>(wrong: &Key, keys: impl Iterator<Item = &'k Key>) -> Vec<String> {
    let wrong = wrong.to_string();
    let mut seen = HashSet::new();
    let mut likely: Vec<_> = keys
        .filter(|key| seen.insert(*key))
        .take(COMPARED)
        .map(|key| (strsim::jaro_winkler(&wrong, &key.to_string()), key.to_string()))
        .collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0));
    likely.into_iter().take(NEAR_KEYS).map(|(_, key)| key).collect()
}
