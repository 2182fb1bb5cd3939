//! Waits for Ctrl-C and SIGTERM on a thread of its own, so that no computation of the run delays the answer.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How long the run may take to answer a signal. A longer computation, or a write to a pipe that nobody reads, is not
/// awaited.
const ANSWER: Duration = Duration::from_millis(500);

/// The signals that interrupt a run.
#[derive(Debug)]
pub(super) struct Signals {
    received: Receiver<&'static str>,
    answered: Arc<Notify>,
}

impl Signals {
    /// Listens to the signals from now on. `end` ends the process; it is called if the run does not answer a signal.
    ///
    /// # Errors
    /// The system does not deliver signals.
    pub fn listen(end: impl FnOnce(&'static str) + Send + 'static) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (sender, received) = channel(8);
        let answered = Arc::new(Notify::new());
        let signals = {
            let _context = runtime.enter();
            [(signal(SignalKind::interrupt())?, "SIGINT"), (signal(SignalKind::terminate())?, "SIGTERM")]
        };
        let run_answered = answered.clone();
        thread::Builder::new().name("signals".into()).spawn(move || {
            if let Some(signal) = runtime.block_on(watch(signals, &sender, &run_answered)) {
                end(signal);
            }
        })?;
        Ok(Self { received, answered })
    }

    /// Waits for the next signal, and returns its name.
    pub async fn next(&mut self) -> &'static str {
        match self.received.recv().await {
            Some(signal) => {
                self.answered.notify_one();
                signal
            }
            // The thread has ended, and ends the process.
            None => std::future::pending().await,
        }
    }
}

/// Passes signals on until the run has ended. Returns a signal that the run does not answer.
async fn watch(
    [(mut interrupt, int), (mut terminate, term)]: [(tokio::signal::unix::Signal, &'static str); 2],
    sender: &Sender<&'static str>,
    answered: &Notify,
) -> Option<&'static str> {
    loop {
        let signal = select! {
            _ = interrupt.recv() => int,
            _ = terminate.recv() => term,
            () = sender.closed() => return None,
        };
        // Ignore errors: a run that has not answered eight signals does not answer this one either.
        let _ = sender.try_send(signal);
        select! {
            () = answered.notified() => {}
            () = sender.closed() => return None,
            () = tokio::time::sleep(ANSWER) => return Some(signal),
        }
    }
}
