//! A picture that stands alone: light or dark as whoever looks has it, with the fonts of the system.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::graph::Graph;
use crate::layout::{
    Drawing, DrawnBox, DrawnEdge, DrawnKind, DrawnNode, DrawnWay, Place, Size, TAG, cut, tag_width, words,
};
use crate::text::safe;

/// The colours are those of the page. `collect` edges are drawn twice, so they look double.
const STYLE: &str = r#"
.fanfold { color-scheme: light dark; --paper: #f6f7f9; --card: #ffffff; --box: #eceff4; --inner: #e2e7ef;
  --line: #c3cad5; --edge: #7a8494; --text: #161a20; --soft: #515b69; --accent: #1d5fd0; --pill: #eef1f6;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
@media (prefers-color-scheme: dark) { .fanfold { --paper: #101318; --card: #1f242d; --box: #181d25;
  --inner: #212833; --line: #3a4352; --edge: #7f8a9c; --text: #e6e9ee; --soft: #a4aebd; --accent: #7db0ff;
  --pill: #2a313c; } }
.fanfold .paper { fill: var(--paper); }
.fanfold .box { fill: var(--box); stroke: var(--line); }
.fanfold .box.inner { fill: var(--inner); }
.fanfold .label { fill: var(--soft); font-size: 12px; stroke-width: 5px; paint-order: stroke; stroke: var(--box); stroke-linejoin: round; }
.fanfold .label.inner { stroke: var(--inner); }
.fanfold .node { fill: var(--card); stroke: var(--line); }
.fanfold .many { fill: var(--card); stroke: var(--line); }
.fanfold .name { fill: var(--text); font-size: 14px; font-weight: 500; text-anchor: middle; }
.fanfold .pill { fill: var(--pill); }
.fanfold .word { fill: var(--soft); font-size: 12px; text-anchor: middle; }
.fanfold .kind { fill: var(--accent); }
.fanfold .edge { fill: none; stroke: var(--edge); stroke-width: 1.5px; }
.fanfold .collect { stroke-width: 4.6px; }
.fanfold .core { fill: none; stroke: var(--paper); stroke-width: 1.8px; }
.fanfold .after { stroke-dasharray: 5 4; }
.fanfold .head { fill: var(--edge); }
"#;

/// How long the head of an arrow is; the line ends where it begins.
const HEAD: f64 = 8.0;
/// Left and right of what stands in a node.
const PADDING: f64 = 10.0;

pub(super) fn print(graph: &Graph) -> String {
    let shape = graph.shape();
    let drawing = shape.drawing();
    let (width, height) = (drawing.width, drawing.height);
    let mut text = String::new();
    let _ = writeln!(
        text,
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="fanfold" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
    );
    let _ = writeln!(
        text,
        "<title>{}</title>\n<style>{STYLE}</style>",
        escaped(&format!("The graph of {}", shape.job))
    );
    let _ = writeln!(text, r#"<rect class="paper" width="{width}" height="{height}" rx="12"/>"#);
    draw(&drawing, &mut text);
    text.push_str("</svg>\n");
    text
}

fn draw(drawing: &Drawing, text: &mut String) {
    for drawn in &drawing.boxes {
        fan_out(drawn, text);
    }
    for edge in &drawing.edges {
        line(edge, text);
    }
    // Over the lines, which may run behind them.
    for drawn in &drawing.boxes {
        label(drawn, text);
    }
    for drawn in &drawing.nodes {
        node(drawn, text);
    }
}

fn inner(drawn: &DrawnBox) -> &'static str {
    if drawn.depth % 2 == 1 { " inner" } else { "" }
}

fn fan_out(drawn: &DrawnBox, text: &mut String) {
    let Place { x, y, w, h } = drawn.place;
    let inner = inner(drawn);
    let _ = writeln!(text, r#"<rect class="box{inner}" x="{x}" y="{y}" width="{w}" height="{h}" rx="12"/>"#);
}

fn label(drawn: &DrawnBox, text: &mut String) {
    let Place { x, y, w, .. } = drawn.place;
    let short = cut(&drawn.label, Size::Small, w - 28.0);
    let (x, y, inner) = (x + 14.0, y + 19.0, inner(drawn));
    let _ = writeln!(
        text,
        r#"<text class="label{inner}" x="{x:.1}" y="{y:.1}">{}{}</text>"#,
        title(&drawn.label, &short),
        escaped(&short)
    );
}

fn node(drawn: &DrawnNode, text: &mut String) {
    let Place { x, y, w, h } = drawn.place;
    let short = cut(&drawn.name, Size::Name, w - 2.0 * PADDING);
    let _ = writeln!(text, "<g>{}", title(&drawn.name, &short));
    if matches!(drawn.kind, DrawnKind::Emitter | DrawnKind::Group) {
        // As if more lay behind it.
        let (x, y) = (x + 4.0, y + 4.0);
        let _ =
            writeln!(text, r#"<rect class="many" x="{x:.1}" y="{y:.1}" width="{w}" height="{h}" rx="8"/>"#);
    }
    let _ = writeln!(text, r#"<rect class="node" x="{x}" y="{y}" width="{w}" height="{h}" rx="8"/>"#);
    let words = words(drawn.kind, &drawn.tags);
    let (middle, below) = (x + w / 2.0, if words.is_empty() { 31.0 } else { 21.0 });
    let _ = writeln!(
        text,
        r#"<text class="name" x="{middle:.1}" y="{:.1}">{}</text>"#,
        y + below,
        escaped(&short)
    );
    pills(drawn, &words, text);
    text.push_str("</g>\n");
}

/// The words of a node, as many as there is room for.
fn pills(drawn: &DrawnNode, words: &[String], text: &mut String) {
    let Place { x, y, w, .. } = drawn.place;
    let room = w - 2.0 * PADDING;
    let mut shown: Vec<String> = Vec::new();
    let mut taken = 0.0;
    for (place, word) in words.iter().enumerate() {
        let more = format!("+{}", words.len() - place);
        let last = place + 1 == words.len();
        let next = taken + tag_width(word) + if last { 0.0 } else { TAG.1 + tag_width(&more) };
        if next > room && !shown.is_empty() {
            taken += tag_width(&more) + TAG.1;
            shown.push(more);
            break;
        }
        let word = cut(word, Size::Small, room - 2.0 * TAG.0);
        taken += tag_width(&word) + TAG.1;
        shown.push(word);
    }
    let mut left = x + (w - (taken - TAG.1)) / 2.0;
    for (place, word) in shown.iter().enumerate() {
        let wide = tag_width(word);
        let kind = if place == 0 && drawn.kind != DrawnKind::Op { " kind" } else { "" };
        let (middle, top, base) = (left + wide / 2.0, y + 28.0, y + 40.5);
        let _ = writeln!(
            text,
            r#"<rect class="pill" x="{left:.1}" y="{top:.1}" width="{wide:.1}" height="17" rx="8.5"/>"#
        );
        let _ = writeln!(
            text,
            r#"<text class="word{kind}" x="{middle:.1}" y="{base:.1}">{}</text>"#,
            escaped(word)
        );
        left += wide + TAG.1;
    }
}

fn line(edge: &DrawnEdge, text: &mut String) {
    let [.., before, tip] = edge.points[..] else { return };
    let down = tip.1 >= before.1;
    let base = tip.1 + if down { -HEAD } else { HEAD };
    let path = path(&edge.points, base);
    let way = edge.way.name();
    let _ = writeln!(text, r#"<path class="edge {way}" d="{path}"/>"#);
    if edge.way == DrawnWay::Collect {
        let _ = writeln!(text, r#"<path class="core" d="{path}"/>"#);
    }
    let side = if edge.way == DrawnWay::Collect { 5.5 } else { 4.0 };
    let (x, y) = tip;
    let _ = writeln!(
        text,
        r#"<path class="head" d="M{x:.1} {y:.1}L{:.1} {base:.1}L{:.1} {base:.1}Z"/>"#,
        x - side,
        x + side
    );
}

/// A line through points: straight where they are above each other, else a curve with upright ends.
fn path(points: &[(f64, f64)], base: f64) -> String {
    let mut path = String::new();
    let mut from = (0.0, 0.0);
    for (place, &(x, y)) in points.iter().enumerate() {
        let y = if place + 1 == points.len() { base } else { y };
        let _ = match place {
            0 => write!(path, "M{x:.1} {y:.1}"),
            _ if x == from.0 => write!(path, "V{y:.1}"),
            _ => {
                let half = f64::midpoint(from.1, y);
                write!(path, "C{:.1} {half:.1} {x:.1} {half:.1} {x:.1} {y:.1}", from.0)
            }
        };
        from = (x, y);
    }
    path
}

/// The whole text to be read on hovering, where only a part is drawn.
fn title(whole: &str, short: &str) -> String {
    if whole == short { String::new() } else { format!("<title>{}</title>", escaped(whole)) }
}

/// Text as XML has it: names are users' data.
fn escaped(text: &str) -> String {
    let text: Cow<'_, str> = safe(text);
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{NodeId, ScopeId};

    const HARM: &str = "</text><script>alert('x')</script>&\"\u{1b}";
    const PLACE: Place = Place { x: 0.0, y: 0.0, w: 2_000.0, h: 52.0 };

    #[test]
    fn names_stay_text() {
        let drawing = Drawing {
            width: 1.0,
            height: 1.0,
            nodes: vec![DrawnNode {
                node: NodeId(0),
                name: HARM.to_owned(),
                kind: DrawnKind::Op,
                tags: vec![HARM.to_owned()],
                place: PLACE,
            }],
            boxes: vec![DrawnBox {
                scope: ScopeId(1),
                opened_by: NodeId(0),
                label: HARM.to_owned(),
                depth: 0,
                place: Place { w: 60.0, ..PLACE },
            }],
            edges: Vec::new(),
        };
        let mut text = String::new();
        draw(&drawing, &mut text);
        assert_eq!(text.matches(HARM_ESCAPED).count(), 3, "{text}");
        assert!(!text.contains("<script") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_picture_has_a_box_for_a_fan_out_and_a_double_line_for_a_collect() {
        let text = print(&crate::report::fixture::graph());
        let count = |what: &str| text.matches(what).count();
        assert_eq!((count("class=\"node\""), count("class=\"box\""), count("class=\"core\"")), (4, 1, 1));
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"), "{text}");
    }

    const HARM_ESCAPED: &str =
        r"&lt;/text&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\u{1b}";
}
