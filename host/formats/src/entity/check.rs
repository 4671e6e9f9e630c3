//! Whether the parts of an entity fit each other, and what the store has of it already.

use model::{
    AttributeName,
    entity::{
        AttributeDefinition, AttributeKind, ChoiceDefinition, ChoiceOption, ChoiceSource, EntityDefinition, LookupKind,
        Targets,
    },
    starter::common_attributes,
};

use super::Extension;
use crate::{nearest, report::Report, tree::Node, tree::Place};

/// Checks that what the definition names of itself is there and of the right type.
pub(crate) fn check(report: &Report<'_>, node: &Node, entity: &EntityDefinition) {
    let own = |name: &str| entity.attributes.iter().find(|attribute| attribute.name.as_str() == name);
    let is_text = |attribute: &AttributeDefinition| matches!(attribute.kind, AttributeKind::Text(_));
    for (key, name) in [("primary", Some(&entity.primary)), ("email", entity.email.as_ref())] {
        let (Some(name), Some(place)) = (name, place_of(node, key)) else { continue };
        match own(name.as_str()) {
            None if is_written(node, name) => {}
            None => unknown(report, place, entity, name.as_str()),
            Some(attribute) if !is_text(attribute) => {
                report.error(place, format!("`{key}` is a text attribute, `{name}` is of another type"));
            }
            Some(_) => {}
        }
    }
    if let (Some(name), Some(place)) = (&entity.hierarchy, place_of(node, "hierarchy")) {
        match own(name.as_str()).map(|attribute| &attribute.kind) {
            None if is_written(node, name) => {}
            None => unknown(report, place, entity, name.as_str()),
            Some(AttributeKind::Lookup(LookupKind { to: Targets::Only(to), .. }))
                if *to == std::slice::from_ref(&entity.name) => {}
            Some(_) => report.error(place, format!("`hierarchy` is a lookup to `{}` itself", entity.name)),
        }
    }
    check_keys(report, node, entity, &[]);
}

/// Checks that an extension adds what is not there, and that its keys are over attributes that are.
pub(crate) fn check_extension(report: &Report<'_>, node: &Node, extension: &Extension, entity: &EntityDefinition) {
    for attribute in &extension.attributes {
        if entity.attributes.iter().any(|own| own.name == attribute.name) {
            let place = entry_place(node, "attributes", attribute.name.as_str());
            report.error(place, format!("`{}` has an attribute `{}` already", entity.name, attribute.name));
        }
    }
    for key in &extension.keys {
        if entity.keys.iter().any(|own| own.name == key.name) {
            let place = entry_place(node, "keys", key.name.as_str());
            report.error(place, format!("`{}` has a key `{}` already", entity.name, key.name));
        }
    }
    check_keys(report, node, entity, &extension.attributes);
}

fn check_keys(report: &Report<'_>, node: &Node, entity: &EntityDefinition, more: &[AttributeDefinition]) {
    let common = common_attributes(entity.ownership, entity.flows);
    let is_there = |name: &str| {
        let mut own = entity.attributes.iter().chain(more);
        own.any(|attribute| attribute.name.as_str() == name)
            || common.iter().any(|(_, attribute)| attribute.name.as_str() == name)
    };
    let keys = node.get("keys").and_then(Node::entries).unwrap_or_default();
    for item in keys.iter().filter_map(|entry| items(&entry.value)).flatten() {
        let Some(text) = item.as_written() else { continue };
        if !is_there(&text) && node.get("attributes").is_none_or(|attributes| attributes.get(&text).is_none()) {
            unknown(report, item.place, entity, &text);
        }
    }
}

/// Checks that nothing is taken away from records that exist: what the store has of this entity stays possible.
pub(crate) fn check_kept(report: &Report<'_>, node: &Node, new: &EntityDefinition, old: &EntityDefinition) {
    let name = &new.name;
    if new.ownership != old.ownership {
        let place = place_of(node, "ownership").unwrap_or(node.place);
        report.error(place, format!("the ownership of `{name}` is fixed since it was applied"));
    }
    if old.activity != new.activity {
        let place = place_of(node, "activity").unwrap_or(node.place);
        report.error(place, format!("whether `{name}` is an activity is fixed since it was applied"));
    }
    if old.flows && !new.flows {
        let place = place_of(node, "flows").unwrap_or(node.place);
        report.error(place, format!("`{name}` allows flows since it was applied: that is not taken back"));
    }
    check_attributes_kept(report, node, &new.attributes, &old.attributes);
    for state in &old.states {
        let kept = new.states.iter().find(|new| new.value == state.value);
        let Some(kept) = kept else {
            removed(report, place_of(node, "states").unwrap_or(node.place), "state", state.name.as_str());
            continue;
        };
        for status in &state.statuses {
            if kept.statuses.iter().all(|new| new.value != status.value) {
                let place = entry_place(node, "states", kept.name.as_str());
                removed(report, place, "status", status.name.as_str());
            }
        }
    }
}

