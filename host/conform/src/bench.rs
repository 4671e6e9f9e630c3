//! The bench: a subject in the real sandbox, with everything around it in a case's hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use formats::SourceFile;
use model::{
    CorrelationId, Field, Message, Record, RecordId, RecordRef, Schema, Timestamp, Value, Values, Version,
    argument::ArgumentKind,
    grant::{Grants, Secret},
    outside::Request,
    package::{Code, Manifest, StepDefinition},
    schema::Entity,
    starter::{OWNER, STATE, STATUS, SYSTEM_USER},
    step::{HostFault, Limits, StepCall, StepContext, StepFailure, StepRunner, Usage},
};
use uuid::Uuid;
use wasm::{Runner, RunnerSettings};

use crate::{
    calls::{self, Call, Expects},
    case::{Case, Claim, Finding, Level, Verdict},
    expectations::{Expectations, Figures},
    memory::{Fault, Memory},
    registry, schema,
    subject::{Source, Subject},
    web::{Weather, Web},
};

/// Why nothing can be examined.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sandbox does not start.
    #[error(transparent)]
    Sandbox(#[from] wasm::Error),
    /// The solution cannot be read.
    #[error("the solution cannot be read: {}", .0.join("; "))]
    Solution(Vec<String>),
}

/// What is examined, and with what.
pub struct Kit {
    /// The component or script.
    pub source: Source,
    /// The version before it, for what an upgrade changes.
    pub previous: Option<Source>,
    /// Files of the solution whose entities it works on.
    pub solution: Vec<SourceFile>,
    /// Where compiled code is kept.
    pub cache: Option<PathBuf>,
    /// The steps that are looked at; all if there are none.
    pub only: Vec<String>,
    /// Gives every record that is made another id: a host that shakes, to see that a case notices.
    pub unsteady: bool,
}

/// A subject in the sandbox.
pub struct Bench {
    runner: Runner,
    web: Arc<Web>,
    schema: Arc<Schema>,
    solution: Vec<SourceFile>,
    only: Vec<String>,
    cache: Option<PathBuf>,
    unsteady: Option<AtomicU64>,
    /// What is examined.
    pub(crate) subject: Subject,
    /// The version before it.
    pub(crate) previous: Option<Subject>,
    /// What it used up at its last release, by step.
    pub(crate) figures: BTreeMap<String, Figures>,
}

/// What one call cost.
pub struct Cost {
    /// The call, in words.
    pub call: String,
    /// What it used up.
    pub usage: Usage,
    /// What it may use up.
    pub limits: Limits,
    /// How it ended, where that was no success.
    pub failure: Option<String>,
}

/// How a call is made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setting {
    /// What goes wrong, at the call of the host of this number.
    pub fault: Option<(usize, Fault)>,
    /// From which call of the host on the run is asked to stop.
    pub cancel_from: Option<usize>,
    /// What the outside answers.
    pub weather: Weather,
    /// Which try it is, 0 for the first.
    pub attempt: u32,
    /// Whose run it is: another user, another seed, another time.
    pub tenant: u8,
}

/// What came of a call.
pub(crate) struct Trial {
    pub result: Result<Vec<Field>, StepFailure>,
    pub usage: Usage,
    pub memory: Memory,
    pub sent: Vec<Request>,
    /// Hosts that it sent to and that are not granted.
    pub strangers: Vec<String>,
}

