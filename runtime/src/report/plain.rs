//! Progress without a terminal: a steady line now and then, and one for each op that begins or ends.

use std::time::Duration;

use super::block::status;
use super::lines::states_of;
use super::paint::Paint;
use crate::graph::NodeId;
use crate::report::words::{clock, counted, duration};
use crate::shape::Shape;
use crate::summary::Summary;
use crate::text::safe;

/// How long nothing may be said: a log that stands still looks like a run that hangs.
const STEADY: Duration = Duration::from_secs(10);

/// How many ops one tick speaks of; a job of thousands of ops begins many at once.
const MAX_OPS: usize = 20;

/// What has been said so far.
#[derive(Debug, Default)]
pub(crate) struct PlainProgress {
    told: Vec<Standing>,
    last: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Standing {
    #[default]
    Waiting,
    Begun,
    Done,
}

impl PlainProgress {
    /// The lines that are due at `elapsed`.
    pub(crate) fn due(
        &mut self,
        summary: &Summary,
        shape: &Shape,
        elapsed: Duration,
        paint: Paint,
    ) -> Vec<String> {
        self.told.resize(shape.nodes.len(), Standing::Waiting);
        let mut lines = Vec::new();
        let mut more = 0;
        for (node, told) in (0..).map(NodeId).zip(&mut self.told) {
            let now = standing(summary, shape, node);
            if now <= *told {
                continue;
            }
            *told = now;
            if lines.len() < MAX_OPS {
                lines.push(format!("   {}  {}", clock(elapsed), change(summary, shape, node, now, paint)));
            } else {
                more += 1;
            }
        }
        if more > 0 {
            lines.push(format!("   {}  … and {}", clock(elapsed), counted(more, "more op", "more ops")));
        }
        if elapsed >= self.last + STEADY {
            lines.push(status(summary, shape, elapsed, paint));
        }
        if !lines.is_empty() {
            self.last = elapsed;
        }
        lines
    }
}

fn standing(summary: &Summary, shape: &Shape, node: NodeId) -> Standing {
    let counts = summary.node(node);
    if !shape.node(node).is_step() || counts.ended() + counts.running() == 0 {
        Standing::Waiting
    } else if summary.is_done(node) {
        Standing::Done
    } else {
        Standing::Begun
    }
}

/// `compute_piece  begins`, or `compute_piece  done: 26 succeeded, p95 1.00 s`.
fn change(summary: &Summary, shape: &Shape, node: NodeId, now: Standing, paint: Paint) -> String {
    let name = safe(&shape.node(node).name).into_owned();
    if now == Standing::Begun {
        return format!("{name}  begins");
    }
    let durations = summary.node(node).durations();
    let took = match durations.count() {
        0 => String::new(),
        1 => format!(", {}", duration(durations.max())),
        _ => format!(", p95 {}", duration(durations.quantile(0.95).unwrap_or_default())),
    };
    format!("{name}  {}: {}{took}", paint.strong("done"), states_of(|state| summary.count(node, state)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{self, millis};
    use expect_test::expect;

    #[test]
    fn ops_are_told_when_they_begin_and_end_and_silence_is_broken() {
        let (shape, events) = fixture::failing_letters();
        let mut summary = Summary::new(&shape);
        let mut plain = PlainProgress::default();
        let mut text = Vec::new();
        let (half, rest) = events.split_at(13);
        summary.apply(&shape, half);
        for elapsed in [500, 600, 10_400, 10_500, 20_499, 20_500] {
            text.extend(plain.due(&summary, &shape, millis(elapsed), Paint::PLAIN));
        }
        summary.apply(&shape, rest);
        text.extend(plain.due(&summary, &shape, millis(21_000), Paint::PLAIN));
        expect![[r#"
            --
               00:00:00  load_pieces  begins
               00:00:00  clean  begins
               00:00:00  compute_piece  begins
               00:00:10  4/≥8 steps  23/min  2 running
               00:00:20  4/≥8 steps  12/min  2 running
               00:00:21  load_pieces  done: 1 succeeded, 600 ms
               00:00:21  clean  done: 3 succeeded, p95 5 ms
               00:00:21  compute_piece  done: 2 succeeded, 1 failed, p95 870 ms
               00:00:21  merge  done: 1 upstream failed"#]]
        .assert_eq(&fixture::framed(&text.join("\n")));
    }
}
