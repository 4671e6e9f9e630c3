//! Where paths lead: for the compiler by type, for the engine by where to begin reading, for the machine by value.

use model::{
    EntityId, EntityName, Message, RecordRef, Schema, Value, ValueType,
    entity::ChoiceOption,
    expression::{Path, Segment},
    job::{Job, StepResult},
    starter,
};
use script::{Environment, Facts, Known};
use smol_str::format_smolstr;

use super::{
    Run,
    parameter::Parameter,
    program::{Line, Program, Root},
};

/// Where the engine begins to read a path. The segments that remain are followed from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// At this record as it is now; without segments the record itself is the value.
    Record(RecordRef),
    /// At the job's image of the record before the event.
    Before,
    /// At the job's image of the record after the event.
    After,
    /// At the values of the request.
    Change,
    /// Nowhere: the path is empty.
    Nothing,
}

impl Program {
    /// Where `path` begins for `job`, and what is to be followed from there.
    pub fn base<'q>(&self, job: &Job, path: &'q Path) -> (Base, &'q [Segment]) {
        let record = |record: Option<RecordRef>| record.map_or(Base::Nothing, Base::Record);
        let segments = path.segments.as_slice();
        match path.root.as_str() {
            // What was deleted is seen as it was (D16).
            "record" if job.cause.message == Message::Delete && !segments.is_empty() => (Base::Before, segments),
            "record" => (record(job.record), segments),
            "before" => (Base::Before, segments),
            "after" => (Base::After, segments),
            "change" => (Base::Change, segments),
            "user" => (Base::Record(job.user), segments),
            "caller" => (Base::Record(job.cause.caller), segments),
            root => match result(job, root) {
                Some(StepResult::Record(result)) => (Base::Record(*result), segments),
                _ => match segments.split_first() {
                    Some((first, rest)) => {
                        let value = self.meant(self.own(job, root, &first.name).clone(), first);
                        (record(value.as_reference()), rest)
                    }
                    None => (Base::Nothing, segments),
                },
            },
        }
    }

    /// The value that the job itself keeps under a root and a name: of a slot, or in a result.
    fn own<'j>(&self, job: &'j Job, root: &str, name: &str) -> &'j Value {
        let found = match Root::of(root) {
            Some(kind) => self.slot(kind, name).and_then(|(number, _)| {
                job.progress.slots.iter().find(|(known, _)| *known == number).map(|(_, value)| value)
            }),
            None => match result(job, root) {
                Some(StepResult::Fields(fields)) => {
                    fields.iter().find(|field| field.name == name).map(|field| &field.value)
                }
                _ => None,
            },
        };
        found.unwrap_or(&Value::NULL)
    }

    /// The value, unless the path means a record of another entity: `found.party[account]`.
    fn meant(&self, value: Value, segment: &Segment) -> Value {
        match (value.as_reference(), &segment.target) {
            (Some(record), Some(wanted)) if self.entity_name(record.entity) != wanted.as_str() => Value::Null,
            _ => value,
        }
    }

    pub(super) fn local(&self, job: &Job, environment: &Environment, path: &Path) -> Known {
        let first = path.segments.first();
        let name = first.map_or("", |segment| segment.name.as_str());
        let value = match path.root.as_str() {
            "job" => return Known::plain(self.of_job(job, environment, name)),
            "record" => job.record.map(Value::Reference).unwrap_or_default(),
            "user" => Value::Reference(job.user),
            "caller" => Value::Reference(job.cause.caller),
            root if path.segments.is_empty() => match result(job, root) {
                Some(StepResult::Record(record)) => Value::Reference(*record),
                _ => Value::Null,
            },
            root => {
                let value = self.own(job, root, name).clone();
                first.map_or(Value::Null, |first| self.meant(value, first))
            }
        };
        self.named(value, self.options(&path.root, name))
    }

    /// A value with the names that people and files have for it.
    fn named(&self, value: Value, options: &[ChoiceOption]) -> Known {
        let mut known = Known::plain(value);
        match &known.value {
            Value::Choice(number) => {
                if let Some(option) = options.iter().find(|option| option.value == *number) {
                    known.shown = Some(option.title.as_str().into());
                    known.option = Some(option.name.as_str().into());
                }
            }
            Value::Reference(record) => {
                known.entity = EntityName::parse(&self.entity_name(record.entity)).ok();
            }
            _ => {}
        }
        known
    }

    fn options(&self, root: &str, name: &str) -> &[ChoiceOption] {
        if let Some(kind) = Root::of(root) {
            return self.slot(kind, name).map_or(&[], |(_, slot)| &slot.parameter.options);
        }
        let outputs = self.code.iter().find_map(|line| {
            let outputs = line.instruction.outputs()?;
            (self.step(line)?.id.as_str() == root).then_some(outputs)
        });
        let output = outputs.and_then(|outputs| outputs.iter().find(|output| output.name == name));
        output.map_or(&[], |output| &output.options)
    }

    fn of_job(&self, job: &Job, environment: &Environment, name: &str) -> Value {
        match name {
            "name" => Value::Text(self.title.clone()),
            "startedon" => job.started_on.map(Value::DateTime).unwrap_or_default(),
            "attempt" => Value::Whole(i64::from(job.attempts) + 1),
            "correlation" => Value::Text(format_smolstr!("{}", job.cause.correlation)),
            "url" => Value::Text(format_smolstr!("{}/jobs/{}", environment.public_url, job.id)),
            _ => Value::Null,
        }
    }
}

