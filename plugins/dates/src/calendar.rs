//! What a calendar says of a moment: its parts, the period it lies in, the weekdays around it.

use jiff::{ToSpan, Zoned, civil};
use stepwise_sdk::prelude::*;

use crate::zone::{self, BAD_ZONE, OUT_OF_CALENDAR};

/// A moment.
#[derive(Inputs)]
pub struct At {
    /// The moment; now when empty
    moment: Option<DateTime>,
    /// In which time zone; the solution's when empty
    #[argument(max_length = 100)]
    zone: Option<String>,
}

/// Its parts.
#[derive(Outputs)]
pub struct PartsOf {
    /// The day
    day: Date,
    /// The year
    year: i64,
    /// The quarter, 1 to 4
    quarter: i64,
    /// The month, 1 to 12
    month: i64,
    /// The week of the year by ISO 8601, 1 to 53
    week: i64,
    /// The day of the month, 1 to 31
    day_of_month: i64,
    /// The day of the year, 1 to 366
    day_of_year: i64,
    /// The weekday, 1 for Monday to 7 for Sunday
    weekday: i64,
    /// The hour, 0 to 23
    hour: i64,
    /// The minute, 0 to 59
    minute: i64,
    /// How many days the month has
    days_in_month: i64,
    /// Whether the year has a leap day
    leap_year: bool,
}

/// Takes a moment apart.
pub struct Parts;

impl Step for Parts {
    const NAME: &str = "dates.parts";
    const TITLE: &str = "Parts of a date";
    const DESCRIPTION: &str = "Year, quarter, month, week, day, weekday, hour and minute in a time zone.";
    const ERRORS: &[(&str, &str)] = &[BAD_ZONE];
    const DETERMINISTIC: bool = true;
    type Inputs = At;
    type Outputs = PartsOf;

    fn run(context: &Context, at: At) -> Result<PartsOf, Failure> {
        let zone = zone::named(context, at.zone.as_deref())?;
        let local = zone::local(at.moment.unwrap_or_else(|| context.now()), &zone)?;
        let date = local.date();
        Ok(PartsOf {
            day: zone::date(date)?,
            year: date.year().into(),
            quarter: i64::from((date.month() - 1) / 3 + 1),
            month: date.month().into(),
            week: date.iso_week_date().week().into(),
            day_of_month: date.day().into(),
            day_of_year: date.day_of_year().into(),
            weekday: date.weekday().to_monday_one_offset().into(),
            hour: local.hour().into(),
            minute: local.minute().into(),
            days_in_month: date.days_in_month().into(),
            leap_year: date.in_leap_year(),
        })
    }

    fn examples() -> Vec<Example> {
        let at = At { moment: Some(DateTime(1_767_223_800_000_000)), zone: Some("Europe/Berlin".into()) };
        let parts = PartsOf {
            day: Date::new(2026, 1, 1),
            year: 2026,
            quarter: 1,
            month: 1,
            week: 1,
            day_of_month: 1,
            day_of_year: 1,
            weekday: 4,
            hour: 0,
            minute: 30,
            days_in_month: 31,
            leap_year: false,
        };
        vec![
            Example::of::<Self>("new year in Berlin, still December in London", at).gives(parts),
            Example::failing("nowhere", attributes! { "zone" => "Atlantis" }, "bad-zone"),
        ]
    }
}

/// A stretch of the calendar.
#[derive(Choice, Clone, Copy)]
pub enum Period {
    /// From midnight to midnight
    Day = 1,
    /// From Monday to Sunday
    Week = 2,
    /// A month
    Month = 3,
    /// Three months
    Quarter = 4,
    /// A year
    Year = 5,
}

/// A moment and a period.
#[derive(Inputs)]
pub struct Within {
    /// The moment; now when empty
    moment: Option<DateTime>,
    /// Which period it lies in
    period: Period,
    /// So many periods later, or earlier
    #[argument(default = 0, min = -100000, max = 100000)]
    shift: i32,
    /// In which time zone; the solution's when empty
    #[argument(max_length = 100)]
    zone: Option<String>,
}

/// Where it begins and ends.
#[derive(Outputs)]
pub struct Ends {
    /// Its first day
    first: Date,
    /// Its last day
    last: Date,
    /// The moment at which it begins
    begins: DateTime,
    /// The moment at which the next one begins
    ends: DateTime,
}

/// Tells the period that a moment lies in.
pub struct Bounds;

impl Step for Bounds {
    const NAME: &str = "dates.bounds";
    const TITLE: &str = "First and last day of a period";
    const DESCRIPTION: &str =
        "Of the day, week, month, quarter or year that a moment lies in, or of one before or after it.";
    const ERRORS: &[(&str, &str)] = &[OUT_OF_CALENDAR, BAD_ZONE];
    const DETERMINISTIC: bool = true;
    type Inputs = Within;
    type Outputs = Ends;

    fn run(context: &Context, within: Within) -> Result<Ends, Failure> {
        let zone = zone::named(context, within.zone.as_deref())?;
        let day = zone::local(within.moment.unwrap_or_else(|| context.now()), &zone)?.date();
        let first = shifted(first_of(day, within.period)?, within.period, within.shift)?;
        let next = shifted(first, within.period, 1)?;
        let last = next.checked_sub(1.day()).map_err(|_| zone::outside())?;
        let begin =
            |day: civil::Date| -> Result<Zoned, Failure> { day.to_zoned(zone.clone()).map_err(|_| zone::outside()) };
        Ok(Ends {
            first: zone::date(first)?,
            last: zone::date(last)?,
            begins: zone::moment(&begin(first)?)?,
            ends: zone::moment(&begin(next)?)?,
        })
    }

