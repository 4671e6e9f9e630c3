//! Functions of business days: those of the solution's calendar, with its holidays.

use model::{Date, Span};
use rhai::Dynamic;

use super::{
    Answer, Function,
    arguments::Arguments,
    dates::{plus, too_far},
};

about!(BusinessDays);

pub(super) const FUNCTIONS: &[Function] = &[
    f("add_business_days", "add_business_days(when: moment, days: whole) -> moment", (2, 2), |call| {
        let days = call.whole(1)?;
        moved(call, |day| call.environment().calendar.add(day, days))
    })
    .help(
        "So many business days of the solution's calendar later, or earlier. A moment stays at the same time of day.",
        &[("add_business_days(\"2026-11-20\", 1)", "date(\"2026-11-23\")")],
    ),
    f("business_days_between", "business_days_between(from: moment, to: moment) -> whole", (2, 2), |call| {
        Ok(call.environment().calendar.between(call.day(0)?, call.day(1)?).into())
    })
    .help(
        "How many business days lie after the first day up to and with the second.",
        &[("business_days_between(\"2026-11-20\", \"2026-11-27\")", "5")],
    ),
    f("is_business_day", "is_business_day(when: moment) -> boolean", (1, 1), |call| {
        Ok(call.environment().calendar.is_business_day(call.day(0)?).into())
    })
    .help("Whether the day is worked.", &[("is_business_day(\"2026-11-21\")", "false")]),
    f("is_holiday", "is_holiday(when: moment) -> boolean", (1, 1), |call| {
        Ok(call.environment().calendar.holidays.contains(&call.day(0)?).into())
    })
    .help(
        "Whether the day is a holiday of the solution's calendar; a weekend is none.",
        &[("is_holiday(\"2026-11-21\")", "false")],
    ),
    f("next_business_day", "next_business_day(when: moment) -> moment", (1, 1), |call| {
        moved(call, |day| call.environment().calendar.add(day, 1))
    })
    .help(
        "The first business day after the day. A moment stays at the same time of day.",
        &[("next_business_day(\"2026-11-20\")", "date(\"2026-11-23\")")],
    ),
    f("previous_business_day", "previous_business_day(when: moment) -> moment", (1, 1), |call| {
        moved(call, |day| call.environment().calendar.add(day, -1))
    })
    .help(
        "The last business day before the day. A moment stays at the same time of day.",
        &[("previous_business_day(\"2026-11-23\")", "date(\"2026-11-20\")")],
    ),
    f("to_business_day", "to_business_day(when: moment) -> moment", (1, 1), |call| {
        let calendar = call.environment().calendar.clone();
        moved(call, |day| if calendar.is_business_day(day) { Some(day) } else { calendar.add(day, 1) })
    })
    .help(
        "The day itself where it is worked, else the first business day after it.",
        &[
            ("to_business_day(\"2026-11-21\")", "date(\"2026-11-23\")"),
            ("to_business_day(\"2026-11-20\")", "date(\"2026-11-20\")"),
        ],
    ),
    f("first_business_day", "first_business_day(when: moment) -> date", (1, 1), |call| {
        let before = Date::from_civil(call.day(0)?.to_civil().first_of_month()).as_days() - 1;
        worked(Date::from_days(before).and_then(|day| call.environment().calendar.add(day, 1)))
    })
    .help("The first business day of the month.", &[("first_business_day(\"2026-11-20\")", "date(\"2026-11-02\")")]),
    f("last_business_day", "last_business_day(when: moment) -> date", (1, 1), |call| {
        let after = Date::from_civil(call.day(0)?.to_civil().last_of_month()).as_days() + 1;
        worked(Date::from_days(after).and_then(|day| call.environment().calendar.add(day, -1)))
    })
    .help("The last business day of the month.", &[("last_business_day(\"2026-01-20\")", "date(\"2026-01-30\")")]),
    f("business_days_in_month", "business_days_in_month(when: moment) -> whole", (1, 1), |call| {
        let month = call.day(0)?.to_civil();
        let before = Date::from_days(Date::from_civil(month.first_of_month()).as_days() - 1).ok_or_else(too_far)?;
        Ok(call.environment().calendar.between(before, Date::from_civil(month.last_of_month())).into())
    })
    .help("How many business days the month has.", &[("business_days_in_month(\"2026-11-20\")", "21")]),
];

/// The first argument moved to another day; a moment keeps its time of day.
fn moved(call: &Arguments<'_>, to: impl FnOnce(Date) -> Option<Date>) -> Answer {
    let environment = call.environment();
    let moment = call.moment(0)?;
    let day = moment.day(&environment);
    let other = to(day).ok_or_else(no_such_day)?;
    plus(moment, Span::from_days(other.as_days() - day.as_days()), &environment)
}

fn worked(day: Option<Date>) -> Answer {
    day.map(Dynamic::from).ok_or_else(no_such_day)
}

fn no_such_day() -> String {
    "finds no such business day in the calendar".to_owned()
}
