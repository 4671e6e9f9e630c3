//! Functions that write and read days and moments by a pattern, and that look at the clocks of other time zones.

use jiff::{Timestamp as Instant, civil, tz::TimeZone};
use model::{Date, Timestamp};
use rhai::Dynamic;

use super::{
    Answer, Function,
    arguments::{Arguments, Moment, bounded},
    dates::too_far,
};
use crate::calendar::weekday;

about!(Dates);

pub(super) const FUNCTIONS: &[Function] = &[
    f("format_date", "format_date(when: moment, pattern: text[, zone: text]) -> text", (2, 3), format_date).help(
        "The day or the moment written by a pattern of `yyyy`, `yy`, `MMMM`, `MMM`, `MM`, `M`, `dddd`, `ddd`, `dd`, `d`, \
         `HH`, `H`, `mm`, `ss`; names are English, other letters stand in single quotes.",
        &[
            ("format_date(\"2026-11-20\", \"dd.MM.yyyy\")", "\"20.11.2026\""),
            ("format_date(\"2026-11-20T23:30:00Z\", \"ddd d MMM, HH:mm\", \"Europe/Berlin\")", "\"Sat 21 Nov, 00:30\""),
        ],
    ),
    f("parse_date", "parse_date(text: text, pattern: text) -> date", (2, 2), parse_date).help(
        "The day that a text names by such a pattern of digits; empty where it names none.",
        &[("parse_date(\"20.11.2026\", \"dd.MM.yyyy\")", "date(\"2026-11-20\")"), ("parse_date(\"soon\", \"d.M.yyyy\")", "null")],
    ),
    f("month_name", "month_name(when: moment) -> text", (1, 1), |call| Ok(month(call.day(0)?.to_civil()).into()))
        .help("The English name of the month.", &[("month_name(\"2026-11-20\")", "\"November\"")]),
    f("weekday_name", "weekday_name(when: moment) -> text", (1, 1), |call| Ok(WEEK[weekday(call.day(0)?)].into()))
        .help("The English name of the day of the week.", &[("weekday_name(\"2026-11-20\")", "\"Friday\"")]),
    f("date_in_zone", "date_in_zone(when: moment, zone: text) -> date", (2, 2), |call| {
        let day = call.moment(0)?.start(&call.environment()).date_in(&call.zone(1)?);
        Ok(Dynamic::from(day))
    })
    .help(
        "The day that it is at that moment in another time zone.",
        &[("date_in_zone(\"2026-11-20T23:30:00Z\", \"Asia/Tokyo\")", "date(\"2026-11-21\")")],
    ),
    f("moment_in_zone", "moment_in_zone(day: moment, hour: whole, minute: whole, zone: text) -> date-time", (4, 4), moment_in_zone)
        .help(
            "The moment at which the clocks of a time zone show so much on that day.",
            &[("moment_in_zone(\"2026-11-20\", 9, 0, \"America/New_York\")", "date_time(\"2026-11-20T14:00:00Z\")")],
        ),
    f("zone_offset", "zone_offset(when: moment, zone: text) -> number", (2, 2), |call| {
        let instant = call.moment(0)?.start(&call.environment()).to_jiff();
        let minutes = i64::from(call.zone(1)?.to_offset(instant).seconds()) / 60;
        let hours = rust_decimal::Decimal::from(minutes) / rust_decimal::Decimal::from(60);
        Ok(super::arguments::whole_if_possible(hours))
    })
    .help(
        "By how many hours the clocks of a time zone are ahead of UTC at that moment.",
        &[("zone_offset(\"2026-07-01\", \"Europe/Berlin\")", "2")],
    ),
];

const WEEK: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn month(day: civil::Date) -> &'static str {
    MONTHS[(day.month() as usize + 11) % 12]
}

/// A part of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum Part<'a> {
    /// A letter that stands for a part of the date, and how often it stands there.
    Field(char, usize),
    /// What stands for itself.
    Text(&'a str),
}

/// The most characters of a pattern.
const LONGEST_PATTERN: usize = 200;

fn parts(pattern: &str) -> Result<Vec<Part<'_>>, String> {
    if pattern.chars().count() > LONGEST_PATTERN {
        return Err(format!("takes a pattern of at most {LONGEST_PATTERN} characters"));
    }
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => {
                let end = rest[1..].find('\'').ok_or("finds a single quote in the pattern that is not closed")?;
                parts.push(Part::Text(&rest[1..1 + end]));
                end + 2
            }
            'y' | 'M' | 'd' | 'H' | 'm' | 's' => {
                let count = rest.chars().take_while(|letter| *letter == first).count();
                parts.push(field(first, count)?);
                count
            }
            letter if letter.is_alphabetic() => {
                return Err(format!("knows no `{letter}` in a pattern: other letters stand in single quotes"));
            }
            other => {
                parts.push(Part::Text(&rest[..other.len_utf8()]));
                other.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Ok(parts)
}

