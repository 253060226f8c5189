//! The data API, `/api/v1`: plain JSON, every answer bounded.

pub(crate) mod convert;
#[cfg(test)]
mod openapi;
pub(crate) mod types;
