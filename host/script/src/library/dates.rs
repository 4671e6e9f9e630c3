//! Functions of days and moments. Days begin in the time zone of the solution; months and days follow its clocks.

use jiff::{Unit, civil};
use model::{Date, Span, Timestamp};
use rhai::Dynamic;

use super::{
    Answer, Function,
    arguments::{Arguments, Moment},
};
use crate::{Environment, calendar::weekday};

about!(Dates);

pub(super) const FUNCTIONS: &[Function] = &[
    f("today", "today() -> date", (0, 0), |call| Ok(Dynamic::from(call.environment().today())))
        .help("The day that it is now, in the solution's time zone.", &[("today()", "date(now())")])
        .asks_clock(),
    f("now", "now() -> date-time", (0, 0), |call| Ok(Dynamic::from(call.environment().now)))
        .help("This moment. It does not move while a step runs.", &[("now() >= today()", "true")])
        .asks_clock(),
    f("date", "date(value: moment) -> date", (1, 1), |call| Ok(Dynamic::from(call.day(0)?))).help(
        "The day of a moment in the solution's time zone, or the day that a text such as `2026-11-20` names.",
        &[("date(\"2026-11-20T09:00:00Z\")", "date(\"2026-11-20\")")],
    ),
    f("date_time", "date_time(value: moment) -> date-time", (1, 1), |call| {
        Ok(Dynamic::from(call.moment(0)?.start(&call.environment())))
    })
    .help(
        "The moment that a text such as `2026-11-20T09:00:00Z` names, or the one at which a day begins.",
        &[("date_time(\"2026-11-20\")", "date_time(\"2026-11-20T00:00:00Z\")")],
    ),
    f("duration", "duration(months: whole, days: whole, hours: number) -> duration", (3, 3), duration).help(
        "A length of time to add to a day or a moment with `+`, or to take from it with `-`.",
        &[("date(\"2026-01-31\") + duration(1, 1, 0)", "date(\"2026-03-01\")")],
    ),
    f("add_days", "add_days(when: moment, days: whole) -> moment", (2, 2), |call| {
        add(call, Span::from_days(small(call)?))
    })
    .help(
        "So many days later, or earlier with a negative number. A moment stays at the same time of day.",
        &[("add_days(\"2026-11-20\", 15)", "date(\"2026-12-05\")")],
    ),
    f("add_weeks", "add_weeks(when: moment, weeks: whole) -> moment", (2, 2), |call| {
        add(call, Span::from_days(small(call)?.checked_mul(7).ok_or_else(too_far)?))
    })
    .help("So many weeks later, or earlier.", &[("add_weeks(\"2026-11-20\", -1)", "date(\"2026-11-13\")")]),
    f("add_months", "add_months(when: moment, months: whole) -> moment", (2, 2), |call| {
        add(call, Span::from_months(small(call)?))
    })
    .help(
        "So many months later, or earlier; the last day of the month where it has fewer days.",
        &[("add_months(\"2026-01-31\", 1)", "date(\"2026-02-28\")")],
    ),
    f("add_years", "add_years(when: moment, years: whole) -> moment", (2, 2), |call| {
        add(call, Span::from_months(small(call)?.checked_mul(12).ok_or_else(too_far)?))
    })
    .help("So many years later, or earlier.", &[("add_years(\"2024-02-29\", 1)", "date(\"2025-02-28\")")]),
    f("add_hours", "add_hours(when: moment, hours: number) -> date-time", (2, 2), |call| {
        add_exactly(call, 3_600_000_000)
    })
    .help(
        "The moment so many hours later, or earlier; a day begins at midnight.",
        &[("add_hours(\"2026-11-20T09:00:00Z\", 1.5)", "date_time(\"2026-11-20T10:30:00Z\")")],
    ),
    f("add_minutes", "add_minutes(when: moment, minutes: number) -> date-time", (2, 2), |call| {
        add_exactly(call, 60_000_000)
    })
    .help(
        "The moment so many minutes later, or earlier.",
        &[("add_minutes(\"2026-11-20\", 90)", "date_time(\"2026-11-20T01:30:00Z\")")],
    ),
    f("days_between", "days_between(from: moment, to: moment) -> whole", (2, 2), |call| {
        Ok((i64::from(call.day(1)?.as_days()) - i64::from(call.day(0)?.as_days())).into())
    })
    .help(
        "How many days later the second day is; negative where it is the earlier one.",
        &[("days_between(\"2026-11-20\", \"2026-12-05\")", "15")],
    ),
    f("months_between", "months_between(from: moment, to: moment) -> whole", (2, 2), months_between).help(
        "How many whole months lie between two days; negative where the second is the earlier one.",
        &[("months_between(\"2026-01-31\", \"2026-03-30\")", "1")],
    ),
    f("hours_between", "hours_between(from: moment, to: moment) -> whole", (2, 2), |call| {
        exact_between(call, 3_600_000_000)
    })
    .help(
        "How many whole hours later the second moment is.",
        &[("hours_between(\"2026-11-20\", \"2026-11-21T12:30:00Z\")", "36")],
    ),
    f("minutes_between", "minutes_between(from: moment, to: moment) -> whole", (2, 2), |call| {
        exact_between(call, 60_000_000)
    })
    .help(
        "How many whole minutes later the second moment is.",
        &[("minutes_between(\"2026-11-20\", \"2026-11-20T01:30:00Z\")", "90")],
    ),
    f("start_of_day", "start_of_day(when: moment) -> date-time", (1, 1), |call| {
        let environment = call.environment();
        Ok(Dynamic::from(call.moment(0)?.day(&environment).start_in(&environment.time_zone)))
    })
    .help(
        "The moment at which the day began.",
        &[("start_of_day(\"2026-11-20T09:00:00Z\")", "date_time(\"2026-11-20\")")],
    ),
    f("start_of_month", "start_of_month(when: moment) -> date", (1, 1), |call| {
        Ok(Dynamic::from(Date::from_civil(call.day(0)?.to_civil().first_of_month())))
    })
    .help("The first day of the month.", &[("start_of_month(\"2026-11-20\")", "date(\"2026-11-01\")")]),
    f("end_of_month", "end_of_month(when: moment) -> date", (1, 1), |call| {
        Ok(Dynamic::from(Date::from_civil(call.day(0)?.to_civil().last_of_month())))
    })
    .help("The last day of the month.", &[("end_of_month(\"2026-02-20\")", "date(\"2026-02-28\")")]),
    f("year", "year(when: moment) -> whole", (1, 1), |call| Ok(i64::from(call.day(0)?.to_civil().year()).into()))
        .help("The year of a day or a moment.", &[("year(\"2026-11-20\")", "2026")]),
    f("month", "month(when: moment) -> whole", (1, 1), |call| Ok(i64::from(call.day(0)?.to_civil().month()).into()))
        .help("The month, 1 to 12.", &[("month(\"2026-11-20\")", "11")]),
    f("day", "day(when: moment) -> whole", (1, 1), |call| Ok(i64::from(call.day(0)?.to_civil().day()).into()))
        .help("The day of the month, 1 to 31.", &[("day(\"2026-11-20\")", "20")]),
    f("hour", "hour(when: moment) -> whole", (1, 1), |call| Ok(i64::from(call.zoned(0)?.hour()).into()))
        .help("The hour in the solution's time zone, 0 to 23.", &[("hour(\"2026-11-20T09:30:00Z\")", "9")]),
    f("minute", "minute(when: moment) -> whole", (1, 1), |call| Ok(i64::from(call.zoned(0)?.minute()).into()))
        .help("The minute of the hour, 0 to 59.", &[("minute(\"2026-11-20T09:30:00Z\")", "30")]),
    f("weekday", "weekday(when: moment) -> whole", (1, 1), |call| Ok((weekday(call.day(0)?) as i64 + 1).into()))
        .help("The day of the week, 1 for Monday to 7 for Sunday.", &[("weekday(\"2026-11-20\")", "5")]),
    f("week", "week(when: moment) -> whole", (1, 1), |call| {
        Ok(i64::from(call.day(0)?.to_civil().iso_week_date().week()).into())
    })
    .help("The week of the year by ISO 8601, 1 to 53.", &[("week(\"2026-11-20\")", "47")]),
];

