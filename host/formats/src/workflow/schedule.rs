//! `start.schedule` (formats 5): the moments at which a workflow starts by itself, and the records that get a job each.
//!
//! The cron expression is read here to point at what is wrong with it; `rules::schedule` reads it again to ask it.

use model::{
    process::workflow::{CatchUp, Mode, Overlap, Schedule, Start},
    schema::Entity,
};
use script::{Timetable, environment};
use smol_str::SmolStr;

use super::start;
use crate::{
    condition,
    fields::{Fields, Keys},
    nearest,
    scope::{Root, Scope},
};

const SCHEDULE: Keys =
    Keys { what: "`schedule`", known: &["cron", "time-zone", "overlap", "catch-up", "each"], later: &[] };
const OVERLAPS: [(&str, Overlap); 3] =
    [("skip", Overlap::Skip), ("queue", Overlap::Queue), ("parallel", Overlap::Parallel)];
const CATCH_UPS: [(&str, CatchUp); 3] = [("last", CatchUp::Last), ("none", CatchUp::None), ("all", CatchUp::All)];
/// Zones that are offered where one is not known; the database has some six hundred.
const ZONES: [&str; 6] =
    ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Tokyo"];

/// The schedule of a workflow on `entity`; `scope` is what its steps may read.
pub(super) fn read(
    fields: &Fields<'_>,
    entity: Option<&Entity>,
    mode: Option<Mode>,
    scope: &Scope<'_>,
) -> Option<Schedule> {
    let start = fields.get("start")?;
    let entry = start.entries()?.iter().find(|entry| entry.key == "schedule" && !entry.value.is_null())?;
    let report = fields.report;
    let given = Fields::open(report, &entry.value, entry.place, &SCHEDULE)?;
    if mode.is_some_and(Mode::is_real_time) {
        let hint = Some("make the workflow `mode: background`".to_owned());
        report.error_with(entry.place, "a schedule starts jobs, so its workflow runs in the background", hint);
    }
    let time_zone = zone(&given);
    let cron = cron(&given, scope);
    let overlap = given.word_or_first("overlap", &OVERLAPS);
    let catch_up = given.word_or_first("catch-up", &CATCH_UPS);
    check_order(fields, &given, overlap, catch_up);
    let each = each(&given, fields, entity, scope);
    Some(Schedule { cron: cron?, time_zone, overlap, catch_up, each })
}

/// The expression, if it is one.
fn cron(given: &Fields<'_>, scope: &Scope<'_>) -> Option<SmolStr> {
    given.need("cron")?;
    let text = given.text("cron")?;
    match Timetable::parse(&text, scope.names.zone.clone()) {
        Ok(_) => Some(text.trim().into()),
        Err(no) => {
            given.report.error_with(given.value_place("cron"), no.message, Some(no.hint));
            None
        }
    }
}

fn zone(given: &Fields<'_>) -> Option<SmolStr> {
    let name = given.text("time-zone")?;
    if environment::time_zone(&name).is_none() {
        let hint = nearest::hint(&name, ZONES)
            .unwrap_or_else(|| "zones have IANA names as `Europe/Berlin` or `America/New_York`".to_owned());
        given.report.error_with(given.value_place("time-zone"), format!("there is no time zone `{name}`"), Some(hint));
    }
    Some(name.into())
}

/// One order of jobs is enough, and what is skipped is not made up for.
fn check_order(fields: &Fields<'_>, given: &Fields<'_>, overlap: Overlap, catch_up: CatchUp) {
    let report = fields.report;
    if overlap != Overlap::Parallel && fields.get("in-order-by").is_some() {
        let hint = Some("write `overlap: parallel`".to_owned());
        let message = "`in-order-by` puts the jobs in order already: `overlap` cannot do it too";
        report.error_with(given.place_of("overlap"), message, hint);
    }
    if overlap == Overlap::Skip && catch_up == CatchUp::All {
        let hint = Some("write `overlap: queue`, and each has its turn".to_owned());
        let message =
            "`catch-up: all` makes up for one moment only: while its job runs, `overlap: skip` passes the others over";
        report.warn(given.place_of("catch-up"), message, hint);
    }
}

/// Which records get a job: a workflow on an entity has to say it.
fn each(
    given: &Fields<'_>,
    fields: &Fields<'_>,
    entity: Option<&Entity>,
    scope: &Scope<'_>,
) -> Option<model::condition::Condition> {
    let report = given.report;
    let is_none = fields.get("entity").and_then(crate::tree::Node::as_text) == Some("none");
    let Some(node) = given.get("each") else {
        if let (Some(entity), false) = (entity, is_none) {
            let message = format!("a schedule of a workflow on `{}` says which records get a job", entity.name());
            let hint =
                "write `each: { value: item.statecode, is: active }`, or `entity: none` for one job without a record";
            report.error_with(given.place, message, Some(hint.to_owned()));
        }
        return None;
    };
    if is_none {
        let hint = Some("name the entity in `entity`".to_owned());
        report.error_with(given.place_of("each"), "there are no records: the workflow has `entity: none`", hint);
        return None;
    }
    let mut scope = scope.clone();
    if let Some(entity) = entity {
        scope.add("item", Root::Record(entity));
    }
    for image in ["before", "after", "change"] {
        scope.remove(image);
        scope.add_elsewhere(image, "a schedule is no event");
    }
    condition::read(report, node, &scope)
}

/// A workflow without records can only be started by the clock, and has no event to look at.
pub(super) fn check_none(fields: &Fields<'_>, start: Option<&Start>, has_schedule: bool) {
    let report = fields.report;
    let is_none = fields.get("entity").and_then(crate::tree::Node::as_text) == Some("none");
    if is_none && !has_schedule {
        let hint = Some("give it a `start.schedule`, or write an action with `entity: none`".to_owned());
        report.error_with(fields.value_place("entity"), "only a schedule starts a workflow without records", hint);
    }
    if is_none && start.is_some_and(start::has_event) {
        let message = "without an entity there are no events: only `schedule` can start it";
        report.error(fields.place_of("start"), message);
    }
    for key in ["on-demand", "child"] {
        if is_none && fields.boolean(key, false) {
            let hint = Some("write an action with `entity: none` for what others start".to_owned());
            report.error_with(fields.place_of(key), format!("`{key}` needs a record to run on"), hint);
        }
    }
    let has_condition = fields.get("start").is_some_and(|start| start.get("if").is_some());
    if has_condition && has_schedule && start.is_some_and(|start| !start::has_event(start)) {
        let hint = Some("write it as `each`, or as an `if` step".to_owned());
        report.error_with(fields.place_of("start"), "`if` is asked at events, and there are none", hint);
    }
}
