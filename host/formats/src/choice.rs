//! `kind: choice` (formats 9): named options with numbers that belong to the API.

use std::collections::HashMap;

use model::{
    AttributeName, ChoiceName,
    entity::{ChoiceDefinition, ChoiceOption},
};
use smol_str::SmolStr;

use crate::{
    fields::{Fields, Keys, key_name},
    header::{Header, titles},
    keys_with_header,
    report::Report,
    tree::{Entry, Node},
};

const CHOICE: Keys = Keys { what: "a choice", known: keys_with_header!["options"], later: &["renamed-from"] };
const OPTION: Keys = Keys { what: "an option", known: &["value", "title", "description"], later: &[] };

/// The choice that `node` defines.
pub(crate) fn convert(report: &Report<'_>, node: &Node, solution: &SmolStr) -> Option<ChoiceDefinition> {
    let fields = Fields::open(report, node, node.place, &CHOICE)?;
    let header = Header::<ChoiceName>::read(&fields, "choice")?;
    fields.need("options")?;
    let options = options(report, fields.map("options"));
    if options.is_empty() {
        report.error(fields.place_of("options"), "a choice has at least one option");
    }
    Some(ChoiceDefinition {
        name: header.name,
        id: header.id,
        title: header.title,
        options,
        solution: solution.clone(),
    })
}

/// The options in a map: name, number, title.
pub(crate) fn options(report: &Report<'_>, entries: &[Entry]) -> Vec<ChoiceOption> {
    let mut taken = HashMap::new();
    let options = entries.iter().filter_map(|entry| {
        let name: Option<AttributeName> = key_name(report, entry);
        let fields = Fields::open(report, &entry.value, entry.place, &OPTION)?;
        let value = number(&fields, "value", &mut taken);
        let name = name?;
        let (title, _) = titles(&fields, name.as_str());
        Some(ChoiceOption { value: value?, title, name })
    });
    options.collect()
}

/// The number at `key`, which no other one of the same sort may have.
pub(crate) fn number(fields: &Fields<'_>, key: &str, taken: &mut HashMap<i32, u32>) -> Option<i32> {
    fields.need(key)?;
    let number = fields.whole(key, i64::from(i32::MIN), i64::from(i32::MAX))?;
    let number = i32::try_from(number).ok()?;
    let place = fields.value_place(key);
    if let Some(line) = taken.insert(number, fields.report.line(place)) {
        fields.report.error(place, format!("number {number} is taken already, on line {line}"));
    }
    Some(number)
}
