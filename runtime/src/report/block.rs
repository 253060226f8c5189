//! The block that is redrawn while a run goes on: a pure function of what is known.

mod rows;

use std::time::Duration;

use console::{measure_text_width, truncate_str};

use super::layout::Layout;
use super::paint::Paint;
use super::words::{about, clock, count, duration};
use crate::event::{StepRef, StepState};
use crate::shape::Shape;
use crate::summary::Summary;
use crate::text::safe;

/// The tallest block, in lines: more would push what was said before off the screen.
const MAX_HEIGHT: usize = 12;

/// The least height, in lines, at which one is spent on setting the block apart.
const ROOM_FOR_RULE: usize = 6;

/// A block needs so many steps before it guesses how long the rest takes.
const ENOUGH_TO_GUESS: u64 = 10;

/// How the block is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// The terminal's width, in cells.
    pub(crate) width: usize,
    /// The terminal's height, in lines.
    pub(crate) height: usize,
    /// How many running steps are named.
    pub(crate) max_running: usize,
    pub(crate) paint: Paint,
}

/// What is known of the run that is shown.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) shape: &'a Shape,
    pub(crate) layout: &'a Layout,
    /// How much of a running step is done, and of how much, if it says so.
    pub(crate) progress: &'a dyn Fn(&StepRef) -> Option<(u64, u64)>,
}

/// The lines of the block, each cut to the terminal's width.
pub(crate) fn block(known: Known<'_>, elapsed: Duration, frame: Frame) -> Vec<String> {
    let Known { summary, shape, .. } = known;
    let height = (frame.height / 3).clamp(1, MAX_HEIGHT);
    let mut lines = vec![status(summary, shape, elapsed, frame.paint)];
    if height >= ROOM_FOR_RULE {
        let rule = "─".repeat(frame.width.saturating_sub(6).min(71));
        lines.insert(0, frame.paint.dim(&format!("   {rule}")));
    }
    let running = running(known, elapsed, frame);
    let room = height.saturating_sub(lines.len() + usize::from(running.is_some()));
    lines.extend(rows::rows(known, room, frame.paint));
    if height > lines.len() {
        lines.extend(running);
    }
    lines.iter().map(|line| truncate_str(line, frame.width, "…").into_owned()).collect()
}

/// `00:01:24  61 204/≥100 000 steps  727/s  16 running  215 failed  ≈ 53 s left`.
pub(crate) fn status(summary: &Summary, shape: &Shape, elapsed: Duration, paint: Paint) -> String {
    let (ended, known) = (summary.ended(shape), summary.known_total(shape));
    let growing = summary.is_any_growing(shape);
    let mut parts = vec![clock(elapsed), format!("{} steps", progress(ended, known, growing))];
    if elapsed >= Duration::from_secs(1) && ended > 0 {
        parts.push(rate(ended, elapsed));
    }
    let running = summary.total(shape, StepState::Running);
    if running > 0 {
        parts.push(format!("{} running", count(running)));
    }
    let failed = summary.total(shape, StepState::Failed);
    if failed > 0 {
        parts.push(paint.bad(&format!("{} failed", count(failed))));
    }
    if summary.cancelling().is_some() {
        parts.push(paint.warn("cancelling"));
    } else if !growing && ended >= ENOUGH_TO_GUESS && known > ended {
        let left = elapsed.mul_f64((known - ended) as f64 / ended as f64);
        parts.push(format!("≈ {} left", about(left)));
    }
    format!("   {}", parts.join("  "))
}

/// `727/s`, or `14/min` where less than one ends in a second.
fn rate(ended: u64, elapsed: Duration) -> String {
    let per_second = ended as f64 / elapsed.as_secs_f64();
    if per_second >= 1.0 {
        format!("{}/s", count(per_second.round() as u64))
    } else {
        format!("{}/min", (per_second * 60.0).round())
    }
}

/// `31 402/≥100 000`.
fn progress(ended: u64, known: u64, growing: bool) -> String {
    format!("{}/{}{}", count(ended), if growing { "≥" } else { "" }, count(known))
}

