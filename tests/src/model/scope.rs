//! Scopes: every let moved to where it belongs (§1.3, §1.4).
//!
//! A scope is written as a depth, the number of closures around it: the inputs of one op lie on
//! one line, so the depth says which scope it is.

use std::collections::BTreeMap;

use super::plan::{Expr, Handle, Input, Let, Map, Op, Plan};

/// The depth of every handle bound so far.
pub type Depths = BTreeMap<Handle, usize>;

/// A body with every let in its own scope.
pub struct Settled {
    /// The lets, without graphs.
    pub lets: Vec<Let>,
    /// The depth of every handle.
    pub depths: Depths,
}

/// The body with each let in the closure of its own scope: what uses no item of a closure moved
/// out to just before the map (§1.4), graphs dissolved into their calls.
pub fn settle(plan: &Plan) -> Settled {
    let mut depths = Depths::new();
    let settled = settle_block(&plan.body, 0, &mut depths);
    Settled { lets: settled.into_iter().map(|(_, settled)| settled).collect(), depths }
}

fn settle_block(lets: &[Let], place: usize, depths: &mut Depths) -> Vec<(usize, Let)> {
    let mut settled = Vec::new();
    for Let { binds, expr } in lets {
        let (depth, expr) = match expr {
            Expr::Graph { body, .. } => {
                settled.extend(settle_block(body, place, depths));
                continue;
            }
            Expr::Map(map) => {
                depths.extend(map.items.iter().map(|item| (*item, place + 1)));
                let (own, outer): (Vec<_>, Vec<_>) = settle_block(&map.body, place + 1, depths)
                    .into_iter()
                    .partition(|(depth, _)| *depth > place);
                settled.extend(outer);
                let body = own.into_iter().map(|(_, settled)| settled).collect();
                // What `map` gives has the scope of the place where it is called (§1.3).
                (place, Expr::Map(Map { body, ..map.clone() }))
            }
            other => (inputs(other).map(|input| depths[&input]).max().unwrap_or(0), other.clone()),
        };
        depths.extend(binds.iter().map(|bind| (*bind, depth)));
        settled.push((depth, Let { binds: binds.clone(), expr }));
    }
    settled
}

/// The handles that `expr` reads itself; a graph's and a closure's lets read their own.
pub fn inputs(expr: &Expr) -> Box<dyn Iterator<Item = Handle> + '_> {
    match expr {
        Expr::Argument(_) | Expr::Graph { .. } => Box::new([].into_iter()),
        Expr::Op(op) => Box::new(op_inputs(op)),
        Expr::Map(map) => Box::new([map.over].into_iter()),
        Expr::Collect { over, .. } => Box::new([*over].into_iter()),
        Expr::Fold(fold) => Box::new([fold.over].into_iter()),
        Expr::Zip { left, right } => Box::new([*left, *right].into_iter()),
    }
}

/// Arguments and `.after`, which counts as an input for the scope (§1.15).
pub(super) fn op_inputs(op: &Op) -> impl Iterator<Item = Handle> {
    let arguments = op.inputs.iter().flat_map(|input| match input {
        Input::Constant(_) => &[],
        Input::One(handle) | Input::Maybe(handle) => std::slice::from_ref(handle),
        Input::List(handles) => handles.as_slice(),
    });
    arguments.chain(&op.after).copied()
}
