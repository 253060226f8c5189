//! Timers: one task that sleeps until the machine's next one.

use std::sync::Arc;

use super::shared::Shared;

pub(super) fn spawn(shared: Arc<Shared>) {
    let runtime = shared.runtime.clone();
    runtime.spawn(async move {
        loop {
            let (next, ended) = {
                let machine = shared.lock();
                (machine.next_timer(), machine.ended().is_some())
            };
            if ended {
                return;
            }
            match next {
                Some(at) if at <= shared.now() => shared.change(|machine, now| machine.tick(now)),
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(shared.at(at)) => {}
                    () = shared.timers.notified() => {}
                },
                None => shared.timers.notified().await,
            }
        }
    });
}
