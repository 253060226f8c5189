//! Server-sent events, as they come: at most one message waits, made of what is newest when it is taken.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use axum::response::sse::Event;
use futures_core::Stream;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use super::difference::Told;
use super::watcher::Seen;
use crate::store::Standing;
use crate::web::api::convert;

/// From one message about a run to the next at least: with the look at the store before it, what a page
/// shows is less than a quarter of a second old.
pub(super) const BETWEEN: Duration = Duration::from_millis(190);

/// From one word of changes in the list of runs to the next: two a second.
const BETWEEN_LISTS: Duration = Duration::from_millis(500);

/// How often a stream says that it is there.
const PING: Duration = Duration::from_secs(2);

/// Events on their way to one page.
#[derive(Debug)]
pub(crate) struct Events(mpsc::Receiver<Event>);

impl Stream for Events {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

/// Tells of a run to one who knows it up to commit `after`, until it has ended or is gone.
pub(crate) fn of_run(seen: watch::Receiver<Option<Seen>>, after: Option<u64>) -> Events {
    let (sender, events) = mpsc::channel(1);
    // It ends when nobody listens any more, or nobody watches the run.
    tokio::spawn(tell_run(sender, seen, after));
    Events(events)
}

/// Tells that the list of runs changed.
pub(crate) fn of_list(changes: watch::Receiver<u64>) -> Events {
    let (sender, events) = mpsc::channel(1);
    tokio::spawn(tell_list(sender, changes));
    Events(events)
}

async fn tell_run(
    sender: mpsc::Sender<Event>,
    mut seen: watch::Receiver<Option<Seen>>,
    after: Option<u64>,
) -> Option<()> {
    let mut ping = pings();
    let mut told: Option<Told> = None;
    loop {
        // The state is taken when there is room for a message, so it is the newest.
        let room = sender.reserve().await.ok()?;
        let newest = seen.borrow_and_update().clone();
        let state = match newest {
            Some(Seen::Run(state)) => state,
            Some(Seen::Gone) => {
                room.send(event("gone", &json!({})));
                return None;
            }
            None => {
                drop(room);
                wait(&sender, &mut seen, &mut ping).await?;
                continue;
            }
        };
        let told = told.get_or_insert_with(|| Told::after(after, &state));
        if !told.is_all_of(&state) {
            let live = told.next(&state, SystemTime::now());
            room.send(event("state", &live).id(told.known().to_string()));
            sleep(BETWEEN).await;
            continue;
        }
        if matches!(state.standing, Standing::Ended(_)) {
            room.send(event("end", &json!({ "state": convert::standing(state.standing) })));
            return None;
        }
        drop(room);
        wait(&sender, &mut seen, &mut ping).await?;
    }
}

async fn tell_list(sender: mpsc::Sender<Event>, mut changes: watch::Receiver<u64>) -> Option<()> {
    let mut ping = pings();
    changes.mark_unchanged();
    loop {
        wait(&sender, &mut changes, &mut ping).await?;
        sender.send(event("changed", &json!({ "now": convert::seconds(SystemTime::now()) }))).await.ok()?;
        sleep(BETWEEN_LISTS).await;
    }
}

/// Waits for something new, and says meanwhile that the stream is there; `None` when it is at its end.
async fn wait<T>(
    sender: &mpsc::Sender<Event>,
    seen: &mut watch::Receiver<T>,
    ping: &mut Interval,
) -> Option<()> {
    loop {
        tokio::select! {
            changed = seen.changed() => return changed.ok(),
            () = sender.closed() => return None,
            _ = ping.tick() => {
                let now = json!({ "now": convert::seconds(SystemTime::now()) });
                sender.send(event("ping", &now)).await.ok()?;
            }
        }
    }
}

fn pings() -> Interval {
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping
}

fn event(name: &str, data: &impl serde::Serialize) -> Event {
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}
