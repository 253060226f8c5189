//! The row of a resource: something that is built once and lent to ops.

use std::any::TypeId;
use std::fmt;

use super::{BoxFuture, ResourceUse};
use crate::error::OpError;
use crate::value::AnyValue;

/// A resource: a user's function that builds it.
pub struct ResourceDef {
    /// The function's name.
    pub name: &'static str,
    /// The file that it stands in.
    pub file: &'static str,
    /// The line of its name.
    pub line: u32,
    /// The type that it builds.
    pub type_id: fn() -> TypeId,
    /// The type's name.
    pub type_name: fn() -> &'static str,
    /// The resources that it is built from.
    pub resources: &'static [ResourceUse],
    /// The function; it is given what it is built from, in order.
    pub build: fn(Vec<AnyValue>) -> BoxFuture<Result<AnyValue, OpError>>,
}

impl fmt::Debug for ResourceDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceDef")
            .field("name", &self.name)
            .field("type", &(self.type_name)())
            .finish_non_exhaustive()
    }
}
