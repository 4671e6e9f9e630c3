//! Moments, days and spans (E11). They are numbers: what the time is now is always an argument.

use std::fmt;

use jiff::{civil, tz::TimeZone};

/// A moment: microseconds since 1970-01-01T00:00:00Z, in the years -9999 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A day without a time zone: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(i32);

/// A length of time as people mean it: months follow the calendar, days the clock changes, the rest is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Calendar months.
    pub months: i32,
    /// Calendar days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

/// A length of time that may also count business days: `1 month 2 business days`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Term {
    /// Months, days and exact time.
    pub span: Span,
    /// Days that are worked by the calendar of the solution.
    pub business_days: i32,
}

const MIN_SECOND: i64 = -377_705_023_201;
const MAX_SECOND: i64 = 253_402_207_200;

impl Timestamp {
    /// The moment `micros` microseconds after the epoch, or nothing outside the years -9999 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (MIN_SECOND * 1_000_000..=MAX_SECOND * 1_000_000).contains(&micros).then_some(Self(micros))
    }

    /// Microseconds since the epoch.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// The same moment cut to whole seconds, as date-time attributes keep it (E11).
    #[must_use]
    pub fn to_second(self) -> Self {
        Self(self.0.div_euclid(1_000_000) * 1_000_000)
    }

    /// The moment `span` of exact time later; stays at the end of time where there is nothing later.
    #[must_use]
    pub fn plus_micros(self, span: i64) -> Self {
        Self(self.0.saturating_add(span).clamp(MIN_SECOND * 1_000_000, MAX_SECOND * 1_000_000))
    }

    /// The moment in RFC 3339: `2026-11-20T09:00:00Z`, also with a fraction or an offset.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(Self::from_jiff)
    }

    /// The day that this moment belongs to in `zone`.
    pub fn date_in(self, zone: &TimeZone) -> Date {
        Date::from_civil(self.to_jiff().to_zoned(zone.clone()).date())
    }

    /// The moment as the time library has it.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).expect("the range is checked where a timestamp is made")
    }

    /// The moment of the time library, cut to microseconds.
    pub fn from_jiff(timestamp: jiff::Timestamp) -> Self {
        Self(timestamp.as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    /// Whole seconds as `2026-11-20T09:00:00Z`, else with six places.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.rem_euclid(1_000_000) {
            0 => write!(f, "{:.0}", self.to_jiff()),
            _ => write!(f, "{:.6}", self.to_jiff()),
        }
    }
}

impl Date {
    /// The day `days` after 1970-01-01, or nothing outside the years -9999 to 9999.
    pub fn from_days(days: i32) -> Option<Self> {
        let first = Self::from_civil(civil::Date::MIN).0;
        let last = Self::from_civil(civil::Date::MAX).0;
        (first..=last).contains(&days).then_some(Self(days))
    }

    /// Days since 1970-01-01.
    pub fn as_days(self) -> i32 {
        self.0
    }

    /// The day written `2026-11-20`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        plain.then(|| text.parse::<civil::Date>().ok()).flatten().map(Self::from_civil)
    }

    /// The moment at which this day begins in `zone`.
    pub fn start_in(self, zone: &TimeZone) -> Timestamp {
        let zoned = zone.to_ambiguous_zoned(self.to_civil().to_datetime(civil::Time::midnight())).compatible();
        zoned.map_or(Timestamp(i64::from(self.0) * 86_400_000_000), |zoned| Timestamp::from_jiff(zoned.timestamp()))
    }

    /// The day as the time library has it.
    pub fn to_civil(self) -> civil::Date {
        let epoch = civil::date(1970, 1, 1);
        epoch.saturating_add(jiff::Span::new().days(self.0))
    }

    /// The day of the time library.
    pub fn from_civil(date: civil::Date) -> Self {
        let epoch = civil::date(1970, 1, 1);
        let days = date.since((jiff::Unit::Day, epoch)).map_or(0, |span| span.get_days());
        Self(days)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_civil().fmt(f)
    }
}

