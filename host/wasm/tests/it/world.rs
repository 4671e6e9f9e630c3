//! A host in memory, a schema with one entity, and one `check` for all calls.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use model::{
    AttributeId, AttributeName, CorrelationId, Digest, EntityId, EntityName, Field, Message, Outcome, Record, RecordId,
    RecordRef, Refusal, Schema, SetName, StepName, Timestamp, Value, Values, Verb, Version,
    entity::{AttributeDefinition, AttributeKind, EntityDefinition, OnDelete, Ownership, State, Status},
    grant::Grants,
    package::{Code, Script},
    query::{Comparison, Filter, Operand, Page, Query},
    schema::EntityNumbers,
    step::{HostRefusal, Limits, LogLevel, Returned, StepCall, StepContext, StepFailure, StepHost, StepRunner},
};
use uuid::Uuid;
use wasm::{Runner, RunnerSettings};

/// The entity of the tests.
pub const TASK: EntityId = EntityId(40);
/// Its only attribute of note.
pub const SUBJECT: AttributeId = AttributeId(40);

/// The record that is there from the beginning.
pub const FIRST: RecordRef = RecordRef { entity: TASK, id: RecordId(Uuid::from_u128(1)) };

/// One runner for all tests: the machine is made once.
pub fn runner() -> &'static Runner {
    static RUNNER: LazyLock<Runner> = LazyLock::new(|| {
        // Every name is this machine, so that a server of a test can be any host.
        let lookup: connect::Lookup = Box::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into()]));
        let outside: Arc<dyn model::outside::Outside> = Arc::new(connect::Client::with_lookup(lookup, &[]));
        Runner::new(RunnerSettings { outside: Some(outside), ..RunnerSettings::default() }).expect("a runner")
    });
    &RUNNER
}

/// The evil guest, installed.
pub fn evil() -> Code {
    static EVIL: LazyLock<Digest> =
        LazyLock::new(|| runner().install(crate::guests::evil()).expect("installed").digest);
    Code::Component(*EVIL)
}

/// A script.
pub fn script(text: &str) -> Code {
    Code::Script(Arc::new(Script { digest: Digest([0; 32]), file: "scripts/test.rhai".into(), text: text.into() }))
}

/// A call of a step of the evil guest.
pub fn call(step: &str, inputs: Vec<Field>) -> StepCall {
    StepCall {
        step: StepName::parse(step).expect("a name"),
        code: evil(),
        inputs,
        context: context(),
        schema: schema(),
        limits: Limits::default(),
        grants: grants(),
        external: false,
    }
}

/// A call of a script.
pub fn script_call(text: &str, inputs: Vec<Field>) -> StepCall {
    StepCall { code: script(text), ..call_without_code("tests.script", inputs) }
}

fn call_without_code(step: &str, inputs: Vec<Field>) -> StepCall {
    StepCall {
        step: StepName::parse(step).expect("a name"),
        code: script(""),
        inputs,
        context: context(),
        schema: schema(),
        limits: Limits::default(),
        grants: grants(),
        external: false,
    }
}

/// What the operator set for the tests.
pub fn grants() -> Arc<Grants> {
    Arc::new(Grants { config: [("greeting".into(), "hello".into())].into(), ..Grants::default() })
}

/// An input.
pub fn field(name: &str, value: impl Into<Value>) -> Field {
    Field { name: name.into(), value: value.into() }
}

/// Runs a call with a new host and gives both back.
pub fn run(call: &StepCall) -> (Result<Vec<Field>, StepFailure>, Memory) {
    let (returned, memory) = run_with(call, Memory::default());
    (returned.result, memory)
}

/// Runs a call with this host and gives everything back.
pub fn run_with(call: &StepCall, memory: Memory) -> (Returned, Memory) {
    let mut returned = runner().run(call, Box::new(memory));
    let host = returned.host.take().expect("the host always comes back");
    let memory = host.into_any().downcast::<Memory>().expect("it is the same host");
    (returned, *memory)
}

/// Runs a call that must fail on the host's finding, and gives its code and its words.
pub fn fault(call: &StepCall) -> (&'static str, String) {
    match run(call).0 {
        Err(StepFailure::Host { fault, message }) => (fault.code(), message.to_string()),
        other => panic!("`{}` should fail by the host and gave {other:?}", call.step),
    }
}

