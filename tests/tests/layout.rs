//! The drawing of random jobs: nothing lies on anything else, and no line runs through what it has no
//! business with.

use fanfold::graph::ScopeId;
use fanfold::layout::{Drawing, DrawnBox, DrawnEdge, Place};
use fanfold::{Shape, ShapeNode};
use fanfold_tests::model::harness::Campaign;
use fanfold_tests::model::to_graph::to_graph;

#[test]
fn random_jobs_are_drawn_without_anything_on_anything_else() {
    let campaign = Campaign::of(500);
    let (mut boxes, mut edges) = (0, 0);
    campaign.run("--test layout", |plan, _| {
        let built = to_graph(plan).map_err(|errors| errors.to_string())?;
        let shape = built.graph.shape();
        let drawing = shape.drawing();
        check(&shape, &drawing)?;
        if shape.drawing() != drawing {
            return Err("drawn in two ways".to_owned());
        }
        boxes += drawing.boxes.len();
        edges += drawing.edges.len();
        Ok::<(), String>(())
    });
    println!("layout: {} jobs, {boxes} boxes, {edges} edges", campaign.cases);
}

fn check(shape: &Shape, drawing: &Drawing) -> Result<(), String> {
    let steps = shape.steps().count();
    if drawing.nodes.len() != steps {
        return Err(format!("{} nodes for {steps} steps", drawing.nodes.len()));
    }
    places(drawing)?;
    for (place, node) in drawing.nodes.iter().enumerate() {
        let scope = shape.node(node.node).scope;
        for other in &drawing.nodes[..place] {
            apart(&node.name, node.place, &other.name, other.place)?;
        }
        for drawn in &drawing.boxes {
            if is_in(shape, scope, drawn) {
                inside(&node.name, node.place, drawn)?;
            } else {
                apart(&node.name, node.place, &drawn.label, drawn.place)?;
            }
        }
    }
    for (place, drawn) in drawing.boxes.iter().enumerate() {
        for other in &drawing.boxes[..place] {
            if is_in(shape, drawn.scope, other) {
                inside(&drawn.label, drawn.place, other)?;
            } else {
                apart(&drawn.label, drawn.place, &other.label, other.place)?;
            }
        }
    }
    drawing.edges.iter().try_for_each(|edge| line(shape, drawing, edge))
}

/// Everything is somewhere on the drawing.
fn places(drawing: &Drawing) -> Result<(), String> {
    let on = |x: f64, y: f64| (0.0..=drawing.width).contains(&x) && (0.0..=drawing.height).contains(&y);
    let places =
        drawing.nodes.iter().map(|node| node.place).chain(drawing.boxes.iter().map(|drawn| drawn.place));
    for Place { x, y, w, h } in places {
        if !(on(x, y) && on(x + w, y + h) && w > 0.0 && h > 0.0) {
            return Err(format!("{x} {y} {w} {h} is not on {} × {}", drawing.width, drawing.height));
        }
    }
    let points = drawing.edges.iter().flat_map(|edge| &edge.points);
    match points.into_iter().find(|(x, y)| !on(*x, *y)) {
        Some(point) => Err(format!("{point:?} is not on {} × {}", drawing.width, drawing.height)),
        None => Ok(()),
    }
}

/// An edge begins and ends at its nodes, and touches no other, nor a box that neither lies in.
fn line(shape: &Shape, drawing: &Drawing, edge: &DrawnEdge) -> Result<(), String> {
    let name = format!("{} → {} ({})", shape.node(edge.from).name, shape.node(edge.to).name, edge.way.name());
    let [first, .., last] = edge.points[..] else { return Err(format!("{name} has no points")) };
    for (node, (x, y)) in [(edge.from, first), (edge.to, last)] {
        let node = drawing.nodes.iter().find(|drawn| drawn.node == node).ok_or("an end is not drawn")?;
        let Place { x: left, y: top, w, h } = node.place;
        let on_border = (y - top).abs() < 0.3 || (y - top - h).abs() < 0.3;
        if !(on_border && left < x && x < left + w) {
            return Err(format!("{name} ends at {x} {y}, beside {:?}", node.place));
        }
    }
    let scopes = [edge.from, edge.to].map(|end| shape.node(end).scope);
    for pair in edge.points.windows(2) {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let place = Place { x: x.min(to_x), y: y.min(to_y), w: (x - to_x).abs(), h: (y - to_y).abs() };
        for node in drawing.nodes.iter().filter(|node| node.node != edge.from && node.node != edge.to) {
            apart(&name, place, &node.name, node.place)?;
        }
        for drawn in &drawing.boxes {
            if !scopes.iter().any(|scope| is_in(shape, *scope, drawn)) {
                apart(&name, place, &drawn.label, drawn.place)?;
            }
        }
    }
    Ok(())
}

