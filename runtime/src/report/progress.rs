//! Progress on stderr while a run goes on: a sink that only counts, and a thread that draws.
//!
//! The engine never waits for a terminal: the sink folds events under a lock that the drawing
//! thread holds only while it makes text, never while it writes.

mod drawer;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::lines::{self, StatusLevel};
use super::logs::LineTaker;
use super::paint::Paint;
use super::screen::{Lines, Screen, Terminal};
use crate::engine::RunningSteps;
use crate::event::Batch;
use crate::graph::Graph;
use crate::run::Sink;
use crate::shape::Shape;
use crate::summary::Summary;

use drawer::Drawer;

/// How many lines of single steps one tick shows: more nobody can read, and a slow terminal must
/// not make memory grow.
const MAX_LINES: usize = 1_000;

/// In which form progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One redrawn block, lines above it.
    Bar,
    /// A line for each step.
    Lines,
    /// A steady line, and one for each op that begins or ends.
    Plain,
    /// Failures alone.
    None,
}

/// What is shown of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProgressOptions {
    pub(crate) form: Form,
    pub(crate) level: StatusLevel,
    pub(crate) max_running: usize,
    pub(crate) paint: Paint,
}

/// Progress that is being shown, until [`finish`](Self::finish).
pub(crate) struct Progress {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The end that takes events.
pub(crate) struct ProgressSink(Arc<Shared>);

struct Shared {
    shape: Arc<Shape>,
    options: ProgressOptions,
    told: Mutex<Told>,
    wake: Condvar,
}

struct Told {
    began: Option<Instant>,
    summary: Summary,
    /// Says how far running steps are.
    steps: Option<RunningSteps>,
    /// What had happened before the first event.
    so_far: Option<Summary>,
    /// Lines of single steps since the last tick.
    lines: Vec<String>,
    /// How many more there were than are kept.
    dropped: u64,
    silent: bool,
    over: bool,
}

impl Told {
    fn new(shape: &Shape) -> Self {
        Self {
            began: None,
            summary: Summary::new(shape),
            steps: None,
            so_far: None,
            lines: Vec::new(),
            dropped: 0,
            silent: false,
            over: false,
        }
    }

    fn add(&mut self, line: impl FnOnce() -> String) {
        if self.lines.len() < MAX_LINES {
            self.lines.push(line());
        } else {
            self.dropped += 1;
        }
    }
}

impl Progress {
    /// Begins to show a run on stderr.
    pub(crate) fn start(shape: Arc<Shape>, options: ProgressOptions) -> (Self, ProgressSink) {
        let screen: Box<dyn Screen> = match options.form {
            Form::Bar => Box::new(Terminal::stderr()),
            Form::Lines | Form::Plain | Form::None => Box::new(Lines::stderr()),
        };
        let told = Mutex::new(Told::new(&shape));
        let shared = Arc::new(Shared { shape, options, told, wake: Condvar::new() });
        let drawing = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("fanfold-progress".to_owned())
            .spawn(move || Drawer::new(&drawing, screen).run());
        // A machine out of threads still runs the job: without progress.
        let progress = Self { shared: Arc::clone(&shared), thread: thread.ok() };
        (progress, ProgressSink(shared))
    }

    /// Where lines of others, such as logs, are taken in among the progress.
    pub(crate) fn lines(&self) -> ProgressLines {
        ProgressLines(Arc::clone(&self.shared))
    }

    /// From here on there are steps that may say how far they are.
    pub(crate) fn follow(&self, steps: RunningSteps) {
        self.shared.lock().steps = Some(steps);
    }

    /// Something that makes progress silent from then on.
    pub(crate) fn silencer(&self) -> impl FnOnce() + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.lock().silent = true
    }

