//! What is drawn as one node: a step, or, in a large job, a sub-graph.

use super::{DrawnKind, text};
use crate::graph::{NodeId, ScopeId};
use crate::shape::{Shape, ShapeKind, ShapeNode};

/// One node of the drawing.
#[derive(Debug)]
pub(super) struct Unit {
    /// Its node, or its first.
    pub(super) node: NodeId,
    pub(super) scope: ScopeId,
    pub(super) name: String,
    pub(super) kind: DrawnKind,
    pub(super) tags: Vec<String>,
}

/// All that are drawn.
#[derive(Debug)]
pub(super) struct Units {
    pub(super) all: Vec<Unit>,
    /// The unit of each node of the shape; `None` for what is no step.
    of: Vec<Option<usize>>,
}

/// The narrowest node, and the widest: longer names are cut.
const WIDTHS: (f64, f64) = (110.0, 240.0);
/// Of a node: two lines.
const HEIGHT: f64 = 52.0;
/// Left and right of what stands in a node.
const PADDING: f64 = 14.0;
/// Around the words of a tag, and between two tags.
pub(crate) const TAG: (f64, f64) = (7.0, 5.0);

impl Unit {
    /// How wide and high it is drawn.
    pub(super) fn size(&self) -> (f64, f64) {
        let name = text::width(&self.name, text::Size::Name);
        let words = words(self.kind, &self.tags);
        let tags: f64 = words.iter().map(|word| tag_width(word) + TAG.1).sum::<f64>() - TAG.1;
        let inner = name.max(tags).ceil();
        ((inner + 2.0 * PADDING).clamp(WIDTHS.0, WIDTHS.1), HEIGHT)
    }
}

/// What is said of a node in small words: what it is, unless it is a plain op, and its tags.
pub(crate) fn words(kind: DrawnKind, tags: &[String]) -> Vec<String> {
    let kind = match kind {
        DrawnKind::Op => None,
        DrawnKind::Emitter => Some("→ many"),
        DrawnKind::Fold => Some("fold"),
        DrawnKind::Zip => Some("zip"),
        DrawnKind::Group => Some("sub-graph"),
    };
    kind.map(str::to_owned).into_iter().chain(tags.iter().cloned()).collect()
}

/// How wide the pill of a tag is.
pub(crate) fn tag_width(tag: &str) -> f64 {
    text::width(tag, text::Size::Small) + 2.0 * TAG.0
}

impl Units {
    /// Every step by itself; if that is more than `most`, each sub-graph as one.
    pub(super) fn new(shape: &Shape, most: usize) -> Self {
        let mut units = Self { all: Vec::new(), of: vec![None; shape.nodes.len()] };
        let groups = (shape.steps().count() > most).then(|| Groups::new(shape));
        let mut made = std::collections::HashMap::new();
        for id in shape.steps() {
            let node = shape.node(id);
            let group = groups.as_ref().and_then(|groups| groups.of(shape, node));
            let next = units.all.len();
            let unit = match group {
                Some(group) => *made.entry(group).or_insert(next),
                None => next,
            };
            if unit == next {
                units.all.push(match group {
                    Some((name, scope)) => folded(id, name, scope),
                    None => step(id, node),
                });
            }
            units.of[id.index()] = Some(unit);
        }
        units
    }

    /// The unit that a step is drawn in.
    pub(super) fn of(&self, node: NodeId) -> Option<usize> {
        self.of[node.index()]
    }
}

fn step(id: NodeId, node: &ShapeNode) -> Unit {
    let kind = match node.kind {
        ShapeKind::Fold => DrawnKind::Fold,
        ShapeKind::Zip => DrawnKind::Zip,
        _ if node.outputs.iter().any(|output| output.dynamic) => DrawnKind::Emitter,
        _ => DrawnKind::Op,
    };
    let mut tags = Vec::new();
    if node.retries > 0 {
        tags.push(format!("retry {}", node.retries));
    }
    if let Some(pool) = &node.pool {
        tags.push(format!("pool {pool}"));
    }
    if node.priority != 0 {
        tags.push(format!("priority {}", node.priority));
    }
    tags.extend(node.tags.iter().map(|(name, value)| format!("{name}:{value}")));
    Unit { node: id, scope: node.scope, name: node.name.to_string(), kind, tags }
}

fn folded(id: NodeId, name: &str, scope: ScopeId) -> Unit {
    Unit { node: id, scope, name: name.to_owned(), kind: DrawnKind::Group, tags: Vec::new() }
}

/// Which scopes belong to one sub-graph as a whole.
struct Groups<'a> {
    whole: Vec<Whole<'a>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Whole<'a> {
    Empty,
    Of(&'a str),
    No,
}

impl<'a> Groups<'a> {
    fn new(shape: &'a Shape) -> Self {
        let mut whole = vec![Whole::Empty; shape.scopes.len()];
        for id in shape.steps() {
            let node = shape.node(id);
            let here = prefix(node).map_or(Whole::No, Whole::Of);
            add(&mut whole[node.scope.index()], here);
        }
        // Scopes lie after the ones around them.
        for place in (1..shape.scopes.len()).rev() {
            if let Some(parent) = shape.scopes[place].parent {
                let here = whole[place];
                add(&mut whole[parent.index()], here);
            }
        }
        Self { whole }
    }

    /// The sub-graph that a step is folded into, and the scope that it is drawn in then: the outermost that
    /// is in a box of nothing else.
    fn of(&self, shape: &Shape, node: &'a ShapeNode) -> Option<(&'a str, ScopeId)> {
        let name = prefix(node)?;
        let scope = shape
            .outwards(node.scope)
            .find(|scope| *scope == ScopeId::ROOT || self.whole[scope.index()] != Whole::Of(name))?;
        Some((name, scope))
    }
}

fn add<'a>(whole: &mut Whole<'a>, here: Whole<'a>) {
    *whole = match (*whole, here) {
        (Whole::Empty, other) | (other, Whole::Empty) => other,
        (one, other) if one == other => one,
        _ => Whole::No,
    };
}

/// The outermost sub-graph of a step.
fn prefix(node: &ShapeNode) -> Option<&str> {
    node.name.split_once('.').map(|(prefix, _)| prefix)
}
