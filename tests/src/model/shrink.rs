//! Makes a plan that already fails smaller still, on the plan itself.
//!
//! Proptest shrinks the raw bodies, where leaving out a let shifts what others read. Here what
//! nobody reads is taken away and what remains keeps reading the same.

use std::collections::BTreeSet;

use super::plan::{Expr, Handle, Input, Let, Op, Plan, Work};
use super::scope::inputs;

/// Plans with one thing less.
pub(super) fn smaller(plan: &Plan) -> impl Iterator<Item = Plan> + '_ {
    let lets = count(&plan.body);
    let removed = (0..lets).rev().filter_map(|index| edited(plan, index, remove));
    let unwrapped = (0..lets).filter_map(|index| edited(plan, index, unwrap));
    let trimmed = (0..lets).flat_map(move |index| {
        EDITS.iter().filter_map(move |edit| edited(plan, index, |block, at, _| edit(&mut block[at])))
    });
    without_outputs(plan)
        .into_iter()
        .chain(removed)
        .chain(unwrapped)
        .chain(trimmed)
        .filter(move |smaller| smaller != plan)
}

fn without_outputs(plan: &Plan) -> Option<Plan> {
    let mut plan = plan.clone();
    plan.outputs.clear();
    Some(plan)
}

type Edit = fn(&mut Let);

/// Takes something from one let; the handles that it binds stay, or are known to be unread.
const EDITS: &[Edit] = &[
    |edited| on_op(edited, |op| op.failing.first = 0),
    |edited| on_op(edited, |op| op.failing.when = None),
    |edited| on_op(edited, |op| (op.named, op.priority, op.pool, op.tag) = (None, 0, None, None)),
    |edited| on_op(edited, |op| op.after.clear()),
    |edited| on_op(edited, |op| op.retry = None),
    |edited| on_op(edited, |op| op.retry_at_call = None),
    |edited| on_op(edited, |op| drop(op.inputs.pop())),
    |edited| on_op(edited, |op| op.inputs = op.inputs.split_off(op.inputs.len().min(1))),
    |edited| on_op(edited, |op| op.inputs = op.inputs.iter().map(|_| Input::Constant(0)).collect()),
    |edited| {
        on_work(edited, |work| match work {
            Work::Single { nothing_when, .. } => *nothing_when = None,
            Work::Emit(emitter) => (emitter.nothing_when, emitter.drops_when) = (None, None),
        })
    },
    |edited| {
        on_work(edited, |work| {
            if let Work::Emit(emitter) = work
                && emitter.attempts.len() > 1
            {
                emitter.attempts.remove(0);
            }
        })
    },
    |edited| {
        on_work(edited, |work| {
            if let Work::Emit(emitter) = work {
                emitter.attempts.iter_mut().for_each(|attempt| drop(attempt.items.pop()));
            }
        })
    },
];

fn on_op(edited: &mut Let, edit: impl FnOnce(&mut Op)) {
    if let Expr::Op(op) = &mut edited.expr {
        edit(op);
    }
}

fn on_work(edited: &mut Let, edit: impl FnOnce(&mut Work)) {
    on_op(edited, |op| edit(&mut op.work));
}

/// Removes the let if nobody reads what it binds; of a map at least the handles nobody reads.
fn remove(block: &mut Vec<Let>, at: usize, read: &BTreeSet<Handle>) {
    let Let { binds, expr } = &mut block[at];
    let mut bound_inside = BTreeSet::new();
    match expr {
        Expr::Map(map) => {
            let kept: Vec<_> = binds.iter().map(|bind| read.contains(bind)).collect();
            let mut keeps = kept.iter();
            binds.retain(|_| *keeps.next().expect("one for each"));
            let mut keeps = kept.iter();
            map.returns.retain(|_| *keeps.next().expect("one for each"));
            if !binds.is_empty() {
                return;
            }
        }
        Expr::Graph { body, .. } => bound_inside = bound(body),
        _ => {}
    }
    if binds.iter().chain(&bound_inside).all(|bind| !read.contains(bind)) {
        block.remove(at);
    } else if let Expr::Graph { body, .. } = expr {
        // The calls without the graph around them.
        let body = std::mem::take(body);
        block.splice(at..=at, body);
    }
}

/// The calls of a closure without the map around them, if they use no item of it.
fn unwrap(block: &mut Vec<Let>, at: usize, read: &BTreeSet<Handle>) {
    let Let { binds, expr } = &mut block[at];
    if let Expr::Map(map) = expr
        && binds.is_empty()
        && !map.items.iter().any(|item| read.contains(item))
    {
        let body = std::mem::take(&mut map.body);
        block.splice(at..=at, body);
    }
}

/// The plan with `edit` done to the let number `index`, counted in call order.
fn edited(
    plan: &Plan,
    index: usize,
    edit: impl FnOnce(&mut Vec<Let>, usize, &BTreeSet<Handle>),
) -> Option<Plan> {
    let mut read: BTreeSet<Handle> = plan.outputs.iter().copied().collect();
    list_reads(&plan.body, &mut read);
    let mut plan = plan.clone();
    let (block, at) = find(&mut plan.body, &mut { index })?;
    edit(block, at, &read);
    Some(plan)
}

fn find<'a>(block: &'a mut Vec<Let>, left: &mut usize) -> Option<(&'a mut Vec<Let>, usize)> {
    let mut at = 0;
    while at < block.len() {
        if *left == 0 {
            return Some((block, at));
        }
        *left -= 1;
        let inside = inner(&block[at]).map_or(0, |body| count(body));
        if *left < inside {
            return find(inner_mut(&mut block[at])?, left);
        }
        *left -= inside;
        at += 1;
    }
    None
}

fn inner(outer: &Let) -> Option<&Vec<Let>> {
    match &outer.expr {
        Expr::Map(map) => Some(&map.body),
        Expr::Graph { body, .. } => Some(body),
        _ => None,
    }
}

fn inner_mut(outer: &mut Let) -> Option<&mut Vec<Let>> {
    match &mut outer.expr {
        Expr::Map(map) => Some(&mut map.body),
        Expr::Graph { body, .. } => Some(body),
        _ => None,
    }
}

fn count(lets: &[Let]) -> usize {
    lets.iter().map(|one| 1 + inner(one).map_or(0, |body| count(body))).sum()
}

fn bound(lets: &[Let]) -> BTreeSet<Handle> {
    let inside = lets.iter().filter_map(inner).flat_map(|body| bound(body));
    lets.iter().flat_map(|one| one.binds.iter().copied()).chain(inside).collect()
}

fn list_reads(lets: &[Let], read: &mut BTreeSet<Handle>) {
    for one in lets {
        read.extend(inputs(&one.expr));
        if let Expr::Map(map) = &one.expr {
            read.extend(&map.returns);
        }
        if let Some(body) = inner(one) {
            list_reads(body, read);
        }
    }
}