    /// Shows what is left, and takes the block away.
    pub(crate) fn finish(mut self) {
        {
            let mut told = self.shared.lock();
            told.over = true;
            told.steps = None;
        }
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes lines of others in among the progress.
pub(crate) struct ProgressLines(Arc<Shared>);

impl LineTaker for ProgressLines {
    fn take(&self, line: &dyn Fn(Duration) -> String) {
        let mut told = self.0.lock();
        let since = told.began.map_or(Duration::ZERO, |began| began.elapsed());
        told.add(|| line(since));
    }
}

impl Sink for ProgressSink {
    fn begins(&mut self, _: &Arc<Graph>, so_far: &Summary) {
        // Not shown before the first event: it may say that what had failed begins anew.
        self.0.lock().so_far = Some(so_far.clone());
    }

    fn events(&mut self, shape: &Shape, batch: &Batch) {
        let options = self.0.options;
        let mut told = self.0.lock();
        if told.began.is_none() {
            let since = batch.events.first().map_or(Duration::ZERO, |event| event.at);
            told.began = Instant::now().checked_sub(since);
            if let Some(so_far) = told.so_far.take() {
                told.summary = so_far;
            }
        }
        told.summary.apply(shape, &batch.events);
        if options.level == StatusLevel::Fail {
            return;
        }
        for event in &batch.events {
            if let Some(line) = lines::event(shape, event, options.level, options.paint) {
                told.add(|| line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::report::screen::Drawing;
    use expect_test::expect;

    struct NoScreen;

    impl Screen for NoScreen {
        fn draw(&mut self, _: &Drawing) {}

        fn size(&self) -> (usize, usize) {
            (60, 24)
        }
    }

    #[test]
    fn a_run_that_goes_on_is_counted_from_its_beginning() {
        let (shape, events) = fixture::failing_letters();
        let mut so_far = Summary::new(&shape);
        so_far.apply(&shape, &events);
        let paint = Paint::PLAIN;
        let options = ProgressOptions { form: Form::Bar, level: StatusLevel::Fail, max_running: 8, paint };
        let told = Mutex::new(Told::new(&shape));
        let shared = Arc::new(Shared { shape: Arc::clone(&shape), options, told, wake: Condvar::new() });
        let mut sink = ProgressSink(Arc::clone(&shared));
        sink.begins(&Arc::new(fixture::graph()), &so_far);
        let mut drawer = Drawer::new(&shared, Box::new(NoScreen));
        assert!(drawer.tick(&mut shared.lock(), Duration::ZERO).lines.is_empty());
        let resumed =
            crate::event::EventKind::RunResumed { resumed: std::time::UNIX_EPOCH, in_hand: Vec::new() };
        sink.events(&shape, &Batch { events: vec![fixture::at(9_000, resumed)], ..Batch::default() });
        let Drawing { lines, block, .. } = drawer.tick(&mut shared.lock(), fixture::millis(9_100));
        expect![[r#"
            --
               Running letters 7k2m  from=a to=z
               ──────────────────────────────────────────────────────
               00:00:09  6/≥8 steps  40/min
                 load_pieces      1/1
                 └ clean          3/≥3  ▕███████████████▏  p95 5 ms
                   compute_piece  2/≥3  ▕██████████     ▏  pool api · p…
                 merge            waits for compute_piece"#]]
        .assert_eq(&fixture::framed(&[lines, block].concat().join("\n")));
    }

    fn tick(form: Form, level: StatusLevel, millis: u64, over: bool) -> String {
        let (shape, events) = fixture::failing_letters();
        let options = ProgressOptions { form, level, max_running: 8, paint: Paint::PLAIN };
        let shared = Arc::new(Shared {
            shape: Arc::clone(&shape),
            options,
            told: Mutex::new(Told::new(&shape)),
            wake: Condvar::new(),
        });
        ProgressSink(Arc::clone(&shared))
            .events(&shape, &Batch { events: events[..events.len() - 1].to_vec(), ..Batch::default() });
        let mut told = shared.lock();
        told.over = over;
        let Drawing { lines, block, .. } =
            Drawer::new(&shared, Box::new(NoScreen)).tick(&mut told, fixture::millis(millis));
        [lines, block].concat().join("\n")
    }

    #[test]
    fn nothing_is_drawn_of_a_run_that_is_over_at_once() {
        assert_eq!(tick(Form::Bar, StatusLevel::Fail, 199, false).lines().count(), 2);
        expect![[r#"
            --
               Running letters 7k2m  from=a to=z
                  FAIL [   0.50s] compute_piece[b]  attempt 3/3: api time out after 500 ms
               ──────────────────────────────────────────────────────
               00:00:03  8/8 steps  3/s  1 failed
                 load_pieces      1/1
                 └ clean          3/3  ▕███████████████▏  p95 5 ms
                   compute_piece  3/3  ▕███████████████▏  1 failed · po…
                 merge            1/1  1 upstream failed"#]]
        .assert_eq(&fixture::framed(&tick(Form::Bar, StatusLevel::Fail, 3_100, false)));
        expect![[r#"
            --
                  FAIL [   0.50s] compute_piece[b]  attempt 3/3: api time out after 500 ms"#]]
        .assert_eq(&fixture::framed(&tick(Form::None, StatusLevel::Fail, 3_100, true)));
    }

    #[test]
    fn lines_tell_each_step_and_plain_each_op() {
        expect![[r#"
            --
               Running letters 7k2m  from=a to=z
                  PASS [   0.01s] clean[a]
                  PASS [   0.01s] clean[b]
                  PASS [   0.01s] clean[c]
                  PASS [   0.37s] compute_piece[a]
                 RETRY [   0.47s] compute_piece[b]  attempt 1/3, again in 2.00 s: api time out after 470 ms
                  PASS [   0.60s] load_pieces
                  PASS [   0.87s] compute_piece[c]
                  FAIL [   0.50s] compute_piece[b]  attempt 3/3: api time out after 500 ms"#]]
        .assert_eq(&fixture::framed(&tick(Form::Lines, StatusLevel::Pass, 3_100, true)));
        expect![[r#"
            --
               Running letters 7k2m  from=a to=z
                  FAIL [   0.50s] compute_piece[b]  attempt 3/3: api time out after 500 ms
               00:00:03  load_pieces  done: 1 succeeded, 600 ms
               00:00:03  clean  done: 3 succeeded, p95 5 ms
               00:00:03  compute_piece  done: 2 succeeded, 1 failed, p95 870 ms
               00:00:03  merge  done: 1 upstream failed"#]]
        .assert_eq(&fixture::framed(&tick(Form::Plain, StatusLevel::Fail, 3_100, false)));
    }
}
