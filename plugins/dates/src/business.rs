//! Business days: the weekdays and holidays of the solution's calendar.

use std::collections::BTreeSet;

use jiff::{ToSpan, civil};
use stepwise_sdk::prelude::*;

use crate::zone::{self, OUT_OF_CALENDAR};

/// The most business days that a step counts; more is some mistake.
const MOST: i64 = 10_000;

const TOO_FAR: (&str, &str) = ("too-far", "More than 10,000 business days are counted by nobody");

const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Which days are worked.
pub struct Calendar {
    week: [bool; 7],
    holidays: BTreeSet<String>,
}

impl Calendar {
    /// The solution's, as the host tells it: `mon,tue,wed,thu,fri;2026-12-25`. Monday to Friday where it tells none.
    pub fn of(context: &Context) -> Self {
        Self::read(context.attribute("calendar").as_deref().unwrap_or("mon,tue,wed,thu,fri"))
    }

    fn read(text: &str) -> Self {
        let (week, holidays) = text.split_once(';').unwrap_or((text, ""));
        let named: Vec<&str> = week.split(',').map(str::trim).collect();
        Self {
            week: WEEK.map(|day| named.contains(&day)),
            holidays: holidays.split(',').map(|day| day.trim().to_owned()).filter(|day| !day.is_empty()).collect(),
        }
    }

    /// Whether a day is worked.
    pub fn works(&self, day: civil::Date) -> bool {
        self.week[day.weekday().to_monday_zero_offset().unsigned_abs() as usize]
            && !self.holidays.contains(&day.to_string())
    }

    /// Whether any day is.
    fn is_empty(&self) -> bool {
        self.week.iter().all(|works| !works)
    }
}

/// The next day, or the one before.
fn next(day: civil::Date, forward: bool) -> Result<civil::Date, Failure> {
    let step = if forward { 1 } else { -1 };
    day.checked_add(step.days()).map_err(|_| zone::outside())
}

fn today(context: &Context) -> Result<civil::Date, Failure> {
    Ok(zone::local(context.now(), &zone::named(context, None)?)?.date())
}

fn day_or_today(context: &Context, day: Option<Date>) -> Result<civil::Date, Failure> {
    day.map_or_else(|| today(context), zone::civil)
}

/// A day.
#[derive(Inputs)]
pub struct OneDay {
    /// The day; today when empty
    day: Option<Date>,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether the day is worked
    works: bool,
}

/// Asks whether a day is worked.
pub struct IsBusinessDay;

impl Step for IsBusinessDay {
    const NAME: &str = "dates.is-business-day";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "Is a business day";
    const DESCRIPTION: &str = "True on a day that the solution's calendar works, holidays left out.";
    const DETERMINISTIC: bool = true;
    type Inputs = OneDay;
    type Outputs = Answer;

    fn run(context: &Context, asked: OneDay) -> Result<Answer, Failure> {
        Ok(Answer { works: Calendar::of(context).works(day_or_today(context, asked.day)?) })
    }

    fn examples() -> Vec<Example> {
        let one = |title, day, works| Example::of::<Self>(title, OneDay { day: Some(day) }).gives(Answer { works });
        vec![one("a Friday", Date::new(2026, 2, 20), true), one("a Saturday", Date::new(2026, 2, 21), false)]
    }
}

/// From which day, and how many.
#[derive(Inputs)]
pub struct Later {
    /// From which day on; today when empty
    from: Option<Date>,
    /// How many business days later, or earlier; with 0 the day itself, or the next one that is worked
    #[argument(min = -10000, max = 10000)]
    days: i64,
}

/// A day.
#[derive(Outputs)]
pub struct Worked {
    /// A business day
    day: Date,
}

/// Counts business days on.
pub struct AddBusiness;

impl Step for AddBusiness {
    const NAME: &str = "dates.add-business";
    const TITLE: &str = "Add business days";
    const DESCRIPTION: &str =
        "The day so many business days later or earlier, by the solution's calendar with its holidays.";
    const ERRORS: &[(&str, &str)] = &[TOO_FAR, OUT_OF_CALENDAR];
    const DETERMINISTIC: bool = true;
    type Inputs = Later;
    type Outputs = Worked;

