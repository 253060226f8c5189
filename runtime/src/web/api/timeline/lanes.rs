//! The lanes of a timeline: single steps, or how many were active in each column.

use super::super::types::Lane;
use super::STEPS_BYTES;
use crate::event::StepState;
use crate::graph::NodeId;
use crate::index::{Bar, Index};
use crate::shape::Shape;

const STATES: usize = StepState::ALL.len();

/// The states as their places in [`StepState::ALL`], the worst first.
const WORST: [u8; STATES] = [1, 2, 4, 3, 5, 6, 0];

/// The lanes, while they are counted.
pub(super) struct Lanes {
    /// The lane of each node.
    lane_of: Vec<Option<usize>>,
    nodes: Vec<NodeId>,
    window: Columns,
    whole: Columns,
    /// For each lane, state and column of the window: how many begin to be active in it, less how many
    /// are no more.
    changes: Vec<i64>,
    /// For each lane and column of the window: how many ended.
    ended: Vec<u32>,
    /// As `changes`, of the run's whole time and of all states.
    whole_changes: Vec<i64>,
    /// The first bars of the window.
    bars: Vec<(usize, Bar)>,
    /// How many there are, and how many may be told one by one.
    seen: usize,
    most: usize,
}

/// A span of time in columns.
#[derive(Clone, Copy)]
struct Columns {
    from: u64,
    to: u64,
    width: u64,
    count: usize,
}

impl Columns {
    fn new(from: u64, to: u64, columns: u64) -> Self {
        let width = (to - from).div_ceil(columns).max(1);
        Self { from, to, width, count: (to - from).div_ceil(width).max(1) as usize }
    }

    /// The columns in which a bar is, the last included, and whether it ends in the span.
    #[inline]
    fn of(&self, bar: &Bar) -> Option<(usize, usize, bool)> {
        let end = bar.started.saturating_add(bar.took);
        if bar.started > self.to || end < self.from {
            return None;
        }
        let column = |at: u64| ((at.saturating_sub(self.from) / self.width) as usize).min(self.count - 1);
        Some((column(bar.started), column(end.min(self.to)), end <= self.to))
    }
}

impl Lanes {
    pub(super) fn new(
        all: usize,
        nodes: &[NodeId],
        columns: u64,
        end: u64,
        window: (u64, u64),
        most: usize,
    ) -> Self {
        let (whole, window) =
            (Columns::new(0, end.max(1), columns), Columns::new(window.0, window.1, columns));
        let mut lane_of = vec![None; all];
        for (lane, node) in nodes.iter().enumerate() {
            lane_of[node.index()] = Some(lane);
        }
        let lanes = nodes.len();
        Self {
            lane_of,
            nodes: nodes.to_vec(),
            window,
            whole,
            changes: vec![0; lanes * STATES * (window.count + 1)],
            ended: vec![0; lanes * window.count],
            whole_changes: vec![0; lanes * (whole.count + 1)],
            bars: Vec::new(),
            seen: 0,
            most,
        }
    }

    /// How long a column of the window is.
    pub(super) fn width(&self) -> u64 {
        self.window.width
    }

    #[inline]
    pub(super) fn add(&mut self, bar: &Bar) {
        let Some(lane) = self.lane_of[bar.node.index()] else { return };
        if let Some((first, last, _)) = self.whole.of(bar) {
            let lane = lane * (self.whole.count + 1);
            self.whole_changes[lane + first] += 1;
            self.whole_changes[lane + last + 1] -= 1;
        }
        let Some((first, last, ends)) = self.window.of(bar) else { return };
        let changes = (lane * STATES + bar.state) * (self.window.count + 1);
        self.changes[changes + first] += 1;
        self.changes[changes + last + 1] -= 1;
        self.ended[lane * self.window.count + last] += u32::from(ends && bar.ended);
        self.seen += 1;
        if self.seen <= self.most {
            self.bars.push((lane, *bar));
        }
    }

    /// The single steps, if they are few enough.
    pub(super) fn steps(&self, index: &Index, shape: &Shape) -> Option<Vec<Lane>> {
        if self.seen > self.most {
            return None;
        }
        let names: Vec<_> = self.bars.iter().map(|(_, bar)| index.name(bar.place)).collect();
        if names.iter().map(|name| bytes(name)).sum::<usize>() > STEPS_BYTES {
            return None;
        }
        let mut lanes: Vec<_> = (0..self.nodes.len()).map(|lane| self.lane(lane, shape)).collect();
        for ((lane, bar), name) in self.bars.iter().zip(names) {
            let lane = &mut lanes[*lane];
            lane.step.push(name);
            lane.start_us.push(bar.started);
            lane.took_us.push(bar.took);
            lane.state.push(bar.state as u8);
            lane.attempts.push(bar.attempts);
        }
        Some(lanes)
    }

    /// A lane without what happened.
    fn lane(&self, lane: usize, shape: &Shape) -> Lane {
        let changes = &self.whole_changes[lane * (self.whole.count + 1)..][..self.whole.count];
        let active = changes.iter().scan(0, |active, change| {
            *active += change;
            Some(*active)
        });
        let (peak, node) = (active.max().unwrap_or(0) as u64, self.nodes[lane]);
        Lane { node: node.0, name: shape.node(node).name.to_string(), peak, ..Lane::default() }
    }

    /// How many were active in each column.
    pub(super) fn told(&self, shape: &Shape) -> Vec<Lane> {
        let lanes = (0..self.nodes.len()).map(|lane| {
            let mut told = self.lane(lane, shape);
            self.fill(lane, &mut told);
            told
        });
        lanes.collect()
    }

    fn fill(&self, lane: usize, told: &mut Lane) {
        let mut active = [0; STATES];
        for column in 0..self.window.count {
            for (state, active) in active.iter_mut().enumerate() {
                *active += self.changes[(lane * STATES + state) * (self.window.count + 1) + column];
            }
            let worst = WORST.into_iter().find(|state| active[usize::from(*state)] > 0);
            if let Some(worst) = worst {
                told.bucket.push(column as u32);
                told.active.push(u32::try_from(active.iter().sum::<i64>()).unwrap_or(u32::MAX));
                told.ended.push(self.ended[lane * self.window.count + column]);
                told.worst.push(worst);
            }
        }
    }
}

/// How many bytes a single step takes as JSON, at most: its name, and its numbers.
fn bytes(name: &str) -> usize {
    name.len() + name.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count() + 30
}
