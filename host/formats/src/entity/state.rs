//! States and statuses of an entity, with the statuses that may follow each.

use std::collections::{HashMap, HashSet};

use model::{
    AttributeName,
    entity::{State, Status},
};

use crate::{
    choice::number,
    fields::{Fields, Keys, key_name, name},
    header::titles,
    nearest,
    tree::Entry,
};

const STATE: Keys = Keys { what: "a state", known: &["value", "title", "description", "statuses"], later: &[] };
const STATUS: Keys = Keys { what: "a status", known: &["value", "title", "description", "next"], later: &[] };

/// The states at `states`, or the two that every entity has without.
pub(super) fn convert_all(fields: &Fields<'_>) -> Vec<State> {
    let Some(node) = fields.get("states") else { return usual() };
    let entries = fields.map("states");
    let mut taken = Taken::default();
    let states: Vec<_> = entries.iter().filter_map(|entry| state(fields, entry, &mut taken)).collect();
    if entries.is_empty() {
        fields.report.error(node.place, "an entity has at least one state");
    }
    check_next(fields, entries, &taken.names);
    if states.is_empty() { usual() } else { states }
}

#[derive(Default)]
struct Taken {
    states: HashMap<i32, u32>,
    statuses: HashMap<i32, u32>,
    names: HashSet<AttributeName>,
}

fn state(fields: &Fields<'_>, entry: &Entry, taken: &mut Taken) -> Option<State> {
    let report = fields.report;
    let name: Option<AttributeName> = key_name(report, entry);
    let fields = Fields::open(report, &entry.value, entry.place, &STATE)?;
    let value = number(&fields, "value", &mut taken.states);
    fields.need("statuses");
    let entries = fields.map("statuses");
    let statuses: Vec<_> = entries.iter().filter_map(|entry| status(&fields, entry, taken)).collect();
    if entries.is_empty() && fields.get("statuses").is_some() {
        report.error(fields.value_place("statuses"), "a state has at least one status");
    }
    let name = name?;
    let (title, _) = titles(&fields, name.as_str());
    Some(State { value: value?, title, statuses, name })
}

fn status(fields: &Fields<'_>, entry: &Entry, taken: &mut Taken) -> Option<Status> {
    let report = fields.report;
    let status: AttributeName = key_name(report, entry)?;
    if !taken.names.insert(status.clone()) {
        report.error(entry.place, format!("status `{status}` stands in another state already"));
    }
    let fields = Fields::open(report, &entry.value, entry.place, &STATUS)?;
    let value = number(&fields, "value", &mut taken.statuses)?;
    let next = fields.get("next").map(|_| fields.list("next").iter().filter_map(|item| name(report, item)).collect());
    let (title, _) = titles(&fields, status.as_str());
    Some(Status { value, title, next, name: status })
}

/// Every status that may follow another one is a status of this entity.
fn check_next(fields: &Fields<'_>, states: &[Entry], names: &HashSet<AttributeName>) {
    let statuses = states.iter().filter_map(|state| state.value.get("statuses")?.entries()).flatten();
    let lists = statuses.filter_map(|status| match &status.value.get("next")?.kind {
        crate::tree::Kind::List(items) => Some(items),
        _ => None,
    });
    for item in lists.flatten() {
        let Some(text) = item.as_written() else { continue };
        if !names.contains(text.as_str()) {
            let hint = nearest::hint(&text, names.iter().map(AttributeName::as_str));
            fields.report.error_with(item.place, format!("there is no status `{text}` here"), hint);
        }
    }
}

fn usual() -> Vec<State> {
    let part = |name: &str, title: &str, state: i32, status: i32| {
        let name = AttributeName::parse(name).expect("the two names below are written in the alphabet of names");
        let only = Status { name: name.clone(), value: status, title: title.to_owned(), next: None };
        State { name, value: state, title: title.to_owned(), statuses: vec![only] }
    };
    vec![part("active", "Active", 0, 1), part("inactive", "Inactive", 1, 2)]
}
