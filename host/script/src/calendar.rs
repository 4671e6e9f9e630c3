//! Business days: which days of the week are worked, and which of them are holidays (formats 10).

use std::{collections::BTreeSet, fmt};

use model::Date;

/// The days of the week as files write them, Monday first.
const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The most business days that one calculation steps over; more is a mistake, not a term.
const LONGEST: i64 = 10_000;

/// The business days of a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Whether each day of the week is worked, Monday first.
    pub days: [bool; 7],
    /// Days that are not worked all the same.
    pub holidays: BTreeSet<Date>,
}

impl Default for Calendar {
    /// Monday to Friday, no holidays.
    fn default() -> Self {
        Self { days: [true, true, true, true, true, false, false], holidays: BTreeSet::new() }
    }
}

impl Calendar {
    /// The calendar of a text that [`fmt::Display`] has written.
    pub fn parse(text: &str) -> Option<Self> {
        let (days, holidays) = text.split_once(';').unwrap_or((text, ""));
        let mut calendar = Self { days: [false; 7], holidays: BTreeSet::new() };
        for day in days.split(',').map(str::trim).filter(|day| !day.is_empty()) {
            calendar.days[WEEK.iter().position(|known| *known == day)?] = true;
        }
        for day in holidays.split(',').map(str::trim).filter(|day| !day.is_empty()) {
            calendar.holidays.insert(Date::parse(day)?);
        }
        Some(calendar)
    }

    /// Whether `day` is worked.
    pub fn is_business_day(&self, day: Date) -> bool {
        self.days[weekday(day)] && !self.holidays.contains(&day)
    }

    /// The day `count` business days after `day`, or before it where `count` is negative; nothing where the calendar
    /// or time itself has no such day. With 0 it is `day`, worked or not.
    pub fn add(&self, day: Date, count: i64) -> Option<Date> {
        if count.abs() > LONGEST || !self.days.contains(&true) {
            return None;
        }
        let step = if count < 0 { -1 } else { 1 };
        let mut left = count.abs();
        let mut day = day;
        // Holidays alone could block every day; each of them is passed at most once.
        while left > 0 {
            day = Date::from_days(day.as_days() + step)?;
            left -= i64::from(self.is_business_day(day));
        }
        Some(day)
    }

    /// How many business days lie after `from` up to and with `to`; negative where `to` is the earlier day.
    pub fn between(&self, from: Date, to: Date) -> i64 {
        if to < from {
            return -self.between(to, from);
        }
        let days = i64::from(to.as_days()) - i64::from(from.as_days());
        let worked = self.days.iter().filter(|worked| **worked).count() as i64;
        let rest = (0..days % 7).filter(|ahead| self.days[(weekday(from) + 1 + *ahead as usize) % 7]).count() as i64;
        let first = from.as_days().saturating_add(1);
        let lost = Date::from_days(first)
            .filter(|first| *first <= to)
            .map_or(0, |first| self.holidays.range(first..=to).filter(|day| self.days[weekday(**day)]).count() as i64);
        days / 7 * worked + rest - lost
    }
}

/// `mon,tue,wed,thu,fri;2026-12-25,2027-01-01`: how a custom step is told.
impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worked = WEEK.iter().zip(self.days).filter(|(_, worked)| *worked).map(|(day, _)| *day);
        f.write_str(&worked.collect::<Vec<_>>().join(","))?;
        for (place, day) in self.holidays.iter().enumerate() {
            write!(f, "{}{day}", if place == 0 { ";" } else { "," })?;
        }
        Ok(())
    }
}

/// The day of the week, 0 for Monday.
pub(crate) fn weekday(day: Date) -> usize {
    // 1970-01-01 was a Thursday.
    (i64::from(day.as_days()) + 3).rem_euclid(7) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text).expect("a date")
    }

    #[test]
    fn weekends_and_holidays_are_stepped_over() {
        let calendar = Calendar { holidays: [day("2026-12-25")].into(), ..Calendar::default() };
        assert_eq!(calendar.add(day("2026-12-24"), 1), Some(day("2026-12-28")));
        assert_eq!(calendar.add(day("2026-12-28"), -1), Some(day("2026-12-24")));
        assert_eq!(calendar.between(day("2026-12-24"), day("2026-12-28")), 1);
        assert_eq!(calendar.between(day("2026-12-28"), day("2026-12-24")), -1);
    }

    #[test]
    fn a_calendar_without_days_has_no_next_one() {
        let calendar = Calendar { days: [false; 7], ..Calendar::default() };
        assert_eq!(calendar.add(day("2026-12-24"), 1), None);
        assert_eq!(calendar.between(day("2026-12-24"), day("2027-12-24")), 0);
    }

    #[test]
    fn a_calendar_that_nobody_wrote_is_none() {
        assert_eq!(Calendar::parse("mon,someday"), None);
        assert_eq!(Calendar::parse("mon;christmas"), None);
        assert_eq!(Calendar::default().to_string(), "mon,tue,wed,thu,fri");
    }

    proptest! {
        #[test]
        fn counting_agrees_with_looking_at_each_day(from in 0..40_000i32, ahead in 0..900i32, days: [bool; 7], free in prop::collection::btree_set(0..41_000i32, 0..50)) {
            let date = |number| Date::from_days(number).expect("a date of our times");
            let calendar = Calendar { days, holidays: free.into_iter().map(date).collect() };
            prop_assert_eq!(Calendar::parse(&calendar.to_string()), Some(calendar.clone()));
            let counted = (from + 1..=from + ahead).filter(|number| calendar.is_business_day(date(*number))).count();
            prop_assert_eq!(calendar.between(date(from), date(from + ahead)), counted as i64);
        }
    }
}
