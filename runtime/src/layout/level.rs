//! The layout of one scope by itself: its nodes, the boxes in it as nodes of their size, and the lines.

use super::place::{Cell, columns};
use super::ports::{Docked, align, is_turned};
use super::ranks::ranks;
use super::routes::{End, Level, Link, Vertex};

/// Between two nodes of a row.
const BESIDE: f64 = 28.0;
/// What a line that passes through a row takes of it.
const LINE: f64 = 16.0;
/// Between two rows.
const BELOW: f64 = 36.0;
/// Between the ports on a border and the row next to them.
const AT_BORDER: f64 = 14.0;
/// How much more two rows are apart where a line goes far to the side, and how far that is at most.
const SLANT: (f64, f64) = (0.12, 40.0);
/// Bends are made for so many rows in all; lines of a larger graph go straight.
const MAX_BENDS: usize = 20_000;

/// Where things are in a scope; the corner of what it holds is at 0, 0.
#[derive(Debug, Default)]
pub(super) struct Placed {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Of each vertex: its middle, its upper side, its width and its height.
    pub(super) vertices: Vec<(f64, f64, f64, f64)>,
    /// Of each link: its points, downwards. It ends at ports where the row of the ports does.
    pub(super) lines: Vec<Vec<(f64, f64)>>,
    /// Of each vertex: whether it is a box in which left and right are exchanged.
    pub(super) turned: Vec<bool>,
}

/// A row: its upper and its lower side.
type Row = (f64, f64);

/// Lays out a scope; `size` tells how large a vertex is, `at_port` how far right of its box's left side a port.
pub(super) fn place(
    level: &Level,
    size: impl Fn(&Vertex) -> (f64, f64),
    at_port: impl Fn(End) -> Option<f64>,
) -> Placed {
    let ranks = ranks(level);
    let sizes: Vec<_> = level.vertices.iter().map(size).collect();
    let mut cells: Vec<_> = level
        .vertices
        .iter()
        .zip(&ranks)
        .zip(&sizes)
        .map(|((vertex, rank), (width, _))| {
            let width = if matches!(vertex, Vertex::Port { .. }) { LINE } else { width + BESIDE };
            Cell { rank: *rank, width }
        })
        .collect();
    let chains = chains(level, &mut cells);
    let joined: Vec<_> =
        chains.iter().flat_map(|chain| chain.windows(2).map(|pair| (pair[0], pair[1]))).collect();
    let tight = |pair: &(usize, usize)| cells[pair.0].rank + 1 == cells[pair.1].rank;
    let joined: Vec<_> = joined.into_iter().filter(tight).collect();
    let mut columns = columns(&cells, &joined);

    // How far right of its vertex's middle a line ends.
    let aside = |end: End| at_port(end).map_or(0.0, |port| port - sizes[end.vertex].0 / 2.0);
    let mut docked = docked(level, &chains, aside);
    let turned = turned(level, &mut docked, &columns);
    align(&docked, &joined, &cells, &mut columns);
    let at_end = |end: End| {
        let aside = if turned[end.vertex] { -aside(end) } else { aside(end) };
        columns[end.vertex] + aside
    };
    let turns: Vec<Vec<(usize, f64)>> = level
        .links
        .iter()
        .zip(&chains)
        .map(|(link, chain)| {
            let mut turns: Vec<_> = chain.iter().map(|cell| (cells[*cell].rank, columns[*cell])).collect();
            turns[0].1 = at_end(link.upper);
            turns[chain.len() - 1].1 = at_end(link.lower);
            turns
        })
        .collect();
    let rows = rows(level, &ranks, &sizes, &turns);
    let vertices: Vec<_> = (0..sizes.len())
        .map(|vertex| {
            let ((top, bottom), (width, height)) = (rows[ranks[vertex]], sizes[vertex]);
            (columns[vertex], top + (bottom - top - height) / 2.0, width, height)
        })
        .collect();
    let lines =
        level.links.iter().zip(&turns).map(|(link, turns)| line(link, turns, &rows, &vertices)).collect();
    let right = (0..cells.len()).map(|cell| columns[cell] + cells[cell].width / 2.0).max_by(f64::total_cmp);
    // The room around cells is that between them: at the sides there is none to leave.
    let mut placed = Placed {
        width: right.unwrap_or(0.0),
        height: rows.last().map_or(0.0, |row| row.1),
        vertices,
        lines,
        turned,
    };
    placed.trim();
    placed
}

