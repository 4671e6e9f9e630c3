//! Office hours: how long somebody had to answer, and until when he has.

use jiff::{ToSpan, Zoned, civil, tz::TimeZone};
use stepwise_sdk::prelude::*;

use crate::{
    business::Calendar,
    zone::{self, BAD_ZONE, OUT_OF_CALENDAR},
};

/// The most days that a step walks over.
const MOST_DAYS: u32 = 4_000;

const BAD_HOURS: (&str, &str) = ("bad-hours", "Office hours open before they close, as in `09:00` and `17:00`");
const TOO_FAR: (&str, &str) = ("too-far", "It lies more than 4,000 days away");

/// When the office is open.
struct Office {
    calendar: Calendar,
    zone: TimeZone,
    opens: civil::Time,
    closes: civil::Time,
}

impl Office {
    fn of(context: &Context, opens: &str, closes: &str, zone: Option<&str>) -> Result<Self, Failure> {
        let read = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let hour = hour.parse().ok()?;
            // The end of the day has no minute of its own.
            if hour == 24 && minute == "00" {
                Some(civil::Time::MAX)
            } else {
                civil::Time::new(hour, minute.parse().ok()?, 0, 0).ok()
            }
        };
        let hours = read(opens).zip(read(closes)).filter(|(opens, closes)| opens < closes);
        let (opens, closes) = hours.ok_or_else(|| {
            Failure::invalid_input(
                BAD_HOURS.0,
                "`opens` and `closes` are times such as `09:00` and `17:00`, the first one earlier",
            )
        })?;
        let calendar = Calendar::of(context);
        Ok(Self { calendar, zone: zone::named(context, zone)?, opens, closes })
    }

    /// When it opens and closes on a day, in microseconds; nothing where it does not.
    fn on(&self, day: civil::Date) -> Result<Option<(i64, i64)>, Failure> {
        if !self.calendar.works(day) {
            return Ok(None);
        }
        let at = |time: civil::Time| -> Result<i64, Failure> {
            let at: Zoned = day.to_datetime(time).to_zoned(self.zone.clone()).map_err(|_| zone::outside())?;
            Ok(at.timestamp().as_microsecond())
        };
        let closes = at(self.closes)? + i64::from(self.closes == civil::Time::MAX);
        Ok(Some((at(self.opens)?, closes)))
    }
}

/// From when, how long.
#[derive(Inputs)]
pub struct Time {
    /// From when on; now when empty
    from: Option<DateTime>,
    /// How many minutes of office time
    #[argument(min = 0, max = 1000000)]
    minutes: i64,
    /// When the office opens
    #[argument(default = "09:00", max_length = 5)]
    opens: String,
    /// When it closes
    #[argument(default = "17:00", max_length = 5)]
    closes: String,
    /// In which time zone; the solution's when empty
    #[argument(max_length = 100)]
    zone: Option<String>,
}

/// Until when.
#[derive(Outputs)]
pub struct Until {
    /// When that much office time has passed
    moment: DateTime,
    /// The day of that moment
    day: Date,
}

/// Works out until when an answer is due.
pub struct Due;

impl Step for Due {
    const NAME: &str = "dates.due";
    const TITLE: &str = "Due by office hours";
    const DESCRIPTION: &str = "The moment at which so many minutes of office time have passed, on business days only.";
    const ERRORS: &[(&str, &str)] = &[BAD_HOURS, TOO_FAR, OUT_OF_CALENDAR, BAD_ZONE];
    const DETERMINISTIC: bool = true;
    type Inputs = Time;
    type Outputs = Until;

    fn run(context: &Context, time: Time) -> Result<Until, Failure> {
        let office = Office::of(context, &time.opens, &time.closes, time.zone.as_deref())?;
        let from = time.from.unwrap_or_else(|| context.now());
        let mut day = zone::local(from, &office.zone)?.date();
        let mut left = time.minutes.max(0).saturating_mul(60_000_000);
        for _ in 0..MOST_DAYS {
            if let Some((opens, closes)) = office.on(day)? {
                let begin = from.0.max(opens);
                if begin < closes && left <= closes - begin {
                    let at = zone::local(DateTime(begin + left), &office.zone)?;
                    return Ok(Until { moment: zone::moment(&at)?, day: zone::date(at.date())? });
                }
                left -= (closes - begin).max(0);
            }
            day = day.checked_add(1.day()).map_err(|_| zone::outside())?;
        }
        Err(Failure::invalid_input(TOO_FAR.0, "it lies more than 4,000 days away"))
    }