impl Span {
    /// Exact time only.
    pub fn from_micros(micros: i64) -> Self {
        Self { micros, ..Self::default() }
    }

    /// Calendar days only.
    pub fn from_days(days: i32) -> Self {
        Self { days, ..Self::default() }
    }

    /// Calendar months only.
    pub fn from_months(months: i32) -> Self {
        Self { months, ..Self::default() }
    }
}

impl fmt::Display for Span {
    /// ISO 8601: `P1M2DT3H`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.months < 0 || self.days < 0 || self.micros < 0 { "-" } else { "" };
        write!(f, "{sign}P")?;
        if self.months != 0 {
            write!(f, "{}M", self.months.unsigned_abs())?;
        }
        if self.days != 0 {
            write!(f, "{}D", self.days.unsigned_abs())?;
        }
        if self.micros != 0 || (self.months == 0 && self.days == 0) {
            let micros = self.micros.unsigned_abs();
            let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
            f.write_str("T")?;
            let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            if hours != 0 {
                write!(f, "{hours}H")?;
            }
            if minutes != 0 {
                write!(f, "{minutes}M")?;
            }
            match fraction {
                0 if seconds == 0 && (hours != 0 || minutes != 0) => {}
                0 => write!(f, "{seconds}S")?,
                _ => write!(f, "{seconds}.{fraction:06}S")?,
            }
        }
        Ok(())
    }
}

impl Term {
    const UNITS: [(i64, &'static str); 3] = [(3_600_000_000, "hour"), (60_000_000, "minute"), (1_000_000, "second")];
}

impl From<Span> for Term {
    fn from(span: Span) -> Self {
        Self { span, business_days: 0 }
    }
}

impl fmt::Display for Term {
    /// As files write it: `1 month 2 days 3 hours`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![
            (i64::from(self.span.months / 12), "year"),
            (i64::from(self.span.months % 12), "month"),
            (i64::from(self.span.days), "day"),
            (i64::from(self.business_days), "business day"),
        ];
        let mut rest = self.span.micros;
        for (unit, word) in Self::UNITS {
            parts.push((rest / unit, word));
            rest %= unit;
        }
        let words = parts.iter().filter(|(count, _)| *count != 0);
        let words: Vec<String> =
            words.map(|(count, word)| format!("{count} {word}{}", if count.abs() == 1 { "" } else { "s" })).collect();
        match words.is_empty() {
            true => f.write_str("0 minutes"),
            false => f.write_str(&words.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_to_the_second_where_it_is_whole() {
        let moment = Timestamp::parse("2026-11-20T09:00:00+01:00").expect("a moment");
        assert_eq!(moment.to_string(), "2026-11-20T08:00:00Z");
        assert_eq!(moment.plus_micros(1).to_string(), "2026-11-20T08:00:00.000001Z");
        assert_eq!(moment.plus_micros(1).to_second(), moment);
    }

    #[test]
    fn a_day_is_its_number() {
        for text in ["1970-01-01", "2024-02-29", "1969-12-31", "-009999-01-01", "9999-12-31"] {
            let Some(date) = Date::parse(text) else { continue };
            assert_eq!(date.to_string(), text);
            assert_eq!(Date::from_days(date.as_days()), Some(date));
        }
        assert_eq!(Date::parse("1970-01-02").map(Date::as_days), Some(1));
        assert_eq!(Date::parse("2026-02-30"), None);
        assert_eq!(Date::parse("2026-2-3"), None);
    }

    #[test]
    fn a_span_is_written_in_iso_8601() {
        let span = Span { months: 1, days: 2, micros: 3 * 3_600_000_000 };
        assert_eq!(span.to_string(), "P1M2DT3H");
        assert_eq!(Span::default().to_string(), "PT0S");
    }

    #[test]
    fn a_term_is_written_as_files_write_it() {
        let span = Span { months: 13, days: 2, micros: 5_400_000_000 };
        assert_eq!(
            Term { span, business_days: 3 }.to_string(),
            "1 year 1 month 2 days 3 business days 1 hour 30 minutes"
        );
        assert_eq!(Term::default().to_string(), "0 minutes");
    }
}