fn is_in(shape: &Shape, scope: ScopeId, drawn: &DrawnBox) -> bool {
    shape.outwards(scope).any(|around| around == drawn.scope)
}

/// Rounding moves a side by less.
const ROUNDING: f64 = 0.2;

fn apart(name: &str, one: Place, other_name: &str, other: Place) -> Result<(), String> {
    let beside = one.x + one.w <= other.x + ROUNDING || other.x + other.w <= one.x + ROUNDING;
    let below = one.y + one.h <= other.y + ROUNDING || other.y + other.h <= one.y + ROUNDING;
    if beside || below { Ok(()) } else { Err(format!("{name} at {one:?} lies on {other_name} at {other:?}")) }
}

fn inside(name: &str, place: Place, drawn: &DrawnBox) -> Result<(), String> {
    let Place { x, y, w, h } = drawn.place;
    let beside = x < place.x && place.x + place.w < x + w;
    let below = y < place.y && place.y + place.h < y + h;
    if beside && below { Ok(()) } else { Err(format!("{name} is not inside {}", drawn.label)) }
}

/// A job's size that a layout is made for.
const MANY: usize = 300;

#[test]
fn three_hundred_ops_are_drawn() {
    for seed in 0..5 {
        let shape = random(seed, MANY);
        let begun = std::time::Instant::now();
        let drawing = shape.drawing();
        println!("seed {seed}: {} edges in {:?}", drawing.edges.len(), begun.elapsed());
        check(&shape, &drawing).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

/// Ops that read some of those before them, most of them near.
fn random(seed: u64, count: usize) -> Shape {
    let mut random = fastrand::Rng::with_seed(seed);
    let nodes = (0..count).map(|place| {
        let reads: std::collections::BTreeSet<usize> =
            (0..random.usize(0..4).min(place)).map(|_| place - 1 - random.usize(0..place.min(25))).collect();
        node(place, &reads.into_iter().collect::<Vec<_>>())
    });
    let nodes: Vec<_> = nodes.collect();
    serde_json::from_value(serde_json::json!({
        "job": "many", "nodes": nodes, "scopes": [{ "parent": null, "fan": null }],
    }))
    .expect("a shape")
}

fn node(place: usize, reads: &[usize]) -> ShapeNode {
    serde_json::from_value(serde_json::json!({
        "name": format!("op_{place}"), "scope": 0, "kind": "op", "op": "jobs::op", "retries": 0,
        "reads": reads, "outputs": [], "pool": null, "tags": [],
    }))
    .expect("a node")
}

/// A chain, and a star, of more nodes than a stack has room for.
#[test]
fn a_job_without_sub_graphs_is_drawn_however_large() {
    const HUGE: usize = 20_000;
    for star in [false, true] {
        let nodes: Vec<_> = (0..HUGE)
            .map(|place| {
                let read = if star { 0 } else { place.saturating_sub(1) };
                node(place, if place == 0 { &[] } else { std::slice::from_ref(&read) }.to_vec().as_slice())
            })
            .collect();
        let shape: Shape = serde_json::from_value(serde_json::json!({
            "job": "huge", "nodes": nodes, "scopes": [{ "parent": null, "fan": null }],
        }))
        .expect("a shape");
        let drawing = shape.drawing();
        assert_eq!((drawing.nodes.len(), drawing.edges.len()), (HUGE, HUGE - 1));
    }
}

#[test]
fn sub_graphs_of_a_large_job_are_folded() {
    let mut shape = random(7, MANY + 1);
    for (place, node) in shape.nodes.iter_mut().enumerate() {
        node.name = format!("part_{}.op_{place}", place / 50).into();
    }
    let drawing = shape.drawing();
    let names: Vec<_> = drawing.nodes.iter().map(|node| (node.name.as_str(), node.kind.name())).collect();
    assert_eq!(names[..2], [("part_0", "group"), ("part_1", "group")]);
    assert_eq!(names.len(), 7);
}