    fn examples() -> Vec<Example> {
        // A Friday, four in the afternoon.
        let friday = DateTime(1_771_603_200_000_000);
        let time = Time {
            from: Some(friday),
            minutes: 240,
            opens: "09:00".into(),
            closes: "17:00".into(),
            zone: Some("UTC".into()),
        };
        let monday = Until { moment: DateTime(1_771_848_000_000_000), day: Date::new(2026, 2, 23) };
        let late = DateTime(253_402_171_200_000_000);
        vec![
            Example::of::<Self>("four hours, from Friday afternoon", time).gives(monday),
            Example::failing(
                "closed",
                attributes! { "minutes" => 1, "opens" => "17:00", "closes" => "9" },
                "bad-hours",
            ),
            Example::failing("for ever", attributes! { "from" => friday, "minutes" => i64::MAX }, "too-far"),
            Example::failing(
                "at the end of the calendar",
                attributes! { "from" => late, "minutes" => 100_000 },
                "out-of-calendar",
            ),
            Example::failing("nowhere", attributes! { "minutes" => 1, "zone" => "Atlantis" }, "bad-zone"),
        ]
    }
}

/// Two moments.
#[derive(Inputs)]
pub struct Two {
    /// When it began
    from: DateTime,
    /// When it ended; now when empty
    to: Option<DateTime>,
    /// When the office opens
    #[argument(default = "09:00", max_length = 5)]
    opens: String,
    /// When it closes
    #[argument(default = "17:00", max_length = 5)]
    closes: String,
    /// In which time zone; the solution's when empty
    #[argument(max_length = 100)]
    zone: Option<String>,
}

/// How long.
#[derive(Outputs)]
pub struct Length {
    /// Whole minutes of office time
    minutes: i64,
    /// The same in hours, with two places
    hours: Decimal,
}

/// Tells how much office time has passed.
pub struct Worked;

impl Step for Worked {
    const NAME: &str = "dates.worked";
    const TITLE: &str = "Office time between two dates";
    const DESCRIPTION: &str =
        "How many minutes of office time lie between two moments: nights, weekends and holidays do not count.";
    const ERRORS: &[(&str, &str)] = &[BAD_HOURS, TOO_FAR, BAD_ZONE];
    const DETERMINISTIC: bool = true;
    type Inputs = Two;
    type Outputs = Length;

    fn run(context: &Context, two: Two) -> Result<Length, Failure> {
        let office = Office::of(context, &two.opens, &two.closes, two.zone.as_deref())?;
        let (from, to) = (two.from, two.to.unwrap_or_else(|| context.now()));
        let last = zone::local(to, &office.zone)?.date();
        let mut day = zone::local(from, &office.zone)?.date();
        if i64::from((last - day).get_days()) > i64::from(MOST_DAYS) {
            return Err(Failure::invalid_input(TOO_FAR.0, "the moments lie more than 4,000 days apart"));
        }
        let mut micros = 0;
        while day <= last {
            if let Some((opens, closes)) = office.on(day)? {
                micros += (to.0.min(closes) - from.0.max(opens)).max(0);
            }
            let Ok(next) = day.checked_add(1.day()) else { break };
            day = next;
        }
        let minutes = micros / 60_000_000;
        Ok(Length { minutes, hours: (Decimal::from(minutes) / Decimal::from(60)).round_dp(2) })
    }

    fn examples() -> Vec<Example> {
        let two = Two {
            from: DateTime(1_771_603_200_000_000),
            to: Some(DateTime(1_771_839_000_000_000)),
            opens: "09:00".into(),
            closes: "17:00".into(),
            zone: Some("UTC".into()),
        };
        let from = DateTime(0);
        let closed = attributes! { "from" => from, "to" => from, "opens" => "9 o'clock" };
        vec![
            Example::of::<Self>("Friday afternoon and Monday morning", two)
                .gives(Length { minutes: 90, hours: Decimal::new(15, 1) }),
            Example::failing("closed", closed, "bad-hours"),
            Example::failing("since 1970", attributes! { "from" => from }, "too-far"),
            Example::failing("nowhere", attributes! { "from" => from, "to" => from, "zone" => "Atlantis" }, "bad-zone"),
        ]
    }
}