    fn examples() -> Vec<Example> {
        let within = |period, shift| Within {
            moment: Some(DateTime(1_771_495_200_000_000)),
            period,
            shift,
            zone: Some("UTC".into()),
        };
        let ends = |first: Date, last: Date| Ends {
            first,
            last,
            begins: DateTime(i64::from(first.0) * 86_400_000_000),
            ends: DateTime((i64::from(last.0) + 1) * 86_400_000_000),
        };
        let far = attributes! { "moment" => DateTime(0), "period" => Period::Year, "shift" => 90_000 };
        let nowhere = attributes! { "period" => Period::Day, "zone" => "Atlantis" };
        vec![
            Example::of::<Self>("this week", within(Period::Week, 0))
                .gives(ends(Date::new(2026, 2, 16), Date::new(2026, 2, 22))),
            Example::of::<Self>("the last quarter", within(Period::Quarter, -1))
                .gives(ends(Date::new(2025, 10, 1), Date::new(2025, 12, 31))),
            Example::failing("too far", far, "out-of-calendar"),
            Example::failing("nowhere", nowhere, "bad-zone"),
        ]
    }
}

fn first_of(day: civil::Date, period: Period) -> Result<civil::Date, Failure> {
    let month = |month: i8| civil::Date::new(day.year(), month, 1).map_err(|_| zone::outside());
    match period {
        Period::Day => Ok(day),
        Period::Week => {
            let behind = i64::from(day.weekday().to_monday_zero_offset());
            day.checked_sub(behind.days()).map_err(|_| zone::outside())
        }
        Period::Month => month(day.month()),
        Period::Quarter => month((day.month() - 1) / 3 * 3 + 1),
        Period::Year => month(1),
    }
}

fn shifted(day: civil::Date, period: Period, by: i32) -> Result<civil::Date, Failure> {
    let by = i64::from(by);
    let span = jiff::Span::new();
    let span = match period {
        Period::Day => span.try_days(by),
        Period::Week => span.try_weeks(by),
        Period::Month => span.try_months(by),
        Period::Quarter => span.try_months(by * 3),
        Period::Year => span.try_years(by),
    };
    day.checked_add(span.map_err(|_| zone::outside())?).map_err(|_| zone::outside())
}

/// A day of the week.
#[derive(Choice, Clone, Copy)]
pub enum Day {
    /// Monday
    Monday = 1,
    /// Tuesday
    Tuesday = 2,
    /// Wednesday
    Wednesday = 3,
    /// Thursday
    Thursday = 4,
    /// Friday
    Friday = 5,
    /// Saturday
    Saturday = 6,
    /// Sunday
    Sunday = 7,
}

/// Which weekday is wanted.
#[derive(Inputs)]
pub struct Wanted {
    /// From which day on; today when empty
    from: Option<Date>,
    /// The weekday
    weekday: Day,
    /// Which one of the month of `from`, 1 to 5, or -1 for its last; empty: the next one after `from`
    #[argument(min = -5, max = 5)]
    number: Option<i32>,
}

/// A day.
#[derive(Outputs)]
pub struct OneDay {
    /// Whether the month has so many
    found: bool,
    /// The day
    day: Option<Date>,
}

/// Finds a weekday.
pub struct Weekday;

impl Step for Weekday {
    const NAME: &str = "dates.weekday";
    const TITLE: &str = "Next weekday";
    const DESCRIPTION: &str = "The next Friday after a day, or the first, second or last Friday of its month.";
    const ERRORS: &[(&str, &str)] = &[OUT_OF_CALENDAR];
    const DETERMINISTIC: bool = true;
    type Inputs = Wanted;
    type Outputs = OneDay;

    fn run(context: &Context, wanted: Wanted) -> Result<OneDay, Failure> {
        let from = match wanted.from {
            Some(day) => zone::civil(day)?,
            None => zone::local(context.now(), &zone::named(context, None)?)?.date(),
        };
        let weekday =
            civil::Weekday::from_monday_one_offset(wanted.weekday.number() as i8).map_err(|_| zone::outside())?;
        let day = match wanted.number {
            None => Some(from.nth_weekday(1, weekday).map_err(|_| zone::outside())?),
            Some(number) => {
                i8::try_from(number).ok().and_then(|number| from.nth_weekday_of_month(number, weekday).ok())
            }
        };
        let day = day.map(zone::date).transpose()?;
        Ok(OneDay { found: day.is_some(), day })
    }

    fn examples() -> Vec<Example> {
        let wanted = |number| Wanted { from: Some(Date::new(2026, 2, 20)), weekday: Day::Friday, number };
        let one = |day| OneDay { found: true, day: Some(day) };
        let end = attributes! { "from" => Date::new(9999, 12, 31), "weekday" => Day::Friday };
        vec![
            Example::of::<Self>("the next Friday", wanted(None)).gives(one(Date::new(2026, 2, 27))),
            Example::of::<Self>("the first of the month", wanted(Some(1))).gives(one(Date::new(2026, 2, 6))),
            Example::of::<Self>("there is no fifth", wanted(Some(5))).gives(OneDay { found: false, day: None }),
            Example::failing("at the end of the calendar", end, "out-of-calendar"),
        ]
    }
}
