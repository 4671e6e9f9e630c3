//! What a definition may name before there is a schema: the entities and choices of the store and of this solution.
//!
//! Files name each other in any order, so this is gathered from all of them first. What is defined with errors counts
//! as known: one mistake gives one report.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use jiff::tz::TimeZone;
use model::{
    ChoiceName, EntityName,
    entity::{ChoiceDefinition, ChoiceOption},
};
use smol_str::SmolStr;

use crate::{nearest, report::Report, tree::Place};

/// The names that definitions may use.
pub(crate) struct Known<'a> {
    entities: HashSet<SmolStr>,
    choices: HashMap<ChoiceName, &'a ChoiceDefinition>,
    broken_choices: HashSet<SmolStr>,
    broken_attributes: RefCell<HashSet<(SmolStr, SmolStr)>>,
    zone: TimeZone,
    starter: bool,
}

impl<'a> Known<'a> {
    /// These choices, and no entity yet.
    pub fn new(choices: impl IntoIterator<Item = &'a ChoiceDefinition>, zone: TimeZone) -> Self {
        Self {
            entities: HashSet::new(),
            choices: choices.into_iter().map(|choice| (choice.name.clone(), choice)).collect(),
            broken_choices: HashSet::new(),
            broken_attributes: RefCell::default(),
            zone,
            starter: false,
        }
    }

    /// The starter files may say what others may not: a lookup to any entity.
    pub fn for_starter(mut self) -> Self {
        self.starter = true;
        self
    }

    /// Adds entities that are defined, rightly or with errors.
    pub fn add_entities(&mut self, names: impl IntoIterator<Item = SmolStr>) {
        self.entities.extend(names);
    }

    /// Adds choices whose files have errors.
    pub fn add_broken_choices(&mut self, names: impl IntoIterator<Item = SmolStr>) {
        self.broken_choices.extend(names);
    }

    /// Whether the starter files are being read.
    pub fn is_starter(&self) -> bool {
        self.starter
    }

    /// The zone in which days begin.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether there is this entity; reported if not.
    pub fn entity(&self, report: &Report<'_>, name: &EntityName, place: Place) -> bool {
        let known = self.entities.contains(name.as_str());
        if !known {
            let hint = nearest::hint(name.as_str(), self.entities.iter().map(SmolStr::as_str));
            report.error_with(place, format!("there is no entity `{name}`"), hint);
        }
        known
    }

    /// The choice of this name; reported if there is none, silent if its own file has errors.
    pub fn choice(&self, report: &Report<'_>, name: &ChoiceName, place: Place) -> Option<&'a ChoiceDefinition> {
        let found = self.choices.get(name).copied();
        if found.is_none() && !self.broken_choices.contains(name.as_str()) {
            let hint = nearest::hint(name.as_str(), self.choices.keys().map(ChoiceName::as_str));
            report.error_with(place, format!("there is no choice `{name}`"), hint);
        }
        found
    }

    /// The options of a choice.
    pub fn options(&self, name: &ChoiceName) -> &'a [ChoiceOption] {
        self.choices.get(name).map_or(&[], |choice| &choice.options)
    }

    /// The definition of this attribute has errors: what uses it is not to be reported too.
    pub fn note_broken(&self, entity: &EntityName, attribute: &SmolStr) {
        self.broken_attributes.borrow_mut().insert((entity.as_str().into(), attribute.clone()));
    }

    /// The attributes whose definitions have errors: entity and name.
    pub fn broken_attributes(&self) -> HashSet<(SmolStr, SmolStr)> {
        self.broken_attributes.borrow().clone()
    }
}
