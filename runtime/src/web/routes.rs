//! Every address that the server answers, in one table: the router, the tests of what must be refused
//! and the API's document are made from it.

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get};

use super::App;
use super::api::{steps, timeline};

/// An address and what answers it.
pub(super) struct Route {
    /// `GET` or `POST`.
    pub(super) method: &'static str,
    /// As the router has it: `/api/v1/runs/{id}`.
    pub(super) path: &'static str,
    pub(super) answer: fn() -> MethodRouter<Arc<App>>,
}

/// All of them.
pub(super) const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/api/v1/runs/{id}/steps", answer: || get(steps::steps) },
    Route { method: "GET", path: "/api/v1/runs/{id}/timeline", answer: || get(timeline::timeline) },
];

/// The router of the table.
pub(super) fn router() -> Router<Arc<App>> {
    ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.answer)()))
}
