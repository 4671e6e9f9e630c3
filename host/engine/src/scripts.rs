//! Scripts for those who write them: checked against the entities of this store, their examples run in units of work that
//! are never committed, and the list of those that are installed.
//!
//! Whoever runs an example acts as himself: a script reaches no more by that than he may.

use std::sync::{Arc, atomic::AtomicBool};

use formats::SourceFile;
use model::{
    Argument, Caller, Field, Message, RecordRef, Refusal, Schema, TaskName, Value, ValueType, Values, Verb,
    package::{Code, Example, ExampleRecord, Manifest, Script, StepDefinition},
    refusal::Problem,
    schema::Entity,
    step::{Limits, LogLevel, StepCall, StepContext, StepFailure, Usage},
};
use rules::{
    trigger::Organisation,
    value::{Holder, coerce_into, describe},
};
use serde_json::Value as Json;
use smol_str::{SmolStr, format_smolstr};
use store::packages as rows;

use crate::{
    Engine, Failure, catalogue,
    drive::lend,
    organisation::Members,
    packages::first_of,
    unit::{self, Borrowed, Unit},
};

/// What a script is, as far as it could be read, and what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedScript {
    /// What it says of itself.
    pub manifest: Option<Manifest>,
    /// What is wrong, in the order of places.
    pub problems: Vec<Problem>,
}

/// What came of an example.
#[derive(Clone, Debug, PartialEq)]
pub struct TestedExample {
    /// What it is called.
    pub title: String,
    /// Why it is not as it should be; absent: it is.
    pub wrong: Option<SmolStr>,
    /// Where in the script that is, where it ended there.
    pub place: Option<Problem>,
    /// What the script gave.
    pub outputs: Vec<(SmolStr, SmolStr)>,
    /// What it wrote into the log.
    pub said: Vec<(LogLevel, SmolStr)>,
    /// What it used up.
    pub usage: Usage,
    /// What it could have used up.
    pub limits: Limits,
}

/// An installed script.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptState {
    /// The name of its step.
    pub name: SmolStr,
    /// Its version.
    pub version: SmolStr,
    /// Its file.
    pub file: SmolStr,
    /// The solution that brought it.
    pub solution: SmolStr,
    /// What it says of itself; absent where that cannot be read any more.
    pub manifest: Option<Manifest>,
    /// What is wrong with it by now.
    pub problems: Vec<Problem>,
    /// The active processes whose new runs use it.
    pub used_by: Vec<SmolStr>,
    /// Why it is not called, while it is not; or that it is called on probation.
    pub resting: Option<SmolStr>,
}

impl Engine {
    /// What is wrong with a script by the entities of this store.
    pub fn check_script(&self, _: &Caller, file: &SourceFile) -> CheckedScript {
        let most = self.parts.settings.script_limits;
        let (manifest, problems) = formats::check_script(file, &self.schema(), most);
        CheckedScript { manifest, problems }
    }

    /// Runs the examples of a script, or the one given, as the caller, with the time and the calendar of a solution. Nothing
    /// that they do is kept.
    pub fn test_script(
        &self,
        caller: &Caller,
        file: &SourceFile,
        solution: &str,
        example: Option<&Example>,
    ) -> Result<Vec<TestedExample>, Failure> {
        self.check_task(caller, &TaskName::EXECUTE_WORKFLOW_JOB)?;
        let read = formats::read_script_within(file, &self.schema(), self.parts.settings.script_limits);
        let (script, manifest) = read.map_err(Refusal::BadSolution)?;
        let script = Arc::new(script);
        let Some(definition) = manifest.steps.first() else { return Ok(Vec::new()) };
        let examples = example.map_or(definition.claims.examples.as_slice(), std::slice::from_ref);
        let run = |(number, example): (usize, &Example)| {
            let title = match example.title.as_str() {
                "" => format!("example {}", number + 1),
                title => title.to_owned(),
            };
            let trial = Trial { engine: self, caller, script: &script, definition, solution };
            trial.tested(title, example)
        };
        examples.iter().enumerate().map(run).collect()
    }

