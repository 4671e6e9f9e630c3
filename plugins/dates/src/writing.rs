//! Dates as people write them.

use jiff::{civil, fmt::strtime};
use stepwise_sdk::prelude::*;

use crate::zone::{self, BAD_ZONE};

const BAD_PATTERN: (&str, &str) = ("bad-pattern", "The pattern has a sign that means nothing");

/// What is written.
#[derive(Inputs)]
pub struct Written {
    /// The moment; now when empty
    moment: Option<DateTime>,
    /// How: `%d.%m.%Y`, `%A, %B %-d`, `%H:%M`
    #[argument(default = "%Y-%m-%d", max_length = 200)]
    pattern: String,
    /// In which time zone; the solution's when empty
    #[argument(max_length = 100)]
    zone: Option<String>,
}

/// A text.
#[derive(Outputs)]
pub struct Text {
    /// The moment as people read it
    text: Option<String>,
}

/// Writes a date.
pub struct Format;

impl Step for Format {
    const NAME: &str = "dates.format";
    const TITLE: &str = "Write a date";
    const DESCRIPTION: &str = "By a pattern of strftime, in a time zone; names of months and days are English.";
    const ERRORS: &[(&str, &str)] = &[BAD_PATTERN, BAD_ZONE];
    const DETERMINISTIC: bool = true;
    type Inputs = Written;
    type Outputs = Text;

    fn run(context: &Context, asked: Written) -> Result<Text, Failure> {
        let zone = zone::named(context, asked.zone.as_deref())?;
        let local = zone::local(asked.moment.unwrap_or_else(|| context.now()), &zone)?;
        let text = strtime::format(&asked.pattern, &local).map_err(|why| bad(&why))?;
        Ok(Text { text: Some(text) })
    }

    fn examples() -> Vec<Example> {
        let written = |pattern: &str, zone: &str| Written {
            moment: Some(DateTime(1_771_603_200_000_000)),
            pattern: pattern.into(),
            zone: Some(zone.into()),
        };
        let text = |text: &str| Text { text: Some(text.into()) };
        vec![
            Example::of::<Self>("in words", written("%A, %B %-d", "UTC")).gives(text("Friday, February 20")),
            Example::of::<Self>("elsewhere", written("%d.%m.%Y %H:%M", "Asia/Tokyo")).gives(text("21.02.2026 01:00")),
            Example::failing("a sign too many", attributes! { "pattern" => "%!" }, "bad-pattern"),
            Example::failing("nowhere", attributes! { "zone" => "Atlantis" }, "bad-zone"),
        ]
    }
}

fn bad(why: &jiff::Error) -> Failure {
    Failure::invalid_input(BAD_PATTERN.0, format!("`pattern`: {why}"))
}

/// What somebody wrote.
#[derive(Inputs)]
pub struct Read {
    /// The text: `20.11.2026`
    #[argument(max_length = 200)]
    text: Option<String>,
    /// How it is written: `%d.%m.%Y`, `%m/%d/%y %H:%M`
    #[argument(default = "%Y-%m-%d", max_length = 200)]
    pattern: String,
    /// In which time zone it is meant; the solution's when empty
    #[argument(max_length = 100)]
    zone: Option<String>,
}

/// What it says.
#[derive(Outputs)]
pub struct Found {
    /// Whether it is a date written so
    found: bool,
    /// The day
    day: Option<Date>,
    /// The moment; midnight where no time is written
    moment: Option<DateTime>,
}

/// Reads a date.
pub struct Parse;

impl Step for Parse {
    const NAME: &str = "dates.parse";
    const TITLE: &str = "Read a date";
    const DESCRIPTION: &str =
        "By a pattern of strptime, in a time zone. What is no such date is not found, and no failure.";
    const ERRORS: &[(&str, &str)] = &[BAD_ZONE];
    const DETERMINISTIC: bool = true;
    type Inputs = Read;
    type Outputs = Found;

    fn run(context: &Context, asked: Read) -> Result<Found, Failure> {
        let zone = zone::named(context, asked.zone.as_deref())?;
        let text = asked.text.unwrap_or_default();
        let none = Found { found: false, day: None, moment: None };
        let Ok(parts) = strtime::parse(&asked.pattern, text.trim()) else { return Ok(none) };
        // An offset that is written counts more than the zone.
        let local = match parts.to_timestamp() {
            Ok(moment) => moment.to_zoned(zone),
            Err(_) => {
                let Ok(date) = parts.to_date() else { return Ok(none) };
                let time = parts.to_time().unwrap_or(civil::Time::midnight());
                let Ok(local) = date.to_datetime(time).to_zoned(zone) else { return Ok(none) };
                local
            }
        };
        Ok(Found { found: true, day: Some(zone::date(local.date())?), moment: Some(zone::moment(&local)?) })
    }

    fn examples() -> Vec<Example> {
        let read = |text: &str, pattern: &str| Read {
            text: Some(text.into()),
            pattern: pattern.into(),
            zone: Some("Europe/Berlin".into()),
        };
        let found = |day, micros| Found { found: true, day: Some(day), moment: Some(DateTime(micros)) };
        vec![
            Example::of::<Self>("a day", read("20.02.2026", "%d.%m.%Y"))
                .gives(found(Date::new(2026, 2, 20), 1_771_542_000_000_000)),
            Example::of::<Self>("a moment", read("2/20/26 17:00", "%m/%d/%y %H:%M"))
                .gives(found(Date::new(2026, 2, 20), 1_771_603_200_000_000)),
            Example::of::<Self>("none", read("tomorrow", "%d.%m.%Y")).gives(Found {
                found: false,
                day: None,
                moment: None,
            }),
            Example::failing("nowhere", attributes! { "text" => "x", "zone" => "Atlantis" }, "bad-zone"),
        ]
    }
}
