//! Connections: how many, and how long each may take. A client that says nothing, or takes nothing, holds
//! nothing for long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// So many connections at once: a browser has up to six, and a stream for each visible tab.
const CONNECTIONS: u64 = 1_536;

/// So many open files are left for all else: the store's, and those of a run beside the page.
#[cfg(unix)]
const OTHER_FILES: u64 = 256;

/// So long a request's head may take, and a connection may be without a request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// So long the head of a request may be.
const LONGEST_HEAD: usize = 64 << 10;

/// So long a client may take nothing of what it asked for.
const WRITE_TIME: Duration = Duration::from_secs(20);

/// So long what is being answered may take when the server ends.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// How long nothing is accepted after the system gave no connection: there are no more files, say.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections there may be at once, by the number of files that the system allows; which is
/// raised as far as is needed and allowed, as most systems set it low for the sake of old programs.
#[cfg(unix)]
pub(super) fn connections() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(mut files) = current else { return CONNECTIONS };
    let wanted = (CONNECTIONS + OTHER_FILES).min(maximum.unwrap_or(u64::MAX));
    if files < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        files = wanted;
    }
    files.saturating_sub(OTHER_FILES).clamp(16, CONNECTIONS)
}

/// How many connections there may be at once.
#[cfg(not(unix))]
pub(super) fn connections() -> u64 {
    CONNECTIONS
}

/// Accepts connections and answers them, until it is told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    room: Arc<Semaphore>,
    stop: CancellationToken,
) {
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, stop) = (router.clone(), stop.clone());
                tokio::spawn(async move {
                    answer(stream, router, stop).await;
                    drop(place);
                });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Answers what comes over one connection.
async fn answer(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Small answers go out at once.
    let _ = stream.set_nodelay(true);
    let io = Impatient { io: TokioIo::new(stream), waits: None };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(LONGEST_HEAD);
    let mut connection = std::pin::pin!(http.serve_connection(io, TowerToHyperService::new(router)));
    // What goes wrong with a connection concerns its client alone.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(LAST_ANSWERS, connection).await;
        }
    }
}

/// A connection that is given up when its client has taken nothing for [`WRITE_TIME`].
struct Impatient {
    io: TokioIo<TcpStream>,
    waits: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    fn patient<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = None;
            return written;
        }
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(WRITE_TIME)));
        ready!(waits.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Read for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for Impatient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.patient(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        self.patient(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(context);
        self.patient(shut, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.patient(written, context)
    }
}
