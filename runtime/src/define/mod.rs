//! What the macros register: one row for each op, job and resource of the program.
//!
//! Rows are constants, so that registering costs nothing but a pointer in the program's data.

mod first;
mod job;
mod op;
mod registry;
mod resource;

pub(crate) use first::FirstValues;
pub use job::{ArgDef, ArgForm, Hook, JobDef, ResultDef};
pub use op::{Emission, Inputs, Item, OpDef, OutputDef, OutputKind, Outputs, ParamDef, ResourceUse, Run};
pub use registry::{RegisteredJob, RegisteredOp, RegisteredResource, jobs, ops, resources};
pub use resource::ResourceDef;

use std::future::Future;
use std::pin::Pin;

/// A future that can be sent to another thread, as async ops and emitters give it.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
