//! The moments of a cron expression in a time zone (formats 5): what `start.schedule` says, read and asked.
//!
//! Five fields, so minutes are the finest. Where the clocks are turned it holds what cron users expect: an entry at one fixed
//! time of day comes once on every day, at the end of the gap where its own time does not exist, and at the first of two
//! equal times; entries that come again and again (`*/30 * * * *`) follow real time, so they leave a gap out and come in both
//! halves of a repeat.

use std::fmt;

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{Zoned, tz::TimeZone};
use model::Timestamp;

/// The fields in order, with what may stand in each.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or `L` for the last"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7, both Sunday, or SUN to SAT"),
];
/// What stands for a whole expression.
const NICKNAMES: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];

/// When something happens again and again.
#[derive(Clone, Debug)]
pub struct Timetable {
    cron: Cron,
    zone: TimeZone,
}

/// Why a text is no cron expression, and what may help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCron {
    /// Why.
    pub message: String,
    /// What may help.
    pub hint: String,
}

impl fmt::Display for NoCron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Timetable {
    /// The moments of `text` by the clocks of `zone`.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, NoCron> {
        let text = text.trim();
        if text.starts_with('@') {
            if !NICKNAMES.contains(&text.to_lowercase().as_str()) {
                let message = format!("there is no cron expression `{text}`");
                return Err(NoCron { message, hint: format!("there are {}", NICKNAMES.join(", ")) });
            }
        } else {
            check_fields(text)?;
        }
        let no = |_| NoCron { message: format!("`{text}` is no cron expression"), hint: example() };
        let timetable = Self { cron: parser().parse(text).map_err(no)?, zone };
        // A leap year, so that the 29th of February is found at once.
        let probe = Timestamp::from_micros(1_704_067_199_000_000).unwrap_or_default();
        match timetable.next(probe) {
            Some(_) => Ok(timetable),
            None => Err(NoCron {
                message: format!("the moment of `{text}` never comes"),
                hint: "no month has such a day".to_owned(),
            }),
        }
    }

    /// The first moment after `moment`; nothing where there is none any more.
    pub fn next(&self, moment: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_next_occurrence(&self.clock(moment), false).ok()?;
        Some(Timestamp::from_jiff(found.timestamp())).filter(|found| *found > moment)
    }

    /// The last moment up to and with `moment`.
    pub fn last(&self, moment: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&self.clock(moment), true).ok()?;
        let found = Timestamp::from_jiff(found.timestamp());
        (found <= moment).then_some(found)
    }

    /// The zone by whose clocks it goes.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What the clocks show; expressions know whole seconds.
    fn clock(&self, moment: Timestamp) -> Zoned {
        moment.to_second().to_jiff().to_zoned(self.zone.clone())
    }
}

/// Names the field that is wrong.
fn check_fields(text: &str) -> Result<(), NoCron> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let message = format!(
            "a cron expression has five fields: minute, hour, day of the month, month, day of the week; `{text}` has {}",
            fields.len()
        );
        let hint = match fields.len() {
            6 | 7 => "leave the seconds out: minutes are the finest".to_owned(),
            _ => example(),
        };
        return Err(NoCron { message, hint });
    }
    for (place, ((name, range), field)) in FIELDS.iter().zip(&fields).enumerate() {
        let mut alone = ["*"; 5];
        alone[place] = field;
        if field.contains('@') || parser().parse(&alone.join(" ")).is_err() {
            let message = format!("the {name} cannot be `{field}`");
            let hint = format!("the {name} is {range}, as `8`, `8-17`, `8,12` or `*/2`");
            return Err(NoCron { message, hint });
        }
    }
    Ok(())
}