/// The value of an output.
pub fn output<'a>(outputs: &'a [Field], name: &str) -> &'a Value {
    outputs.iter().find(|field| field.name == name).map_or(&Value::NULL, |field| &field.value)
}

/// Records in a map.
pub struct Memory {
    pub records: HashMap<RecordRef, Record>,
    pub log: Vec<(LogLevel, String)>,
    pub queries: Vec<Query>,
    pub cancelled: bool,
    pub abort: bool,
    pub panic: bool,
    pub made: u128,
}

impl Default for Memory {
    fn default() -> Self {
        let values = Values::from_iter([(SUBJECT, Value::text("call"))]);
        let first = Record { entity: TASK, id: FIRST.id, version: Version::FIRST, values };
        Self {
            records: HashMap::from([(FIRST, first)]),
            log: Vec::new(),
            queries: Vec::new(),
            cancelled: false,
            abort: false,
            panic: false,
            made: 100,
        }
    }
}

impl Memory {
    /// The subject of a record.
    pub fn subject(&self, record: RecordRef) -> Option<&str> {
        self.records.get(&record)?.get(SUBJECT).as_text()
    }

    /// Gives a record another subject.
    pub fn rename(&mut self, record: RecordRef, subject: &str) {
        if let Some(record) = self.records.get_mut(&record) {
            record.values.store(SUBJECT, Value::text(subject));
        }
    }

    fn change(&mut self, target: RecordRef, values: Values) -> Result<Outcome, HostRefusal> {
        let record = self.records.get_mut(&target).ok_or_else(|| not_found(target))?;
        for (attribute, value) in values {
            record.values.store(attribute, value);
        }
        record.version = record.version.next();
        Ok(Outcome { record: target, version: record.version, created: false })
    }
}

/// Whether a record's value is the one of a comparison, text without regard to case.
fn same(held: &Value, wanted: &Value) -> bool {
    match (held.as_text(), wanted.as_text()) {
        (Some(held), Some(wanted)) => held.eq_ignore_ascii_case(wanted),
        _ => match (held, wanted) {
            // Which entity is meant a filter may leave open.
            (Value::Reference(held), Value::Guid(wanted)) => held.id.0 == *wanted,
            (Value::Reference(held), Value::Reference(wanted)) => held.id == wanted.id,
            _ => held == wanted,
        },
    }
}

fn not_found(target: RecordRef) -> HostRefusal {
    HostRefusal::Refused(Refusal::NotFound { entity: "task".into(), record: target.id.to_string().into() })
}

impl StepHost for Memory {
    fn apply(&mut self, verb: Verb) -> Result<Outcome, HostRefusal> {
        assert!(!self.panic, "the engine has a bug");
        if self.abort {
            return Err(HostRefusal::Abort);
        }
        match verb {
            Verb::Create { entity, values, .. } => {
                self.made += 1;
                let record =
                    Record { entity, id: RecordId(Uuid::from_u128(self.made)), version: Version::FIRST, values };
                let reference = record.reference();
                self.records.insert(reference, record);
                Ok(Outcome { record: reference, version: Version::FIRST, created: true })
            }
            Verb::Update { target, expected, values } => {
                let actual = self.records.get(&target).ok_or_else(|| not_found(target))?.version;
                match expected.filter(|expected| *expected != actual) {
                    Some(expected) => Err(HostRefusal::Refused(Refusal::VersionMismatch {
                        entity: "task".into(),
                        record: target.id.to_string().into(),
                        expected,
                        actual,
                    })),
                    None => self.change(target, values),
                }
            }
            Verb::Delete { target, .. } => {
                let gone = self.records.remove(&target).ok_or_else(|| not_found(target))?;
                Ok(Outcome { record: target, version: gone.version, created: false })
            }
            Verb::Assign { target, .. }
            | Verb::SetStatus { target, .. }
            | Verb::Share { target, .. }
            | Verb::Unshare { target, .. } => self.change(target, Values::new()),
        }
    }

    fn retrieve(&mut self, target: RecordRef, _: Option<&[AttributeId]>) -> Result<Record, HostRefusal> {
        self.records.get(&target).cloned().ok_or_else(|| not_found(target))
    }