    /// The scripts that are installed, by name.
    pub fn scripts(&self, _: &Caller) -> Result<Vec<ScriptState>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let mut states = Vec::new();
        for install in rows::all(&snapshot)?.into_iter().filter(|install| install.kind == rows::Kind::Script) {
            let bytes = rows::bytes(&snapshot, install.package)?.unwrap_or_default();
            let file = SourceFile::new(install.file.clone(), &*bytes);
            let CheckedScript { manifest, problems } = match formats::read_kept_script(&file, &catalogue.schema) {
                Ok((_, manifest, problems)) => CheckedScript { manifest: Some(manifest), problems },
                Err(problems) => CheckedScript { manifest: None, problems },
            };
            states.push(ScriptState {
                used_by: self.users_of(install.package),
                resting: catalogue.standing.told(install.package),
                name: install.library,
                version: install.version,
                file: install.file,
                solution: install.solution,
                manifest,
                problems,
            });
        }
        states.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
        Ok(states)
    }
}

/// Why an installed script must not be called, in one sentence.
pub(crate) fn faulty(script: &Script, problems: &[Problem]) -> Option<SmolStr> {
    let first = (!problems.is_empty()).then(|| first_of(problems))?;
    let more = if problems.len() > 1 { format!(" and {} more", problems.len() - 1) } else { String::new() };
    Some(format_smolstr!("the script `{}` has mistakes by now: {first}{more}; apply a mended one", script.file))
}

/// One script on trial.
struct Trial<'t> {
    engine: &'t Engine,
    caller: &'t Caller,
    script: &'t Arc<Script>,
    definition: &'t StepDefinition,
    solution: &'t str,
}

