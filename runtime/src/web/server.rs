//! The server as a whole: begun, told of, and ended. It has threads and a runtime of its own, so that it
//! answers although every thread of a run's is held by an op that does not yield.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::App;
use super::guard::Policy;
use super::http::{connections, serve};
use super::layer::guarded;
use super::place::Place;
use super::secret::Token;

/// Threads that answer; what reads the store has others.
const THREADS: usize = 2;

/// Threads that may read the store at once.
const READERS: usize = 16;

/// So long the last connections may take to end.
const LAST: Duration = Duration::from_secs(1);

/// A server that answers, until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    origin: String,
    token: Token,
}

impl Server {
    /// Begins to answer.
    ///
    /// # Errors
    /// The system gives no threads, or takes the sockets back.
    pub(crate) fn start(app: App, place: Place, token: Token) -> io::Result<Self> {
        let Place { listeners, port, hosts, origins } = place;
        let origin = origins.first().cloned().unwrap_or_default();
        let read_only = app.read_only;
        let cookie = format!("fanfold-{port}");
        let policy = Policy { hosts, origins, cookie, token: token.clone(), read_only };
        let router = guarded(Arc::new(app), Arc::new(policy));
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(READERS)
            .thread_name("fanfold-page")
            .enable_all()
            .build()?;
        let stop = CancellationToken::new();
        let all = u32::try_from(connections()).unwrap_or(u32::MAX);
        let room = Arc::new(Semaphore::new(all as usize));
        for listener in listeners {
            listener.set_nonblocking(true)?;
            let _inside = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            runtime.spawn(serve(listener, router.clone(), Arc::clone(&room), stop.clone()));
        }
        let asked = stop.clone();
        let thread = std::thread::Builder::new()
            .name("fanfold-page".to_owned())
            .spawn(move || end(runtime, &asked, &room, all))?;
        Ok(Self { stop, thread: Some(thread), origin, token })
    }

    /// The address of a page, as it is printed: with the secret, unless its owner chose it.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}{}", self.origin, self.token.query())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A server that panicked has ended, too.
            let _ = thread.join();
        }
    }
}

/// Waits until the server is told to stop, and then for what is being answered, for a while.
fn end(runtime: Runtime, asked: &CancellationToken, room: &Semaphore, all: u32) {
    runtime.block_on(async {
        asked.cancelled().await;
        let _ = tokio::time::timeout(LAST, room.acquire_many(all)).await;
    });
    runtime.shutdown_background();
}
