//! Lengths of time as files write them: `15 days`, `1 month 2 days`.
//!
//! Business days need a calendar and are no span; only waits take them.

use model::{Span, Term};

const UNITS: [(&str, Unit); 7] = [
    ("second", Unit::Micros(1_000_000)),
    ("minute", Unit::Micros(60_000_000)),
    ("hour", Unit::Micros(3_600_000_000)),
    ("day", Unit::Days(1)),
    ("week", Unit::Days(7)),
    ("month", Unit::Months(1)),
    ("year", Unit::Months(12)),
];

#[derive(Clone, Copy)]
enum Unit {
    Micros(i64),
    Days(i32),
    Months(i32),
}

/// Why a text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDuration {
    /// It is not made of numbers and units.
    #[error("a length of time is written `15 days` or `1 month 2 days`, not `{0}`")]
    Form(String),
    /// The unit is not one of them.
    #[error("there is no unit `{0}`; the units are seconds, minutes, hours, days, weeks, months, years")]
    Unit(String),
    /// It counts business days where no calendar is at hand.
    #[error("business days cannot be counted here: only waits and expressions know a calendar")]
    BusinessDays,
    /// Its figures are too large.
    #[error("`{0}` is longer than can be kept")]
    TooLong(String),
}

/// The length of time that `text` is.
pub fn parse(text: &str) -> Result<Span, NoDuration> {
    match term(text)? {
        Term { span, business_days: 0 } => Ok(span),
        _ => Err(NoDuration::BusinessDays),
    }
}

/// The length of time that `text` is, which may count business days.
pub(crate) fn term(text: &str) -> Result<Term, NoDuration> {
    let form = || NoDuration::Form(text.to_owned());
    let mut words = text.split_whitespace().peekable();
    let mut term = Term::default();
    words.peek().ok_or_else(form)?;
    while let Some(figures) = words.next() {
        let digits = figures.bytes().all(|byte| byte.is_ascii_digit());
        let (true, Some(word)) = (digits, words.next()) else { return Err(form()) };
        let too_long = || NoDuration::TooLong(text.to_owned());
        if word == "business" && words.next_if(|next| matches!(*next, "day" | "days")).is_some() {
            let count: i32 = figures.parse().map_err(|_| too_long())?;
            term.business_days = term.business_days.checked_add(count).ok_or_else(too_long)?;
        } else {
            term.span = add(term.span, figures, unit(word)?).ok_or_else(too_long)?;
        }
    }
    Ok(term)
}

/// The microseconds of a length of time that does not follow the calendar; nothing for months and years.
pub(crate) fn exact(span: Span) -> Option<i64> {
    let days = i64::from(span.days).checked_mul(86_400_000_000)?;
    (span.months == 0).then(|| span.micros.checked_add(days)).flatten()
}

fn unit(word: &str) -> Result<Unit, NoDuration> {
    let one = word.strip_suffix('s').unwrap_or(word);
    let found = UNITS.iter().find(|(name, _)| *name == one).map(|(_, unit)| *unit);
    found.ok_or_else(|| NoDuration::Unit(word.to_owned()))
}

fn add(span: Span, figures: &str, unit: Unit) -> Option<Span> {
    let count: i32 = figures.parse().ok()?;
    Some(match unit {
        Unit::Micros(one) => Span { micros: span.micros.checked_add(i64::from(count).checked_mul(one)?)?, ..span },
        Unit::Days(one) => Span { days: span.days.checked_add(count.checked_mul(one)?)?, ..span },
        Unit::Months(one) => Span { months: span.months.checked_add(count.checked_mul(one)?)?, ..span },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_the_sum_of_its_parts() {
        let check = |text: &str, months, days, micros| {
            assert_eq!(parse(text), Ok(Span { months, days, micros }), "{text}");
        };
        check("15 days", 0, 15, 0);
        check("1 month 2 days", 1, 2, 0);
        check("1 year 1 week 10 seconds", 12, 7, 10_000_000);
        check("1 hour 30 minutes", 0, 0, 5_400_000_000);
    }

    #[test]
    fn a_term_may_count_business_days() {
        let check = |text: &str, days, business_days| {
            assert_eq!(term(text), Ok(Term { span: Span::from_days(days), business_days }), "{text}");
        };
        check("3 business days", 0, 3);
        check("1 day 1 business day", 1, 1);
        assert_eq!(term("3 business"), Err(NoDuration::Unit("business".to_owned())));
        assert_eq!(parse("3 business days"), Err(NoDuration::BusinessDays));
    }

    #[test]
    fn anything_else_is_refused_in_words() {
        for (text, why) in [
            ("", "a length of time is written `15 days` or `1 month 2 days`, not ``"),
            ("15", "a length of time is written `15 days` or `1 month 2 days`, not `15`"),
            ("-1 days", "a length of time is written `15 days` or `1 month 2 days`, not `-1 days`"),
            ("2 moons", "there is no unit `moons`; the units are seconds, minutes, hours, days, weeks, months, years"),
            ("9999999999 days", "`9999999999 days` is longer than can be kept"),
        ] {
            assert_eq!(parse(text).map_err(|problem| problem.to_string()), Err(why.to_owned()));
        }
    }
}
