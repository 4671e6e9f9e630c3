//! The machine, driven by a small world that keeps records in a map and does what it is asked.

mod compiling;
mod failing;
mod looping;
mod mail;
mod running;
mod searching;
mod world;

use model::{
    Argument, AttributeId, AttributeName, Decimal, EntityId, Field, Message, ProcessName, Refusal, StepId, StepName,
    Timestamp, Value, ValueType,
    argument::ArgumentKind,
    condition,
    entity::ChoiceOption,
    expression::{NamedRecord, Path, ValueSource},
    job::JobState,
    package::{StepDefinition, StepKind},
    process::{
        DefinitionState, Header, Retention,
        workflow::{
            self, Change, Mode, OnError, Retry, Scope, Start, StatusName, Step, StepAction, StopOutcome, Workflow,
        },
    },
    step::{GuestError, GuestErrorKind, HostFault, StepFailure},
};
use uuid::Uuid;

use crate::fixture::{self, COMPLAINT, id};

fn name(text: &str) -> AttributeName {
    AttributeName::parse(text).expect("a name")
}

fn path(text: &str) -> Path {
    script::Compiled::new(text).expect("a path").path().expect("a path").clone()
}

fn expression(text: &str) -> ValueSource {
    ValueSource::Expression(script::Compiled::new(text).expect("an expression").expression().clone())
}

fn template(text: &str) -> ValueSource {
    ValueSource::Template(script::template(text).expect("a template"))
}

fn literal(value: impl Into<Value>) -> ValueSource {
    ValueSource::Literal(value.into())
}

fn holds(text: &str) -> condition::Condition {
    condition::Condition::Expression(script::Compiled::new(text).expect("an expression").expression().clone())
}

/// A step whose id was given.
fn named(id: &str, action: StepAction) -> Step {
    Step {
        id: StepId::parse(id).expect("an id"),
        named: true,
        title: None,
        action,
        retry: None,
        on_error: OnError::ByKind,
    }
}

fn update(target: &str, changes: Vec<(&str, Change)>) -> StepAction {
    StepAction::Update {
        target: path(target),
        changes: changes.into_iter().map(|(attribute, change)| (id(attribute), change)).collect(),
    }
}

fn set(attribute: &str, value: ValueSource) -> StepAction {
    update("record", vec![(attribute, Change::Set(value))])
}

fn branch(branches: Vec<(condition::Condition, Vec<Step>)>, otherwise: Vec<Step>) -> StepAction {
    StepAction::If { branches, otherwise }
}

fn call(step: &str, inputs: Vec<(&str, ValueSource)>) -> StepAction {
    let inputs = inputs.into_iter().map(|(name, value)| (name.into(), value)).collect();
    StepAction::Custom { step: StepName::parse(step).expect("a name"), version: None, inputs }
}

fn stop(outcome: StopOutcome, message: Option<ValueSource>) -> StepAction {
    StepAction::Stop { outcome, message }
}

fn workflow(steps: Vec<Step>) -> Workflow {
    Workflow {
        action: None,
        task_flow: None,
        header: Header {
            name: ProcessName::parse("handle-complaint").expect("a name"),
            id: Uuid::nil(),
            title: "Handle complaints".to_owned(),
            description: String::new(),
            state: DefinitionState::Active,
        },
        entity: Some(COMPLAINT),
        mode: Mode::Background,
        owner: None,
        scope: Scope::Organization,
        start: Start { create: true, ..Start::default() },
        on_demand: false,
        child: false,
        in_order_by: None,
        variables: vec![
            argument("late", ValueType::Boolean, Value::Boolean(false)),
            argument("count", ValueType::Whole, Value::Null),
            argument("who", ValueType::Reference, Value::Null),
        ],
        inputs: Vec::new(),
        outputs: Vec::new(),
        retention: Retention::default(),
        steps,
    }
}

fn argument(text: &str, value_type: ValueType, default: Value) -> Argument {
    Argument {
        name: name(text),
        title: text.to_owned(),
        description: String::new(),
        kind: ArgumentKind::plain(value_type),
        required: false,
        default,
    }
}

/// The installed steps: a classifier, a condition, and one that takes and gives nothing.
struct Library(Vec<StepDefinition>);

impl super::Steps for Library {
    fn step(&self, name: &StepName, version: Option<&semver::VersionReq>) -> Option<&StepDefinition> {
        let fits = version.is_none_or(|version| version.matches(&semver::Version::new(1, 2, 0)));
        self.0.iter().find(|step| step.name == *name && fits)
    }
}

fn library() -> Library {
    let severity = ["low", "normal", "high"].into_iter().zip(1..);
    let severity = severity.map(|(text, value)| ChoiceOption { name: name(text), value, title: text.to_uppercase() });
    let severity = ArgumentKind { options: severity.collect(), ..ArgumentKind::plain(ValueType::Choice) };
    let limit = ArgumentKind { max: Some(Decimal::from(10)), ..ArgumentKind::plain(ValueType::Whole) };
    let definition = |text: &str, kind, inputs, outputs| StepDefinition {
        name: StepName::parse(text).expect("a name"),
        kind,
        title: text.to_owned(),
        description: String::new(),
        inputs,
        outputs,
        errors: Vec::new(),
        uses: Vec::new(),
        external: false,
        claims: Default::default(),
    };
    Library(vec![
        definition(
            "complaints.classify",
            StepKind::Step,
            vec![
                Argument { required: true, ..argument("text", ValueType::Text, Value::Null) },
                Argument { kind: limit, ..argument("limit", ValueType::Whole, Value::Whole(5)) },
            ],
            vec![
                Argument { kind: severity, required: true, ..argument("severity", ValueType::Choice, Value::Null) },
                argument("reason", ValueType::Text, Value::Null),
                argument("contact", ValueType::Reference, Value::Null),
            ],
        ),
        definition(
            "complaints.is-repeat",
            StepKind::Condition,
            vec![argument("days", ValueType::Whole, Value::Whole(90))],
            vec![argument("holds", ValueType::Boolean, Value::Null)],
        ),
        definition("complaints.nudge", StepKind::Step, Vec::new(), Vec::new()),
    ])
}

fn fields(pairs: Vec<(&str, Value)>) -> Vec<Field> {
    pairs.into_iter().map(|(name, value)| Field { name: name.into(), value }).collect()
}

fn guest_error(kind: GuestErrorKind) -> StepFailure {
    StepFailure::Guest(GuestError {
        kind,
        code: "no-date".into(),
        message: "no date of receipt".into(),
        retry_after: None,
        details: Vec::new(),
    })
}
