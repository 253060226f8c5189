//! The page: a server on this machine alone, and the data API behind it.
//!
//! It reads the store like any other reader, and acts by starting the same program as a process of its
//! own: closing the page ends no run. What a browser draws is made in `runtime/web`, and embedded here.

mod acting;
pub(crate) mod api;
mod app;
mod assets;
mod drawings;
mod first;
#[cfg(test)]
pub(crate) mod fixture;
mod guard;
pub(crate) mod html;
mod http;
mod late;
mod layer;
mod live;
mod metrics;
mod open_runs;
mod pages;
mod place;
mod refused;
mod routes;
mod secret;
mod server;

/// The method and the path of everything that the page's server answers, for the tests that attack it.
pub fn page_routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    routes::ROUTES.iter().map(|route| (route.method, route.path))
}

pub(crate) use app::App;
pub(crate) use late::LateStore;
pub(crate) use place::{Host, PORT, Place, Port};
pub(crate) use secret::Token;
pub(crate) use server::Server;