impl Kit {
    /// Sets everything up.
    ///
    /// # Errors
    /// The sandbox does not start, or the solution's entities cannot be read.
    pub fn open(self) -> Result<Bench, Error> {
        let web = Arc::new(Web::default());
        let settings = RunnerSettings {
            cache_dir: self.cache.clone(),
            threads: 2,
            outside: Some(Arc::clone(&web) as Arc<_>),
            compiler: None,
        };
        let runner = Runner::new(settings)?;
        let mut files = self.solution;
        let mut schema = schema::schema(&files).map_err(Error::Solution)?;
        let mut subject = Subject::new(self.source, &runner, &schema);
        subject.keep_only(&self.only);
        if let Some((_, manifest)) = &subject.callable {
            let lacking = schema::lacking(manifest, &schema);
            if !lacking.is_empty() {
                files.extend(lacking);
                schema = schema::schema(&files).map_err(Error::Solution)?;
            }
        }
        let previous = self.previous.map(|source| Subject::new(source, &runner, &schema));
        Ok(Bench {
            runner,
            web,
            schema,
            solution: files,
            only: self.only,
            cache: self.cache,
            unsteady: self.unsteady.then(|| AtomicU64::new(1)),
            subject,
            previous,
            figures: BTreeMap::new(),
        })
    }
}

impl Bench {
    /// Runs every case up to a level that is about such a subject.
    pub fn run_all(&mut self, level: Level, expectations: &Expectations) -> Vec<Finding> {
        self.take_figures(expectations);
        let other = if self.subject.is_script() { Claim::Component } else { Claim::Script };
        let cases = registry::CASES.iter().filter(|case| case.level <= level && case.claim != other);
        cases.map(|case| self.run_case(case, expectations)).collect()
    }

    /// Notes what steps used up at their last release.
    pub fn take_figures(&mut self, expectations: &Expectations) {
        self.figures.clone_from(&expectations.figures);
    }

    /// Runs one case.
    pub fn run_case(&self, case: &'static Case, expectations: &Expectations) -> Finding {
        let other = match (case.claim, self.subject.is_script()) {
            (Claim::Component, true) => Some("it is a script, and this is about components"),
            (Claim::Script, false) => Some("it is a component, and this is about scripts"),
            _ => None,
        };
        let verdict = other.map_or_else(|| (case.run)(self), |why| Verdict::Skipped(why.into()));
        Finding { case, verdict, expected: expectations.failures.get(case.id).cloned() }
    }

