//! The data API, `/api/v1`: plain JSON, every answer bounded.

mod graph;
#[cfg(test)]
mod openapi;
pub(crate) mod types;
