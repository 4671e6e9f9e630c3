//! `solution.yaml` (formats 10): what the files together are called, and the time that they live by.

use std::{collections::BTreeSet, str::FromStr};

use jiff::tz::TimeZone;
use model::{Date, ProcessName};
use script::Calendar;
use smol_str::SmolStr;

use crate::{
    fields::{Fields, Keys, word},
    header::Header,
    keys_with_header,
    report::Report,
    tree::Node,
};

const SOLUTION: Keys = Keys {
    what: "a solution",
    known: keys_with_header!["format", "version", "prefix", "time-zone", "calendar"],
    later: &["renamed-from", "language", "currency", "requires"],
};
const CALENDAR: Keys = Keys { what: "a calendar", known: &["days", "hours", "holidays"], later: &[] };
const DAYS: [(&str, usize); 7] = [("mon", 0), ("tue", 1), ("wed", 2), ("thu", 3), ("fri", 4), ("sat", 5), ("sun", 6)];

/// What `solution.yaml` says.
#[derive(Clone, Debug, PartialEq)]
pub struct SolutionHeader {
    /// Its name.
    pub name: SmolStr,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Its version.
    pub version: semver::Version,
    /// What stands before the API names of its actions and flows.
    pub prefix: SmolStr,
    /// The IANA name of its time zone; absent: the organisation's.
    pub time_zone: Option<SmolStr>,
    /// Its business days; absent: the organisation's.
    pub calendar: Option<Calendar>,
}

impl SolutionHeader {
    /// The time zone, or `organisation`'s.
    pub fn zone(&self, organisation: &TimeZone) -> TimeZone {
        let own = self.time_zone.as_deref().and_then(script::environment::time_zone);
        own.unwrap_or_else(|| organisation.clone())
    }
}

/// The solution that `node` describes.
pub(crate) fn convert(report: &Report<'_>, node: &Node) -> Option<SolutionHeader> {
    let fields = Fields::open(report, node, node.place, &SOLUTION)?;
    if fields.whole("format", 1, 1).is_some() {
        fields.is_default("format");
    }
    let version = version(&fields, "version");
    let prefix = prefix(&fields);
    let time_zone = time_zone(&fields);
    let calendar = fields.get("calendar").map(|node| calendar(report, node, fields.place_of("calendar")));
    let header = Header::<ProcessName>::read(&fields, "solution")?;
    Some(SolutionHeader {
        name: header.name.as_str().into(),
        title: header.title,
        description: header.description,
        version: version?,
        prefix: prefix?,
        time_zone,
        calendar,
    })
}

/// A version at a key that must be there.
fn version(fields: &Fields<'_>, key: &str) -> Option<semver::Version> {
    let node = fields.need(key)?;
    read_version(fields.report, node)
}

/// The version that a scalar is.
pub(crate) fn read_version(report: &Report<'_>, node: &Node) -> Option<semver::Version> {
    let version = node.as_written().and_then(|text| semver::Version::parse(&text).ok());
    if version.is_none() {
        report.error(node.place, format!("a version has three numbers as `1.4.0`, not {}", node.in_words()));
    }
    version
}

fn prefix(fields: &Fields<'_>) -> Option<SmolStr> {
    fields.need("prefix")?;
    let prefix = fields.text("prefix")?;
    let good = (2..=8).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
    if !good {
        fields.report.error(fields.value_place("prefix"), "`prefix` has 2 to 8 lower-case letters");
    }
    good.then(|| prefix.into())
}

fn time_zone(fields: &Fields<'_>) -> Option<SmolStr> {
    let name = fields.text("time-zone")?;
    if script::environment::time_zone(&name).is_none() {
        let hint = Some("time zones are named as `America/New_York`".to_owned());
        fields.report.error_with(fields.value_place("time-zone"), format!("there is no time zone `{name}`"), hint);
        return None;
    }
    Some(name.into())
}

fn calendar(report: &Report<'_>, node: &Node, place: crate::tree::Place) -> Calendar {
    let Some(fields) = Fields::open(report, node, place, &CALENDAR) else { return Calendar::default() };
    let mut calendar = Calendar { holidays: holidays(&fields), ..Calendar::default() };
    if fields.get("days").is_some() {
        calendar.days = [false; 7];
        for item in fields.list("days") {
            if let Some(day) = word(report, item, "a day", &DAYS) {
                calendar.days[day] = true;
            }
        }
        if !calendar.days.contains(&true) {
            report.error(fields.value_place("days"), "a calendar has at least one business day");
        }
    }
    if let Some(hours) = fields.text("hours").filter(|hours| !are_hours(hours)) {
        report.error(fields.value_place("hours"), format!("`hours` is written `09:00-17:00`, not `{hours}`"));
    }
    calendar
}

fn holidays(fields: &Fields<'_>) -> BTreeSet<Date> {
    let days = fields.list("holidays").iter().filter_map(|item| {
        let date = item.as_text().and_then(Date::parse);
        if date.is_none() {
            fields.report.error(item.place, format!("a holiday is a date as `2026-12-25`, not {}", item.in_words()));
        }
        date
    });
    days.collect()
}

fn are_hours(text: &str) -> bool {
    let time = |text: &str| text.len() == 5 && jiff::civil::Time::from_str(&format!("{text}:00")).is_ok();
    let both = text.split_once('-');
    both.is_some_and(|(from, to)| time(from) && time(to) && from < to)
}
