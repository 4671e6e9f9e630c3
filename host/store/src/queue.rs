//! Batches that wait, and how a group is made of them (E5): what arrived while the last flush ran, interactive ones
//! first, closed at 2,000 rows, rows sorted by key.
//!
//! Shared by both backends, so that the memory store decides conflicts exactly as the disk does.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{Batch, Completion, Error, Key, Priority, Seq, Value, window::Window};

/// A group closes when it has this many rows; a larger batch is a group of its own.
pub const GROUP_ROWS: usize = 2_000;
/// While background batches wait, a group keeps this many rows for them, so that a rush of people does not stop jobs.
const BACKGROUND_ROWS: usize = 500;

/// Riders that may wait for a group; more make one by themselves, so that they do not fill the memory.
const RIDERS: usize = 500;

/// A batch and who waits for it.
pub struct Request {
    pub batch: Batch,
    pub done: Completion,
}

/// What was submitted and is in no group yet.
#[derive(Default)]
pub struct Queue {
    interactive: VecDeque<Request>,
    background: VecDeque<Request>,
    /// What goes along with the next group.
    riders: VecDeque<Request>,
}

impl Queue {
    pub fn push(&mut self, request: Request) {
        match request.batch.priority {
            Priority::Interactive => self.interactive.push_back(request),
            Priority::Background => self.background.push_back(request),
            Priority::Rider => self.riders.push_back(request),
        }
    }

    pub fn len(&self) -> usize {
        self.interactive.len() + self.background.len() + self.riders.len()
    }

    /// Whether nothing waits that makes a group.
    pub fn is_empty(&self) -> bool {
        self.interactive.is_empty() && self.background.is_empty() && self.riders.len() < RIDERS
    }

    /// Lets the riders make a group by themselves: nothing else will come.
    pub fn release_riders(&mut self) {
        self.background.append(&mut self.riders);
    }

    /// The next group; empty only when nothing waits that makes one.
    pub fn take_group(&mut self) -> Vec<Request> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut group = Vec::with_capacity(self.len().min(GROUP_ROWS));
        let kept = if self.background.is_empty() { 0 } else { BACKGROUND_ROWS };
        let mut rows = 0;
        take(&mut self.interactive, &mut group, &mut rows, GROUP_ROWS - kept);
        take(&mut self.background, &mut group, &mut rows, GROUP_ROWS);
        take(&mut self.interactive, &mut group, &mut rows, GROUP_ROWS);
        take(&mut self.riders, &mut group, &mut rows, GROUP_ROWS);
        group
    }
}

fn take(from: &mut VecDeque<Request>, group: &mut Vec<Request>, rows: &mut usize, limit: usize) {
    while let Some(next) = from.front()
        && (group.is_empty() || *rows + next.batch.rows() <= limit)
        && let Some(request) = from.pop_front()
    {
        *rows += request.batch.rows();
        group.push(request);
    }
}

/// A group after its checks.
pub struct Checked {
    /// Rows in key order, each key once; `None` deletes.
    pub writes: Vec<(Key, Option<Value>)>,
    /// What is added to each sum.
    pub adds: BTreeMap<Key, i64>,
    /// Who is answered with the group's number.
    pub accepted: Vec<Completion>,
    /// Who is answered with a conflict. Only after the group is visible: an earlier re-run would meet it again.
    pub refused: Vec<(Completion, Error)>,
}

/// Checks each batch against the window, on its own and in order, and merges the rows of those that pass.
pub fn check(group: Vec<Request>, seq: Seq, now: Duration, window: &mut Window) -> Checked {
    let mut checked = Checked {
        writes: Vec::new(),
        adds: BTreeMap::new(),
        accepted: Vec::with_capacity(group.len()),
        refused: Vec::new(),
    };
    window.forget(now);
    for Request { batch, done } in group {
        match window.check(batch.as_of, &batch.read) {
            Ok(()) => {
                window.touch(seq, now, &batch.touch);
                checked.writes.extend(batch.writes);
                for (key, by) in batch.adds {
                    *checked.adds.entry(key).or_default() += by;
                }
                checked.accepted.push(done);
            }
            Err(conflict) => checked.refused.push((done, conflict)),
        }
    }
    sort_last_wins(&mut checked.writes);
    checked
}

/// Sorts by key; of several writes to one key the last submitted stays.
fn sort_last_wins(writes: &mut Vec<(Key, Option<Value>)>) {
    writes.sort_by(|(a, _), (b, _)| a.cmp(b));
    writes.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            std::mem::swap(&mut later.1, &mut earlier.1);
        }
        same
    });
}

/// Answers one waiter. A panic of his must not take the writer, and everyone else's commits, with it.
pub fn answer(done: Completion, outcome: Result<Seq, Error>) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| done(outcome))).is_err() {
        tracing::error!("a completion panicked; the commit it was told about stands");
    }
}
