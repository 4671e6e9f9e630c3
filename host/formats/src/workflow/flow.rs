//! Business process flows in steps: the step that starts or moves one, and the key `flow` of what makes a record (formats 4, 10).

use model::{
    ProcessName, StageId, Value,
    expression::{Path, ValueSource},
    process::{flow::FlowOrder, workflow::StepAction},
    schema::Entity,
    starter,
};
use uuid::Uuid;

use super::{Callable, record, signature::CalledFlow, steps::Steps};
use crate::{
    fields::Fields,
    names::Names,
    nearest,
    scope::{Root, Scope},
};

/// A flow is started or moved; the result is its instance.
pub(super) fn flow<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(StepAction, Root<'a>)> {
    let report = fields.report;
    let order = fields.word("flow", &FlowOrder::ALL.map(|order| (order.word(), order)));
    let (callable, called) = named(fields, "process", scope.names)?;
    let (of, entity) = match fields.get("of") {
        Some(_) => record::target(steps, fields, "of", scope)?,
        None => own(steps, fields, scope)?,
    };
    let order = order?;
    check_led_over(fields, order, callable, called, entity, scope.names)?;
    let stage = stage(fields, order, callable, called)?;
    let to = match (fields.get("to"), order) {
        (None, _) => None,
        (Some(_), FlowOrder::Next | FlowOrder::SetStage) => Some(record::target(steps, fields, "to", scope)?.0),
        (Some(_), _) => {
            report
                .error(fields.place_of("to"), "only a move to another stage takes a record along: `next`, `set-stage`");
            return None;
        }
    };
    let instance = scope.names.schema.entity(called.instance)?;
    let process = callable.name.clone();
    let action = StepAction::Flow { order, process, instance: called.instance, of, stage, to };
    Some((action, Root::Record(instance)))
}

/// The workflow's own record.
fn own<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(Path, &'a Entity)> {
    let entity = steps.own.entity.and_then(|entity| scope.names.schema.entity(entity));
    if entity.is_none() {
        fields.report.error(fields.place, "this process has no record: say by `of` on which record the flow is");
    }
    Some((Path { root: "record".into(), segments: Vec::new() }, entity?))
}

fn check_led_over(
    fields: &Fields<'_>,
    order: FlowOrder,
    callable: &Callable,
    called: &CalledFlow,
    entity: &Entity,
    names: &Names<'_>,
) -> Option<()> {
    let begins = callable.entity == Some(entity.id);
    let fits = match order {
        FlowOrder::Start => begins,
        _ => begins || called.stages.iter().any(|(_, of)| *of == entity.id),
    };
    if !fits {
        let wanted = callable.entity.map(|entity| names.schema.name_of(entity)).unwrap_or_default();
        let does = if order == FlowOrder::Start { "begins on" } else { "is about" };
        let message =
            format!("`{}` {does} records of `{wanted}`, and this is one of `{}`", callable.name, entity.name());
        let at = if fields.get("of").is_some() { fields.value_place("of") } else { fields.value_place("process") };
        fields.report.error(at, message);
    }
    fits.then_some(())
}

/// The stage of a `set-stage`, or where a flow begins.
fn stage(fields: &Fields<'_>, order: FlowOrder, callable: &Callable, called: &CalledFlow) -> Option<Option<StageId>> {
    let report = fields.report;
    match (fields.get("stage"), order) {
        (None, FlowOrder::SetStage) => {
            fields.need("stage");
            return None;
        }
        (None, _) => return Some(None),
        (Some(_), FlowOrder::SetStage | FlowOrder::Start) => {}
        (Some(_), _) => {
            report.error(fields.place_of("stage"), "only `set-stage` and `start` name a stage");
            return None;
        }
    }
    let id: StageId = fields.name("stage")?;
    if called.stages.iter().all(|(known, _)| *known != id) {
        let hint = nearest::hint(id.as_str(), called.stages.iter().map(|(known, _)| known.as_str()));
        report.error_with(fields.value_place("stage"), format!("`{}` has no stage `{id}`", callable.name), hint);
        return None;
    }
    Some(Some(id))
}

/// The active flow that `key` names.
fn named<'a>(fields: &Fields<'_>, key: &str, names: &'a Names<'a>) -> Option<(&'a Callable, &'a CalledFlow)> {
    fields.need(key)?;
    let name: ProcessName = fields.name(key)?;
    let (report, place) = (fields.report, fields.value_place(key));
    let flows = || names.callables.iter().filter(|known| known.flow.is_some());
    let Some(found) = flows().find(|known| known.name == name) else {
        let hint = nearest::hint(name.as_str(), flows().map(|known| known.name.as_str()));
        report.error_with(place, format!("there is no business process flow `{name}`"), hint);
        return None;
    };
    if found.broken {
        return None;
    }
    if !found.active {
        report.error(place, format!("`{name}` is not active"));
        return None;
    }
    Some((found, found.flow.as_ref()?))
}

/// What `flow` says of a record to be made: what its `processid` is then; nothing by default, for who creates it decides.
pub(crate) fn begun(fields: &Fields<'_>, entity: &Entity, names: &Names<'_>) -> Option<Uuid> {
    let text = fields.text("flow")?;
    if text == "default" {
        fields.is_default("flow");
        return None;
    }
    if text == "none" {
        // Of an entity that allows none that is so anyway.
        return entity.definition.flows.then_some(Uuid::nil());
    }
    if !entity.definition.flows {
        let hint = Some(format!("leave `flow` out, or write `flows: true` in the entity `{}`", entity.name()));
        fields.report.error_with(fields.place_of("flow"), format!("`{}` does not allow flows", entity.name()), hint);
        return None;
    }
    let (callable, called) = named(fields, "flow", names)?;
    if callable.entity != Some(entity.id) {
        let wanted = callable.entity.map(|entity| names.schema.name_of(entity)).unwrap_or_default();
        let message = format!("`{text}` begins on records of `{wanted}`, not of `{}`", entity.name());
        fields.report.error(fields.value_place("flow"), message);
        return None;
    }
    Some(called.id)
}

/// The same as a value of the record that a step makes.
pub(super) fn set(
    fields: &Fields<'_>,
    entity: &Entity,
    names: &Names<'_>,
) -> Option<(model::AttributeId, ValueSource)> {
    let id = begun(fields, entity, names)?;
    if fields.map("set").iter().any(|entry| entry.key == "processid") {
        fields.report.error(fields.place_of("flow"), "`flow` and `processid` say the same: write one of them");
        return None;
    }
    Some((starter::PROCESS_ID, ValueSource::Literal(Value::Guid(id))))
}
