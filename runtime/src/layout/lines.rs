//! The drawing as a whole: scopes put into each other, and the edges along their legs.

use super::edges::{Edge, behind};
use super::level::{Placed, place};
use super::routes::{End, Routes, Vertex};
use super::units::Units;
use super::{Drawing, DrawnBox, DrawnEdge, DrawnNode, DrawnWay, Place, text};
use crate::graph::{NodeId, ScopeId};
use crate::shape::{Shape, ShapeKind, ShapeSource};

/// Around everything.
const MARGIN: f64 = 16.0;
/// Left, right and below what is in a box.
const INSIDE: f64 = 16.0;
/// Above what is in a box: its label.
const LABEL: f64 = 28.0;
/// The widest label.
const LABEL_WIDTH: f64 = 300.0;

/// Of a box: what it holds, and how far that lies from its corner.
struct Laid {
    placed: Placed,
    size: (f64, f64),
    inset: (f64, f64),
}

pub(super) fn draw(shape: &Shape, units: &Units, edges: &[Edge], routes: Routes) -> Drawing {
    let mut laid: Vec<Option<Laid>> = routes.levels.iter().map(|_| None).collect();
    // Scopes lie after the ones around them.
    for (scope, level) in routes.levels.iter().enumerate().rev() {
        if scope > 0 && level.vertices.is_empty() {
            continue;
        }
        let size = |vertex: &Vertex| match vertex {
            Vertex::Unit(unit) => units.all[*unit].size(),
            Vertex::Box(child) => laid[child.index()].as_ref().map_or((0.0, 0.0), |laid| laid.size),
            Vertex::Port { .. } => (0.0, 0.0),
        };
        let at_port = |end: End| match (level.vertices[end.vertex], end.port) {
            (Vertex::Box(child), Some(port)) => {
                laid[child.index()].as_ref().map(|laid| laid.inset.0 + laid.placed.vertices[port].0)
            }
            _ => None,
        };
        let placed = place(level, size, at_port);
        laid[scope] = Some(boxed(shape, ScopeId(scope as u32), placed));
    }
    Canvas::new(shape, units, &laid, &routes).drawing(edges, &routes)
}

/// A scope with the box around it.
fn boxed(shape: &Shape, scope: ScopeId, placed: Placed) -> Laid {
    if scope == ScopeId::ROOT {
        let size = (placed.width + 2.0 * MARGIN, placed.height + 2.0 * MARGIN);
        return Laid { placed, size, inset: (MARGIN, MARGIN) };
    }
    let label = text::width(&label(shape, scope), text::Size::Small).min(LABEL_WIDTH).ceil();
    let width = placed.width.max(label) + 2.0 * INSIDE;
    let size = (width, LABEL + placed.height + INSIDE);
    let inset = ((width - placed.width) / 2.0, LABEL);
    Laid { placed, size, inset }
}

/// What is known of where things are on the whole.
struct Canvas<'a> {
    shape: &'a Shape,
    units: &'a Units,
    laid: &'a [Option<Laid>],
    /// The corner of each scope's box.
    corners: Vec<(f64, f64)>,
    /// Whether left and right are exchanged in each scope.
    turned: Vec<bool>,
    places: Vec<Place>,
    boxes: Vec<DrawnBox>,
}

impl<'a> Canvas<'a> {
    fn new(shape: &'a Shape, units: &'a Units, laid: &'a [Option<Laid>], routes: &Routes) -> Self {
        let nowhere = Place { x: 0.0, y: 0.0, w: 0.0, h: 0.0 };
        let mut canvas = Self {
            shape,
            units,
            laid,
            corners: vec![(0.0, 0.0); laid.len()],
            turned: vec![false; laid.len()],
            places: vec![nowhere; units.all.len()],
            boxes: Vec::new(),
        };
        for (scope, level) in routes.levels.iter().enumerate() {
            let Some(laid) = &laid[scope] else { continue };
            let corner = canvas.corners[scope];
            if scope > 0 {
                canvas.add_box(ScopeId(scope as u32), corner, laid.size);
            }
            for (place, (x, y, w, h)) in laid.placed.vertices.iter().enumerate() {
                let (x, y) = canvas.at(scope, laid, (*x, *y));
                let x = x - w / 2.0;
                match level.vertices[place] {
                    Vertex::Unit(unit) => canvas.places[unit] = rounded(x, y, *w, *h),
                    Vertex::Box(child) => {
                        canvas.corners[child.index()] = (x, y);
                        canvas.turned[child.index()] = canvas.turned[scope] != laid.placed.turned[place];
                    }
                    Vertex::Port { .. } => {}
                }
            }
        }
        canvas
    }

