//! Watches for whatever asks a run to stop: signals, and a stdout that takes no more events.
//!
//! It has a thread and a runtime of its own, so that it answers although every thread of the run's
//! is held by an op that does not yield.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::problem::Problem;
use super::signals::Signals;
use crate::engine::Canceller;
use crate::exit;
use crate::report::screen::tell;

/// How long a run that was told to end at once may take to do so; then the process ends.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What the run's side holds.
pub(super) struct Watcher {
    stage: Arc<Mutex<Stage>>,
    early: oneshot::Receiver<&'static str>,
}

/// A run that can be cancelled.
pub(super) struct Watched(Arc<Mutex<Stage>>);

impl Watched {
    /// Whether somebody at this process asked it to stop.
    pub(super) fn was_asked(&self) -> bool {
        lock(&self.0).asked.is_some()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Nothing of the run is held any more: its store can be closed.
        lock(&self.0).canceller = None;
    }
}

/// How far the run is, and what was asked for.
#[derive(Default)]
struct Stage {
    canceller: Option<Canceller>,
    asked: Option<&'static str>,
    /// What is said if the process ends before the run does.
    farewell: String,
}

/// What the thread holds.
struct Watch<S> {
    signals: Signals,
    broken: Option<oneshot::Receiver<io::ErrorKind>>,
    silence: S,
    stage: Arc<Mutex<Stage>>,
    early: oneshot::Sender<&'static str>,
}

impl Watcher {
    /// Begins to listen; `silence` is called when the reader of stdout went away.
    pub(super) fn start(
        broken: Option<oneshot::Receiver<io::ErrorKind>>,
        silence: impl FnOnce() + Send + 'static,
    ) -> Result<Self, Problem> {
        let refused = |error| Problem::Store(format!("cannot listen to signals: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let signals = {
            let _inside = runtime.enter();
            Signals::listen().map_err(refused)?
        };
        let stage = Arc::<Mutex<Stage>>::default();
        let (early, asked_early) = oneshot::channel();
        let watch = Watch { signals, broken, silence, stage: Arc::clone(&stage), early };
        std::thread::Builder::new()
            .name("fanfold-signals".to_owned())
            .spawn(move || runtime.block_on(watch.watch()))
            .map_err(refused)?;
        Ok(Self { stage, early: asked_early })
    }

    /// Ends when somebody asks to stop before there is a run: with the reason.
    pub(super) async fn asked_early(&mut self) -> &'static str {
        match (&mut self.early).await {
            Ok(reason) => reason,
            Err(_) => std::future::pending().await,
        }
    }

    /// From here on there is a run to cancel, until what this gives is dropped; `farewell` is said if it
    /// does not end when it is told to.
    pub(super) fn watch(self, canceller: Canceller, farewell: String) -> Watched {
        let mut stage = lock(&self.stage);
        if let Some(reason) = stage.asked {
            canceller.cancel(reason);
        }
        stage.canceller = Some(canceller);
        stage.farewell = farewell;
        drop(stage);
        Watched(self.stage)
    }
}

impl<S: FnOnce()> Watch<S> {
    /// The first that asks cancels gracefully, the second ends at once; then the process ends.
    async fn watch(self) {
        let Self { mut signals, broken, silence, stage, early } = self;
        let reason = tokio::select! {
            asked = signals.next() => asked.reason(),
            why = told(broken) => {
                if why == io::ErrorKind::BrokenPipe {
                    silence();
                }
                "its events cannot be written to stdout"
            }
        };
        {
            let mut stage = lock(&stage);
            stage.asked = Some(reason);
            match &stage.canceller {
                Some(canceller) => canceller.cancel(reason),
                None => drop(early.send(reason)),
            }
        }
        let again = signals.next().await;
        if let Some(canceller) = &lock(&stage).canceller {
            canceller.cancel_now(again.reason());
        }
        let _ = tokio::time::timeout(AT_ONCE, signals.next()).await;
        // The engine does not answer: the process is all that is left to end.
        let farewell = std::mem::take(&mut lock(&stage).farewell);
        if !farewell.is_empty() {
            tell(&farewell);
        }
        std::process::exit(i32::from(exit::CANCELLED));
    }
}

/// Why stdout takes no more; never, if it takes all.
async fn told(broken: Option<oneshot::Receiver<io::ErrorKind>>) -> io::ErrorKind {
    if let Some(broken) = broken
        && let Ok(why) = broken.await
    {
        return why;
    }
    std::future::pending().await
}

fn lock(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}