fn field(letter: char, count: usize) -> Result<Part<'static>, String> {
    let known = match letter {
        'y' => matches!(count, 2 | 4),
        'M' | 'd' => count <= 4,
        'm' | 's' => count == 2,
        _ => count <= 2,
    };
    match known {
        true => Ok(Part::Field(letter, count)),
        false => Err(format!("knows no `{}` in a pattern", letter.to_string().repeat(count.min(20)))),
    }
}

fn format_date(call: &Arguments<'_>) -> Answer {
    let (pattern, zone) = (call.text(1)?, call.zone(2)?);
    let clock = match call.moment(0)? {
        Moment::Day(day) => day.to_civil().to_datetime(civil::Time::midnight()),
        Moment::At(moment) => civil_in(moment, zone),
    };
    let mut text = String::new();
    for part in parts(&pattern)? {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Field(letter, count) => text.push_str(&written(clock, letter, count)),
        }
    }
    bounded(text)
}

fn civil_in(moment: Timestamp, zone: TimeZone) -> civil::DateTime {
    let instant: Instant = moment.to_jiff();
    instant.to_zoned(zone).datetime()
}

fn written(clock: civil::DateTime, letter: char, count: usize) -> String {
    let number = match letter {
        'y' if count == 2 => i32::from(clock.year()) % 100,
        'y' => i32::from(clock.year()),
        'M' if count > 2 => return named(month(clock.date()), count),
        'M' => i32::from(clock.month()),
        'd' if count > 2 => return named(WEEK[clock.weekday().to_monday_zero_offset() as usize % 7], count),
        'd' => i32::from(clock.day()),
        'H' => i32::from(clock.hour()),
        'm' => i32::from(clock.minute()),
        _ => i32::from(clock.second()),
    };
    format!("{number:0count$}")
}

fn named(name: &str, count: usize) -> String {
    if count == 3 { name.chars().take(3).collect() } else { name.to_owned() }
}

fn parse_date(call: &Arguments<'_>) -> Answer {
    let (text, pattern) = (call.text(0)?, call.text(1)?);
    let (mut rest, mut day) = (text.trim(), [1i32, 1, 1]);
    for part in parts(&pattern)? {
        let (place, most) = match part {
            Part::Text(plain) => match rest.strip_prefix(plain) {
                Some(after) => {
                    rest = after;
                    continue;
                }
                None => return Ok(Dynamic::UNIT),
            },
            Part::Field('y', count) => (0, count),
            Part::Field('M', 1 | 2) => (1, 2),
            Part::Field('d', 1 | 2) => (2, 2),
            Part::Field(letter, count) => {
                return Err(format!(
                    "reads years, months and days in digits, not `{}`",
                    letter.to_string().repeat(count)
                ));
            }
        };
        let digits = rest.chars().take(most).take_while(char::is_ascii_digit).count();
        let Ok(number) = rest[..digits].parse::<i32>() else { return Ok(Dynamic::UNIT) };
        day[place] = if place == 0 && most == 2 { 2000 + number } else { number };
        rest = &rest[digits..];
    }
    let [year, month, day] = day;
    let read = (i16::try_from(year).ok().zip(i8::try_from(month).ok()).zip(i8::try_from(day).ok()))
        .and_then(|((year, month), day)| civil::Date::new(year, month, day).ok());
    Ok(read.filter(|_| rest.is_empty()).map_or(Dynamic::UNIT, |day| Dynamic::from(Date::from_civil(day))))
}

fn moment_in_zone(call: &Arguments<'_>) -> Answer {
    let (hour, minute) = (call.whole(1)?, call.whole(2)?);
    let time = (i8::try_from(hour).ok().zip(i8::try_from(minute).ok()))
        .and_then(|(hour, minute)| civil::Time::new(hour, minute, 0, 0).ok());
    let time = time.ok_or_else(|| format!("knows no time {hour}:{minute:02}"))?;
    let moment = call.day(0)?.to_civil().to_datetime(time).to_zoned(call.zone(3)?);
    Ok(Dynamic::from(Timestamp::from_jiff(moment.map_err(|_| too_far())?.timestamp())))
}
