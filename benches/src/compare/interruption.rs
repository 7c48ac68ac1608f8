//! Ctrl-C and its like, while the comparison runs.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to stop.
pub(crate) struct Interruption {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Interruption {
    /// Listens from here on. Before a deployment is started: a signal that nobody listens for would end this process
    /// and leave the deployment behind.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one. Answers which it was.
    pub(crate) async fn comes(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted",
            _ = self.terminate.recv() => "terminated",
            _ = self.hang_up.recv() => "the terminal is gone",
        }
    }
}
