//! What functions may know beside their arguments: the time, the time zone, the calendar and the public address.

use std::sync::Arc;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use model::{Date, Timestamp};
use smol_str::SmolStr;

use crate::Calendar;

/// The surroundings of one evaluation. The time does not move while it runs.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The moment that `now()` gives.
    pub now: Timestamp,
    /// The time zone in which days begin.
    pub time_zone: TimeZone,
    /// The business days.
    pub calendar: Arc<Calendar>,
    /// Where people reach the daemon, without a slash at the end: `https://stepwise.example`.
    pub public_url: SmolStr,
}

impl Environment {
    /// At `now`, in UTC, with Monday to Friday as business days.
    pub fn at(now: Timestamp) -> Self {
        Self { now, time_zone: TimeZone::UTC, calendar: Arc::default(), public_url: SmolStr::default() }
    }

    /// The day that it is in the time zone.
    pub fn today(&self) -> Date {
        self.now.date_in(&self.time_zone)
    }
}

/// The time zone of this IANA name, from the data built in: the same on every machine and in guests.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    match name {
        "UTC" | "Etc/UTC" => Some(TimeZone::UTC),
        name => TimeZoneDatabase::bundled().get(name).ok(),
    }
}
