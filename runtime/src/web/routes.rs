//! Every address that the server answers, in one table: the router, the tests of what must be refused
//! and the API's document are made from it.

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use super::App;
use super::api::{act, events, graph, jobs, live, run, runs, step, steps, timeline};
use super::metrics::metrics;
use super::pages::{api_document, icon, more, more_sheet, page, script, sheet};

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
    Route { method: "POST", path: "/api/v1/jobs/{job}/runs", answer: || post(act::launch) },
    Route { method: "POST", path: "/api/v1/runs/{id}/resume", answer: || post(act::resume) },
    Route { method: "POST", path: "/api/v1/runs/{id}/rerun", answer: || post(act::rerun) },
    Route { method: "POST", path: "/api/v1/runs/{id}/cancel", answer: || post(act::cancel) },
    Route { method: "GET", path: "/api/v1/live", answer: || get(live::list) },
    Route { method: "GET", path: "/api/v1/runs/{id}/live", answer: || get(live::run) },
    Route { method: "GET", path: "/", answer: || get(page) },
    Route { method: "GET", path: "/jobs", answer: || get(page) },
    Route { method: "GET", path: "/jobs/{job}", answer: || get(page) },
    Route { method: "GET", path: "/jobs/{job}/launch", answer: || get(page) },
    Route { method: "GET", path: "/runs/{id}", answer: || get(page) },
    Route { method: "GET", path: "/runs/{id}/steps/{step}", answer: || get(page) },
    Route { method: "GET", path: "/app.js", answer: || get(script) },
    Route { method: "GET", path: "/more.js", answer: || get(more) },
    Route { method: "GET", path: "/more.css", answer: || get(more_sheet) },
    Route { method: "GET", path: "/app.css", answer: || get(sheet) },
    Route { method: "GET", path: "/metrics", answer: || get(metrics) },
    Route { method: "GET", path: "/favicon.svg", answer: || get(icon) },
    Route { method: "GET", path: "/api/v1/openapi.json", answer: || get(api_document) },
    Route { method: "GET", path: "/api/v1/runs", answer: || get(runs::list) },
    Route { method: "GET", path: "/api/v1/runs/{id}", answer: || get(run::one) },
    Route { method: "GET", path: "/api/v1/runs/{id}/graph", answer: || get(graph::of_run) },
    Route { method: "GET", path: "/api/v1/runs/{id}/steps/{step}", answer: || get(step::step) },
    Route {
        method: "GET",
        path: "/api/v1/runs/{id}/steps/{step}/value/{output}",
        answer: || get(step::value),
    },
    Route { method: "GET", path: "/api/v1/runs/{id}/events", answer: || get(events::page) },
    Route { method: "GET", path: "/api/v1/jobs", answer: || get(jobs::list) },
    Route { method: "GET", path: "/api/v1/jobs/{job}", answer: || get(jobs::one) },
    Route { method: "GET", path: "/api/v1/runs/{id}/steps", answer: || get(steps::steps) },
    Route { method: "GET", path: "/api/v1/runs/{id}/timeline", answer: || get(timeline::timeline) },
];

/// The router of the table.
pub(super) fn router() -> Router<Arc<App>> {
    ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.answer)()))
}
