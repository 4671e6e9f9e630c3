//! A few threads for what takes long and is nobody's unit of work: hashing a password, asking a provider,
//! looking at a component.
//!
//! As many as there are at work, and as many as may wait, so that a flood costs bounded memory and leaves the engine's
//! threads and the web runtime alone. They start with the first piece of work and end with the router.

use std::{sync::OnceLock, thread::Builder};

use crossbeam_channel::{Sender, TrySendError, bounded};
use tokio::sync::oneshot;

use crate::problem::Denial;

type Work = Box<dyn FnOnce() + Send>;

/// Threads with a short queue.
pub struct Pool {
    name: &'static str,
    threads: usize,
    queue: OnceLock<Sender<Work>>,
}

/// How much may wait.
const WAITING: usize = 64;

impl Pool {
    /// So many threads, which are not started yet.
    pub fn new(name: &'static str, threads: usize) -> Self {
        Self { name, threads, queue: OnceLock::new() }
    }

    /// What `work` gives, once a thread has done it; refused at once when too much waits already.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Denial> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.get_or_init(|| self.start());
        let span = tracing::Span::current();
        let work = move || {
            // Whoever asked may have gone away.
            let _ = answer.send(span.in_scope(work));
        };
        match queue.try_send(Box::new(work)) {
            Ok(()) => answered.await.map_err(|_| Denial::stopping()),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Denial::crowded()),
        }
    }

    fn start(&self) -> Sender<Work> {
        let (send, receive) = bounded::<Work>(WAITING);
        for number in 0..self.threads {
            let receive = receive.clone();
            let work = move || receive.iter().for_each(|work| work());
            if let Err(error) = Builder::new().name(format!("{}-{number}", self.name)).spawn(work) {
                tracing::error!(%error, "a thread for {} could not be started", self.name);
            }
        }
        send
    }
}
