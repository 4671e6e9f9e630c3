//! Is a scheduled workflow due, and for which moment (formats 5, R8)?
//!
//! Asked by `engine::schedule` with the moment up to which everything is settled, which it keeps with the jobs in one commit:
//! so a moment is met once, whatever the clock does meanwhile. A clock that is set back meets no moment again; one that is
//! set forward has missed some, and `catch-up` decides about those.

use model::{
    Timestamp,
    process::workflow::{CatchUp, Overlap, Schedule as Definition},
};
use script::Timetable;

use crate::condition::Condition;

/// A moment that lies back longer than this, in microseconds, was missed and is not just met a little late.
pub const LATE: i64 = 60_000_000;
/// At most so many missed moments are made up for; of more, the newest.
pub const MOST: usize = 1_000;

/// The schedule of an active workflow, ready to be asked.
#[derive(Debug)]
pub struct Schedule {
    /// Its moments.
    pub timetable: Timetable,
    /// What happens when the job of an earlier moment is not over.
    pub overlap: Overlap,
    /// Which records get a job each; absent: one job without a record.
    pub each: Option<Condition>,
    catch_up: CatchUp,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing: no moment has come since.
    Nothing,
    /// Moments were missed that nobody makes up for: up to this one all is settled.
    Missed(Timestamp),
    /// This moment starts its jobs; up to it all is settled then.
    At(Timestamp),
}

impl Schedule {
    /// The schedule that a definition writes, by the clocks of `zone` where it names none; a sentence where it cannot be
    /// compiled.
    pub fn compile(definition: &Definition, timetable: Timetable) -> Result<Self, String> {
        let each = definition.each.as_ref().map(Condition::compile).transpose();
        Ok(Self {
            timetable,
            overlap: definition.overlap,
            each: each.map_err(|sentence| format!("`start.schedule.each`: {sentence}"))?,
            catch_up: definition.catch_up,
        })
    }

    /// What is to be done at `now`, when everything up to `settled` is.
    pub fn due(&self, settled: Timestamp, now: Timestamp) -> Due {
        let Some(next) = self.timetable.next(settled).filter(|next| *next <= now) else { return Due::Nothing };
        let last = self.timetable.last(now).filter(|last| *last > next).unwrap_or(next);
        match self.catch_up {
            CatchUp::None if now.as_micros() - last.as_micros() > LATE => Due::Missed(last),
            CatchUp::None | CatchUp::Last => Due::At(last),
            CatchUp::All => Due::At(self.first_of_many(next, last)),
        }
    }

    /// The first moment that is made up for, of all from `next` to `last`.
    fn first_of_many(&self, next: Timestamp, last: Timestamp) -> Timestamp {
        let mut moment = next;
        for _ in 1..MOST {
            match self.timetable.next(moment).filter(|later| *later <= last) {
                Some(later) => moment = later,
                None => return next,
            }
        }
        let mut first = last;
        for _ in 1..MOST {
            match self.timetable.last(first.plus_micros(-1)).filter(|earlier| *earlier >= next) {
                Some(earlier) => first = earlier,
                None => break,
            }
        }
        first
    }

    /// The next moments after `settled`, `most` of them.
    pub fn upcoming(&self, settled: Timestamp, most: usize) -> Vec<Timestamp> {
        let moments = std::iter::successors(self.timetable.next(settled), |moment| self.timetable.next(*moment));
        moments.take(most).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(cron: &str, catch_up: CatchUp) -> Schedule {
        let timetable = Timetable::parse(cron, script::environment::time_zone("UTC").expect("a zone")).expect("a cron");
        Schedule { timetable, overlap: Overlap::Skip, each: None, catch_up }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("2026-11-{text}Z")).expect("a moment")
    }

    fn check(catch_up: CatchUp, settled: &str, now: &str, due: Due) {
        assert_eq!(schedule("0 * * * *", catch_up).due(at(settled), at(now)), due, "{catch_up:?}, {settled}, {now}");
    }

    #[test]
    fn a_moment_is_due_once() {
        for catch_up in [CatchUp::None, CatchUp::Last, CatchUp::All] {
            check(catch_up, "20T08:00:00", "20T08:59:59", Due::Nothing);
            check(catch_up, "20T08:00:00", "20T09:00:00", Due::At(at("20T09:00:00")));
            check(catch_up, "20T09:00:00", "20T09:00:00", Due::Nothing);
        }
    }

    #[test]
    fn a_clock_that_goes_back_meets_no_moment_again() {
        check(CatchUp::All, "20T09:00:00", "20T07:30:00", Due::Nothing);
        check(CatchUp::All, "20T09:00:00", "20T09:30:00", Due::Nothing);
    }

    #[test]
    fn what_was_missed_is_made_up_for_as_the_file_says() {
        check(CatchUp::None, "20T08:00:00", "20T12:30:00", Due::Missed(at("20T12:00:00")));
        check(CatchUp::None, "20T08:00:00", "20T12:00:30", Due::At(at("20T12:00:00")));
        check(CatchUp::Last, "20T08:00:00", "20T12:30:00", Due::At(at("20T12:00:00")));
        check(CatchUp::All, "20T08:00:00", "20T12:30:00", Due::At(at("20T09:00:00")));
    }

    #[test]
    fn of_very_many_the_newest_are_made_up_for() {
        let every_minute = schedule("* * * * *", CatchUp::All);
        let (mut settled, now) = (at("01T00:00:00"), at("20T00:00:00"));
        let mut met = 0;
        while let Due::At(moment) = every_minute.due(settled, now) {
            assert!(moment > settled);
            (settled, met) = (moment, met + 1);
        }
        assert_eq!((met, settled), (MOST, now));
    }
}
