//! The schema as it will be: what the store has, with the solution's choices and entities in place of its own of before.
//!
//! What has errors is mended or left out here, so that the rest of the files can be checked all the same.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use model::{
    EntityName, Schema,
    entity::{AttributeKind, ChoiceDefinition, EntityDefinition, KeyDefinition, Targets},
};
use smol_str::SmolStr;

use super::{
    Base,
    files::{Files, Sheet},
};
use crate::{
    choice,
    definitions::Definitions,
    entity::{self, EntityFile},
    flow,
    known::Known,
    numbering::{self, Numbers},
    source::Sourced,
    tree::Node,
};

/// The next schema and what it is made of.
pub(super) struct Next {
    pub entities: Vec<Sourced<EntityFile>>,
    pub choices: Vec<Sourced<ChoiceDefinition>>,
    pub definitions: Definitions,
    pub numbers: Numbers,
    pub schema: Schema,
    /// Entities and choices that could not be read.
    pub broken: HashSet<SmolStr>,
    /// Attributes and keys that could not be read: entity and name.
    pub broken_attributes: HashSet<(SmolStr, SmolStr)>,
}

/// Builds it. Nothing only where even what is right does not fit together, which is then reported.
pub(super) fn next(
    files: &Files<'_>,
    base: &Base<'_>,
    (solution, prefix): (&SmolStr, &SmolStr),
    zone: &TimeZone,
) -> Option<Next> {
    let mut definitions = base.definitions.clone();
    let mut broken = HashSet::new();
    let choices = choices(files, base, solution, &mut definitions, &mut broken);
    let mut known = Known::new(&definitions.choices, zone.clone());
    known.add_broken_choices(broken.iter().cloned());
    known.add_entities(base.definitions.entities.iter().map(|entity| entity.name.as_str().into()));
    known.add_entities(files.of_kind("entity").filter(|sheet| !sheet.is("extends", "true")).filter_map(Sheet::name));
    let mut entities = Vec::new();
    for sheet in files.of_kind("entity") {
        let Some(tree) = &sheet.tree else { continue };
        match entity::convert(&sheet.report, tree, &known, solution) {
            Some(file) => entities.push((sheet, tree, file)),
            None => broken.extend(sheet.name()),
        }
    }
    let mut broken_attributes = known.broken_attributes();
    let of_flows = of_flows(files, &known, solution, prefix);
    drop(known);
    for (_, _, file) in &entities {
        if !belongs_to_others(file, base, solution) {
            definitions.put(file.clone());
        }
    }
    for (sheet, tree, file) in &entities {
        check(sheet, tree, file, base, &definitions, solution);
    }
    check_sets(&entities, &definitions);
    for entity in &of_flows {
        if !belongs_to_others(&entity.value, base, solution) {
            definitions.put(entity.value.clone());
        }
    }
    mend(&mut definitions, &mut broken, &mut broken_attributes);
    let numbers = numbering::extend(base.numbers, &definitions.whole_entities());
    let schema = match definitions.schema(&numbers) {
        Ok(schema) => schema,
        Err(problem) => {
            let sheet = files.of_kind("entity").next().or_else(|| files.sheets().next())?;
            sheet.report.error(sheet.place_of("name"), problem.to_string());
            return None;
        }
    };
    let entities = entities.into_iter().map(|(sheet, tree, file)| Sourced::new(file, &sheet.report, tree));
    let entities = entities.chain(of_flows).collect();
    Some(Next { entities, choices, definitions, numbers, schema, broken, broken_attributes })
}

/// The own entities of flows: those whose instances they are.
fn of_flows(files: &Files<'_>, known: &Known<'_>, solution: &SmolStr, prefix: &SmolStr) -> Vec<Sourced<EntityFile>> {
    let flows = files.of_kind("business-process-flow");
    flows.filter_map(|sheet| flow::entity_of(&sheet.report, sheet.tree.as_ref()?, prefix, known, solution)).collect()
}

fn choices(
    files: &Files<'_>,
    base: &Base<'_>,
    solution: &SmolStr,
    definitions: &mut Definitions,
    broken: &mut HashSet<SmolStr>,
) -> Vec<Sourced<ChoiceDefinition>> {
    let mut choices = Vec::new();
    for sheet in files.of_kind("choice") {
        let Some(tree) = &sheet.tree else { continue };
        let Some(choice) = choice::convert(&sheet.report, tree, solution) else {
            broken.extend(sheet.name());
            continue;
        };
        if let Some(old) = base.definitions.choices.iter().find(|old| old.name == choice.name) {
            match old.solution == *solution {
                true => entity::check_choice_kept(&sheet.report, tree, &choice, old),
                false => {
                    let message = format!("solution `{}` has a choice `{}` already", old.solution, old.name);
                    sheet.report.error(sheet.place_of("name"), message);
                }
            }
        }
        definitions.put_choice(choice.clone());
        choices.push(Sourced::new(choice, &sheet.report, tree));
    }
    choices
}

