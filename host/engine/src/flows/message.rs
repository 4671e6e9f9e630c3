//! Flows for plugins and scripts: messages that a guest sends by `invoke`, always with the rights of the run's user.
//!
//! | message | inputs | what it does |
//! |---|---|---|
//! | `StartFlow` | `process`, `stage` | starts a flow on the target |
//! | `MoveFlow` | `process`, `move`, `stage`, `to` | `next`, `back`, `set-stage`, `finish`, `abandon`, `reactivate` |
//! | `FinishFlow`, `AbandonFlow` | `process` | the same as a move of that name |
//! | `ReadFlow` | `process` | where it stands; without a process the one that the user is shown |
//!
//! The target is a record, or an instance, which says its flow by itself. All answer how the instance stands then.

use model::{Caller, Field, ProcessName, RecordRef, Refusal, Value, process::flow::FlowOrder};

use super::{
    instance::{self, InstanceView},
    named, of_instance,
    order::{self, Ask},
    view,
};
use crate::{Failure, unit::Unit};

/// What a message wants.
#[derive(Clone, Copy)]
enum Wants {
    Order(FlowOrder),
    /// Which move is, the input `move` says.
    Move,
    Read,
}

const MESSAGES: [(&str, Wants, &[&str]); 5] = [
    ("StartFlow", Wants::Order(FlowOrder::Start), &["process", "stage"]),
    ("MoveFlow", Wants::Move, &["process", "move", "stage", "to"]),
    ("FinishFlow", Wants::Order(FlowOrder::Finish), &["process"]),
    ("AbandonFlow", Wants::Order(FlowOrder::Abandon), &["process"]),
    ("ReadFlow", Wants::Read, &["process"]),
];

/// Whether the message only asks.
pub(crate) fn is_question(name: &str) -> bool {
    MESSAGES.iter().any(|(known, wants, _)| *known == name && matches!(wants, Wants::Read))
}

/// Does the message, if it is one of flows.
pub(crate) fn message(
    unit: &mut Unit,
    caller: &Caller,
    name: &str,
    target: Option<RecordRef>,
    inputs: &[Field],
) -> Result<Option<Vec<Field>>, Failure> {
    let Some((name, wants, known)) = MESSAGES.into_iter().find(|(known, ..)| *known == name) else { return Ok(None) };
    if let Some(unknown) = inputs.iter().find(|input| !known.contains(&input.name.as_str())) {
        return Err(Refusal::UnknownAttribute { entity: name.into(), attribute: unknown.name.clone() }.into());
    }
    let missing = |what: &str| Refusal::Required { entity: name.into(), attribute: what.into() };
    let target = target.ok_or_else(|| missing("target"))?;
    let order = match wants {
        Wants::Order(order) => order,
        Wants::Move => moved(text(inputs, "move").ok_or_else(|| missing("move"))?)?,
        Wants::Read => return read(unit, caller, target, text(inputs, "process")).map(Some),
    };
    let own = unit.catalogue.flow_of(target.entity).map(|process| process.name.clone());
    let process = own.as_ref().map(ProcessName::as_str).or(text(inputs, "process"));
    let process = process.ok_or_else(|| missing("process"))?;
    let to = inputs.iter().find(|input| input.name == "to").and_then(|input| input.value.as_reference());
    let done = order::order(unit, caller, target, &Ask { order, process, stage: text(inputs, "stage"), to })?;
    let process = of_instance(unit, done.record)?;
    let view = instance::shown(unit, caller, &process, done.record)?;
    Ok(Some(told(Some(&view))))
}

/// Where the flow stands; of one that is not there, or that the user may not see, nothing is told.
fn read(unit: &mut Unit, caller: &Caller, target: RecordRef, process: Option<&str>) -> Result<Vec<Field>, Failure> {
    if let Some(process) = unit.catalogue.flow_of(target.entity).cloned() {
        return Ok(told(Some(&instance::shown(unit, caller, &process, target)?)));
    }
    let Some(name) = process else {
        return Ok(told(view::resolve(unit, caller, target, false)?.shown.as_ref()));
    };
    let name = ProcessName::parse(name).map_err(|_| Refusal::UnknownProcess(name.into()))?;
    let process = named(unit, &name)?;
    let found = order::on(unit, caller, &process, target)?;
    Ok(told(Some(&instance::shown(unit, caller, &process, found)?)))
}

fn moved(word: &str) -> Result<FlowOrder, Failure> {
    let known = FlowOrder::of_word(word).filter(|order| *order != FlowOrder::Start);
    known.ok_or_else(|| {
        let all: Vec<&str> = FlowOrder::ALL.iter().skip(1).map(|order| order.word()).collect();
        let why = smol_str::format_smolstr!("the moves are {}, not `{word}`", all.join(", "));
        Refusal::Unreadable { what: "`move`".into(), why }.into()
    })
}

fn text<'f>(inputs: &'f [Field], name: &str) -> Option<&'f str> {
    inputs.iter().find(|input| input.name == name)?.value.as_text()
}

/// How the instance stands.
fn told(view: Option<&InstanceView>) -> Vec<Field> {
    let Some(view) = view else { return Vec::new() };
    let stage = view.path.get(view.active).map(|stage| Value::text(stage.id.as_str()));
    let gate: Vec<&str> = view.gate.iter().map(|name| name.as_str()).collect();
    let fields = [
        ("instance", view.instance.into()),
        ("process", Value::Text(view.process.clone())),
        ("stage", stage.unwrap_or_default()),
        ("state", Value::text(super::word(view.state))),
        ("gate", Value::text(gate.join(","))),
    ];
    fields.into_iter().map(|(name, value)| Field { name: name.into(), value }).collect()
}
