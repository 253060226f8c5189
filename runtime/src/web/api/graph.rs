//! `GET /api/v1/runs/{id}/graph`: the drawing of a run's graph, from its record alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::params::{Pairs, Params};
use super::rows::find;
use super::types::GraphView;
use crate::record::Facts;
use crate::shape::Shape;
use crate::web::App;
use crate::web::refused::Refused;

/// Answers the request.
pub(crate) async fn of_run(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    pairs: Pairs,
) -> Result<Json<GraphView>, Refused> {
    Params::of(pairs, &[])?;
    let view = app.blocking(move |app| {
        let row = find(app, &id)?;
        let facts = Facts::read(&row.id, &row.facts).map_err(crate::record::ReadError::from)?;
        Ok(view(&facts.shape))
    });
    view.await.map(Json)
}

/// The drawing of a graph.
pub(crate) fn view(_shape: &Shape) -> GraphView {
    GraphView { width: 0.0, height: 0.0, nodes: Vec::new(), boxes: Vec::new(), edges: Vec::new() }
}