/// Checks that no attribute goes away or changes what it can hold.
pub(crate) fn check_attributes_kept(
    report: &Report<'_>,
    node: &Node,
    new: &[AttributeDefinition],
    old: &[AttributeDefinition],
) {
    for was in old {
        let place = entry_place(node, "attributes", was.name.as_str());
        let Some(is) = new.iter().find(|new| new.name == was.name) else {
            if !is_written(node, &was.name) {
                removed(report, place, "attribute", was.name.as_str());
            }
            continue;
        };
        if let Some(why) = narrower(&is.kind, &was.kind) {
            report.error(place, format!("`{}` {why}; records may hold more", was.name));
        }
    }
}

/// Checks that no option of a choice goes away.
pub(crate) fn check_options_kept(report: &Report<'_>, place: Place, new: &[ChoiceOption], old: &[ChoiceOption]) {
    for was in old {
        if new.iter().all(|is| is.value != was.value) {
            removed(report, place, "option", was.name.as_str());
        }
    }
}

/// The same for a choice file.
pub(crate) fn check_choice_kept(report: &Report<'_>, node: &Node, new: &ChoiceDefinition, old: &ChoiceDefinition) {
    check_options_kept(report, place_of(node, "options").unwrap_or(node.place), &new.options, &old.options);
}

/// How `new` holds less than `old` did, in words.
fn narrower(new: &AttributeKind, old: &AttributeKind) -> Option<String> {
    if new.value_type() != old.value_type() {
        return Some(format!("is {} in the store and cannot become {}", old.value_type(), new.value_type()));
    }
    match (new, old) {
        (AttributeKind::Text(new), AttributeKind::Text(old)) => {
            (new.max_length < old.max_length).then(|| format!("allowed {} characters before", old.max_length))
        }
        (AttributeKind::Lookup(new), AttributeKind::Lookup(old)) => match (&new.to, &old.to) {
            (Targets::Only(new), Targets::Only(old)) => {
                let gone = old.iter().find(|target| !new.contains(target))?;
                Some(format!("could point to `{gone}` before"))
            }
            (Targets::Only(_), Targets::Any) => Some("could point to any entity before".to_owned()),
            (Targets::Any, _) => None,
        },
        (
            AttributeKind::Choice(ChoiceSource::Own(new)) | AttributeKind::Choices(ChoiceSource::Own(new)),
            AttributeKind::Choice(ChoiceSource::Own(old)) | AttributeKind::Choices(ChoiceSource::Own(old)),
        ) => {
            let gone = old.iter().find(|was| new.iter().all(|is| is.value != was.value))?;
            Some(format!("had the option `{}` before", gone.name))
        }
        _ => None,
    }
}

fn removed(report: &Report<'_>, place: Place, what: &str, name: &str) {
    let hint = "write it again: this version removes nothing from a store".to_owned();
    report.error_with(place, format!("{what} `{name}` is in the store and not in this file"), Some(hint));
}

fn unknown(report: &Report<'_>, place: Place, entity: &EntityDefinition, name: &str) {
    let hint = nearest::hint(name, entity.attributes.iter().map(|attribute| attribute.name.as_str()));
    report.error_with(place, format!("`{}` has no attribute `{name}`", entity.name), hint);
}

/// Whether the file has such an attribute, even one that could not be read.
fn is_written(node: &Node, name: &AttributeName) -> bool {
    node.get("attributes").is_some_and(|attributes| attributes.get(name.as_str()).is_some())
}

fn place_of(node: &Node, key: &str) -> Option<Place> {
    node.get(key).map(|value| value.place)
}

fn entry_place(node: &Node, key: &str, name: &str) -> Place {
    let Some(map) = node.entries().and_then(|entries| entries.iter().find(|entry| entry.key == key)) else {
        return node.place;
    };
    let entries = map.value.entries().unwrap_or_default();
    entries.iter().find(|entry| entry.key == name).map_or(map.place, |entry| entry.place)
}

fn items(node: &Node) -> Option<&[Node]> {
    match &node.kind {
        crate::tree::Kind::List(items) => Some(items),
        _ => None,
    }
}
