//! The supervisor: one thread that adds a worker when steps wait and none ends, and opens the items of
//! emitters whose polls take long.

use std::io;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::machine::Machine;

use super::shared::{Shared, lock};
use super::{emitter, worker};

/// How often the supervisor looks while steps wait (§3.5).
const LOOK: Duration = Duration::from_millis(1);
/// How often it looks while none waits.
const REST: Duration = Duration::from_millis(20);

/// What the supervisor knows.
struct Supervisor {
    shared: Arc<Shared>,
}

pub(super) fn spawn(shared: Arc<Shared>) -> io::Result<()> {
    let supervisor = Supervisor { shared };
    let thread = std::thread::Builder::new().name("fanfold-supervisor".to_owned());
    thread.spawn(move || supervisor.supervise()).map(drop)
}

impl Supervisor {
    fn supervise(&self) {
        let shared = &self.shared;
        let mut machine = shared.lock();
        while machine.ended().is_none() {
            let waits = self.waits(&machine);
            let wait = if waits || emitter::any_under_way(shared) { LOOK } else { REST };
            let before = self.steps_ended();
            let (next, _) = shared.watch.wait_timeout(machine, wait).unwrap_or_else(PoisonError::into_inner);
            machine = next;
            if emitter::open_early(shared, &mut machine) {
                shared.after_change(machine, shared.now());
                machine = shared.lock();
            }
            if waits && self.steps_ended() == before {
                let left_behind = machine.left_behind();
                if self.waits(&machine) {
                    self.help(left_behind);
                }
            }
        }
    }

    /// Whether steps wait that another thread could run.
    fn waits(&self, machine: &Machine) -> bool {
        let room = machine.in_flight() < machine.max_concurrent();
        room && (machine.waiting_for_threads() > 0 || self.held_back())
    }

    /// Whether a worker has steps that it has not begun.
    fn held_back(&self) -> bool {
        lock(&self.shared.workers).iter().any(|worker| !lock(&worker.queue).is_empty())
    }

    fn steps_ended(&self) -> u64 {
        lock(&self.shared.workers).iter().map(|worker| worker.ended.load(Ordering::Relaxed)).sum()
    }

    /// Steps wait and none has ended: an idle worker is woken, else one is added.
    fn help(&self, left_behind: usize) {
        let (idle, workers) = {
            let workers = lock(&self.shared.workers);
            (workers.iter().any(|worker| worker.idle.load(Ordering::Relaxed)), workers.len())
        };
        if idle {
            self.shared.wake_workers();
        } else if workers < self.shared.max_workers + left_behind {
            // Where there is no room for another thread, those that are there do the work.
            let _ = worker::spawn(&self.shared);
        }
    }
}
