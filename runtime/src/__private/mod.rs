//! All that expanded code may call. Nothing here is for people, and nothing here is stable.
//!
//! Expanded code is thin: what does not depend on the user's tokens stands here. Where a decision
//! depends on a type that the macro cannot see (is it an `Option`? is it `Clone`?), expanded code
//! asks method resolution: the more special an impl, the more references stand before its receiver.

mod caught;
mod checked;
mod emit;
mod job;
mod kind;
mod modes;
mod outputs;
mod take;

pub use caught::{Caught, CaughtAny, CaughtBoxed, CaughtError, CaughtOp, Failure};
pub use checked::{Checked, CheckedStream, HasKey, check_all};
pub use emit::{ByIndex, Sendable, emit, emit_stream};
pub use job::{
    Flag, Hooked, HookedAsync, HookedSync, JobResult, JobReturn, Reads, ResultAny, ResultRecorded, argument,
    default, next, returned,
};
pub use kind::{Erase, EraseAny, Info, InfoAny, Kind, KindAny};
pub use modes::{Copies, Gives, Recorded, Takes, Transient, downcast};
pub use outputs::{
    Emitted, Given, OutputsItem, OutputsOf, Set, SetAny, emit_items, emit_items_stream, next_handle,
};
pub use take::{
    Take, TakeAny, TakeCloned, TakeDecoded, TakeDeepCloned, TakeDeepDecoded, TakePartsAny, own_or_decode,
};

pub use crate::define::{
    ArgDef, ArgForm, BoxFuture, Emission, Hook, Inputs, JobDef, OpDef, OutputDef, OutputKind, Outputs,
    ParamDef, RegisteredJob, RegisteredOp, RegisteredResource, ResourceDef, ResourceUse, ResultDef, Run,
};
pub use crate::graph::build::{CallOption, Raw, RawInput};
pub use crate::typing::{FromRaws, Handles, Input, MapBody, Single, after, say};
pub use crate::value::{AnyValue, TypeInfo};
pub use inventory;
pub use serde_json::Value as Json;

#[cfg(feature = "ui")]
pub use crate::web::page_routes;

use crate::graph::build;

/// The traits whose methods expanded code resolves, without their names: nothing of the user's is
/// hidden by them.
pub mod rungs {
    pub use super::{
        CaughtAny as _, CaughtBoxed as _, CaughtError as _, CaughtOp as _, EraseAny as _, HookedAsync as _,
        HookedSync as _, InfoAny as _, KindAny as _, ResultAny as _, ResultRecorded as _, SetAny as _,
        TakeAny as _, TakeCloned as _, TakeDecoded as _, TakeDeepCloned as _, TakeDeepDecoded as _,
        TakePartsAny as _,
    };
}

/// The row of an op, found from the type that stands beside its function.
pub trait Op {
    /// The row.
    fn def() -> &'static OpDef;
}

/// Calls an op in the job that is being built.
#[track_caller]
pub fn call<O: Op, H: FromRaws, const N: usize>(inputs: [RawInput; N]) -> H {
    H::from_raws(build::call_op(O::def(), inputs.into()))
}

/// The row of a job, found from the type that has its name.
pub trait JobRow {
    /// The row.
    fn def() -> &'static JobDef;
}

/// What a resource must be.
#[diagnostic::on_unimplemented(
    message = "a resource is shared by all steps, and `{Self}` cannot be",
    label = "not `Send + Sync + 'static`"
)]
pub trait Shareable: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Shareable for T {}

/// A resource that was built.
pub fn built<T: Shareable>(resource: T) -> AnyValue {
    std::sync::Arc::new(resource)
}

/// Names the steps of a sub-graph until it is dropped.
#[must_use]
#[derive(Debug)]
pub struct Entered(());

/// Enters a sub-graph.
#[track_caller]
pub fn enter(name: &'static str) -> Entered {
    build::enter_graph(name);
    Entered(())
}

impl Drop for Entered {
    fn drop(&mut self) {
        build::leave_graph();
    }
}