/// `   slowest running: compute[2024-01-07] 12.4 s 40 % · compute[2024-03-02] 9.8 s · … 14 more`.
fn running(known: Known<'_>, elapsed: Duration, frame: Frame) -> Option<String> {
    let Known { summary, shape, progress, .. } = known;
    if frame.max_running == 0 {
        return None;
    }
    let running = summary.running(frame.max_running);
    let all = summary.total(shape, StepState::Running);
    let mut parts: Vec<_> = running
        .iter()
        .map(|running| {
            let name = running.step.name(shape).to_string();
            let since = duration(elapsed.saturating_sub(running.started));
            format!("{} {since}{}", safe(&name), done(progress(&running.step)))
        })
        .collect();
    if parts.is_empty() {
        return None;
    }
    // Steps are named whole, and as many as fit; the others are counted.
    let prefix = "   slowest running: ";
    let fits = |parts: &[String]| {
        let more = all > parts.len() as u64;
        let width = measure_text_width(&parts.join(" · ")) + prefix.len();
        width + if more { 16 } else { 0 } <= frame.width
    };
    while parts.len() > 1 && !fits(&parts) {
        parts.pop();
    }
    let more = all.saturating_sub(parts.len() as u64);
    if more > 0 {
        parts.push(format!("… {} more", count(more)));
    }
    Some(format!("{prefix}{}", parts.join(" · ")))
}

/// ` 40 %`, or ` 17 done` where it is not known of how many.
fn done(progress: Option<(u64, u64)>) -> String {
    match progress {
        None => String::new(),
        Some((done, 0)) => format!(" {} done", count(done)),
        // Cut, not rounded: what is not over is not at 100 %.
        Some((done, of)) => format!(" {} %", u128::from(done.min(of)) * 100 / u128::from(of)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use expect_test::{Expect, expect};

    fn check(width: usize, height: usize, expected: &Expect) {
        let (shape, events) = fixture::half_way();
        let mut summary = Summary::new(&shape);
        summary.apply(&shape, &events);
        let frame = Frame { width, height, max_running: 8, paint: Paint::PLAIN };
        let layout = Layout::of(&shape);
        let progress = |step: &StepRef| (step.path.depth() == 0).then_some((199, 300));
        let known = Known { summary: &summary, shape: &shape, layout: &layout, progress: &progress };
        let lines = block(known, fixture::millis(2_040), frame);
        assert!(lines.len() <= (height / 3).clamp(1, 12));
        assert!(lines.iter().all(|line| measure_text_width(line) <= width));
        expected.assert_eq(&fixture::framed(&lines.join("\n")));
    }

    #[test]
    fn a_tall_terminal_shows_every_op() {
        check(
            100,
            40,
            &expect![[r#"
            --
               ───────────────────────────────────────────────────────────────────────
               00:00:02  4/≥8 steps  2/s  2 running
                 load_pieces      0/1   emitting, 3 so far
                 └ clean          3/≥3  ▕███████████████▏  p95 5 ms
                   compute_piece  1/≥3  ▕█████          ▏  1 waiting to retry · pool api
                 merge            waits for compute_piece
               slowest running: load_pieces 2.04 s 66 % · compute_piece[c] 2.01 s"#]],
        );
    }

    #[test]
    fn a_low_terminal_shows_active_ops_and_counts_the_others() {
        check(
            80,
            15,
            &expect![[r#"
            --
               00:00:02  4/≥8 steps  2/s  2 running
                 load_pieces  0/1   emitting, 3 so far
                 └ clean      3/≥3  ▕███████████████▏  p95 5 ms
                 … more ops: 1 active, 1 waiting
               slowest running: load_pieces 2.04 s 66 % · compute_piece[c] 2.01 s"#]],
        );
    }

    #[test]
    fn progress_is_told_in_percent_or_by_number() {
        let said = [None, Some((17, 0)), Some((0, 3)), Some((999, 1_000)), Some((u64::MAX, u64::MAX))];
        assert_eq!(said.map(done), ["", " 17 done", " 0 %", " 99 %", " 100 %"]);
    }

    #[test]
    fn a_tiny_terminal_shows_one_line_cut() {
        check(
            20,
            5,
            &expect![[r#"
            --
               00:00:02  4/≥8 s…"#]],
        );
        check(
            1,
            1,
            &expect![[r#"
            --
            …"#]],
        );
    }

    #[test]
    fn the_rest_is_guessed_once_the_total_is_known() {
        let (shape, events) = fixture::failing_letters();
        let mut summary = Summary::new(&shape);
        summary.apply(&shape, &events[..events.len() - 3]);
        let line = status(&summary, &shape, fixture::millis(84_000), Paint::PLAIN);
        expect![[r#"
            --
               00:01:24  6/8 steps  4/min"#]]
        .assert_eq(&fixture::framed(&line));
    }
}
