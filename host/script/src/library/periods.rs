//! Functions of weeks, months, quarters and years: where a day lies in them, where they begin and end.

use jiff::{
    Unit,
    civil::{self, Weekday},
};
use model::{Date, Timestamp};
use rhai::Dynamic;

use super::{
    Answer, Function,
    arguments::Arguments,
    dates::{too_far, whole_part},
};
use crate::calendar::weekday;

about!(Dates);

pub(super) const FUNCTIONS: &[Function] = &[
    f("date_of", "date_of(year: whole, month: whole, day: whole) -> date", (3, 3), date_of).help(
        "The day of a year, a month and a day of the month.",
        &[("date_of(2026, 11, 20)", "date(\"2026-11-20\")")],
    ),
    f("at_time", "at_time(when: moment, hour: whole[, minute: whole]) -> date-time", (2, 3), at_time).help(
        "The moment of that day at which the clocks of the solution's time zone show so much.",
        &[("at_time(\"2026-11-20\", 9, 30)", "date_time(\"2026-11-20T09:30:00Z\")")],
    ),
    f("weeks_between", "weeks_between(from: moment, to: moment) -> whole", (2, 2), |call| {
        Ok(((i64::from(call.day(1)?.as_days()) - i64::from(call.day(0)?.as_days())) / 7).into())
    })
    .help(
        "How many whole weeks lie between two days; negative where the second is the earlier one.",
        &[("weeks_between(\"2026-11-20\", \"2026-12-10\")", "2")],
    ),
    f("years_between", "years_between(from: moment, to: moment) -> whole", (2, 2), |call| {
        years(call.day(0)?, call.day(1)?)
    })
    .help(
        "How many whole years lie between two days; negative where the second is the earlier one.",
        &[("years_between(\"1990-11-21\", \"2026-11-20\")", "35")],
    ),
    f("age", "age(born: moment) -> whole", (1, 1), |call| years(call.day(0)?, call.environment().today()))
        .help("How many years old somebody is today.", &[("age(add_years(today(), -30))", "30")])
        .asks_clock(),
    f("start_of_week", "start_of_week(when: moment) -> date", (1, 1), |call| {
        let day = call.day(0)?;
        shifted(day, -(weekday(day) as i32))
    })
    .help("The Monday of the week.", &[("start_of_week(\"2026-11-20\")", "date(\"2026-11-16\")")]),
    f("end_of_week", "end_of_week(when: moment) -> date", (1, 1), |call| {
        let day = call.day(0)?;
        shifted(day, 6 - weekday(day) as i32)
    })
    .help("The Sunday of the week.", &[("end_of_week(\"2026-11-20\")", "date(\"2026-11-22\")")]),
    f("start_of_quarter", "start_of_quarter(when: moment) -> date", (1, 1), |call| {
        let day = call.day(0)?.to_civil();
        civil_date(day.year(), (day.month() - 1) / 3 * 3 + 1, 1)
    })
    .help("The first day of the quarter.", &[("start_of_quarter(\"2026-11-20\")", "date(\"2026-10-01\")")]),
    f("end_of_quarter", "end_of_quarter(when: moment) -> date", (1, 1), |call| {
        let day = call.day(0)?.to_civil();
        let last = civil::Date::new(day.year(), (day.month() - 1) / 3 * 3 + 3, 1).map_err(|_| too_far())?;
        Ok(Dynamic::from(Date::from_civil(last.last_of_month())))
    })
    .help("The last day of the quarter.", &[("end_of_quarter(\"2026-11-20\")", "date(\"2026-12-31\")")]),
    f("start_of_year", "start_of_year(when: moment) -> date", (1, 1), |call| {
        Ok(Dynamic::from(Date::from_civil(call.day(0)?.to_civil().first_of_year())))
    })
    .help("The first day of the year.", &[("start_of_year(\"2026-11-20\")", "date(\"2026-01-01\")")]),
    f("end_of_year", "end_of_year(when: moment) -> date", (1, 1), |call| {
        Ok(Dynamic::from(Date::from_civil(call.day(0)?.to_civil().last_of_year())))
    })
    .help("The last day of the year.", &[("end_of_year(\"2026-11-20\")", "date(\"2026-12-31\")")]),
    f("quarter", "quarter(when: moment) -> whole", (1, 1), |call| {
        Ok((i64::from(call.day(0)?.to_civil().month() - 1) / 3 + 1).into())
    })
    .help("The quarter of the year, 1 to 4.", &[("quarter(\"2026-11-20\")", "4")]),
    f("day_of_year", "day_of_year(when: moment) -> whole", (1, 1), |call| {
        Ok(i64::from(call.day(0)?.to_civil().day_of_year()).into())
    })
    .help("The number of the day in its year, 1 to 366.", &[("day_of_year(\"2026-02-01\")", "32")]),
    f("days_in_month", "days_in_month(when: moment) -> whole", (1, 1), |call| {
        Ok(i64::from(call.day(0)?.to_civil().days_in_month()).into())
    })
    .help("How many days the month has.", &[("days_in_month(\"2028-02-10\")", "29")]),
    f("is_leap_year", "is_leap_year(when: moment) -> boolean", (1, 1), |call| {
        Ok(call.day(0)?.to_civil().in_leap_year().into())
    })
    .help("Whether the year has a 29th of February.", &[("is_leap_year(\"2026-11-20\")", "false")]),
    f("is_weekend", "is_weekend(when: moment) -> boolean", (1, 1), |call| Ok((weekday(call.day(0)?) >= 5).into()))
        .help("Whether the day is a Saturday or a Sunday.", &[("is_weekend(\"2026-11-21\")", "true")]),
    f("next_weekday", "next_weekday(when: moment, weekday: whole) -> date", (2, 2), |call| {
        let (day, wanted) = (call.day(0)?, wanted(call, 1)? as i32);
        let ahead = (wanted - weekday(day) as i32).rem_euclid(7);
        shifted(day, if ahead == 0 { 7 } else { ahead })
    })
    .help(
        "The next day after this one that is such a weekday, 1 for Monday to 7 for Sunday.",
        &[("next_weekday(\"2026-11-20\", 1)", "date(\"2026-11-23\")")],
    ),
    f("nth_weekday", "nth_weekday(when: moment, number: whole, weekday: whole) -> date", (3, 3), nth_weekday).help(
        "The so-manieth such weekday of the month, empty where it has fewer; with -1 the last one.",
        &[
            ("nth_weekday(\"2026-11-01\", 3, 5)", "date(\"2026-11-20\")"),
            ("nth_weekday(\"2026-11-01\", -1, 1)", "date(\"2026-11-30\")"),
        ],
    ),
    f("second", "second(when: moment) -> whole", (1, 1), |call| Ok(i64::from(call.zoned(0)?.second()).into()))
        .help("The second of the minute, 0 to 59.", &[("second(\"2026-11-20T09:30:15Z\")", "15")]),
];