pub(super) fn too_far() -> String {
    "would leave the years that a date can have".to_owned()
}

/// A whole number that is small enough for a date.
pub(super) fn whole_part<T: TryFrom<i64>>(number: i64) -> Result<T, String> {
    T::try_from(number).map_err(|_| too_far())
}

/// The second argument, as a number of days or months.
fn small(call: &Arguments<'_>) -> Result<i32, String> {
    i32::try_from(call.whole(1)?).map_err(|_| too_far())
}

fn duration(call: &Arguments<'_>) -> Answer {
    let part = |place| i32::try_from(call.whole(place)?).map_err(|_| too_far());
    let micros = micros(call, 2, 3_600_000_000)?;
    Ok(Dynamic::from(Span { months: part(0)?, days: part(1)?, micros }))
}

fn micros(call: &Arguments<'_>, place: usize, unit: i64) -> Result<i64, String> {
    let exact = call.number(place)?.checked_mul(unit.into()).map(|micros| micros.trunc());
    exact.and_then(|micros| i64::try_from(micros).ok()).ok_or_else(too_far)
}

fn add(call: &Arguments<'_>, span: Span) -> Answer {
    plus(call.moment(0)?, span, &call.environment())
}

fn add_exactly(call: &Arguments<'_>, unit: i64) -> Answer {
    let moment = call.moment(0)?.start(&call.environment());
    let later = moment.as_micros().checked_add(micros(call, 1, unit)?).and_then(Timestamp::from_micros);
    later.map(Dynamic::from).ok_or_else(too_far)
}

/// A span later: a day stays a day unless the span has a part below days.
pub(super) fn plus(moment: Moment, span: Span, environment: &Environment) -> Answer {
    let calendar = jiff::Span::new()
        .try_months(span.months)
        .and_then(|calendar| calendar.try_days(span.days))
        .map_err(|_| too_far())?;
    if let (Moment::Day(day), 0) = (moment, span.micros) {
        let later = day.to_civil().checked_add(calendar).map_err(|_| too_far())?;
        return Ok(Dynamic::from(Date::from_civil(later)));
    }
    let start = moment.start(environment).to_jiff().to_zoned(environment.time_zone.clone());
    let later = start.checked_add(calendar).map_err(|_| too_far())?;
    let later = Timestamp::from_jiff(later.timestamp()).as_micros().checked_add(span.micros);
    later.and_then(Timestamp::from_micros).map(Dynamic::from).ok_or_else(too_far)
}

fn exact_between(call: &Arguments<'_>, unit: i64) -> Answer {
    let environment = call.environment();
    let start = |place| Ok::<_, String>(call.moment(place)?.start(&environment).as_micros());
    Ok(((start(1)? - start(0)?) / unit).into())
}

fn months_between(call: &Arguments<'_>) -> Answer {
    let (from, to): (civil::Date, civil::Date) = (call.day(0)?.to_civil(), call.day(1)?.to_civil());
    let span = from.until((Unit::Month, to)).map_err(|_| too_far())?;
    Ok(i64::from(span.get_months()).into())
}
