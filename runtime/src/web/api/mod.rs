//! The data API, `/api/v1`: plain JSON, every answer bounded.

mod asked;
pub(crate) mod convert;
#[cfg(test)]
mod openapi;
pub(crate) mod steps;
pub(crate) mod timeline;
pub(crate) mod types;
