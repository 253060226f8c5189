//! The page: a server on this machine alone, and the data API behind it.
//!
//! It reads the store like any other reader, and acts by starting the same program as a process of its
//! own: closing the page ends no run. What a browser draws is made in `runtime/web`, and embedded here.

#![allow(dead_code, unused_imports, reason = "the parts come together one by one")]

mod api;
mod app;
#[cfg(test)]
pub(crate) mod fixture;
mod refused;
mod routes;

pub(crate) use app::App;