    /// What the subject calls itself, where it says so.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.subject.callable, &self.subject.source) {
            (Some((_, manifest)), _) => format!("{} {}", manifest.library, manifest.version),
            (None, Source::Script(file, _)) => file.clone(),
            (None, Source::Component(_)) => "a component".into(),
        }
    }

    /// Makes every example once and tells what it cost.
    #[must_use]
    pub fn costs(&self) -> Vec<Cost> {
        let cost = |call: Call<'_>| {
            let trial = self.make(&call, Setting::default());
            let failure = match (&trial.result, &call.expects) {
                (Err(StepFailure::Guest(error)), Expects::Error(code)) if error.code == code.as_str() => None,
                (Err(failure), _) => Some(failure.to_string()),
                (Ok(_), Expects::Error(code)) => Some(format!("it should fail with `{code}` and did not")),
                (Ok(given), Expects::Outputs(Some(told))) if !same(given, told) => {
                    Some(format!("it gave {} and its example tells {}", shown(given), shown(told)))
                }
                (Ok(_), _) => None,
            };
            Cost { call: call.title.clone(), usage: trial.usage, limits: limits(call.step), failure }
        };
        self.calls().into_iter().map(cost).collect()
    }

    /// What can be called, or the reason why nothing can.
    pub(crate) fn manifest(&self) -> Result<&Manifest, Verdict> {
        self.subject
            .callable
            .as_ref()
            .map(|(_, manifest)| manifest)
            .ok_or_else(|| Verdict::Skipped("it cannot be called: META-1, META-2, META-3 or SCR-1 say why".into()))
    }

    /// Reads another script against the same entities.
    pub(crate) fn read_script(&self, file: &str, text: &str) -> Result<(Code, Manifest), Vec<String>> {
        crate::subject::read_script(file, text, &self.schema)
    }

    /// The same bench with a sandbox of its own, for what must not depend on one; what was compiled for the first is used,
    /// because a component of 18 MB takes half a minute.
    pub(crate) fn again(&self) -> Result<Self, Error> {
        let kit = Kit {
            source: self.subject.source.clone(),
            previous: None,
            solution: self.solution.clone(),
            cache: self.cache.clone(),
            only: self.only.clone(),
            unsteady: false,
        };
        kit.open()
    }

    /// Every call that the manifest lets us make.
    pub(crate) fn calls(&self) -> Vec<Call<'_>> {
        self.subject.callable.as_ref().map_or_else(Vec::new, |(_, manifest)| calls::calls(manifest, &self.schema))
    }

    /// Those that should end well.
    pub(crate) fn good_calls(&self) -> Vec<Call<'_>> {
        let mut calls = self.calls();
        calls.retain(|call| !matches!(call.expects, Expects::Error(_)));
        calls
    }

    /// Makes a call on fresh records.
    pub(crate) fn make(&self, call: &Call<'_>, setting: Setting) -> Trial {
        self.make_on(call, setting, self.records(call))
    }

    /// Makes a call on these records.
    pub(crate) fn make_on(&self, call: &Call<'_>, setting: Setting, records: BTreeMap<RecordRef, Record>) -> Trial {
        self.make_with(&self.subject, call, setting, records)
    }

    /// Makes a call of another version of the subject.
    pub(crate) fn make_with(
        &self,
        subject: &Subject,
        call: &Call<'_>,
        setting: Setting,
        records: BTreeMap<RecordRef, Record>,
    ) -> Trial {
        let mut memory = Memory::new(Arc::clone(&self.schema), records);
        memory.fault = setting.fault;
        memory.cancel_from = setting.cancel_from;
        if let Some(shaking) = &self.unsteady {
            memory.made += u128::from(shaking.fetch_add(1_000, Ordering::Relaxed));
        }
        let Some((code, manifest)) = &subject.callable else {
            let failure = StepFailure::Host { fault: HostFault::AbiMismatch, message: "it cannot be called".into() };
            return Trial {
                result: Err(failure),
                usage: Usage::default(),
                memory,
                sent: Vec::new(),
                strangers: Vec::new(),
            };
        };
        if let Code::Script(_) = code {
            memory.granted = Some(call.step.uses.clone());
        }
        let asked = StepCall {
            step: call.step.name.clone(),
            code: code.clone(),
            inputs: call.inputs.clone(),
            context: self.context(call, setting),
            schema: Arc::clone(&self.schema),
            limits: limits(call.step),
            grants: Arc::new(grants(manifest)),
            external: call.step.external,
        };
        self.web.begin(setting.weather);
        let returned = self.runner.run(&asked, Box::new(memory.clone()));
        let memory = returned.host.and_then(|host| host.into_any().downcast().ok()).map_or(memory, |host| *host);
        let (sent, strangers) = (self.web.sent(), self.web.strangers());
        Trial { result: returned.result, usage: returned.usage, memory, sent, strangers }
    }

    fn context(&self, call: &Call<'_>, setting: Setting) -> StepContext {
        let user = user(setting.tenant);
        let record = call.inputs.iter().find_map(|field| field.value.as_reference());
        let now = Timestamp::parse("2026-01-20T09:00:00Z").unwrap_or(Timestamp::from_micros(0).expect("the beginning"));
        StepContext {
            user,
            initiating_user: user,
            business_unit: None,
            record,
            message: Message::Create,
            action: None,
            stage: Some(model::process::workflow::Stage::After),
            before: Values::new(),
            after: Values::new(),
            depth: 1,
            correlation: CorrelationId(Uuid::from_u128(0xc0 + u128::from(setting.tenant))),
            background: true,
            attempt: setting.attempt + 1,
            idempotency_key: format!("conformance/{}/{}", call.step.name, setting.tenant).into(),
            now: now.plus_micros(i64::from(setting.tenant) * 3_600_000_000),
            time_zone: "Europe/Berlin".into(),
            calendar: "mon,tue,wed,thu,fri".into(),
            public_url: "http://127.0.0.1:8420".into(),
            seed: 7 + u64::from(setting.tenant),
        }
    }

    /// The records that are there: users, whatever the inputs name and whatever the example brings, each with a value in
    /// every plain attribute.
    pub(crate) fn records(&self, call: &Call<'_>) -> BTreeMap<RecordRef, Record> {
        let named = call.inputs.iter().filter_map(|field| field.value.as_reference());
        let listed = call.inputs.iter().filter_map(|field| field.value.as_references()).flatten().copied();
        let given = call.records.iter().map(|(target, _)| *target);
        let all: BTreeSet<RecordRef> = (0..2).map(user).chain(named).chain(listed).chain(given).collect();
        let record = |target: RecordRef| {
            let values = self.schema.entity(target.entity).map_or_else(Values::new, |entity| self.filled(entity));
            (target, Record { entity: target.entity, id: target.id, version: Version::FIRST, values })
        };
        let mut records: BTreeMap<RecordRef, Record> = all.into_iter().map(record).collect();
        for (target, attributes) in &call.records {
            if let Some(record) = records.get_mut(target) {
                attributes.iter().for_each(|(attribute, value)| record.values.store(*attribute, value.clone()));
            }
        }
        records
    }

    fn filled(&self, entity: &Entity) -> Values {
        let plain =
            entity.attributes().iter().filter(|attribute| attribute.value_type() != model::ValueType::Reference);
        let values = plain.map(|attribute| {
            let kind =
                ArgumentKind { options: attribute.options.to_vec(), ..ArgumentKind::plain(attribute.value_type()) };
            (attribute.id, calls::of_kind(&kind, &self.schema))
        });
        let mut values: Values = values.collect();
        if let Some(state) = entity.definition.states.first() {
            values.store(STATE, Value::Whole(state.value.into()));
            values
                .store(STATUS, state.statuses.first().map_or(Value::Null, |status| Value::Whole(status.value.into())));
        }
        if entity.is_owned() {
            values.store(OWNER, Value::Reference(user(0)));
        }
        values
    }
}

