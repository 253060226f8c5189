//! Boxes that are turned, and nodes that are moved, so that lines meet the ports of boxes without crossings
//! or bends: to the layers a box is one node, whose lines end in its middle.

use super::place::Cell;

/// A line that ends at a port of a box.
#[derive(Debug, Clone, Copy)]
pub(super) struct Docked {
    /// The cell of the box.
    pub(super) at: usize,
    /// The cell of the neighbouring row that the line comes from or goes to.
    pub(super) next: usize,
    /// How far right of the box's middle the port is.
    pub(super) port: f64,
    /// Whether the line comes from above.
    pub(super) above: bool,
}

/// Whether the lines of a box cross less with left and right exchanged in it.
pub(super) fn is_turned(docked: &[Docked], columns: &[f64]) -> bool {
    let mut crossed = 0_i64;
    for (place, one) in docked.iter().enumerate() {
        for other in docked[..place].iter().filter(|other| other.above == one.above) {
            let turn = (columns[one.next] - columns[other.next]) * (one.port - other.port);
            crossed += i64::from(turn < 0.0) - i64::from(turn > 0.0);
        }
    }
    crossed > 0
}

/// Moves what lies straight above or below the middle of a box to the port that its line ends at, where
/// there is room; what lies straight with it moves along.
pub(super) fn align(docked: &[Docked], joined: &[(usize, usize)], cells: &[Cell], columns: &mut [f64]) {
    let neighbours = Neighbours::new(joined, cells, columns);
    for line in docked {
        if line.port == 0.0 || columns[line.next] != columns[line.at] {
            continue;
        }
        let block = neighbours.straight(line.next, line.above, columns);
        if block.iter().all(|cell| neighbours.has_room(*cell, line.port, &block, cells, columns)) {
            for cell in block {
                columns[cell] += line.port;
            }
        }
    }
}

struct Neighbours {
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    /// The cells left and right in the same row.
    beside: Vec<[Option<usize>; 2]>,
}

impl Neighbours {
    fn new(joined: &[(usize, usize)], cells: &[Cell], columns: &[f64]) -> Self {
        let (mut above, mut below) = (vec![Vec::new(); cells.len()], vec![Vec::new(); cells.len()]);
        for (upper, lower) in joined {
            above[*lower].push(*upper);
            below[*upper].push(*lower);
        }
        let mut order: Vec<_> = (0..cells.len()).collect();
        order.sort_by(|a, b| {
            cells[*a].rank.cmp(&cells[*b].rank).then(columns[*a].total_cmp(&columns[*b])).then(a.cmp(b))
        });
        let mut beside = vec![[None, None]; cells.len()];
        for pair in order.windows(2).filter(|pair| cells[pair[0]].rank == cells[pair[1]].rank) {
            beside[pair[0]][1] = Some(pair[1]);
            beside[pair[1]][0] = Some(pair[0]);
        }
        Self { above, below, beside }
    }

    /// The cells that lie straight above, or below, a cell, and the cell itself.
    fn straight(&self, cell: usize, upwards: bool, columns: &[f64]) -> Vec<usize> {
        let mut block = vec![cell];
        while let Some(last) = block.last() {
            let next = if upwards { &self.above[*last] } else { &self.below[*last] };
            match next.iter().find(|next| columns[**next] == columns[*last]) {
                Some(next) => block.push(*next),
                None => break,
            }
        }
        block
    }

    /// Whether a cell can move without touching those beside it, but for those that move too.
    fn has_room(&self, cell: usize, by: f64, block: &[usize], cells: &[Cell], columns: &[f64]) -> bool {
        let Some(beside) = self.beside[cell][usize::from(by > 0.0)] else { return true };
        let least = (cells[cell].width + cells[beside].width) / 2.0;
        // Beyond it there may be room as well, but their order is what keeps lines from crossing.
        let left = (columns[beside] - columns[cell] - by) * by.signum();
        block.contains(&beside) || left >= least
    }
}
