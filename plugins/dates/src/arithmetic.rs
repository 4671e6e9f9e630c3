//! Later, earlier, and how far apart.

use jiff::{Span, Unit, Zoned};
use stepwise_sdk::prelude::*;

use crate::zone::{self, BAD_ZONE, OUT_OF_CALENDAR};

/// From when, and how far.
#[derive(Inputs)]
pub struct Distance {
    /// From when on; now when empty
    from: Option<DateTime>,
    /// Years to add; negative ones go back, as everywhere here
    #[argument(default = 0, min = -9999, max = 9999)]
    years: i32,
    /// Months to add; the last day of the month where it has fewer days
    #[argument(default = 0, min = -100000, max = 100000)]
    months: i32,
    /// Weeks to add
    #[argument(default = 0, min = -500000, max = 500000)]
    weeks: i32,
    /// Days to add; the time of day stays, also where clocks change
    #[argument(default = 0, min = -3600000, max = 3600000)]
    days: i32,
    /// Hours to add
    #[argument(default = 0, min = -10000000, max = 10000000)]
    hours: i32,
    /// Minutes to add
    #[argument(default = 0, min = -10000000, max = 10000000)]
    minutes: i32,
    /// In which time zone, such as `Europe/Berlin`; the solution's when empty
    #[argument(max_length = 100)]
    zone: Option<String>,
}

/// When that is.
#[derive(Outputs)]
pub struct Moment {
    /// The moment
    moment: DateTime,
    /// Its day in the time zone
    day: Date,
}

/// Adds to a moment.
pub struct Add;

impl Step for Add {
    const NAME: &str = "dates.add";
    const TITLE: &str = "Add to a date";
    const DESCRIPTION: &str = "Years, months, weeks, days, hours and minutes together, by the calendar of a time zone.";
    const ERRORS: &[(&str, &str)] = &[OUT_OF_CALENDAR, BAD_ZONE];
    const DETERMINISTIC: bool = true;
    type Inputs = Distance;
    type Outputs = Moment;

    fn run(context: &Context, given: Distance) -> Result<Moment, Failure> {
        let zone = zone::named(context, given.zone.as_deref())?;
        let span = span(&given).ok_or_else(zone::outside)?;
        let from = zone::local(given.from.unwrap_or_else(|| context.now()), &zone)?;
        let at = from.checked_add(span).map_err(|_| zone::outside())?;
        Ok(Moment { moment: zone::moment(&at)?, day: zone::date(at.date())? })
    }

    fn examples() -> Vec<Example> {
        let given = |months, days| Distance {
            from: Some(DateTime(1_769_860_800_000_000)),
            years: 0,
            months,
            weeks: 0,
            days,
            hours: 1,
            minutes: 30,
            zone: Some("Europe/Berlin".into()),
        };
        let moment = |micros, day| Moment { moment: DateTime(micros), day };
        let from = DateTime(1_769_860_800_000_000);
        let far = attributes! { "from" => from, "years" => 9000 };
        vec![
            Example::of::<Self>("a month after the 31st of January", given(1, 0))
                .gives(moment(1_772_285_400_000_000, Date::new(2026, 2, 28))),
            Example::of::<Self>("sixty days, over the change of clocks", given(0, 60))
                .gives(moment(1_775_046_600_000_000, Date::new(2026, 4, 1))),
            Example::failing("too far", far, "out-of-calendar"),
            Example::failing("nowhere", attributes! { "from" => from, "zone" => "Atlantis" }, "bad-zone"),
        ]
    }
}

fn span(given: &Distance) -> Option<Span> {
    let span = Span::new().try_years(given.years).ok()?.try_months(given.months).ok()?;
    let span = span.try_weeks(given.weeks).ok()?.try_days(given.days).ok()?;
    span.try_hours(given.hours).ok()?.try_minutes(given.minutes).ok()
}

/// Two moments.
#[derive(Inputs)]
pub struct Two {
    /// The earlier one; now when empty
    from: Option<DateTime>,
    /// The later one; now when empty
    to: Option<DateTime>,
    /// In which time zone days are counted; the solution's when empty
    #[argument(max_length = 100)]
    zone: Option<String>,
}

/// How far apart they are; negative where the second is the earlier one.
#[derive(Outputs)]
pub struct Apart {
    /// Whole years
    years: i64,
    /// Whole months in all
    months: i64,
    /// Whole weeks in all
    weeks: i64,
    /// Midnights between them
    days: i64,
    /// Whole hours in all
    hours: i64,
    /// Whole minutes in all
    minutes: i64,
    /// In words: `3 days 4 hours`
    text: String,
}

/// Tells how far apart two moments are.
pub struct Between;

impl Step for Between {
    const NAME: &str = "dates.between";
    const TITLE: &str = "Time between two dates";
    const DESCRIPTION: &str = "In years, months, weeks, days, hours and minutes, each by itself, and in words.";
    const ERRORS: &[(&str, &str)] = &[BAD_ZONE];
    const DETERMINISTIC: bool = true;
    type Inputs = Two;
    type Outputs = Apart;