    /// Where a point of a scope is on the whole.
    fn at(&self, scope: usize, laid: &Laid, (x, y): (f64, f64)) -> (f64, f64) {
        let (left, top) = self.corners[scope];
        let x = if self.turned[scope] { laid.placed.width - x } else { x };
        (left + laid.inset.0 + x, top + laid.inset.1 + y)
    }

    fn add_box(&mut self, scope: ScopeId, corner: (f64, f64), size: (f64, f64)) {
        let opener = self.shape.scope(scope).fan.map_or(NodeId(0), |(opener, _)| opener);
        let giver = behind(self.shape, opener, DrawnWay::Item).into_iter().next();
        self.boxes.push(DrawnBox {
            scope,
            opened_by: giver.map_or(opener, |(giver, _)| giver),
            label: label(self.shape, scope),
            depth: self.shape.outwards(scope).count() as u32 - 2,
            place: rounded(corner.0, corner.1, size.0, size.1),
        });
    }

    fn drawing(self, edges: &[Edge], routes: &Routes) -> Drawing {
        let nodes = self.units.all.iter().zip(&self.places).map(|(unit, place)| DrawnNode {
            node: unit.node,
            name: unit.name.clone(),
            kind: unit.kind,
            tags: unit.tags.clone(),
            place: *place,
        });
        let nodes = nodes.collect();
        let edges = edges.iter().enumerate().map(|(place, edge)| DrawnEdge {
            from: self.units.all[edge.from].node,
            to: self.units.all[edge.to].node,
            way: edge.way,
            points: self.points(place, routes),
        });
        let edges = edges.collect();
        let (width, height) = self.laid[0].as_ref().map_or((0.0, 0.0), |root| root.size);
        Drawing { width: width.ceil(), height: height.ceil(), nodes, boxes: self.boxes, edges }
    }

    /// The points of an edge, leg by leg; those of a straight piece once.
    fn points(&self, edge: usize, routes: &Routes) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for leg in &routes.paths[edge] {
            let Some(laid) = &self.laid[leg.scope.index()] else { continue };
            let line = laid.placed.lines[leg.link].iter().map(|point| {
                let (x, y) = self.at(leg.scope.index(), laid, *point);
                (round(x), round(y))
            });
            if leg.upwards {
                points.extend(line.rev());
            } else {
                points.extend(line);
            }
        }
        points.dedup();
        let mut kept: Vec<(f64, f64)> = Vec::with_capacity(points.len());
        for point in points {
            if let [.., before, last] = kept[..]
                && before.0 == last.0
                && last.0 == point.0
            {
                kept.pop();
            }
            kept.push(point);
        }
        kept
    }
}

/// What a fan-out goes over.
fn label(shape: &Shape, scope: ScopeId) -> String {
    let Some((opener, output)) = shape.scope(scope).fan else { return String::new() };
    let node = shape.node(opener);
    match node.kind {
        ShapeKind::Zip => format!("for each pair of {}", node.name),
        ShapeKind::Held => {
            let items = node.takes.iter().flat_map(|take| &take.items);
            let items: Vec<_> = items.map(|item| item_text(shape, *item)).collect();
            format!("for each {}, held whole", items.join(" and "))
        }
        _ => format!("for each item of {}", output_text(shape, opener, output)),
    }
}

fn item_text(shape: &Shape, item: ShapeSource) -> String {
    match item {
        ShapeSource::Node(node) => shape.node(node).name.to_string(),
        ShapeSource::Item(scope) => match shape.scope(scope).fan {
            Some((opener, output)) => format!("item of {}", output_text(shape, opener, output)),
            None => "item".to_owned(),
        },
    }
}

/// `load_pieces`, or `split.values` where the node has more than one output.
fn output_text(shape: &Shape, node: NodeId, output: u16) -> String {
    let node = shape.node(node);
    match node.outputs.get(usize::from(output)) {
        Some(named) if node.outputs.len() > 1 => format!("{}.{}", node.name, named.name),
        _ => node.name.to_string(),
    }
}

fn rounded(x: f64, y: f64, w: f64, h: f64) -> Place {
    let (left, top) = (round(x), round(y));
    Place { x: left, y: top, w: round(round(x + w) - left), h: round(round(y + h) - top) }
}

/// To a tenth of a pixel: what more there is only makes documents longer.
fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}
