//! The data API, `/api/v1`: plain JSON, every answer bounded.

pub(crate) mod act;
pub(crate) mod convert;
pub(crate) mod live;
#[cfg(test)]
mod openapi;
pub(crate) mod types;