fn user(tenant: u8) -> RecordRef {
    RecordRef::new(SYSTEM_USER, RecordId(Uuid::from_u128(0x10 + u128::from(tenant))))
}

/// What the step may use up: the usual limits with those that it asks for.
pub(crate) fn limits(step: &StepDefinition) -> Limits {
    step.claims.limits.over(Limits::default())
}

/// Everything that the manifest asks for.
fn grants(manifest: &Manifest) -> Grants {
    let config = manifest.wants.config.iter().filter_map(|setting| {
        let needed = setting.required.then(|| "conformance".into());
        Some((setting.name.clone(), setting.default.clone().or(needed)?))
    });
    let secrets = manifest.wants.secrets.iter().map(|(name, _)| (name.clone(), Secret::new("conformance-secret")));
    Grants {
        hosts: manifest.wants.hosts.iter().map(|(host, _)| host.clone()).collect(),
        config: config.collect(),
        secrets: secrets.collect(),
        ..Grants::default()
    }
}

/// Whether outputs are the same, in whatever order; an empty one is as good as none.
pub(crate) fn same(left: &[Field], right: &[Field]) -> bool {
    let within = |from: &[Field], to: &[Field]| {
        let mut filled = from.iter().filter(|field| !field.value.is_null());
        filled.all(|field| to.iter().any(|other| other.name == field.name && equal(&other.value, &field.value)))
    };
    within(left, right) && within(right, left)
}

/// Numbers are equal whatever type carries them.
fn equal(left: &Value, right: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Whole(number) => Some(model::Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        Value::Money(amount) => Some(amount.amount()),
        _ => None,
    };
    left == right || matches!((number(left), number(right)), (Some(left), Some(right)) if left == right)
}

/// Outputs for people.
pub(crate) fn shown(fields: &[Field]) -> String {
    let one = |field: &Field| format!("{}: {:?}", field.name, field.value);
    format!("{{ {} }}", fields.iter().map(one).collect::<Vec<_>>().join(", "))
}
