//! The threads that carry mail: their own, so that a slow or dead server keeps nothing else from its work (E17).
//!
//! Each asks the engine for a parcel, has the courier carry it, and tells the engine what became of it. While it carries it
//! does not hold the engine, so the daemon can stop without it: what was not told by then goes out again, under the same
//! `Message-ID`.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak, mpsc},
    thread::Builder,
    time::{Duration, Instant},
};

use engine::Engine;
use model::parcel::Courier;

/// How long a thread waits for a parcel before it looks whether a connection is to be closed.
const WAIT: Duration = Duration::from_secs(10);
/// How long the daemon waits at its end for what is being carried.
const GRACE: Duration = Duration::from_secs(10);

/// Threads that carry mail until the outbox is closed.
pub struct Carriers {
    engine: Weak<Engine>,
    number: usize,
    ended: mpsc::Receiver<()>,
}

impl Carriers {
    /// Starts `number` of them.
    pub fn start(engine: &Arc<Engine>, courier: &Arc<dyn Courier>, number: usize) -> io::Result<Self> {
        let (end, ended) = mpsc::channel();
        for place in 0..number {
            let (engine, courier, end) = (Arc::downgrade(engine), Arc::clone(courier), end.clone());
            let work = move || {
                while turn(&engine, &*courier) {}
                if end.send(()).is_err() {
                    tracing::debug!("a carrier ended after the daemon had");
                }
            };
            Builder::new().name(format!("mail-{place}")).spawn(work)?;
        }
        Ok(Self { engine: Arc::downgrade(engine), number, ended })
    }

    /// Gives out no more mail and waits a while for what is being carried.
    pub fn stop(self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.close_outbox();
        }
        let until = Instant::now() + GRACE;
        for _ in 0..self.number {
            if self.ended.recv_timeout(until.saturating_duration_since(Instant::now())).is_err() {
                tracing::warn!("mail is still being carried after {} s: it goes out again", GRACE.as_secs());
                return;
            }
        }
    }
}

/// Carries one parcel, if there is one; tells whether to go on.
fn turn(engine: &Weak<Engine>, courier: &dyn Courier) -> bool {
    let Some(here) = engine.upgrade() else { return false };
    let parcel = here.next_parcel(WAIT);
    let goes_on = !here.is_outbox_closed();
    drop(here);
    let Some(carried) = parcel else {
        courier.rest();
        return goes_on;
    };
    // A courier that panics has brought nothing; the others must not pay for it.
    let fates = catch_unwind(AssertUnwindSafe(|| courier.carry(carried.parcel()))).unwrap_or_default();
    if let Some(here) = engine.upgrade() {
        here.carried(carried, fates);
    }
    goes_on
}