    fn run(context: &Context, two: Two) -> Result<Apart, Failure> {
        let zone = zone::named(context, two.zone.as_deref())?;
        let from = zone::local(two.from.unwrap_or_else(|| context.now()), &zone)?;
        let to = zone::local(two.to.unwrap_or_else(|| context.now()), &zone)?;
        let (days, months) = (whole(&from, &to, Unit::Day), whole(&from, &to, Unit::Month));
        let minutes = (to.timestamp().as_microsecond() - from.timestamp().as_microsecond()) / 60_000_000;
        let midnights = i64::from((to.date() - from.date()).get_days());
        Ok(Apart {
            years: months / 12,
            months,
            weeks: days / 7,
            days: midnights,
            hours: minutes / 60,
            minutes,
            text: words(minutes.unsigned_abs()),
        })
    }

    fn examples() -> Vec<Example> {
        let two = |from, to| Two { from: Some(DateTime(from)), to: Some(DateTime(to)), zone: Some("UTC".into()) };
        let apart = Apart {
            years: 0,
            months: 1,
            weeks: 4,
            days: 31,
            hours: 745,
            minutes: 44_705,
            text: "31 days 1 hour".into(),
        };
        let nowhere = attributes! { "zone" => "Atlantis" };
        vec![
            Example::of::<Self>("a month and an hour", two(1_767_225_600_000_000, 1_769_907_900_000_000)).gives(apart),
            Example::failing("nowhere", nowhere, "bad-zone"),
        ]
    }
}

/// How many whole units lie between the two.
fn whole(from: &Zoned, to: &Zoned, unit: Unit) -> i64 {
    from.until((unit, to)).map_or(0, |span| match unit {
        Unit::Month => i64::from(span.get_months()),
        _ => i64::from(span.get_days()),
    })
}

/// The two largest units.
fn words(minutes: u64) -> String {
    let units = [(minutes / 1_440, "day"), (minutes / 60 % 24, "hour"), (minutes % 60, "minute")];
    let shown = units.iter().filter(|(count, _)| *count > 0).take(2);
    let shown = shown.map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }));
    let text = shown.collect::<Vec<_>>().join(" ");
    if text.is_empty() { "less than a minute".into() } else { text }
}

/// When somebody was born.
#[derive(Inputs)]
pub struct Born {
    /// The day of birth, or on which something began
    born: Date,
    /// On which day the age is asked; today when empty
    on: Option<Date>,
}

/// How old.
#[derive(Outputs)]
pub struct Years {
    /// Whole years; negative before the birth
    years: i64,
    /// The next birthday, that day included; the 28th of February for who was born on the 29th
    birthday: Date,
    /// In how many days that is
    days_to_birthday: i64,
}

/// Tells an age.
pub struct Age;

impl Step for Age {
    const NAME: &str = "dates.age";
    const TITLE: &str = "Age and birthday";
    const DESCRIPTION: &str = "How old somebody is on a day, and when the next birthday or anniversary comes.";
    const ERRORS: &[(&str, &str)] = &[OUT_OF_CALENDAR];
    const DETERMINISTIC: bool = true;
    type Inputs = Born;
    type Outputs = Years;

    fn run(context: &Context, given: Born) -> Result<Years, Failure> {
        let on = match given.on {
            Some(day) => zone::civil(day)?,
            None => zone::local(context.now(), &zone::named(context, None)?)?.date(),
        };
        let born = zone::civil(given.born)?;
        let years = i64::from(on.year()) - i64::from(born.year());
        let anniversary = |years: i64| {
            born.checked_add(Span::new().try_years(years).map_err(|_| zone::outside())?).map_err(|_| zone::outside())
        };
        let this_year = anniversary(years)?;
        let (years, birthday) = match this_year.cmp(&on) {
            std::cmp::Ordering::Greater => (years - 1, this_year),
            std::cmp::Ordering::Equal => (years, this_year),
            std::cmp::Ordering::Less => (years, anniversary(years + 1)?),
        };
        let days_to_birthday = i64::from((birthday - on).get_days());
        Ok(Years { years, birthday: zone::date(birthday)?, days_to_birthday })
    }

    fn examples() -> Vec<Example> {
        let born = |on| Born { born: Date::new(1996, 2, 29), on: Some(on) };
        let years = |years, birthday, days_to_birthday| Years { years, birthday, days_to_birthday };
        let late = attributes! { "born" => Date::new(1996, 2, 29), "on" => Date::new(9999, 12, 31) };
        vec![
            Example::of::<Self>("a week before", born(Date::new(2026, 2, 21))).gives(years(
                29,
                Date::new(2026, 2, 28),
                7,
            )),
            Example::of::<Self>("on the day", born(Date::new(2028, 2, 29))).gives(years(32, Date::new(2028, 2, 29), 0)),
            Example::failing("at the end of the calendar", late, "out-of-calendar"),
        ]
    }
}
