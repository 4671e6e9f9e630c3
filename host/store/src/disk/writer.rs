//! The one writer: takes a group, checks it, commits it, answers it; reopens the file after a fault (E5, E6).
//!
//! The only thread of the store, and the only one that writes. What it shares with its callers is in `shared`.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use super::{
    commit,
    open::Open,
    shared::{Shared, unavailable},
    space,
    state::File,
};
use crate::{
    Error, Key, Seq, Value,
    queue::{self, Request},
};

/// The writer thread: until the store is dropped and everything submitted is answered.
pub fn run(shared: &Shared) {
    // However the thread ends, nobody may wait for it for ever.
    let _closing = Closing(shared);
    while let Some(group) = shared.next_group() {
        shared.commit_group(group);
    }
}

struct Closing<'a>(&'a Shared);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut left = Vec::new();
        {
            let mut incoming = self.0.incoming.lock();
            incoming.stopping = true;
            incoming.queue.release_riders();
            while !incoming.queue.is_empty() {
                left.extend(incoming.queue.take_group());
            }
        }
        self.0.state.lock().close();
        left.into_iter().for_each(|request| queue::answer(request.done, Err(Error::Closed)));
    }
}

impl Shared {
    /// Waits for a group; `None` when the store is to close and nothing waits any more.
    fn next_group(&self) -> Option<Vec<Request>> {
        let mut incoming = self.incoming.lock();
        loop {
            if !incoming.queue.is_empty() {
                return Some(incoming.queue.take_group());
            }
            if incoming.stopping {
                incoming.queue.release_riders();
                match incoming.queue.is_empty() {
                    true => return None,
                    false => continue,
                }
            }
            if std::mem::take(&mut incoming.fault) {
                // An empty group: the writer looks at the state, and reopens when it is time.
                return Some(Vec::new());
            }
            match self.wake_at() {
                None => self.arrived.wait(&mut incoming),
                Some(at) => {
                    if self.arrived.wait_until(&mut incoming, at).timed_out() {
                        return Some(Vec::new());
                    }
                }
            }
        }
    }

    /// When the writer looks up though nothing has come: to reopen the file, or, once after the last group, to give the
    /// memory of the window back. An idle store sleeps.
    fn wake_at(&self) -> Option<Instant> {
        match &self.state.lock().file {
            File::Down { retry, .. } => Some(*retry),
            File::Open { .. } => self.window.lock().empty_at().map(|passed| self.started + passed),
        }
    }

    /// The file, reopened when it is down and the time has come.
    fn usable(&self) -> Result<Arc<Open>, Error> {
        match &self.state.lock().file {
            File::Open { open, .. } => return Ok(open.clone()),
            File::Down { reason, retry } if Instant::now() < *retry => return Err(unavailable(reason)),
            File::Down { .. } => {}
        }
        let begun = Instant::now();
        let opened = self.opener.open();
        let mut state = self.state.lock();
        match opened {
            Ok(open) => Ok(state.reopened(open)),
            Err(error) => {
                // To find damage the whole file is walked, and nobody mends it meanwhile.
                let walk = if matches!(error, Error::Corrupt { .. }) { begun.elapsed() * 4 } else { Duration::ZERO };
                let wait = self.opener.options.reopen_every.max(walk);
                let answer = unavailable(&error);
                state.file = File::Down { reason: error, retry: Instant::now() + wait };
                Err(answer)
            }
        }
    }

    fn check_space(&self) -> Result<(), Error> {
        let options = &self.opener.options;
        match (options.free_bytes)(&self.opener.path) {
            Ok(free) => space::check(free, options.keep_free, self.opener.figures.last_growth.load(Relaxed)),
            Err(error) => {
                tracing::warn!(%error, "the free space of the store's disk is unknown");
                Ok(())
            }
        }
    }

    /// Checks, commits and answers one group.
    fn commit_group(&self, group: Vec<Request>) {
        if group.is_empty() {
            self.window.lock().forget(self.started.elapsed());
        }
        let ready = self.usable().and_then(|open| self.check_space().map(|()| open));
        let open = match ready {
            Ok(open) => open,
            Err(error) => return group.into_iter().for_each(|request| queue::answer(request.done, Err(error.clone()))),
        };
        if group.is_empty() {
            return;
        }
        let seq = Seq(self.state.lock().seq.0 + 1);
        let checked = queue::check(group, seq, self.started.elapsed(), &mut self.window.lock());
        let outcome = self.write(&open, seq, &checked.writes, checked.adds).map(|()| {
            self.count(checked.writes.len(), checked.accepted.len());
            seq
        });
        self.counts.conflicts.fetch_add(checked.refused.len() as u64, Relaxed);
        for done in checked.accepted {
            queue::answer(done, outcome.clone());
        }
        for (done, conflict) in checked.refused {
            queue::answer(done, Err(conflict));
        }
    }

    /// One durable commit, visible when this returns.
    fn write(
        &self,
        open: &Open,
        seq: Seq,
        writes: &[(Key, Option<Value>)],
        adds: BTreeMap<Key, i64>,
    ) -> Result<(), Error> {
        let quick_repair = self.opener.options.quick_repair;
        let written = match writes.is_empty() && adds.is_empty() {
            true => Ok(Ok(())),
            // A panic of redb is a damaged file, and must not take the writer with it.
            false => catch_unwind(AssertUnwindSafe(|| commit::write(open, writes, adds, quick_repair))),
        };
        let fault = match written {
            Ok(Ok(())) => {
                self.state.lock().committed(seq);
                return Ok(());
            }
            Ok(Err(error)) => self.opener.fault(error),
            Err(_) => self.opener.corrupt("its pages contradict each other"),
        };
        self.state.lock().commit_failed(seq, open.opening, fault.clone(), self.opener.options.reopen_every);
        Err(fault)
    }

    fn count(&self, rows: usize, batches: usize) {
        self.counts.groups.fetch_add(1, Relaxed);
        self.counts.batches.fetch_add(batches as u64, Relaxed);
        self.counts.rows.fetch_add(rows as u64, Relaxed);
    }
}