fn result<'j>(job: &'j Job, step: &str) -> Option<&'j StepResult> {
    job.progress.results.iter().find(|(known, _)| known.as_str() == step).map(|(_, result)| result)
}

impl Run<'_, '_> {
    /// Adds what the job itself knows to what was read.
    pub(super) fn add_local(&self, line: &Line, facts: &mut Facts) {
        for path in &line.reads.local {
            facts.insert(path.clone(), self.program.local(self.job, self.environment, path));
        }
    }
}

/// What a path leads to, as far as types tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// A record of one of these entities; of any where there is no list.
    Record(Option<Vec<EntityId>>),
    /// A value that is no record.
    Value,
    /// That is only known when it runs.
    Unknown,
}

/// The results that steps before have, by the ids that were given to them.
#[derive(Debug)]
pub(super) enum Gives {
    /// A record.
    Record(Option<Vec<EntityId>>),
    /// The outputs of a custom step, by name.
    Fields(Vec<(smol_str::SmolStr, Leads)>),
}

impl Leads {
    /// What a parameter holds.
    pub fn of(parameter: &Parameter) -> Self {
        match parameter.value_type {
            ValueType::Reference => Self::Record(parameter.targets.clone()),
            _ => Self::Value,
        }
    }

    /// What is behind one more segment.
    pub fn follow(&self, segment: &Segment, schema: &Schema) -> Result<Self, String> {
        let Self::Record(entities) = self else { return Ok(Self::Unknown) };
        // With several entities the attribute decides, when the path runs; with one it has to be there.
        let Some([entity]) = entities.as_deref() else { return Ok(Self::Unknown) };
        let Some(entity) = schema.entity(*entity) else { return Ok(Self::Unknown) };
        if segment.name == entity.id_name() || segment.name == "versionnumber" {
            return Ok(Self::Value);
        }
        let attribute = entity
            .attribute(&segment.name)
            .ok_or_else(|| format!("`{}` has no attribute `{}`", entity.name(), segment.name))?;
        if attribute.value_type() != ValueType::Reference {
            return Ok(Self::Value);
        }
        let leads = Self::Record(attribute.targets.clone());
        let of = |target| format!("`{}` of `{}` does not point to `{target}`", segment.name, entity.name());
        leads.narrowed(segment, schema).map_err(of)
    }

    /// The same where `segment` names which of several entities is meant: `found.party[account]`. That name, where it
    /// cannot be meant.
    pub fn narrowed<'s>(self, segment: &'s Segment, schema: &Schema) -> Result<Self, &'s EntityName> {
        let (Self::Record(entities), Some(target)) = (&self, &segment.target) else { return Ok(self) };
        let possible = |id: &EntityId| entities.as_ref().is_none_or(|entities| entities.contains(id));
        match schema.named(target.as_str()).map(|entity| entity.id).filter(possible) {
            Some(meant) => Ok(Self::Record(Some(vec![meant]))),
            None => Err(target),
        }
    }
}

/// Where a root leads by itself; nothing for the roots that the compiler has to know.
pub(super) fn root(word: &str, record: Option<EntityId>) -> Option<Leads> {
    match word {
        "record" => Some(Leads::Record(record.map(|entity| vec![entity]))),
        "user" => Some(Leads::Record(Some(vec![starter::SYSTEM_USER]))),
        "caller" => Some(Leads::Record(Some(vec![starter::SYSTEM_USER]))),
        _ => None,
    }
}
