//! The rows of the block: one for each op, as many as there is room for.

use console::{Alignment, measure_text_width, pad_str};

use super::{Known, progress};
use crate::event::StepState;
use crate::graph::NodeId;
use crate::report::layout::Place;
use crate::report::paint::Paint;
use crate::report::words::{count, duration};
use crate::shape::{Shape, needed_steps};
use crate::summary::Summary;
use crate::text::safe;

/// How wide the bar of one op is, in cells.
const BAR: u64 = 15;

/// The widest column of names, in cells.
const MAX_NAME: usize = 40;

struct Row {
    name: String,
    progress: String,
    bar: Option<String>,
    notes: Vec<String>,
}

/// How much an op is worth a row: where there is no room for all, the lowest ranks come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Active,
    Waiting,
    Done,
}

impl Rank {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Active, "active"), (Self::Done, "done"), (Self::Waiting, "waiting")];

    fn of(summary: &Summary, node: NodeId) -> Self {
        let failed = summary.count(node, StepState::Failed) > 0;
        match (has_begun(summary, node), summary.is_done(node)) {
            _ if failed => Self::Active,
            (true, false) => Self::Active,
            (true, true) => Self::Done,
            (false, _) => Self::Waiting,
        }
    }
}

fn has_begun(summary: &Summary, node: NodeId) -> bool {
    let counts = summary.node(node);
    counts.ended() > 0 || counts.running() > 0 || counts.retrying() > 0
}

/// One row for each op, as many as there is room for.
pub(super) fn rows(known: Known<'_>, room: usize, paint: Paint) -> Vec<String> {
    let places = known.layout.places();
    let shown = shown(known, room);
    let rows: Vec<_> = shown.iter().map(|place| row(known, places[*place], paint)).collect();
    let widest =
        |text: fn(&Row) -> &str| rows.iter().map(|row| measure_text_width(text(row))).max().unwrap_or(0);
    let (names, counts) = (widest(|row| &row.name).min(MAX_NAME), widest(|row| &row.progress));
    let mut lines: Vec<_> = rows.iter().map(|row| row.line(names, counts)).collect();
    if shown.len() < places.len() && room > 0 {
        let mut hidden = [0; 3];
        for (index, place) in places.iter().enumerate() {
            if shown.binary_search(&index).is_err() {
                hidden[Rank::of(known.summary, place.node) as usize] += 1;
            }
        }
        let hidden: Vec<_> = Rank::ALL
            .into_iter()
            .map(|(rank, word)| (hidden[rank as usize], word))
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("{} {word}", count(number)))
            .collect();
        lines.push(paint.dim(&format!("     … more ops: {}", hidden.join(", "))));
    }
    lines
}

/// Which ops are shown, in order.
fn shown(known: Known<'_>, room: usize) -> Vec<usize> {
    let places = known.layout.places();
    let mut shown: Vec<usize> = (0..places.len()).collect();
    if shown.len() > room {
        shown.sort_by_key(|place| Rank::of(known.summary, places[*place].node));
        shown.truncate(room.saturating_sub(1));
        shown.sort_unstable();
    }
    shown
}

fn row(known: Known<'_>, place: Place, paint: Paint) -> Row {
    let Known { summary, shape, .. } = known;
    let Place { node, depth, first } = place;
    let (ended, total) = (summary.node(node).ended(), summary.known(node));
    let growing = summary.is_growing(node);
    let indent = "  ".repeat(depth.saturating_sub(1));
    let mark = match (depth, first) {
        (0, _) => "",
        (_, true) => "└ ",
        (_, false) => "  ",
    };
    let name = format!("{indent}{mark}{}", safe(&shape.node(node).name));
    if !has_begun(summary, node) {
        let notes = vec![paint.dim(&waits(summary, shape, node))];
        return Row { name, progress: String::new(), bar: None, notes };
    }
    Row {
        name,
        progress: progress(ended, total, growing),
        bar: (total > 1 || growing).then(|| bar(ended, total)),
        notes: notes(summary, shape, node, paint),
    }
}

impl Row {
    fn line(&self, names: usize, counts: usize) -> String {
        let name = pad_str(&self.name, names, Alignment::Left, Some("…"));
        if self.progress.is_empty() {
            return format!("     {name}  {}", self.notes.join(" · "));
        }
        let progress = pad_str(&self.progress, counts, Alignment::Left, None);
        let bar = self.bar.as_ref().map(|bar| format!("▕{bar}▏  ")).unwrap_or_default();
        format!("     {name}  {progress}  {bar}{}", self.notes.join(" · ")).trim_end().to_owned()
    }
}

fn notes(summary: &Summary, shape: &Shape, node: NodeId, paint: Paint) -> Vec<String> {
    let counts = summary.node(node);
    let mut notes = Vec::new();
    let items = summary.items(node);
    if counts.running() > 0 && summary.gives_items(node) {
        notes.push(format!("emitting, {} so far", count(items)));
    }
    for state in [StepState::Failed, StepState::UpstreamFailed, StepState::Skipped, StepState::Cancelled] {
        let steps = summary.count(node, state);
        if steps > 0 {
            let text = format!("{} {}", count(steps), state.words());
            notes.push(if state == StepState::Failed { paint.bad(&text) } else { text });
        }
    }
    if counts.retrying() > 0 {
        notes.push(paint.warn(&format!("{} waiting to retry", count(counts.retrying()))));
    }
    if let Some(pool) = &shape.node(node).pool {
        notes.push(format!("pool {}", safe(pool)));
    }
    if counts.ended() > 1
        && let Some(p95) = counts.durations().quantile(0.95)
    {
        notes.push(format!("p95 {}", duration(p95)));
    }
    notes
}

/// `waits for compute`: what keeps an op from its first step.
fn waits(summary: &Summary, shape: &Shape, node: NodeId) -> String {
    let needed = needed_steps(shape, node);
    match needed.into_iter().rev().find(|needed| !summary.is_done(*needed)) {
        Some(needed) => format!("waits for {}", safe(&shape.node(needed).name)),
        None => "waits for its turn".to_owned(),
    }
}

/// `████▌         `: eighths of cells.
fn bar(ended: u64, known: u64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (u128::from(ended) * u128::from(BAR) * 8 / u128::from(known.max(1))) as u64;
    let eighths = eighths.min(BAR * 8);
    let filled = format!("{}{}", "█".repeat((eighths / 8) as usize), PARTS[(eighths % 8) as usize]);
    pad_str(&filled, BAR as usize, Alignment::Left, None).into_owned()
}