impl Trial<'_> {
    fn tested(&self, title: String, example: &Example) -> Result<TestedExample, Failure> {
        let mut unit = self.engine.begin()?;
        unit.trial = Some(unit::Trial { ahead: 0, answers: Vec::new() });
        let limits = unit.parts.settings.limits;
        let mut tested = TestedExample {
            title,
            wrong: None,
            place: None,
            outputs: Vec::new(),
            said: Vec::new(),
            usage: Usage::default(),
            limits,
        };
        let call = match self.call(&mut unit, example) {
            Ok(call) => call,
            Err(Failure::Refused(refusal)) => {
                tested.wrong = Some(format_smolstr!("it cannot begin: {refusal}"));
                return Ok(tested);
            }
            Err(failure) => return Err(failure),
        };
        tested.limits = call.limits;
        let host = Borrowed {
            unit: Box::new(unit),
            caller: Caller { depth: self.caller.depth.saturating_add(1), ..*self.caller },
            granted: Some(self.definition.uses.clone()),
            parent: None,
            said: Vec::new(),
            cancelled: Arc::new(AtomicBool::new(false)),
            trouble: None,
        };
        let (borrowed, returned) = lend(&call, host)?;
        if let Some(trouble) = borrowed.trouble {
            return Err(trouble);
        }
        (tested.said, tested.usage) = (borrowed.said, returned.usage);
        let schema = call.schema;
        let given = returned.result.and_then(|given| self.declared(given, &schema));
        if let Ok(given) = &given {
            tested.outputs = given.iter().map(|field| (field.name.clone(), shown(&field.value))).collect();
        }
        tested.wrong = self.judged(&borrowed.unit, &given, example);
        tested.place = given.err().filter(|_| tested.wrong.is_some()).and_then(|failure| place_of(&failure));
        Ok(tested)
    }

    /// The call that an example makes, with the records that it wants there.
    fn call(&self, unit: &mut Unit, example: &Example) -> Result<StepCall, Failure> {
        let schema = unit.catalogue.schema.clone();
        let mut inputs = Vec::new();
        // An action that is bound to an entity is called on a record; a step may well run on the first one that it is given.
        let mut record = example.records.first().map(|on| self.on(unit, on)).transpose()?;
        for argument in &self.definition.inputs {
            let told = example.inputs.iter().find(|(name, _)| name == argument.name.as_str());
            let value = match told.and_then(|(_, json)| serde_json::from_str(json).ok()) {
                None => argument.default.clone(),
                Some(json) => coerced(self.made(unit, argument, &json)?, argument, &schema)?,
            };
            record = record.or_else(|| value.as_reference());
            if !value.is_null() {
                inputs.push(Field { name: argument.name.as_str().into(), value });
            }
        }
        let surroundings = unit.catalogue.surroundings_of(self.solution).clone();
        let user = self.caller.user;
        let context = StepContext {
            user,
            initiating_user: user,
            business_unit: Members(unit).unit_of(user),
            record,
            message: Message::OnDemand,
            action: None,
            stage: None,
            before: Values::new(),
            after: Values::new(),
            depth: self.caller.depth,
            correlation: self.caller.correlation,
            background: true,
            attempt: 1,
            idempotency_key: format_smolstr!("example/{}", self.definition.name),
            now: unit.now,
            time_zone: surroundings.zone,
            calendar: surroundings.days,
            public_url: surroundings.public_url,
            seed: 7,
        };
        let step = catalogue::Step {
            version: semver::Version::new(0, 0, 0),
            definition: self.definition.clone(),
            code: Code::Script(self.script.clone()),
        };
        let standing = &unit.catalogue.standing;
        let (grants, limits) = (standing.grants(&step), standing.limits(&step, &unit.parts.settings));
        Ok(StepCall {
            step: self.definition.name.clone(),
            code: step.code,
            inputs,
            context,
            schema,
            limits,
            grants,
            // A trial asks nobody outside.
            external: false,
        })
    }

    /// The record on which an action is called, made for the example.
    fn on(&self, unit: &mut Unit, on: &ExampleRecord) -> Result<RecordRef, Failure> {
        let entity = unit.catalogue.schema.named(&on.entity).cloned();
        let entity = entity.ok_or_else(|| Refusal::UnknownEntity(on.entity.clone()))?;
        let told = on.attributes.iter().filter_map(|(name, json)| Some((name, serde_json::from_str(json).ok()?)));
        let values: Vec<(_, Json)> = told.collect();
        self.create(unit, &entity, values.iter().map(|(name, json)| (name.as_str(), json)))
    }

    fn create<'v>(
        &self,
        unit: &mut Unit,
        entity: &Entity,
        values: impl Iterator<Item = (&'v str, &'v Json)>,
    ) -> Result<RecordRef, Failure> {
        let values = values.filter_map(|(name, json)| Some((entity.attribute(name)?.id, plain(json))));
        let verb = Verb::Create { entity: entity.id, id: None, values: values.collect() };
        unit.apply(self.caller, verb).map(|outcome| outcome.record)
    }

    /// The value of an input; for a map of attributes a record is made.
    fn made(&self, unit: &mut Unit, argument: &Argument, json: &Json) -> Result<Value, Failure> {
        let Json::Object(attributes) = json else { return Ok(plain(json)) };
        let target = argument.kind.to.first().and_then(|name| unit.catalogue.schema.named(name.as_str()).cloned());
        let Some(entity) = target else { return Ok(Value::Null) };
        let values = attributes.iter().map(|(name, json)| (name.as_str(), json));
        self.create(unit, &entity, values).map(Value::Reference)
    }

    /// The outputs as they are declared.
    fn declared(&self, given: Vec<Field>, schema: &Schema) -> Result<Vec<Field>, StepFailure> {
        let invalid = |message: SmolStr| StepFailure::Host { fault: model::step::HostFault::OutputInvalid, message };
        let mut outputs = Vec::with_capacity(given.len());
        for field in given {
            let declared = self.definition.outputs.iter().find(|output| field.name == output.name.as_str());
            let declared = declared
                .ok_or_else(|| invalid(format_smolstr!("it gave `{}`, which it does not declare", field.name)))?;
            let value =
                coerced(field.value, declared, schema).map_err(|refusal| invalid(format_smolstr!("{refusal}")))?;
            outputs.push(Field { name: field.name, value });
        }
        Ok(outputs)
    }

    /// What is not as the example says.
    fn judged(&self, unit: &Unit, given: &Result<Vec<Field>, StepFailure>, example: &Example) -> Option<SmolStr> {
        match (given, &example.error) {
            (Err(StepFailure::Guest(error)), Some(code)) if error.code == *code => None,
            (Err(StepFailure::Guest(error)), _) if error.code == "not-external" && self.definition.external => {
                Some("it reaches other hosts, which a trial does not: leave its examples to a run".into())
            }
            (Err(failure), _) => Some(format_smolstr!("{failure}")),
            (Ok(_), Some(code)) => Some(format_smolstr!("it should end with the error `{code}`, and did not")),
            (Ok(given), None) => {
                let told = example.outputs.as_deref().unwrap_or_default();
                told.iter().find_map(|(name, json)| self.differs(unit, given, name, json))
            }
        }
    }

    fn differs(&self, unit: &Unit, given: &[Field], name: &str, json: &str) -> Option<SmolStr> {
        let schema = &unit.catalogue.schema;
        let argument = self.definition.outputs.iter().find(|output| output.name.as_str() == name)?;
        let json: Json = serde_json::from_str(json).ok()?;
        let came = given.iter().find(|field| field.name == name).map_or(Value::Null, |field| field.value.clone());
        if let (Json::Object(attributes), Value::Reference(record)) = (&json, &came) {
            return attributes.iter().find_map(|(attribute, json)| of_record(unit, *record, attribute, json));
        }
        let wanted = match coerced(plain(&json), argument, schema) {
            Ok(wanted) => wanted,
            Err(refusal) => return Some(format_smolstr!("{refusal}")),
        };
        (came != wanted)
            .then(|| format_smolstr!("`{name}` is {}, and the example says {}", describe(&came), describe(&wanted)))
    }
}

