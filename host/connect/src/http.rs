//! Requests of steps to other hosts: only to what is granted, and only to addresses that were looked at.
//!
//! Each hop is judged anew: its host against the grants (`place`), each address that its name stands for (`address`),
//! and what secrets may go along (`hop`). The connection goes to the very address that was looked at. A request runs
//! on a thread of its own, so that a cancelled run need not wait for a slow host.

mod address;
mod hop;
mod place;
mod secrets;
mod transport;

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use model::grant::HostGrant;
use model::outside::{Answer, NoAnswer, Outside, Placeholder, Reach, Request, Unanswered};

pub use transport::{Client, Lookup};
pub(crate) use {
    place::{Granted, Place},
    transport::Shared,
};

/// How often a waiting step is asked whether anybody still wants its answer.
const LOOK: Duration = Duration::from_millis(50);

/// What a request may reach, kept for the thread that sends it.
struct Kept {
    hosts: Vec<HostGrant>,
    secrets: Vec<Placeholder>,
    until: Instant,
    largest: usize,
}

impl Outside for Client {
    fn send(
        &self,
        request: &Request,
        reach: &Reach<'_>,
        is_cancelled: &mut dyn FnMut() -> bool,
    ) -> Result<Answer, Unanswered> {
        let kept = Kept {
            hosts: reach.hosts.to_vec(),
            secrets: reach.secrets.to_vec(),
            until: Instant::now() + reach.within,
            largest: reach.largest,
        };
        let (answer, answered) = mpsc::sync_channel(1);
        let (client, request) = (Arc::clone(self.shared()), request.clone());
        let until = kept.until;
        let sending = thread::Builder::new().name("step-http".into());
        let started = sending.spawn(move || {
            // Nobody is there any more when the step was stopped meanwhile.
            let _ = answer.send(hop::all(&client, request, &kept));
        });
        if started.is_err() {
            return Err(Unanswered::new(NoAnswer::NoConnection, "there is no thread left to send it"));
        }
        loop {
            match answered.recv_timeout(LOOK) {
                Ok(sent) => return sent,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Unanswered::new(NoAnswer::Broken, "sending it broke off"));
                }
                Err(mpsc::RecvTimeoutError::Timeout) if is_cancelled() => {
                    return Err(Unanswered::new(NoAnswer::Cancelled, "the run was asked to stop"));
                }
                // The transport keeps its own time; this is for the case that it does not.
                Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() > until + LOOK => {
                    return Err(Unanswered::new(NoAnswer::TimedOut, "there was no answer in time"));
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
