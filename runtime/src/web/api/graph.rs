//! `GET /api/v1/runs/{id}/graph`: the drawing of a run's graph, from its record alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::params::{Pairs, Params};
use super::rows::find;
use super::types::{GraphBox, GraphEdge, GraphNode, GraphView};
use crate::layout::Drawing;
use crate::record::Facts;
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
        Ok(app.drawings.of(&facts.shape))
    });
    view.await.map(Json)
}

impl From<Drawing> for GraphView {
    fn from(drawing: Drawing) -> Self {
        let nodes = drawing.nodes.into_iter().map(|drawn| GraphNode {
            node: drawn.node.0,
            name: drawn.name,
            kind: drawn.kind.name().to_owned(),
            tags: drawn.tags,
            x: drawn.place.x,
            y: drawn.place.y,
            w: drawn.place.w,
            h: drawn.place.h,
        });
        let boxes = drawing.boxes.into_iter().map(|drawn| GraphBox {
            scope: drawn.scope.0,
            opened_by: drawn.opened_by.0,
            label: drawn.label,
            depth: drawn.depth,
            x: drawn.place.x,
            y: drawn.place.y,
            w: drawn.place.w,
            h: drawn.place.h,
        });
        let edges = drawing.edges.into_iter().map(|drawn| GraphEdge {
            from: drawn.from.0,
            to: drawn.to.0,
            way: drawn.way.name().to_owned(),
            points: drawn.points,
        });
        Self {
            width: drawing.width,
            height: drawing.height,
            nodes: nodes.collect(),
            boxes: boxes.collect(),
            edges: edges.collect(),
        }
    }
}
