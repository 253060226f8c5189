//! Which steps of a run are run again: `rerun RUN --select EXPR` (§5.3).
//!
//! [`Expr`] is the language; [`Selection`] is what an expression means for a job and an old run of it.
//! It answers for which steps run, which results of the old run they need, and whether that makes
//! sense. It runs nothing, and copies nothing.

mod error;
mod expr;
mod keys;
mod lines;
mod missing;
mod named;
mod needs;
mod parse;
mod past;
#[cfg(test)]
mod tests;

pub use error::{Mistake, SelectError};
pub use expr::{Expr, Reach, StateName, Target, Term};
pub use missing::Missing;
pub use past::PastRun;

use std::ops::ControlFlow;

use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::shape::Shape;

use keys::KeySet;
#[cfg(feature = "ui")]
pub(crate) use keys::Pattern;
pub(crate) use lines::Lines;
use past::{Visit, walk};

/// What becomes of a step in a rerun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// It runs.
    Run,
    /// It does not run, and a step that runs needs what it gave: it is copied from the old run. Of a
    /// node that is no step: it is made again, of what is copied and of what runs.
    Reuse,
    /// Neither.
    Absent,
}

/// Which steps run in a rerun, and what they need of the old run.
///
/// A step needs what it reads, also through lists, folds, zips and held items, and whatever opens the
/// items around it. What is never recorded (`transient`) and is needed runs again, too.
#[derive(Debug, Clone)]
pub struct Selection {
    nodes: Vec<NodeParts>,
    /// The items that have something to do in them or below.
    open: Vec<KeySet>,
    /// The items that are not those of the old run, as what opens them runs again.
    fresh: Vec<KeySet>,
}

#[derive(Debug, Clone, Default)]
struct NodeParts {
    run: KeySet,
    reuse: KeySet,
    /// Who was the first to need it.
    needed_by: Option<NodeId>,
}

/// How many steps a rerun has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many steps run; if `unknown`, as many as there would be with the keys of the old run.
    pub runs: u64,
    /// How many steps are copied from the old run.
    pub reused: u64,
    /// Whether an emitter runs again around selected steps, so that there may be more or fewer.
    pub unknown: bool,
}

impl Selection {
    /// What an expression means for a job of this shape, and an old run of it.
    ///
    /// # Errors
    /// An op or a key that there is not; a selection of nothing; results of the old run that do not go
    /// together with items that are made anew.
    pub fn resolve(expr: &Expr, shape: &Shape, past: &dyn PastRun) -> Result<Self, SelectError> {
        let lines = Lines::new(shape);
        let mut run = vec![KeySet::default(); shape.nodes.len()];
        let named = named::find(expr, &lines, past)?;
        for term in &named {
            named::select(term, &lines, &mut run);
        }
        let needs = needs::find(&lines, run);
        let whole = |mistake| SelectError { text: expr.text.clone(), at: 0..expr.text.len(), mistake };
        let selection = needs.selection().map_err(whole)?;
        named::check_keys(expr, &named, &lines, past, &selection.fresh)?;
        if selection.is_empty(shape, past) {
            return Err(whole(Mistake::Nothing));
        }
        Ok(selection)
    }

    /// All steps of a job.
    pub fn all(shape: &Shape) -> Self {
        let lines = Lines::new(shape);
        let mut run = vec![KeySet::default(); shape.nodes.len()];
        for node in shape.steps() {
            run[node.index()].insert(&[]);
        }
        needs::find(&lines, run).selection().expect("nothing that runs needs what does not")
    }

    /// What becomes of the step of `node` in the item of these keys. Allocates nothing.
    pub fn step(&self, node: NodeId, keys: &[Key]) -> Part {
        let parts = &self.nodes[node.index()];
        if parts.run.holds(keys) {
            Part::Run
        } else if parts.reuse.holds(keys) {
            Part::Reuse
        } else {
            Part::Absent
        }
    }

    /// Whether anything in the item of these keys, or below it, runs or is needed. Allocates nothing.
    ///
    /// An emitter that runs records all its items, those that are not opened too.
    pub fn opens(&self, scope: ScopeId, keys: &[Key]) -> bool {
        scope == ScopeId::ROOT || self.open[scope.index()].touches(keys)
    }

    /// How many steps would run, and how many are copied: one look at each item that matters.
    pub fn count(&self, shape: &Shape, past: &dyn PastRun) -> Count {
        let mut count = Count { unknown: self.may_grow(), ..Count::default() };
        self.each(shape, past, |node, visit| {
            match self.step(node, visit.keys) {
                Part::Run => count.runs += 1,
                Part::Reuse => count.reused += 1,
                Part::Absent => {}
            }
            ControlFlow::Continue(())
        });
        count
    }

    fn may_grow(&self) -> bool {
        self.fresh.iter().zip(&self.open).any(|(fresh, open)| !fresh.is_empty() && !open.is_empty())
    }

    fn is_empty(&self, shape: &Shape, past: &dyn PastRun) -> bool {
        if self.may_grow() {
            return false;
        }
        let mut empty = true;
        self.each(shape, past, |node, visit| match self.step(node, visit.keys) {
            Part::Run => {
                empty = false;
                ControlFlow::Break(())
            }
            Part::Reuse | Part::Absent => ControlFlow::Continue(()),
        });
        empty
    }

    /// Comes by the steps of the old run's items that have something to do in them.
    fn each(
        &self,
        shape: &Shape,
        past: &dyn PastRun,
        mut step: impl FnMut(NodeId, &Visit<'_>) -> ControlFlow<()>,
    ) {
        let steps = steps_by_scope(shape);
        walk(shape, past, |visit| {
            if !self.opens(visit.scope, visit.keys) {
                return ControlFlow::Continue(false);
            }
            for node in &steps[visit.scope.index()] {
                step(*node, &visit)?;
            }
            ControlFlow::Continue(true)
        });
    }
}

fn steps_by_scope(shape: &Shape) -> Vec<Vec<NodeId>> {
    let mut steps = vec![Vec::new(); shape.scopes.len()];
    for node in shape.steps() {
        steps[shape.node(node).scope.index()].push(node);
    }
    steps
}
