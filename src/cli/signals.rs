//! Waits for Ctrl-C and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for a signal, and returns its name.
pub(super) async fn interruption() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}