impl Placed {
    /// Takes away the room left and right that nothing is in.
    fn trim(&mut self) {
        let ends = self.vertices.iter().map(|(x, _, w, _)| (x - w / 2.0, x + w / 2.0));
        let turns = self.lines.iter().flatten().map(|(x, _)| (*x, *x));
        let (left, right) = ends
            .chain(turns)
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
            .unwrap_or((0.0, 0.0));
        self.vertices.iter_mut().for_each(|vertex| vertex.0 -= left);
        self.lines.iter_mut().flatten().for_each(|point| point.0 -= left);
        self.width = right - left;
    }
}

/// The lines that end at ports of boxes.
fn docked(level: &Level, chains: &[Vec<usize>], aside: impl Fn(End) -> f64) -> Vec<Docked> {
    let mut docked = Vec::new();
    for (link, chain) in level.links.iter().zip(chains) {
        let (second, last_but_one) = (chain[1], chain[chain.len() - 2]);
        for (end, next, above) in [(link.upper, second, false), (link.lower, last_but_one, true)] {
            if end.port.is_some() {
                docked.push(Docked { at: end.vertex, next, port: aside(end), above });
            }
        }
    }
    docked.sort_by_key(|line| line.at);
    docked
}

/// Which boxes are turned; their ports are exchanged with them.
fn turned(level: &Level, docked: &mut [Docked], columns: &[f64]) -> Vec<bool> {
    let mut turned = vec![false; level.vertices.len()];
    for lines in docked.chunk_by_mut(|one, other| one.at == other.at) {
        if is_turned(lines, columns) {
            turned[lines[0].at] = true;
            lines.iter_mut().for_each(|line| line.port = -line.port);
        }
    }
    turned
}

/// The cells that each link runs through, with a bend in each row between its ends.
fn chains(level: &Level, cells: &mut Vec<Cell>) -> Vec<Vec<usize>> {
    let mut left = MAX_BENDS;
    let mut chains = Vec::with_capacity(level.links.len());
    for Link { upper, lower, drawn } in &level.links {
        let between = cells[upper.vertex].rank + 1..cells[lower.vertex].rank;
        let mut chain = vec![upper.vertex];
        if *drawn && between.len() <= left {
            left -= between.len();
            for rank in between {
                chain.push(cells.len());
                cells.push(Cell { rank, width: LINE });
            }
        }
        chain.push(lower.vertex);
        chains.push(chain);
    }
    chains
}

/// The rows from the top: as high as the highest in them, and further apart where lines are slanted.
fn rows(level: &Level, ranks: &[usize], sizes: &[(f64, f64)], turns: &[Vec<(usize, f64)>]) -> Vec<Row> {
    let count = ranks.iter().max().map_or(0, |last| last + 1);
    let (mut heights, mut of_ports) = (vec![0.0_f64; count], vec![true; count]);
    for (vertex, rank) in ranks.iter().enumerate() {
        heights[*rank] = heights[*rank].max(sizes[vertex].1);
        of_ports[*rank] &= matches!(level.vertices[vertex], Vertex::Port { .. });
    }
    let mut slants = vec![0.0_f64; count];
    for pair in turns.iter().flat_map(|turns| turns.windows(2)) {
        let ((rank, from), (_, to)) = (pair[0], pair[1]);
        slants[rank] = slants[rank].max((to - from).abs());
    }
    let mut rows = Vec::with_capacity(count);
    let mut top = 0.0;
    for rank in 0..count {
        rows.push((top, top + heights[rank]));
        let near_ports = of_ports[rank] || of_ports.get(rank + 1).is_some_and(|ports| *ports);
        let least = if near_ports { AT_BORDER } else { BELOW };
        top += heights[rank] + least + (slants[rank] * SLANT.0).min(SLANT.1);
    }
    rows
}

/// The points of a link: upright through rows, slanted between them.
fn line(
    link: &Link,
    turns: &[(usize, f64)],
    rows: &[Row],
    vertices: &[(f64, f64, f64, f64)],
) -> Vec<(f64, f64)> {
    let (upper, lower) = (vertices[link.upper.vertex], vertices[link.lower.vertex]);
    let mut points = Vec::with_capacity(2 * turns.len());
    for (place, (rank, x)) in turns.iter().enumerate() {
        let (top, bottom) = rows[*rank];
        points.push((*x, if place == 0 { upper.1 + upper.3 } else { top }));
        points.push((*x, if place + 1 == turns.len() { lower.1 } else { bottom }));
    }
    points
}