fn date_of(call: &Arguments<'_>) -> Answer {
    let (year, month, day) = (call.whole(0)?, call.whole(1)?, call.whole(2)?);
    let date = (i16::try_from(year).ok().zip(i8::try_from(month).ok()).zip(i8::try_from(day).ok()))
        .and_then(|((year, month), day)| civil::Date::new(year, month, day).ok());
    let date = date.ok_or_else(|| format!("finds no day {day} of month {month} in the year {year}"))?;
    Ok(Dynamic::from(Date::from_civil(date)))
}

fn at_time(call: &Arguments<'_>) -> Answer {
    let (hour, minute) = (call.whole(1)?, if call.len() == 3 { call.whole(2)? } else { 0 });
    let time = (i8::try_from(hour).ok().zip(i8::try_from(minute).ok()))
        .and_then(|(hour, minute)| civil::Time::new(hour, minute, 0, 0).ok());
    let time = time.ok_or_else(|| format!("knows no time {hour}:{minute:02}"))?;
    let environment = call.environment();
    let moment = call.day(0)?.to_civil().to_datetime(time).to_zoned(environment.time_zone.clone());
    Ok(Dynamic::from(Timestamp::from_jiff(moment.map_err(|_| too_far())?.timestamp())))
}

fn years(from: Date, to: Date) -> Answer {
    let span = from.to_civil().until((Unit::Year, to.to_civil())).map_err(|_| too_far())?;
    Ok(i64::from(span.get_years()).into())
}

fn shifted(day: Date, days: i32) -> Answer {
    Date::from_days(day.as_days().saturating_add(days)).map(Dynamic::from).ok_or_else(too_far)
}

fn civil_date(year: i16, month: i8, day: i8) -> Answer {
    civil::Date::new(year, month, day).map(|date| Dynamic::from(Date::from_civil(date))).map_err(|_| too_far())
}

/// The day of the week at this place, 0 for Monday.
fn wanted(call: &Arguments<'_>, place: usize) -> Result<i8, String> {
    let number = call.whole(place)?;
    match number {
        1..=7 => Ok(whole_part::<i8>(number - 1)?),
        other => Err(format!("counts the days of the week from 1 for Monday to 7 for Sunday, there is no {other}")),
    }
}

fn nth_weekday(call: &Arguments<'_>) -> Answer {
    let (day, weekday) = (call.day(0)?.to_civil(), wanted(call, 2)?);
    let number = whole_part::<i8>(call.whole(1)?)?;
    let weekday = Weekday::from_monday_zero_offset(weekday).map_err(|_| too_far())?;
    if !(-5..=5).contains(&number) || number == 0 {
        return Err(format!("counts 1 to 5 from the beginning of the month or -1 to -5 from its end, not {number}"));
    }
    let found = day.nth_weekday_of_month(number, weekday);
    Ok(found.map_or(Dynamic::UNIT, |date| Dynamic::from(Date::from_civil(date))))
}
