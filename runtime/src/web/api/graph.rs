//! A drawing as the page is told it.

use super::types::{GraphBox, GraphEdge, GraphNode, GraphView};
use crate::layout::Drawing;

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
