//! How far to the right each cell of a scope lies: the one room that knows `rust_sugiyama`.
//!
//! The crate is asked for the order in the rows and for straight lines. Rows are ours ([`super::ranks`]), and
//! so are the bends of long edges, as the crate does not tell where its own are.

use std::cmp::Ordering;

use rust_sugiyama::configure::{Config, RankingType};
use rust_sugiyama::from_vertices_and_edges;

/// Something in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) rank: usize,
    /// Its width with the room around it.
    pub(super) width: f64,
}

/// More cells than these are put side by side as they come: the crate recurses, and its time grows with
/// the square of a row.
const MAX_CELLS: usize = 3_000;

/// More cells than these are not exchanged one by one to save crossings: that is most of the time, and what
/// it saves among so many lines is not seen.
const MAX_EXCHANGED: usize = 400;

/// The middle of each cell; no two of a row overlap, and none lies left of 0.
///
/// `joined` are cells of neighbouring rows, the upper first.
pub(super) fn columns(cells: &[Cell], joined: &[(usize, usize)]) -> Vec<f64> {
    let wished = if cells.len() <= MAX_CELLS { layered(cells, joined) } else { vec![0.0; cells.len()] };
    let mut columns = apart(cells, &wished);
    let left = (0..cells.len()).map(|cell| columns[cell] - cells[cell].width / 2.0).min_by(f64::total_cmp);
    for column in &mut columns {
        *column -= left.unwrap_or(0.0);
    }
    columns
}

fn layered(cells: &[Cell], joined: &[(usize, usize)]) -> Vec<f64> {
    let mut vertices: Vec<_> = (0..).zip(cells).map(|(id, cell)| (id, (cell.width, 1.0))).collect();
    let mut edges: Vec<_> = joined.iter().map(|(upper, lower)| (*upper as u32, *lower as u32)).collect();
    hang(cells, &mut vertices, &mut edges);
    let transpose = cells.len() <= MAX_EXCHANGED;
    let config =
        Config { vertex_spacing: 0.0, ranking_type: RankingType::Up, transpose, ..Config::default() };
    let mut columns = vec![0.0; cells.len()];
    let mut right = 0.0;
    let mut parts = from_vertices_and_edges(&vertices, &edges, &config);
    parts.sort_by_key(|(part, ..)| part.iter().map(|(cell, _)| *cell).min());
    for (mut part, ..) in parts {
        part.retain(|(cell, _)| *cell < cells.len());
        let reach =
            |side: f64| move |(cell, (x, _)): &(usize, (f64, f64))| x + side * cells[*cell].width / 2.0;
        let from = part.iter().map(reach(-1.0)).min_by(f64::total_cmp).unwrap_or(0.0);
        let to = part.iter().map(reach(1.0)).max_by(f64::total_cmp).unwrap_or(0.0);
        for (cell, (x, _)) in part {
            columns[cell] = x - from + right;
        }
        right += to - from;
    }
    columns
}

/// Hangs what nothing holds into its row, by threads without width: the crate puts it into the first.
fn hang(cells: &[Cell], vertices: &mut Vec<(u32, (f64, f64))>, edges: &mut Vec<(u32, u32)>) {
    let mut held = vec![false; cells.len()];
    for (_, lower) in &*edges {
        held[*lower as usize] = true;
    }
    for (id, cell) in (0..).zip(cells).filter(|(id, _)| !held[*id as usize]) {
        let mut lower = id;
        for _ in 0..cell.rank {
            let thread = vertices.len() as u32;
            vertices.push((thread, (0.0, 1.0)));
            edges.push((thread, lower));
            lower = thread;
        }
    }
}

/// The wished columns with what overlaps pushed apart: where blocks of different rows meet, the crate
/// does not always leave the room.
fn apart(cells: &[Cell], wished: &[f64]) -> Vec<f64> {
    let mut columns = wished.to_vec();
    let mut order: Vec<_> = (0..cells.len()).collect();
    let by_place = |a: &usize, b: &usize| -> Ordering {
        let rows = cells[*a].rank.cmp(&cells[*b].rank);
        rows.then(wished[*a].total_cmp(&wished[*b])).then(a.cmp(b))
    };
    order.sort_by(by_place);
    for pair in order.windows(2) {
        let (left, right) = (pair[0], pair[1]);
        if cells[left].rank == cells[right].rank {
            let nearest = columns[left] + (cells[left].width + cells[right].width) / 2.0;
            columns[right] = columns[right].max(nearest);
        }
    }
    columns
}
