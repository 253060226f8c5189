//! Names of steps, without their keys (§1.13, §1.15).
//!
//! Readings where the rules are silent:
//! - A fold is a step under the name of its op, as a call of that op would be (§1.12, §1.15).
//! - A graph called twice is `clean`, `clean_2`, and names are counted within each (§1.13).

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Expr, Handle, Let, Plan};

/// One call that makes a step, or the graph around some.
struct Call<'a> {
    binds: Handle,
    prefix: String,
    function: &'a str,
    explicit: Option<&'a str>,
}

/// The name of every op, fold and zip by the handle that it binds.
pub fn names(plan: &Plan) -> BTreeMap<Handle, String> {
    let mut calls = Vec::new();
    list(&plan.body, "", &mut BTreeSet::new(), &mut calls);
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    let (explicit, automatic): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.explicit.is_some());
    for call in explicit {
        let name = format!("{}{}", call.prefix, call.explicit.unwrap_or_default());
        assert!(taken.insert(name.clone()), "the plan names two calls `{name}`: an error of building");
        names.insert(call.binds, name);
    }
    for call in automatic {
        names.insert(call.binds, free_name(&call.prefix, call.function, &mut taken));
    }
    names
}

/// `dbl`, `dbl_2`, …: the first that is not taken.
fn free_name(prefix: &str, function: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|count| format!("{prefix}{function}_{count}"));
    let mut candidates = std::iter::once(format!("{prefix}{function}")).chain(numbered);
    let name = candidates.find(|name| !taken.contains(name)).expect("endless");
    taken.insert(name.clone());
    name
}

/// All calls in call order: a closure is run when `map` is called (§1.1).
fn list<'a>(lets: &'a [Let], prefix: &str, graphs: &mut BTreeSet<String>, calls: &mut Vec<Call<'a>>) {
    for Let { binds, expr } in lets {
        let mut call = |function, explicit| {
            calls.push(Call { binds: binds[0], prefix: prefix.to_owned(), function, explicit });
        };
        match expr {
            Expr::Op(op) => call(op.function, op.named.as_deref()),
            Expr::Fold(fold) => call(fold.function, None),
            Expr::Zip { .. } => call("zip", None),
            Expr::Map(map) => list(&map.body, prefix, graphs, calls),
            Expr::Graph { function, body } => {
                let graph = free_name(prefix, function, graphs);
                list(body, &format!("{graph}."), graphs, calls);
            }
            Expr::Argument(_) | Expr::Collect { .. } => {}
        }
    }
}