    fn query(&mut self, query: &Query) -> Result<Page, HostRefusal> {
        self.queries.push(query.clone());
        let fits = |record: &&Record| match &query.filter {
            Filter::Compare { operand: Operand::Attribute(attribute), comparison: Comparison::Equal, value } => {
                same(record.get(*attribute), value)
            }
            _ => true,
        };
        let mut records: Vec<_> = self.records.values().filter(fits).cloned().collect();
        records.sort_by_key(|record| record.id);
        Ok(Page { records, next: None, count: None })
    }

    /// There is one action, which answers what it is given.
    fn invoke(&mut self, name: &str, _: Option<RecordRef>, given: Vec<Field>) -> Result<Vec<Field>, HostRefusal> {
        if name == "echo" { Ok(given) } else { Err(HostRefusal::Abort) }
    }

    fn log(&mut self, level: LogLevel, message: &str) {
        self.log.push((level, message.to_owned()));
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    fn breathe(&mut self) -> Result<(), HostRefusal> {
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// A background run on the first task, after it was created.
pub fn context() -> StepContext {
    let user = RecordRef::new(EntityId(1), RecordId(Uuid::from_u128(9)));
    StepContext {
        user,
        initiating_user: user,
        business_unit: None,
        record: Some(FIRST),
        message: Message::Create,
        action: None,
        stage: Some(model::process::workflow::Stage::After),
        before: Values::new(),
        after: Values::from_iter([(SUBJECT, Value::text("call"))]),
        depth: 1,
        correlation: CorrelationId(Uuid::from_u128(5)),
        background: true,
        attempt: 1,
        idempotency_key: "job/1".into(),
        now: Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"),
        time_zone: "America/New_York".into(),
        calendar: "mon,tue,wed,thu,fri".into(),
        public_url: "http://127.0.0.1:8420".into(),
        seed: 7,
    }
}

/// A schema with the entity `task` and those that own records.
pub fn schema() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
        let entities = [
            entity("systemuser", 1, "fullname"),
            entity("team", 2, "name"),
            entity("businessunit", 3, "name"),
            entity("task", TASK.0, "subject"),
        ];
        let numbers = entities.iter().map(|(definition, numbers)| (definition.name.clone(), numbers.clone())).collect();
        let definitions = entities.iter().map(|(definition, _)| definition.clone());
        Arc::new(Schema::build(definitions, [], &numbers).expect("a schema"))
    });
    Arc::clone(&SCHEMA)
}

fn entity(name: &str, id: u32, primary: &str) -> (EntityDefinition, EntityNumbers) {
    let attribute = |name: &str| AttributeName::parse(name).expect("a name");
    let lookup = model::entity::LookupKind {
        to: model::entity::Targets::Any,
        on_delete: OnDelete::RemoveLink,
        cascade: model::entity::Cascade::default(),
        copy: Vec::new(),
        relationship: None,
    };
    let state = |name: &str, value, status| State {
        name: attribute(name),
        value,
        title: name.into(),
        statuses: vec![Status { name: attribute(name), value: status, title: name.into(), next: None }],
    };
    let definition = EntityDefinition {
        name: EntityName::parse(name).expect("a name"),
        id: Uuid::from_u128(id.into()),
        title: name.into(),
        title_plural: format!("{name}s"),
        description: String::new(),
        set: SetName::parse(&format!("{name}s")).expect("a name"),
        ownership: Ownership::UserOrTeam,
        activity: false,
        primary: attribute(primary),
        email: None,
        flows: false,
        audit: true,
        attributes: vec![
            AttributeDefinition::plain(attribute(primary), primary, AttributeKind::text(300)),
            AttributeDefinition::plain(attribute("regardingobjectid"), "regarding", AttributeKind::Lookup(lookup)),
            AttributeDefinition::plain(attribute("dueon"), "due", AttributeKind::Date),
        ],
        hierarchy: None,
        keys: Vec::new(),
        many_to_many: Default::default(),
        states: vec![state("active", 0, 1), state("done", 1, 2)],
        solution: "tests".into(),
    };
    let attributes = [(primary, 40), ("regardingobjectid", 41), ("dueon", 42)];
    let numbers = EntityNumbers {
        id: EntityId(id),
        attributes: attributes.map(|(name, id)| (attribute(name), AttributeId(id))).into(),
        keys: HashMap::new(),
    };
    (definition, numbers)
}
