//! Ctrl-C and its relatives.

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal went away.
    HangUp,
}

impl Asked {
    /// The reason for cancelling, for people.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Interrupt => "Ctrl-C",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
        }
    }
}

/// The signals that end a run; made before it starts, so that none is lost.
pub(super) struct Signals {
    #[cfg(unix)]
    streams: [(Asked, tokio::signal::unix::Signal); 3],
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses it.
    #[cfg(unix)]
    pub(super) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            streams: [
                (Asked::Interrupt, signal(SignalKind::interrupt())?),
                (Asked::Terminate, signal(SignalKind::terminate())?),
                (Asked::HangUp, signal(SignalKind::hangup())?),
            ],
        })
    }

    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses it.
    #[cfg(not(unix))]
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// The next signal.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> Asked {
        let [(first, one), (second, two), (third, three)] = &mut self.streams;
        tokio::select! {
            _ = one.recv() => *first,
            _ = two.recv() => *second,
            _ = three.recv() => *third,
        }
    }

    /// The next signal.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> Asked {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Asked::Interrupt
    }
}
