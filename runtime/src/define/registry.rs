//! The registry: the one global state, filled before `main` and never changed.
//!
//! Everything that knows `inventory` stands in this file.

use super::{JobDef, OpDef, ResourceDef};

/// A registered op.
#[derive(Debug)]
pub struct RegisteredOp(pub &'static OpDef);
/// A registered job.
#[derive(Debug)]
pub struct RegisteredJob(pub &'static JobDef);
/// A registered resource.
#[derive(Debug)]
pub struct RegisteredResource(pub &'static ResourceDef);

inventory::collect!(RegisteredOp);
inventory::collect!(RegisteredJob);
inventory::collect!(RegisteredResource);

/// All ops of the program, by module and name.
pub fn ops() -> Vec<&'static OpDef> {
    let mut all: Vec<_> = inventory::iter::<RegisteredOp>().map(|row| row.0).collect();
    all.sort_by_key(|op| (op.module, op.function));
    all
}

/// All jobs of the program, by name.
pub fn jobs() -> Vec<&'static JobDef> {
    let mut all: Vec<_> = inventory::iter::<RegisteredJob>().map(|row| row.0).collect();
    all.sort_by_key(|job| (job.name, job.module));
    all
}

/// All resources of the program, by name.
pub fn resources() -> Vec<&'static ResourceDef> {
    let mut all: Vec<_> = inventory::iter::<RegisteredResource>().map(|row| row.0).collect();
    all.sort_by_key(|resource| (resource.name, resource.file));
    all
}
