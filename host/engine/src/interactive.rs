//! Work that somebody waits for: queued by an edge, computed by whoever loops `Engine::serve_one` (E12).
//!
//! A unit of work that met a conflict is run again at once, from the third time on after a wait of up to two groups (E3).
//! The wait is counted in groups and not in time, so nothing sleeps and an idle engine goes on at once.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;

use crate::Engine;

/// Something to be done on an engine thread.
pub type Work = Box<dyn FnOnce(&Engine) + Send>;

/// What waits to be done.
pub(crate) struct Desk {
    send: Sender<Work>,
    receive: Receiver<Work>,
    waiting: AtomicUsize,
    later: Mutex<VecDeque<Later>>,
}

/// Work that waits until the store has committed so many groups, or until there is nothing else to do.
struct Later {
    groups: u64,
    work: Work,
}

impl Desk {
    /// Nothing to do yet.
    pub fn new() -> Self {
        let (send, receive) = crossbeam_channel::unbounded();
        Self { send, receive, waiting: AtomicUsize::new(0), later: Mutex::default() }
    }

    /// Puts `work` behind the rest.
    pub fn push(&self, work: Work) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The receiver lives as long as the sender, so this does not fail.
        drop(self.send.send(work));
    }

    /// Puts `work` aside until the store has committed `groups` groups, and wakes whoever waits to look at it.
    pub fn push_later(&self, groups: u64, work: Work) {
        self.later.lock().push_back(Later { groups, work });
        self.push(Box::new(|_| ()));
    }

    /// How much waits.
    pub fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The next piece of work; `groups` tells how many groups were committed so far.
    pub fn next(&self, wait: Duration, groups: impl Fn() -> u64) -> Option<Work> {
        if let Some(work) = self.due(groups) {
            return Some(work);
        }
        if let Ok(work) = self.receive.try_recv() {
            return Some(self.taken(work));
        }
        // Nothing else to do: who waits for a group would wait for nobody.
        if let Some(later) = self.later.lock().pop_front() {
            return Some(later.work);
        }
        match wait.is_zero() {
            true => None,
            false => self.receive.recv_timeout(wait).ok().map(|work| self.taken(work)),
        }
    }

    fn due(&self, groups: impl Fn() -> u64) -> Option<Work> {
        let mut later = self.later.lock();
        if later.is_empty() {
            return None;
        }
        let now = groups();
        let place = later.iter().position(|one| one.groups <= now)?;
        later.remove(place).map(|one| one.work)
    }

    fn taken(&self, work: Work) -> Work {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        work
    }
}