/// Where in its script a failure began, in the form in which mistakes are told.
fn place_of(failure: &StepFailure) -> Option<Problem> {
    let StepFailure::Guest(error) = failure else { return None };
    let detail = |name: &str| error.details.iter().find(|field| field.name == name).map(|field| &field.value);
    let number = |name: &str| match detail(name)? {
        Value::Whole(number) => u32::try_from(*number).ok(),
        _ => None,
    };
    let (file, line) = (detail("file")?.as_text()?, number("line")?);
    let column = number("column").unwrap_or(1);
    let message = error.message.strip_prefix(&format!("{file}:{line}:{column}: ")).unwrap_or(&error.message);
    // The line is shown below.
    let message = message.split(", in `").next().unwrap_or(message).to_owned();
    Some(Problem { file: file.into(), line, column, length: 0, message, hint: None, warning: false })
}

/// What is different in a record that an example describes.
fn of_record(unit: &Unit, target: RecordRef, name: &str, json: &Json) -> Option<SmolStr> {
    let entity = unit.entity(target.entity).ok()?;
    let attribute = entity.attribute(name)?;
    let record = unit.glance(target).ok().flatten();
    let came = record.map_or(Value::Null, |record| record.get(attribute.id).clone());
    let wanted = rules::value::coerce(plain(json), attribute, &unit.catalogue.schema).ok()?;
    (came != wanted).then(|| {
        format_smolstr!("`{name}` of the record is {}, and the example says {}", describe(&came), describe(&wanted))
    })
}

/// The value that an argument holds, made fit.
fn coerced(value: Value, argument: &Argument, schema: &Schema) -> Result<Value, Refusal> {
    let kind = &argument.kind;
    let targets: Vec<_> =
        kind.to.iter().filter_map(|name| schema.named(name.as_str()).map(|entity| entity.id)).collect();
    let value = match (kind.value_type, value) {
        // A literal of a duration is text.
        (ValueType::Duration, Value::Text(text)) => {
            formats::duration::parse(&text).map_or(Value::Text(text), Value::Duration)
        }
        (_, value) => value,
    };
    let holder = Holder {
        min: kind.min,
        max: kind.max,
        max_length: kind.max_length,
        options: &kind.options,
        targets: (!targets.is_empty()).then_some(targets.as_slice()),
        ..Holder::plain(argument.name.as_str(), kind.value_type)
    };
    coerce_into(value, &holder, &|entity| schema.name_of(entity))
}

/// The value that JSON names by its shape.
fn plain(json: &Json) -> Value {
    match json {
        Json::Null | Json::Object(_) => Value::Null,
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Whole(whole),
            None => number.to_string().parse().map_or(Value::Null, Value::Decimal),
        },
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => {
            let numbers = items.iter().filter_map(|item| item.as_i64().and_then(|number| i32::try_from(number).ok()));
            Value::Choices(numbers.collect())
        }
    }
}

fn shown(value: &Value) -> SmolStr {
    match value {
        Value::Text(text) => text.clone(),
        Value::Reference(record) => format_smolstr!("{}", record.id),
        value => describe(value),
    }
}
