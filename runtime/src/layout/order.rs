//! Which joins of a scope run against the others: a box that something outside waits for, and that waits
//! for it, cannot lie both above and below.

use std::collections::BTreeSet;

/// The pairs, of those joined, without which nothing lies above itself. They are looked for from the first
/// vertex on, so what is called first lies above.
pub(super) fn against(vertices: usize, joined: &BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let mut seen = vec![Seen::No; vertices];
    let mut against = BTreeSet::new();
    for start in 0..vertices {
        if seen[start] != Seen::No {
            continue;
        }
        seen[start] = Seen::Open;
        let mut stack = vec![(start, 0)];
        while let Some((vertex, from)) = stack.pop() {
            let Some(&(_, next)) = joined.range((vertex, from)..=(vertex, usize::MAX)).next() else {
                seen[vertex] = Seen::Done;
                continue;
            };
            stack.push((vertex, next + 1));
            match seen[next] {
                Seen::No => {
                    seen[next] = Seen::Open;
                    stack.push((next, 0));
                }
                Seen::Open => _ = against.insert((vertex, next)),
                Seen::Done => {}
            }
        }
    }
    against
}
