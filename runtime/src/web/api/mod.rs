//! The data API, `/api/v1`: plain JSON, every answer bounded.

pub(crate) mod act;
pub(crate) mod convert;
#[cfg(all(test, feature = "sqlite"))]
mod cost;
pub(crate) mod events;
pub(crate) mod graph;
pub(crate) mod jobs;
pub(crate) mod live;
#[cfg(test)]
mod openapi;
pub(crate) mod params;
#[cfg(test)]
mod recording;
pub(crate) mod rows;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod step;
pub(crate) mod steps;
pub(crate) mod timeline;
pub(crate) mod types;