fn check(sheet: &Sheet<'_>, tree: &Node, file: &EntityFile, base: &Base<'_>, next: &Definitions, solution: &SmolStr) {
    let report = &sheet.report;
    match file {
        EntityFile::Whole(entity) => {
            entity::check(report, tree, entity);
            match base.definitions.entity(&entity.name) {
                Some(old) if old.solution == *solution => entity::check_kept(report, tree, entity, old),
                Some(old) => {
                    let message = format!("solution `{}` has an entity `{}` already", old.solution, old.name);
                    let hint = Some("write `extends: true` to add attributes to it".to_owned());
                    report.error_with(sheet.place_of("name"), message, hint);
                }
                None => {}
            }
        }
        EntityFile::Extension(extension) => {
            let Some(entity) = next.entity(&extension.entity) else { return };
            entity::check_extension(report, tree, extension, entity);
            let mine = |old: &&entity::Extension| old.entity == extension.entity && old.solution == *solution;
            if let Some(old) = base.definitions.extensions.iter().find(mine) {
                entity::check_attributes_kept(report, tree, &extension.attributes, &old.attributes);
            }
        }
    }
}

/// Two entities with one API name are reported at the one that comes from these files.
fn check_sets(entities: &[(&Sheet<'_>, &Node, EntityFile)], definitions: &Definitions) {
    for (sheet, tree, file) in entities {
        let EntityFile::Whole(entity) = file else { continue };
        let other = definitions.entities.iter().find(|other| other.set == entity.set && other.name != entity.name);
        if let Some(other) = other {
            let place = sheet.place_of(if tree.get("set").is_some() { "set" } else { "name" });
            let message = format!("the set `{}` belongs to `{}` already", entity.set, other.name);
            sheet.report.error_with(place, message, Some("give one of them another `set`".to_owned()));
        }
    }
}

/// Whether a file defines anew what another solution has defined: that stays as it is.
fn belongs_to_others(file: &EntityFile, base: &Base<'_>, solution: &SmolStr) -> bool {
    match file {
        EntityFile::Whole(entity) => base.definitions.entity(&entity.name).is_some_and(|old| old.solution != *solution),
        EntityFile::Extension(_) => false,
    }
}

/// Takes out what names things that could not be read, until the rest makes a schema.
fn mend(definitions: &mut Definitions, broken: &mut HashSet<SmolStr>, broken_parts: &mut HashSet<(SmolStr, SmolStr)>) {
    let mut sets = HashSet::new();
    definitions.entities.retain(|entity| {
        let free = sets.insert(entity.set.clone());
        if !free {
            broken.insert(entity.name.as_str().into());
        }
        free
    });
    loop {
        let names: HashSet<EntityName> = definitions.entities.iter().map(|entity| entity.name.clone()).collect();
        for entity in &mut definitions.entities {
            mend_attributes(entity, &names);
        }
        for extension in &mut definitions.extensions {
            extension.attributes.retain_mut(|attribute| points_somewhere(&mut attribute.kind, &names));
        }
        let before = definitions.entities.len();
        definitions.entities.retain(|entity| {
            let named = entity.attributes.iter().any(|attribute| attribute.name == entity.primary);
            if !named {
                broken.insert(entity.name.as_str().into());
            }
            named
        });
        if definitions.entities.len() == before {
            break;
        }
    }
    mend_keys(definitions, broken_parts);
}

/// Takes out keys over attributes that are not there.
fn mend_keys(definitions: &mut Definitions, broken_parts: &mut HashSet<(SmolStr, SmolStr)>) {
    let wholes = definitions.whole_entities();
    let there = |entity: &EntityName, name: &str| {
        wholes.iter().any(|whole| {
            whole.name == *entity
                && (whole.attributes.iter().any(|attribute| attribute.name.as_str() == name)
                    || model::starter::common_attributes(whole.ownership, whole.flows)
                        .iter()
                        .any(|(_, common)| common.name.as_str() == name))
        })
    };
    let mut mend = |name: &EntityName, keys: &mut Vec<KeyDefinition>| {
        keys.retain(|key| {
            let whole = key.attributes.iter().all(|attribute| there(name, attribute.as_str()));
            if !whole {
                broken_parts.insert((name.as_str().into(), key.name.as_str().into()));
            }
            whole
        });
    };
    for entity in &mut definitions.entities {
        mend(&entity.name, &mut entity.keys);
    }
    for extension in &mut definitions.extensions {
        mend(&extension.entity, &mut extension.keys);
    }
}

fn mend_attributes(entity: &mut EntityDefinition, names: &HashSet<EntityName>) {
    entity.attributes.retain_mut(|attribute| points_somewhere(&mut attribute.kind, names));
}

fn points_somewhere(kind: &mut AttributeKind, names: &HashSet<EntityName>) -> bool {
    let AttributeKind::Lookup(lookup) = kind else { return true };
    let Targets::Only(targets) = &mut lookup.to else { return true };
    targets.retain(|target| names.contains(target));
    !targets.is_empty()
}
