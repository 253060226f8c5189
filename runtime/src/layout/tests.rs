use std::fmt::Write as _;

use expect_test::expect;

use super::{DrawnBox, DrawnEdge, Place};
use crate::report::fixture;

/// One line for each thing.
fn told() -> String {
    let drawing = fixture::graph().shape().drawing();
    let mut text = format!("{} × {}\n", drawing.width, drawing.height);
    for node in &drawing.nodes {
        let Place { x, y, w, h } = node.place;
        let tags = node.tags.join(" · ");
        let _ = writeln!(text, "{} {} ({tags}) at {x} {y}, {w} × {h}", node.kind.name(), node.name);
    }
    for DrawnBox { label, depth, place: Place { x, y, w, h }, .. } in &drawing.boxes {
        let _ = writeln!(text, "{label}, {depth} deep, at {x} {y}, {w} × {h}");
    }
    for DrawnEdge { from, to, way, points } in &drawing.edges {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
        let _ = writeln!(text, "{} → {} ({}): {}", from.0, to.0, way.name(), points.join(", "));
    }
    text
}

#[test]
fn a_chain_is_one_straight_line_through_its_box() {
    expect![[r#"
        304 × 420
        emitter load_pieces () at 97 16, 110 × 52
        op clean () at 97 146, 110 × 52
        op compute_piece (retry 2 · pool api · priority 5 · team:red) at 32 234, 240 × 52
        op merge () at 97 352, 110 × 52
        for each item of load_pieces, 0 deep, at 16 104, 272 × 212
        0 → 1 (item): 152 68, 152 146
        1 → 2 (value): 152 198, 152 234
        2 → 4 (collect): 152 286, 152 352
    "#]]
    .assert_eq(&told());
}
