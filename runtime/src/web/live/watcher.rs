//! Who looks at a store for all streams of one run, or of the list of runs: begun by the first of them,
//! ended with the last.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::follow::{Follow, PULSE};
use super::state::State;
use super::stream::BETWEEN;
use crate::store::{RunFilter, Standing, Store, StoreError};
use crate::web::App;

/// How often it is asked whether anything was changed.
const LOOK: Duration = Duration::from_millis(50);

/// How long it is not looked after something was seen: a little longer than a stream is silent after a
/// message, so that each state is told when it is seen, and none is made that nobody tells.
const REST: Duration = Duration::from_millis(BETWEEN.as_millis() as u64 + 10);

/// How many running runs are looked at for that in a list.
const DRIVEN: usize = 20;

/// A run as it was seen.
#[derive(Debug, Clone)]
pub(crate) enum Seen {
    Run(Arc<State>),
    /// It is not in the store any more.
    Gone,
}

/// All that are at work.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    runs: Arc<Watched<String, Option<Seen>>>,
    list: Arc<Watched<(), u64>>,
}

impl Watchers {
    /// Watches a run; what was seen of it is at first `None`. The receiver ends if the run cannot be read.
    pub(crate) fn run(&self, app: &Arc<App>, run: &str) -> watch::Receiver<Option<Seen>> {
        self.runs.subscribe(run.to_owned(), None, |watched| {
            let (app, run) = (Arc::clone(app), run.to_owned());
            tokio::spawn(async move {
                watch_run(&watched, app, &run).await;
            });
        })
    }

    /// Watches the list of runs; the number counts its changes.
    pub(crate) fn list(&self, app: &Arc<App>) -> watch::Receiver<u64> {
        self.list.subscribe((), 0, |watched| {
            let store = Arc::clone(&app.store);
            tokio::spawn(async move {
                watch_list(&watched, store).await;
            });
        })
    }
}

#[cfg(test)]
impl Watchers {
    /// Whether nothing is watched.
    pub(super) fn is_idle(&self) -> bool {
        self.runs.all().is_empty() && self.list.all().is_empty()
    }
}

async fn watch_run(watched: &Watched<String, Option<Seen>>, app: Arc<App>, run: &str) {
    let run = run.to_owned();
    let mut follow = Follow::new(app, &run);
    while watched.is_wanted(&run) {
        let looked = spawn_blocking(move || {
            let seen = follow.look();
            (follow, seen)
        });
        // One that panicked is as good as one that cannot be read.
        let Ok((next, seen)) = looked.await else { return watched.end(&run) };
        follow = next;
        match seen {
            Ok(None) => sleep(LOOK).await,
            Ok(Some(state)) => {
                watched.tell(&run, Some(Seen::Run(state)));
                sleep(REST).await;
            }
            Err(refused) if refused.status == StatusCode::NOT_FOUND => {
                watched.tell(&run, Some(Seen::Gone));
                return watched.end(&run);
            }
            // The streams end, and who asks again is told why.
            Err(_) => return watched.end(&run),
        }
    }
}

async fn watch_list(watched: &Watched<(), u64>, store: Arc<dyn Store>) {
    let mut list = List { store, version: None, driven: Vec::new(), looked: None };
    let mut changes = 0;
    while watched.is_wanted(&()) {
        let looked = spawn_blocking(move || {
            let changed = list.look();
            (list, changed)
        });
        let Ok((next, Ok(changed))) = looked.await else { return watched.end(&()) };
        list = next;
        if changed {
            changes += 1;
            watched.tell(&(), changes);
        }
        sleep(LOOK).await;
    }
}

/// The list of runs, looked at again and again.
struct List {
    store: Arc<dyn Store>,
    version: Option<u64>,
    driven: Vec<String>,
    looked: Option<Instant>,
}

impl List {
    /// Whether it has changed since it was looked at last.
    fn look(&mut self) -> Result<bool, StoreError> {
        let version = Some(self.store.version()?);
        let mut changed = self.version.is_some() && self.version != version;
        self.version = version;
        if self.looked.is_none_or(|looked| looked.elapsed() >= PULSE) {
            let running =
                RunFilter { standing: vec![Standing::Running], limit: DRIVEN, ..Default::default() };
            let driven: Vec<_> = self.store.runs(&running)?.into_iter().map(|row| row.id).collect();
            changed |= self.looked.is_some() && driven != self.driven;
            (self.driven, self.looked) = (driven, Some(Instant::now()));
        }
        Ok(changed)
    }
}

/// What is watched, by what it is called, and who listens.
struct Watched<K, T>(Mutex<HashMap<K, watch::Sender<T>>>);

impl<K: Eq + Hash, T> Watched<K, T> {
    /// Listens; begins to watch if nobody did.
    fn subscribe(self: &Arc<Self>, key: K, first: T, begin: impl FnOnce(Arc<Self>)) -> watch::Receiver<T> {
        let mut all = self.all();
        if let Some(known) = all.get(&key) {
            return known.subscribe();
        }
        let (sender, receiver) = watch::channel(first);
        all.insert(key, sender);
        begin(Arc::clone(self));
        receiver
    }

    /// Whether anybody listens; if not, it is watched no more.
    fn is_wanted(&self, key: &K) -> bool {
        let mut all = self.all();
        let wanted = all.get(key).is_some_and(|sender| sender.receiver_count() > 0);
        if !wanted {
            all.remove(key);
        }
        wanted
    }

    fn tell(&self, key: &K, seen: T) {
        if let Some(sender) = self.all().get(key) {
            sender.send_replace(seen);
        }
    }

    /// Ends those who listen. Not to be called once it is not wanted any more: somebody may have begun to
    /// watch it anew.
    fn end(&self, key: &K) {
        self.all().remove(key);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<K, watch::Sender<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Default for Watched<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, T> fmt::Debug for Watched<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}
