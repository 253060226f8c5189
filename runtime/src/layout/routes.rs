//! Which way each edge takes through the scopes: what is laid out in each, and what joins it there.

use std::collections::{BTreeSet, HashMap};

use super::DrawnWay;
use super::edges::{Edge, behind};
use super::order::against;
use super::units::Units;
use crate::graph::ScopeId;
use crate::shape::Shape;

/// What lies in one scope, and how it is joined there.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) vertices: Vec<Vertex>,
    pub(super) links: Vec<Link>,
}

/// Something that has a place in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vertex {
    Unit(usize),
    Box(ScopeId),
    /// A place on the border of the scope's own box, where an edge crosses it.
    Port {
        /// Whether it is on the upper side.
        top: bool,
    },
}

/// Two vertices of a scope that are joined.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) upper: End,
    pub(super) lower: End,
    /// Whether it is seen; else it only keeps one above the other.
    pub(super) drawn: bool,
}

/// An end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) vertex: usize,
    /// Of a box: the port, as a vertex of its scope.
    pub(super) port: Option<usize>,
}

/// A part of an edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leg {
    pub(super) scope: ScopeId,
    pub(super) link: usize,
    /// Whether the edge runs it from the lower end to the upper.
    pub(super) upwards: bool,
}

/// All levels, and the way of each edge through them.
#[derive(Debug)]
pub(super) struct Routes {
    /// By scope; empty for a scope that is not shown.
    pub(super) levels: Vec<Level>,
    /// By edge.
    pub(super) paths: Vec<Vec<Leg>>,
}

/// What shares a port and its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Wire {
    from: usize,
    way: DrawnWay,
    upwards: bool,
}

struct Router<'a> {
    shape: &'a Shape,
    levels: Vec<Level>,
    /// The vertex of each unit, in the level of its scope.
    units: Vec<(ScopeId, usize)>,
    /// The vertex of each box, in the level of the scope around it.
    boxes: Vec<Option<usize>>,
    ports: HashMap<(ScopeId, bool, Wire), usize>,
    links: HashMap<(ScopeId, End, End), usize>,
}

impl Routes {
    pub(super) fn new(shape: &Shape, units: &Units, edges: &[Edge]) -> Self {
        let mut router = Router::new(shape, units);
        let openings = router.openings(units);
        let mut joined = vec![BTreeSet::new(); shape.scopes.len()];
        for (from, to) in edges.iter().map(|edge| (edge.from, edge.to)) {
            let (scope, pair) = router.meeting(router.units[from].0, router.unit(from), router.units[to]);
            joined[scope.index()].insert(pair);
        }
        for (scope, pair) in &openings {
            joined[scope.index()].insert(*pair);
        }
        let against: Vec<_> = joined
            .iter()
            .zip(&router.levels)
            .map(|(pairs, level)| against(level.vertices.len(), pairs))
            .collect();
        let paths = edges.iter().map(|edge| router.path(*edge, &against)).collect();
        for (scope, (upper, lower)) in openings {
            if !against[scope.index()].contains(&(upper, lower)) {
                router.hold(scope, upper, lower);
            }
        }
        Self { levels: router.levels, paths }
    }
}

impl<'a> Router<'a> {
    /// Every unit, and the box of every fan-out that holds one, in call order.
    fn new(shape: &'a Shape, units: &Units) -> Self {
        let mut first: Vec<Option<u32>> = vec![None; shape.scopes.len()];
        for unit in &units.all {
            for scope in shape.outwards(unit.scope) {
                first[scope.index()].get_or_insert(unit.node.0);
            }
        }
        let mut inside: Vec<Vec<(u32, Vertex)>> = vec![Vec::new(); shape.scopes.len()];
        for (place, unit) in units.all.iter().enumerate() {
            inside[unit.scope.index()].push((unit.node.0, Vertex::Unit(place)));
        }
        for (place, scope) in shape.scopes.iter().enumerate() {
            if let (Some(parent), Some(first)) = (scope.parent, first[place]) {
                inside[parent.index()].push((first, Vertex::Box(ScopeId(place as u32))));
            }
        }
        let mut router = Self {
            shape,
            levels: Vec::with_capacity(inside.len()),
            units: vec![(ScopeId::ROOT, 0); units.all.len()],
            boxes: vec![None; shape.scopes.len()],
            ports: HashMap::new(),
            links: HashMap::new(),
        };
        for (scope, mut inside) in (0..).map(ScopeId).zip(inside) {
            inside.sort_by_key(|(first, _)| *first);
            for (place, (_, vertex)) in inside.iter().enumerate() {
                match vertex {
                    Vertex::Unit(unit) => router.units[*unit] = (scope, place),
                    Vertex::Box(child) => router.boxes[child.index()] = Some(place),
                    Vertex::Port { .. } => {}
                }
            }
            let vertices = inside.into_iter().map(|(_, vertex)| vertex).collect();
            router.levels.push(Level { vertices, links: Vec::new() });
        }
        router
    }