fn example() -> String {
    "write `0 8 * * 1-5` for 8 o'clock on working days".to_owned()
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a moment")
    }

    fn table(cron: &str, zone: &str) -> Timetable {
        Timetable::parse(cron, crate::environment::time_zone(zone).expect("a zone")).expect("a cron expression")
    }

    fn check(cron: &str, zone: &str, from: &str, moments: &[&str]) {
        let table = table(cron, zone);
        let mut moment = at(from);
        for expected in moments {
            moment = table.next(moment).expect("there is a next one");
            assert_eq!(moment.to_string(), *expected, "`{cron}` in {zone}");
            assert_eq!(table.last(moment), Some(moment), "`{cron}` in {zone}, looked back on");
        }
    }

    #[test]
    fn moments_follow_the_clocks_of_the_zone() {
        check("0 8 * * 1-5", "UTC", "2026-11-20T08:00:00Z", &["2026-11-23T08:00:00Z", "2026-11-24T08:00:00Z"]);
        check("0 8 * * *", "America/New_York", "2026-11-20T00:00:00Z", &["2026-11-20T13:00:00Z"]);
        check("0 8 * * *", "America/New_York", "2026-07-20T00:00:00Z", &["2026-07-20T12:00:00Z"]);
        check("30 17 L * *", "UTC", "2026-01-31T17:30:00Z", &["2026-02-28T17:30:00Z"]);
        check("@daily", "Europe/Berlin", "2026-01-01T00:00:00Z", &["2026-01-01T23:00:00Z"]);
    }

    #[test]
    fn a_fixed_time_in_the_gap_comes_when_the_gap_ends() {
        // In Berlin the clocks go from 2 to 3 on 2026-03-29.
        let moments = ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
        check("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", &moments);
    }

    #[test]
    fn what_comes_again_and_again_leaves_the_gap_out() {
        let moments = ["2026-03-29T00:00:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"];
        check("*/30 * * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", &moments);
    }

    #[test]
    fn a_fixed_time_that_is_there_twice_comes_once() {
        // In Berlin the clocks go from 3 back to 2 on 2026-10-25.
        let moments = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        check("30 2 * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", &moments);
    }

    #[test]
    fn what_comes_again_and_again_comes_in_both_halves_of_a_repeat() {
        let moments = ["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"];
        check("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", &moments);
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (text, message, hint) in [
            ("61 * * * *", "the minute cannot be `61`", "the minute is 0 to 59, as `8`, `8-17`, `8,12` or `*/2`"),
            ("0 25 * * *", "the hour cannot be `25`", "the hour is 0 to 23, as `8`, `8-17`, `8,12` or `*/2`"),
            ("0 0 31 2 *", "the moment of `0 0 31 2 *` never comes", "no month has such a day"),
            (
                "@fortnightly",
                "there is no cron expression `@fortnightly`",
                "there are @hourly, @daily, @weekly, @monthly, @yearly, @annually",
            ),
            (
                "0 0 8 * * *",
                "a cron expression has five fields: minute, hour, day of the month, month, day of the week; `0 0 8 * * *` has 6",
                "leave the seconds out: minutes are the finest",
            ),
            (
                "daily",
                "a cron expression has five fields: minute, hour, day of the month, month, day of the week; `daily` has 1",
                "write `0 8 * * 1-5` for 8 o'clock on working days",
            ),
        ] {
            let no = Timetable::parse(text, TimeZone::UTC).expect_err(text);
            assert_eq!((no.message.as_str(), no.hint.as_str()), (message, hint));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = Timetable::parse(&text, TimeZone::UTC);
        }

        #[test]
        fn looking_back_finds_what_looking_ahead_found(
            minute in 0..60u8, hour in 0..24u8, every: bool, days in 0..3_000i64, seconds in 0..86_400i64,
            zone in prop::sample::select(&["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"][..]),
        ) {
            let cron = if every { format!("*/{} * * * *", minute.max(1)) } else { format!("{minute} {hour} * * *") };
            let table = table(&cron, zone);
            let moment = Timestamp::from_micros((1_700_000_000 + days * 86_400 + seconds) * 1_000_000).expect("a moment");
            let next = table.next(moment).expect("there is always one");
            prop_assert!(next > moment);
            prop_assert_eq!(table.last(next), Some(next));
            let before = table.last(next.plus_micros(-1_000_000)).expect("there was one");
            prop_assert!(before <= moment);
            prop_assert_eq!(table.next(before), Some(next));
        }
    }
}