    fn run(context: &Context, later: Later) -> Result<Worked, Failure> {
        let (calendar, mut day) = (Calendar::of(context), day_or_today(context, later.from)?);
        if later.days.checked_abs().is_none_or(|days| days > MOST) || calendar.is_empty() {
            return Err(Failure::invalid_input(TOO_FAR.0, "`days` is beyond 10,000, or no day of the week is worked"));
        }
        let forward = later.days >= 0;
        let mut left = later.days.abs();
        while left > 0 {
            day = next(day, forward)?;
            left -= i64::from(calendar.works(day));
        }
        while !calendar.works(day) {
            day = next(day, forward)?;
        }
        Ok(Worked { day: zone::date(day)? })
    }

    fn examples() -> Vec<Example> {
        let later = |days| Later { from: Some(Date::new(2026, 2, 20)), days };
        let late = attributes! { "from" => Date::new(9999, 12, 31), "days" => 5 };
        vec![
            Example::of::<Self>("one after Friday", later(1)).gives(Worked { day: Date::new(2026, 2, 23) }),
            Example::of::<Self>("ten before", later(-10)).gives(Worked { day: Date::new(2026, 2, 6) }),
            Example::failing("for ever", attributes! { "days" => 1_000_000 }, "too-far"),
            Example::failing("at the end of the calendar", late, "out-of-calendar"),
        ]
    }
}

/// Two days.
#[derive(Inputs)]
pub struct Two {
    /// The first day; today when empty
    from: Option<Date>,
    /// The last day; today when empty
    to: Option<Date>,
}

/// How many lie between.
#[derive(Outputs)]
pub struct Count {
    /// How many business days lie after the first day up to and with the last; negative where the last is the earlier
    days: i64,
}

/// Counts business days.
pub struct BusinessBetween;

impl Step for BusinessBetween {
    const NAME: &str = "dates.business-between";
    const TITLE: &str = "Business days between two days";
    const DESCRIPTION: &str =
        "How many business days lie after the first day up to and with the last. Up to some forty years apart.";
    const ERRORS: &[(&str, &str)] = &[TOO_FAR];
    const DETERMINISTIC: bool = true;
    type Inputs = Two;
    type Outputs = Count;

    fn run(context: &Context, two: Two) -> Result<Count, Failure> {
        let calendar = Calendar::of(context);
        let (from, to) = (day_or_today(context, two.from)?, day_or_today(context, two.to)?);
        let (first, last, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
        if i64::from((last - first).get_days()) > 15_000 {
            return Err(Failure::invalid_input(TOO_FAR.0, "the days lie more than 15,000 apart"));
        }
        let (mut day, mut days) = (first, 0);
        while day < last {
            day = next(day, true)?;
            days += i64::from(calendar.works(day));
        }
        Ok(Count { days: days * sign })
    }

    fn examples() -> Vec<Example> {
        let two = |from, to| Two { from: Some(from), to: Some(to) };
        let far = attributes! { "from" => Date::new(1, 1, 1), "to" => Date::new(2026, 1, 1) };
        vec![
            Example::of::<Self>("a week", two(Date::new(2026, 2, 20), Date::new(2026, 2, 27))).gives(Count { days: 5 }),
            Example::of::<Self>("backwards", two(Date::new(2026, 2, 27), Date::new(2026, 2, 20)))
                .gives(Count { days: -5 }),
            Example::failing("two thousand years", far, "too-far"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_are_not_worked() {
        let calendar = Calendar::read("mon,tue,wed,thu,fri;2026-12-25,2027-01-01");
        let works = |year, month, day| calendar.works(civil::date(year, month, day));
        assert!(works(2026, 12, 24) && !works(2026, 12, 25) && !works(2026, 12, 26) && !works(2027, 1, 1));
    }
}
