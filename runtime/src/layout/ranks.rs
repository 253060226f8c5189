//! In which row of a scope each vertex lies.

use super::routes::{Level, Vertex};

/// The rows of a level, from the top: each vertex below all that it hangs on.
///
/// Ports on the upper side have the first row to themselves, those on the lower side the last.
pub(super) fn ranks(level: &Level) -> Vec<usize> {
    let is_port = |vertex: usize, top| level.vertices[vertex] == Vertex::Port { top };
    let count = level.vertices.len();
    let (mut above, mut below) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for link in &level.links {
        above[link.lower.vertex].push(link.upper.vertex);
        below[link.upper.vertex].push(link.lower.vertex);
    }
    let order = sorted(&above, &below);

    let first = usize::from((0..count).any(|vertex| is_port(vertex, true)));
    let mut ranks = vec![first; count];
    for &vertex in &order {
        ranks[vertex] = match above[vertex].iter().map(|upper| ranks[*upper] + 1).max() {
            Some(rank) => rank.max(first),
            None if is_port(vertex, true) => 0,
            None => first,
        };
    }
    // What hangs on nothing lies right above what it is for.
    for &vertex in order.iter().rev() {
        let nearest = below[vertex].iter().map(|lower| ranks[*lower]).min();
        if let (true, Some(nearest)) = (above[vertex].is_empty() && !is_port(vertex, true), nearest) {
            ranks[vertex] = nearest - 1;
        }
    }
    let last = (0..count).filter(|vertex| !is_port(*vertex, false)).map(|vertex| ranks[vertex] + 1).max();
    for vertex in (0..count).filter(|vertex| is_port(*vertex, false)) {
        ranks[vertex] = last.unwrap_or(0);
    }
    ranks
}

/// The vertices, each after all above it.
fn sorted(above: &[Vec<usize>], below: &[Vec<usize>]) -> Vec<usize> {
    let mut missing: Vec<_> = above.iter().map(Vec::len).collect();
    let mut order: Vec<_> = (0..above.len()).filter(|vertex| missing[*vertex] == 0).collect();
    let mut next = 0;
    while let Some(&vertex) = order.get(next) {
        next += 1;
        for &lower in &below[vertex] {
            missing[lower] -= 1;
            if missing[lower] == 0 {
                order.push(lower);
            }
        }
    }
    order
}
