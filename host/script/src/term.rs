//! So much later or earlier, by the calendar and the clocks of a solution: what waits count with (formats 1, E11).
//!
//! Months and days follow the calendar, business days that of the solution; the time of day stays the same while clocks
//! change. A time of day that the clocks leave out is taken later by what they skip, of one that they repeat the first is
//! taken. Hours and minutes are exact.

use model::{Date, Term, Timestamp, Value};

use crate::Environment;

impl Environment {
    /// The moment of a date, which begins at midnight, or of a date-time; nothing for anything else.
    pub fn moment_of(&self, value: &Value) -> Option<Timestamp> {
        match value {
            Value::Date(day) => Some(day.start_in(&self.time_zone)),
            Value::DateTime(moment) => Some(*moment),
            _ => None,
        }
    }

    /// The moment so much after a date or a date-time; nothing where time or the calendar has none.
    pub fn after(&self, value: &Value, term: Term) -> Option<Timestamp> {
        self.shifted(value, term, 1)
    }

    /// The moment so much before a date or a date-time; nothing where time or the calendar has none.
    pub fn before(&self, value: &Value, term: Term) -> Option<Timestamp> {
        self.shifted(value, term, -1)
    }

    fn shifted(&self, value: &Value, term: Term, sign: i32) -> Option<Timestamp> {
        let exactly = i64::from(sign).checked_mul(term.span.micros)?;
        let moment = self.moment_of(value)?;
        let start = match value {
            _ if term.span.months == 0 && term.span.days == 0 && term.business_days == 0 => moment,
            Value::Date(day) => {
                self.days_later(day.to_civil().to_datetime(jiff::civil::Time::midnight()), term, sign)?
            }
            _ => self.days_later(moment.to_jiff().to_zoned(self.time_zone.clone()).datetime(), term, sign)?,
        };
        start.as_micros().checked_add(exactly).and_then(Timestamp::from_micros)
    }

    /// The days of a term later, at the same time of day.
    fn days_later(&self, from: jiff::civil::DateTime, term: Term, sign: i32) -> Option<Timestamp> {
        let months = jiff::Span::new().try_months(sign.checked_mul(term.span.months)?).ok()?;
        let span = months.try_days(sign.checked_mul(term.span.days)?).ok()?;
        let day = Date::from_civil(from.date().checked_add(span).ok()?);
        let day = match term.business_days {
            0 => day,
            count => self.calendar.add(day, i64::from(sign) * i64::from(count))?,
        };
        let there = self.time_zone.to_ambiguous_zoned(day.to_civil().to_datetime(from.time())).compatible();
        there.ok().map(|there| Timestamp::from_jiff(there.timestamp()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Span;

    use super::*;
    use crate::{Calendar, environment::time_zone};

    fn new_york() -> Environment {
        let christmas = Date::parse("2026-12-25").expect("a date");
        let calendar = Calendar { holidays: [christmas].into(), ..Calendar::default() };
        let time_zone = time_zone("America/New_York").expect("a zone");
        Environment { time_zone, calendar: Arc::new(calendar), ..Environment::at(Timestamp::default()) }
    }

    fn value(text: &str) -> Value {
        let date = Date::parse(text).map(Value::Date);
        date.or_else(|| Timestamp::parse(text).map(Value::DateTime)).expect("a date or a moment")
    }

    fn term(months: i32, days: i32, hours: i64, business_days: i32) -> Term {
        Term { span: Span { months, days, micros: hours * 3_600_000_000 }, business_days }
    }

    #[test]
    fn days_and_months_follow_the_calendar_and_the_clocks_of_the_zone() {
        let check = |from: &str, term: Term, after: &str, before: &str| {
            let (there, back) = (new_york().after(&value(from), term), new_york().before(&value(from), term));
            assert_eq!(there.map(|at| at.to_string()).as_deref(), Some(after), "{term} after {from}");
            assert_eq!(back.map(|at| at.to_string()).as_deref(), Some(before), "{term} before {from}");
        };
        // The clocks go forward on 2026-03-08 at 02:00, back on 2026-11-01 at 02:00.
        check("2026-03-08T06:30:00Z", term(0, 1, 0, 0), "2026-03-09T05:30:00Z", "2026-03-07T06:30:00Z");
        check("2026-03-07T07:30:00Z", term(0, 1, 0, 0), "2026-03-08T07:30:00Z", "2026-03-06T07:30:00Z");
        check("2026-10-31T05:30:00Z", term(0, 1, 0, 0), "2026-11-01T05:30:00Z", "2026-10-30T05:30:00Z");
        check("2026-03-08", term(0, 1, 0, 0), "2026-03-09T04:00:00Z", "2026-03-07T05:00:00Z");
        check("2026-03-08", term(0, 0, 24, 0), "2026-03-09T05:00:00Z", "2026-03-07T05:00:00Z");
        check("2026-03-31", term(1, 0, 0, 0), "2026-04-30T04:00:00Z", "2026-02-28T05:00:00Z");
        check("2026-12-24", term(0, 0, 1, 1), "2026-12-28T06:00:00Z", "2026-12-23T04:00:00Z");
        check("2026-03-08", term(0, 0, 0, 0), "2026-03-08T05:00:00Z", "2026-03-08T05:00:00Z");
    }

    #[test]
    fn what_time_or_the_calendar_does_not_have_is_nothing() {
        assert_eq!(new_york().after(&value("2026-03-08"), term(i32::MAX, 0, 0, 0)), None);
        assert_eq!(new_york().after(&value("2026-03-08"), term(0, 0, 0, i32::MAX)), None);
        assert_eq!(new_york().after(&Value::Null, term(0, 1, 0, 0)), None);
    }
}
