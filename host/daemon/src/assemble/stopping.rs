//! When the daemon is told something from outside: to stop, by SIGTERM or Ctrl-C; to read its certificate again, by SIGHUP.

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

/// Does `reload` with each SIGHUP. Without this, the signal would end the process.
#[cfg(unix)]
pub async fn hang_ups(reload: impl Fn()) {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut hang_up) = signal(SignalKind::hangup()) else { return };
    while hang_up.recv().await.is_some() {
        reload();
    }
}

/// There is no such signal.
#[cfg(not(unix))]
pub async fn hang_ups(_: impl Fn()) {}
