//! Between the contract's moments and the calendar of a time zone.

use jiff::{Timestamp, ToSpan, Zoned, civil, tz::TimeZone};
use stepwise_sdk::{Context, Date, DateTime, Failure};

/// What a step fails with whose result no calendar has.
pub const OUT_OF_CALENDAR: (&str, &str) =
    ("out-of-calendar", "The result lies before the year 1 or after the year 9999");
/// What a step fails with that is given a zone.
pub const BAD_ZONE: (&str, &str) = ("bad-zone", "There is no time zone of this name");

/// The zone of this name, or the solution's.
pub fn named(context: &Context, name: Option<&str>) -> Result<TimeZone, Failure> {
    let own = context.time_zone();
    let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(&own);
    TimeZone::get(name).map_err(|_| {
        let shown: String = name.chars().take(40).collect();
        let message = format!("`zone` is `{shown}`, and there is no such time zone; one is `Europe/Berlin`");
        Failure::invalid_input(BAD_ZONE.0, message)
    })
}

/// The failure for what lies outside of every calendar.
pub fn outside() -> Failure {
    Failure::invalid_input(OUT_OF_CALENDAR.0, "the result lies before the year 1 or after the year 9999")
}

/// A moment in a zone.
pub fn local(moment: DateTime, zone: &TimeZone) -> Result<Zoned, Failure> {
    Ok(Timestamp::from_microsecond(moment.0).map_err(|_| outside())?.to_zoned(zone.clone()))
}

/// A moment for the host, within its calendar.
pub fn moment(at: &Zoned) -> Result<DateTime, Failure> {
    let micros = at.timestamp().as_microsecond();
    let ends = [civil::date(1, 1, 1), civil::date(9999, 12, 30)].map(micros_of);
    if micros < ends[0] || micros > ends[1] { Err(outside()) } else { Ok(DateTime(micros)) }
}

fn micros_of(day: civil::Date) -> i64 {
    (day - civil::date(1970, 1, 1)).get_days() as i64 * 86_400_000_000
}

/// A day as the calendar has it.
pub fn civil(day: Date) -> Result<civil::Date, Failure> {
    civil::date(1970, 1, 1).checked_add(i64::from(day.0).days()).map_err(|_| outside())
}

/// A day for the host, within its calendar.
pub fn date(day: civil::Date) -> Result<Date, Failure> {
    if day.year() < 1 {
        return Err(outside());
    }
    Ok(Date((day - civil::date(1970, 1, 1)).get_days()))
}
