//! When the daemon is told to stop: SIGTERM from an operator, Ctrl-C from a person.

/// Ends when one of the signals comes.
#[cfg(unix)]
pub async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}

/// Ends when a person presses Ctrl-C.
#[cfg(not(unix))]
pub async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
