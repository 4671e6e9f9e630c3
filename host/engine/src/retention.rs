//! What is over goes (operations 10, D12): jobs with their run logs when the time of their definition has passed, sessions of
//! task flows that nobody goes on with, and the entries of the journal when the organisation's time has passed.
//!
//! Called by `Engine::keep_house`, a slice at a time, so that nobody who waits is held up; what each slice freed is counted in
//! the same commit. The freed pages of the file are used again by what is written next.

use jiff::tz::TimeZone;
use model::{Caller, ProcessName, RecordRef, Span, Timestamp, process::Retention};
use parking_lot::Mutex;
use store::{
    counters::{self, Freed, Of},
    jobs::{self, Class},
    journal,
};

use crate::{Catalogue, Engine, Failure, task_flows, unit::Unit};

/// Jobs that one slice takes away.
const JOBS: usize = 100;
/// Entries of the journal that one slice looks at.
const ENTRIES: usize = 500;
/// A sweep begins so long after the last one ended, in microseconds.
const EVERY: i64 = 60_000_000;
/// The journal is looked through so long after the last time, in microseconds: its keys do not go by time.
const JOURNAL_EVERY: i64 = 6 * 3_600_000_000;

/// When the next sweeps begin, and how far that of the journal is.
#[derive(Default)]
pub(crate) struct Sweeps(Mutex<State>);

#[derive(Default)]
struct State {
    jobs_at: Option<Timestamp>,
    journal_at: Option<Timestamp>,
    journal_behind: Option<RecordRef>,
}

impl Engine {
    /// What retention took away of the jobs of a process, whose readers may know it.
    pub fn freed_of(&self, caller: &Caller, name: &ProcessName) -> Result<Freed, Failure> {
        self.check_reads_process(caller, name)?;
        let (catalogue, snapshot) = self.state()?;
        let process = catalogue.process(name.as_str());
        Ok(process.map(|process| counters::freed(&snapshot, Of::Jobs(process.id))).transpose()?.unwrap_or_default())
    }

    /// What retention took away of jobs and logs, and of the journal.
    pub fn freed(&self) -> Result<(Freed, Freed), Failure> {
        let (_, snapshot) = self.state()?;
        let (all, journal) = (counters::freed_in_all(&snapshot)?, counters::freed(&snapshot, Of::Journal)?);
        let jobs = Freed {
            removed: all.removed.saturating_sub(journal.removed),
            bytes: all.bytes.saturating_sub(journal.bytes),
        };
        Ok((jobs, journal))
    }

    /// Takes a slice of what is over away, if it is time, and tells when to come again.
    pub(crate) fn sweep(&self) -> Result<Timestamp, Failure> {
        let now = self.parts.clock.now();
        let Some(mut state) = self.sweeps.0.try_lock() else { return Ok(now.plus_micros(EVERY)) };
        if is_time(state.jobs_at, now, EVERY) {
            let (freed, more) = self.in_background(take_jobs)?;
            state.jobs_at = Some(if more { now } else { now.plus_micros(EVERY) });
            told("jobs", freed);
            let gone = self.in_background(task_flows::forget)?;
            told("sessions", Freed { removed: gone, bytes: 0 });
        }
        if is_time(state.journal_at, now, JOURNAL_EVERY) {
            let behind = state.journal_behind;
            let (freed, rest) = self.in_background(|unit| take_entries(unit, behind))?;
            state.journal_behind = rest.flatten();
            state.journal_at = Some(if rest.is_some() { now } else { now.plus_micros(JOURNAL_EVERY) });
            told("journal", freed);
        }
        Ok(state.jobs_at.into_iter().chain(state.journal_at).min().unwrap_or(now))
    }
}

/// Whether it is time; also where the clock was set back so that it would not be for long.
fn is_time(at: Option<Timestamp>, now: Timestamp, every: i64) -> bool {
    at.is_none_or(|at| at <= now || at > now.plus_micros(every))
}

fn told(what: &'static str, freed: Freed) {
    if freed.removed > 0 {
        metrics::counter!("stepwise_retention_removed_total", "what" => what).increment(freed.removed);
        metrics::counter!("stepwise_retention_freed_bytes_total", "what" => what).increment(freed.bytes);
    }
}

/// Takes away the next jobs that are over for long enough. Tells whether there are more.
fn take_jobs(unit: &mut Unit) -> Result<(Freed, bool), Failure> {
    let mut room = JOBS;
    let mut all = Freed::default();
    let classes = jobs::classes(&unit.overlay.unvalidated())?;
    for class in classes {
        let Some(before) = stays(&unit.catalogue, class).and_then(|span| earlier(unit.now, span)) else { continue };
        let rows = unit.overlay.unvalidated();
        let over = jobs::done(&rows, class)?.take(room).collect::<Result<Vec<_>, _>>()?;
        let mut freed = Freed::default();
        for (_, job, place) in over.into_iter().take_while(|(at, _, _)| *at <= before) {
            let one = jobs::forget(&mut unit.overlay, job, place)?;
            freed = Freed { removed: freed.removed + one.removed, bytes: freed.bytes + one.bytes };
            room -= 1;
        }
        if freed.removed > 0 {
            counters::free(&mut unit.overlay, Of::Jobs(class.process), freed);
        }
        all = Freed { removed: all.removed + freed.removed, bytes: all.bytes + freed.bytes };
        if room == 0 {
            return Ok((all, true));
        }
    }
    Ok((all, false))
}

/// How long jobs of this class stay; absent: for ever. Those of a process that is gone stay as long as is usual.
fn stays(catalogue: &Catalogue, class: Class) -> Option<Span> {
    let process = catalogue.process_by_id(class.process);
    let retention = process.map_or_else(Retention::default, |process| process.workflow.retention);
    if class.succeeded { retention.succeeded } else { retention.failed }
}

/// Takes the next old entries of the journal away; tells where to go on, if there is more.
fn take_entries(unit: &mut Unit, behind: Option<RecordRef>) -> Result<(Freed, Option<Option<RecordRef>>), Failure> {
    let before = unit.parts.settings.journal_retention.and_then(|span| earlier(unit.now, span));
    let Some(before) = before else { return Ok((Freed::default(), None)) };
    let (freed, rest) = journal::forget(&mut unit.overlay, before, behind, ENTRIES)?;
    if freed.removed > 0 {
        counters::free(&mut unit.overlay, Of::Journal, freed);
    }
    Ok((freed, rest))
}

/// The moment `span` before `now`, by the calendar of UTC.
fn earlier(now: Timestamp, span: Span) -> Option<Timestamp> {
    let days = jiff::Span::new().try_months(span.months).ok()?.try_days(span.days).ok()?;
    let then = now.to_jiff().to_zoned(TimeZone::UTC).checked_sub(days).ok()?;
    Some(Timestamp::from_jiff(then.timestamp()).plus_micros(-span.micros))
}