    fn unit(&self, unit: usize) -> usize {
        self.units[unit].1
    }

    /// What opens a box lies above it, whether anything flows in or not: the scope and the two vertices.
    fn openings(&self, units: &Units) -> Vec<(ScopeId, (usize, usize))> {
        let mut openings = Vec::new();
        for (place, scope) in self.shape.scopes.iter().enumerate() {
            let (Some(parent), Some((opener, _)), Some(vertex)) =
                (scope.parent, scope.fan, self.boxes[place])
            else {
                continue;
            };
            for (giver, _) in behind(self.shape, opener, DrawnWay::Item) {
                let Some(unit) = units.of(giver) else { continue };
                let (scope, pair) = self.meeting(self.units[unit].0, self.unit(unit), (parent, vertex));
                if pair.0 != pair.1 {
                    openings.push((scope, pair));
                }
            }
        }
        openings
    }

    /// The innermost scope that holds two vertices, and what they lie in there.
    fn meeting(&self, scope: ScopeId, vertex: usize, other: (ScopeId, usize)) -> (ScopeId, (usize, usize)) {
        let (mut one, mut other) = ((scope, vertex), other);
        while one.0 != other.0 {
            // A scope lies after the one around it, so the later one is not around the other.
            let inner = if one.0 > other.0 { &mut one } else { &mut other };
            let Some(outer) = self.outer(inner.0) else { break };
            *inner = outer;
        }
        (one.0, (one.1, other.1))
    }

    /// The scope around a scope, and the vertex of its box there.
    fn outer(&self, scope: ScopeId) -> Option<(ScopeId, usize)> {
        Some((self.shape.scope(scope).parent?, self.boxes[scope.index()]?))
    }

    /// The legs of an edge: out of the boxes around its begin, across, into those around its end.
    fn path(&mut self, edge: Edge, against: &[BTreeSet<(usize, usize)>]) -> Vec<Leg> {
        let (from, to) = (self.units[edge.from], self.units[edge.to]);
        let (meeting, pair) = self.meeting(from.0, from.1, to);
        let upwards = against[meeting.index()].contains(&pair);
        let wire = Wire { from: edge.from, way: edge.way, upwards };

        let mut legs = Vec::new();
        let (mut scope, mut end) = (from.0, End { vertex: from.1, port: None });
        while scope != meeting {
            let port = self.port(scope, false, wire);
            legs.push(self.leg(scope, end, End { vertex: port, port: None }, upwards));
            let Some((outer, vertex)) = self.outer(scope) else { break };
            (scope, end) = (outer, End { vertex, port: Some(port) });
        }
        let mut inwards = Vec::new();
        let (mut scope, mut last) = (to.0, End { vertex: to.1, port: None });
        while scope != meeting {
            let port = self.port(scope, true, wire);
            inwards.push(self.leg(scope, End { vertex: port, port: None }, last, upwards));
            let Some((outer, vertex)) = self.outer(scope) else { break };
            (scope, last) = (outer, End { vertex, port: Some(port) });
        }
        legs.push(self.leg(meeting, end, last, upwards));
        legs.extend(inwards.into_iter().rev());
        legs
    }

    fn port(&mut self, scope: ScopeId, inwards: bool, wire: Wire) -> usize {
        let vertices = &mut self.levels[scope.index()].vertices;
        *self.ports.entry((scope, inwards, wire)).or_insert_with(|| {
            vertices.push(Vertex::Port { top: inwards != wire.upwards });
            vertices.len() - 1
        })
    }

    fn leg(&mut self, scope: ScopeId, from: End, to: End, upwards: bool) -> Leg {
        let (upper, lower) = if upwards { (to, from) } else { (from, to) };
        let links = &mut self.levels[scope.index()].links;
        let link = *self.links.entry((scope, upper, lower)).or_insert_with(|| {
            links.push(Link { upper, lower, drawn: true });
            links.len() - 1
        });
        Leg { scope, link, upwards }
    }

    /// Keeps one vertex above another, unless an edge does.
    fn hold(&mut self, scope: ScopeId, upper: usize, lower: usize) {
        let links = &mut self.levels[scope.index()].links;
        if !links.iter().any(|link| (link.upper.vertex, link.lower.vertex) == (upper, lower)) {
            let [upper, lower] = [upper, lower].map(|vertex| End { vertex, port: None });
            links.push(Link { upper, lower, drawn: false });
        }
    }
}
