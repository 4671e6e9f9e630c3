//! What processes, scripts and imports may name: the schema as it will be, the custom steps, the processes.
//!
//! Definitions that have errors of their own are known by name only; what uses them is not reported a second time.

use std::{cell::RefCell, collections::HashSet, sync::Arc};

use jiff::tz::TimeZone;
use model::{
    Schema, StepName, TaskName,
    entity::ChoiceOption,
    expression::NamedRecord,
    package::StepDefinition,
    process::{email::EmailTemplate, flow::FlowLimits},
    schema::{Attribute, Entity},
    step::Limits,
};
use smol_str::SmolStr;

use crate::{
    nearest,
    report::Report,
    tree::{Node, Place},
    workflow::Callable,
};

/// The custom steps that are installed, and the templates that steps send.
pub trait Steps {
    /// The newest definition of the step that a version range allows, or of all.
    fn step(&self, name: &StepName, version: Option<&semver::VersionReq>) -> Option<&StepDefinition>;

    /// The names of all, for hints.
    fn names(&self) -> Vec<StepName>;

    /// The templates of mail.
    fn templates(&self) -> Vec<Arc<EmailTemplate>> {
        Vec::new()
    }
}

/// A record that a definition names, and where: whoever has the records can check that it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    /// The record.
    pub record: NamedRecord,
    /// The file that names it.
    pub file: SmolStr,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters are meant.
    pub length: u32,
}

/// What may be named.
pub(crate) struct Names<'a> {
    /// The schema as it will be.
    pub schema: &'a Schema,
    /// The custom steps as they will be.
    pub steps: &'a dyn Steps,
    /// The zone in which days begin.
    pub zone: TimeZone,
    /// Entities and choices whose files have errors.
    pub broken: HashSet<SmolStr>,
    /// Attributes and keys whose definitions have errors: entity and name.
    pub broken_attributes: HashSet<(SmolStr, SmolStr)>,
    /// Custom steps of scripts that have errors.
    pub broken_steps: HashSet<SmolStr>,
    /// The processes, as those that call them see them.
    pub callables: Vec<Callable>,
    /// The tasks that actions ask for; absent: any, for what was checked when it was applied.
    pub tasks: Option<Vec<TaskName>>,
    /// Email templates whose files have errors.
    pub broken_templates: HashSet<SmolStr>,
    /// How much a flow may hold.
    pub flow_limits: FlowLimits,
    /// The most that a script may give itself of the limits of a call.
    pub script_limits: Limits,
    /// The records that definitions name.
    pub mentions: RefCell<Vec<Mention>>,
}

/// What a name is.
pub(crate) enum Found<T> {
    /// This.
    One(T),
    /// Something with errors of its own.
    Broken,
    /// Nothing; it is reported.
    Nothing,
}

impl<T> Found<T> {
    /// The thing itself, if it is whole.
    pub fn one(self) -> Option<T> {
        match self {
            Self::One(one) => Some(one),
            Self::Broken | Self::Nothing => None,
        }
    }
}

impl<'a> Names<'a> {
    /// Everything whole.
    pub fn new(schema: &'a Schema, steps: &'a dyn Steps, zone: TimeZone) -> Self {
        Self {
            schema,
            steps,
            zone,
            broken: HashSet::new(),
            broken_attributes: HashSet::new(),
            broken_steps: HashSet::new(),
            callables: Vec::new(),
            tasks: None,
            broken_templates: HashSet::new(),
            flow_limits: FlowLimits::MOST,
            script_limits: Limits::MOST,
            mentions: RefCell::default(),
        }
    }

    /// The entity of this name.
    pub fn entity(&self, report: &Report<'_>, name: &str, place: Place) -> Found<&'a Arc<Entity>> {
        match self.schema.named(name) {
            Some(entity) => Found::One(entity),
            None if self.broken.contains(name) => Found::Broken,
            None => {
                let hint = nearest::hint(name, self.schema.entities().map(|entity| entity.name().as_str()));
                report.error_with(place, format!("there is no entity `{name}`"), hint);
                Found::Nothing
            }
        }
    }

    /// Whether there is an entity of this name, even one with errors.
    pub fn is_entity(&self, report: &Report<'_>, name: &str, place: Place) -> bool {
        !matches!(self.entity(report, name, place), Found::Nothing)
    }

    /// The attribute of this name.
    pub fn attribute(&self, report: &Report<'_>, entity: &'a Entity, name: &str, place: Place) -> Found<&'a Attribute> {
        match self.attribute_of(entity, name) {
            Ok(found) => found,
            Err((message, hint)) => {
                report.error_with(place, message, hint);
                Found::Nothing
            }
        }
    }

    /// The same, with the report as a value.
    pub fn attribute_of(
        &self,
        entity: &'a Entity,
        name: &str,
    ) -> Result<Found<&'a Attribute>, (String, Option<String>)> {
        if self.broken_attributes.contains(&(entity.name().as_str().into(), name.into())) {
            return Ok(Found::Broken);
        }
        match entity.attribute(name) {
            Some(attribute) => Ok(Found::One(attribute)),
            None => {
                let known = entity.attributes().iter().map(|attribute| attribute.name().as_str());
                let message = format!("`{}` has no attribute `{name}`", entity.name());
                Err((message, nearest::hint(name, known)))
            }
        }
    }

    /// The options of the choice that `node` names.
    pub fn options(&self, report: &Report<'_>, node: &Node) -> Vec<ChoiceOption> {
        let name = node.as_written().unwrap_or_default();
        match self.schema.choice(&name) {
            Some(choice) => choice.options.clone(),
            None if self.broken.contains(&name) => Vec::new(),
            None => {
                let hint = nearest::hint(&name, self.schema.choices().map(|choice| choice.name.as_str()));
                report.error_with(node.place, format!("there is no choice `{name}`"), hint);
                Vec::new()
            }
        }
    }

    /// The email template of this name.
    pub fn template(&self, name: &str) -> Found<Arc<EmailTemplate>> {
        match self.steps.templates().into_iter().find(|template| template.name == name) {
            _ if self.broken_templates.contains(name) => Found::Broken,
            Some(template) => Found::One(template),
            None => Found::Nothing,
        }
    }

    /// Notes that a definition names this record.
    pub fn mention(&self, report: &Report<'_>, record: &NamedRecord, place: Place) {
        self.mentions.borrow_mut().push(Mention {
            record: record.clone(),
            file: report.file.clone(),
            line: report.line(place),
            column: place.column,
            length: place.length,
        });
    }
}
