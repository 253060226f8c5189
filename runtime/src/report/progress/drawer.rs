//! The thread that draws.

use std::sync::PoisonError;
use std::time::Duration;

use super::{Form, Shared, Told};
use crate::event::StepRef;
use crate::report::block::{Frame, Known, block};
use crate::report::layout::Layout;
use crate::report::lines::{self, FailureLines, StatusLevel};
use crate::report::plain::PlainProgress;
use crate::report::screen::{Drawing, Screen};
use crate::shape::Shape;
use crate::summary::Summary;

/// Ten drawings a second look alive and cost nothing.
const TICK: Duration = Duration::from_millis(100);

/// Nothing is shown before: what is over by then needs no progress.
const QUIET: Duration = Duration::from_millis(200);

/// Makes and draws what is new, once a tick.
pub(super) struct Drawer<'a> {
    shared: &'a Shared,
    screen: Box<dyn Screen>,
    layout: Layout,
    failures: FailureLines,
    plain: PlainProgress,
    header_told: bool,
    cancelling_told: bool,
}

impl<'a> Drawer<'a> {
    pub(super) fn new(shared: &'a Shared, screen: Box<dyn Screen>) -> Self {
        Self {
            shared,
            screen,
            layout: Layout::of(&shared.shape),
            failures: FailureLines::default(),
            plain: PlainProgress::default(),
            header_told: false,
            cancelling_told: false,
        }
    }

    pub(super) fn run(mut self) {
        let mut told = self.shared.lock();
        loop {
            if !told.over {
                let tick = self.shared.wake.wait_timeout_while(told, TICK, |told| !told.over);
                told = tick.unwrap_or_else(PoisonError::into_inner).0;
            }
            let over = told.over;
            let elapsed = told.began.map_or(Duration::ZERO, |began| began.elapsed());
            let drawing = self.tick(&mut told, elapsed);
            drop(told);
            if over || !drawing.lines.is_empty() || !drawing.block.is_empty() {
                self.screen.draw(&drawing);
            }
            if over {
                return;
            }
            told = self.shared.lock();
        }
    }

    /// The lines that are new, and the block as it stands now.
    pub(super) fn tick(&mut self, told: &mut Told, elapsed: Duration) -> Drawing {
        if told.silent {
            return Drawing::default();
        }
        let Shared { shape, options, .. } = self.shared;
        let (summary, paint) = (&told.summary, options.paint);
        let shown = elapsed >= QUIET;
        let mut lines = std::mem::take(&mut told.lines);
        if told.dropped > 0 {
            lines.push(format!("           … {} more lines", std::mem::take(&mut told.dropped)));
        }
        if options.level < StatusLevel::Pass {
            lines.extend(self.failures.due(summary, shape, elapsed, told.over, paint));
        }
        if let Some(reason) = summary.cancelling()
            && !std::mem::replace(&mut self.cancelling_told, true)
        {
            lines.push(lines::cancelling(summary, shape, reason, paint));
        }
        if options.form == Form::Plain && shown && !told.over {
            lines.extend(self.plain.due(summary, shape, elapsed, paint));
        }
        let quiet = options.form == Form::None;
        if !quiet && (shown || !lines.is_empty()) && !std::mem::replace(&mut self.header_told, true) {
            lines.insert(0, lines::header(summary, shape, paint));
        }
        let mut drawing = Drawing { lines, ..Drawing::default() };
        if options.form == Form::Bar && shown && !told.over {
            let (width, height) = self.screen.size();
            let frame = Frame { width, height, max_running: options.max_running, paint };
            let progress = |step: &StepRef| told.steps.as_ref()?.progress_of(step);
            let known = Known { summary, shape, layout: &self.layout, progress: &progress };
            drawing.block = block(known, elapsed, frame);
            drawing.percent = percent(summary, shape);
        }
        drawing
    }
}

/// How much of the run is done, once the number of its steps is known.
fn percent(summary: &Summary, shape: &Shape) -> Option<u8> {
    if summary.is_any_growing(shape) {
        return None;
    }
    let done = summary.ended(shape) * 100 / summary.known_total(shape).max(1);
    u8::try_from(done).ok()
}
