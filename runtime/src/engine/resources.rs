//! Resources: built once a process, lent to the ops that take them, torn down at the end.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use tokio::sync::Mutex;

use crate::context::Resources;
use crate::define::{ResourceDef, ResourceUse, resources};
use crate::error::OpError;
use crate::graph::Graph;
use crate::panics::{caught, caught_future};
use crate::value::AnyValue;

/// Why a resource is not there.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// No function builds it.
    #[error(
        "{user} takes a resource of type `{type_name}`, and nothing builds one: write a function that returns it and mark it `#[resource]`"
    )]
    Missing {
        /// The op, or the resource, that takes it.
        user: String,
        /// The type.
        type_name: &'static str,
    },
    /// Two functions build it.
    #[error(
        "two functions build a resource of type `{type_name}`: `{first}` and `{second}`; give one of them a type of its own"
    )]
    Twice {
        /// The type.
        type_name: &'static str,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// Resources need one another in a circle.
    #[error("resource `{name}` needs itself, through the resources that it is built from")]
    Circle {
        /// One of them.
        name: &'static str,
    },
    /// The function that builds it failed.
    #[error("resource `{name}` could not be built: {error}")]
    Failed {
        /// The function.
        name: &'static str,
        /// Why.
        error: OpError,
    },
}

/// The resources of a run, in the order in which they were built.
#[derive(Debug, Default)]
pub(super) struct Built(Vec<(TypeId, AnyValue)>);

impl Built {
    /// What steps find them by; it keeps none of them alive.
    pub(super) fn by_type(&self) -> Resources {
        self.0.iter().map(|(id, value)| (*id, Arc::downgrade(value))).collect()
    }

    /// Lets go of them, last-built first.
    pub(super) fn tear_down(&mut self) {
        while let Some((_, resource)) = self.0.pop() {
            let _ = caught(|| drop(resource));
        }
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        self.tear_down();
    }
}

/// What runs of this process hold now: a second run shares it.
static SHARED: Mutex<Option<HashMap<TypeId, Weak<dyn Any + Send + Sync>>>> = Mutex::const_new(None);

/// Builds what the ops of a graph take.
pub(super) async fn build(graph: &Graph) -> Result<Built, ResourceError> {
    let rows = resources();
    refuse_twins(&rows)?;
    let order = order(graph, &rows)?;
    let mut built = Built::default();
    if order.is_empty() {
        return Ok(built);
    }
    let mut shared = SHARED.lock().await;
    let shared = shared.get_or_insert_default();
    for row in order {
        let id = (row.type_id)();
        let value = match shared.get(&id).and_then(Weak::upgrade) {
            Some(value) => value,
            None => build_one(row, &built).await?,
        };
        shared.insert(id, Arc::downgrade(&value));
        built.0.push((id, value));
    }
    Ok(built)
}

async fn build_one(row: &ResourceDef, built: &Built) -> Result<AnyValue, ResourceError> {
    let needs = row.resources.iter().filter_map(|need| {
        let id = (need.type_id)();
        built.0.iter().find(|(built, _)| *built == id).map(|(_, value)| Arc::clone(value))
    });
    let needs = needs.collect();
    let failed = |error| ResourceError::Failed { name: row.name, error };
    let future = caught(|| (row.build)(needs)).map_err(failed)?;
    caught_future(future).await.and_then(|built| built).map_err(failed)
}

fn refuse_twins(rows: &[&'static ResourceDef]) -> Result<(), ResourceError> {
    let mut seen: HashMap<TypeId, &ResourceDef> = HashMap::new();
    for row in rows {
        if let Some(first) = seen.insert((row.type_id)(), row) {
            let place = |row: &ResourceDef| format!("{} ({}:{})", row.name, row.file, row.line);
            return Err(ResourceError::Twice {
                type_name: (row.type_name)(),
                first: place(first),
                second: place(row),
            });
        }
    }
    Ok(())
}

/// The resources that a graph needs, each after those that it is built from.
fn order(graph: &Graph, rows: &[&'static ResourceDef]) -> Result<Vec<&'static ResourceDef>, ResourceError> {
    let mut order = Order { rows, done: Vec::new(), under_way: Vec::new() };
    for op in graph.nodes.iter().filter_map(crate::graph::Node::op) {
        for need in op.resources {
            order.add(&format!("op `{}`", op.name), need)?;
        }
    }
    Ok(order.done)
}

struct Order<'a> {
    rows: &'a [&'static ResourceDef],
    done: Vec<&'static ResourceDef>,
    under_way: Vec<TypeId>,
}

impl Order<'_> {
    fn add(&mut self, user: &str, need: &ResourceUse) -> Result<(), ResourceError> {
        let id = (need.type_id)();
        if self.done.iter().any(|row| (row.type_id)() == id) {
            return Ok(());
        }
        let Some(row) = self.rows.iter().find(|row| (row.type_id)() == id) else {
            return Err(ResourceError::Missing { user: user.to_owned(), type_name: (need.type_name)() });
        };
        if self.under_way.contains(&id) {
            return Err(ResourceError::Circle { name: row.name });
        }
        self.under_way.push(id);
        for inner in row.resources {
            self.add(&format!("resource `{}`", row.name), inner)?;
        }
        self.under_way.pop();
        self.done.push(row);
        Ok(())
    }
}
