//! The answers of an explanation in words: what was found, and what to change.

use model::{
    AttributeId, Caller, Message, RecordRef, Refusal,
    expression::Path,
    process::workflow::{Start, UpdateTrigger},
    schema::Entity,
};
use rules::trigger::{Asked as Answer, Question, Reason, Trigger, scope_in_words};
use smol_str::SmolStr;

use super::{Asked, Check, event::Happened};
use crate::{Failure, rows, settle::start, unit::Unit, verb};

/// The event: "update of `product`, `issue` on complaint `Late`, on 2026-01-05T09:00:00Z".
pub(super) fn event(unit: &Unit, happened: &Happened) -> String {
    let fact = &happened.fact;
    let entity = unit.catalogue.schema.entity(fact.record.entity);
    let record = fact.after.as_ref().or(fact.before.as_ref());
    let title = entity.zip(record).map(|(entity, record)| verb::title(entity, record)).unwrap_or_default();
    let named = match fact.message {
        Message::Update | Message::SetStatus | Message::Assign => {
            format!(" of {}", names(entity.map(|entity| &**entity), fact.change.attributes()))
        }
        _ => String::new(),
    };
    let when = match happened.at {
        Some(at) => format!(" at {at}"),
        None => ", supposed".to_owned(),
    };
    format!("{}{named} on {} {title}{when}", fact.message, unit.catalogue.schema.name_of(fact.record.entity))
}

/// `product`, `issue`; "nothing" where there is none.
fn names(entity: Option<&Entity>, attributes: impl Iterator<Item = AttributeId>) -> String {
    let known = |id| entity.and_then(|entity| entity.attribute_by_id(id)).map(|known| format!("`{}`", known.name()));
    let all: Vec<String> = attributes.map(|id| known(id).unwrap_or_else(|| format!("#{id}"))).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

/// The name of a user or a record.
pub(super) fn name(unit: &Unit, record: RecordRef) -> Result<SmolStr, Failure> {
    let entity = unit.catalogue.schema.entity(record.entity);
    let found = rows::get(&unit.catalogue, &unit.overlay.unvalidated(), record)?;
    Ok(entity.zip(found).map_or_else(|| crate::unit::show(record), |(entity, found)| verb::title(entity, &found)))
}

/// What the process starts on: "create, update of `product`".
fn starts_on(start: &Start, entity: Option<&Entity>) -> String {
    let mut all = Vec::new();
    let update = match &start.update {
        None => None,
        Some(UpdateTrigger::Any) => Some("any update".to_owned()),
        Some(UpdateTrigger::Attributes(attributes)) => {
            Some(format!("update of {}", names(entity, attributes.iter().copied())))
        }
    };
    all.extend(start.create.then(|| "create".to_owned()));
    all.extend(update);
    all.extend(start.status.then(|| "status".to_owned()));
    all.extend(start.assign.then(|| "assign".to_owned()));
    all.extend(start.delete.then(|| "delete".to_owned()));
    if all.is_empty() { "no event".to_owned() } else { all.join(", ") }
}

/// One question of the trigger with its answer.
pub(super) fn answer(
    unit: &mut Unit,
    caller: &Caller,
    asked: &Asked,
    happened: &Happened,
    trigger: &Trigger,
    Answer { question, reason }: &Answer,
) -> Result<Check, Failure> {
    let catalogue = unit.catalogue.clone();
    let fact = &happened.fact;
    let own = asked.workflow.entity.and_then(|entity| catalogue.schema.entity(entity)).map(|entity| &**entity);
    let start = &asked.workflow.start;
    let of = own.map_or_else(|| "nothing".into(), |entity| SmolStr::from(entity.name().as_str()));
    let (name, says, hint) = match question {
        Question::Entity => ("entity", format!("it runs on records of `{of}`"), format!("name a record of `{of}`")),
        Question::Event => {
            let hint = match fact.message {
                Message::Update => "add the attributes to `update` under `start`".to_owned(),
                message => format!("add `{message}: true` under `start`"),
            };
            ("event", format!("it starts on {}; this is: {}", starts_on(start, own), fact.message), hint)
        }
        Question::Attributes => {
            let named = names(own, fact.change.attributes());
            let says = match reason {
                Some(Reason::NotChanged) => {
                    format!("the request named {named}, changed none that starts it, and it has `only-when-changed`")
                }
                _ => format!("it looks at {}, and the request named {named}", looked_at(start, own)),
            };
            ("attributes", says, not_named(happened))
        }
        Question::Scope => {
            let record = fact.after.as_ref().or(fact.before.as_ref());
            let owner = record.and_then(|record| record.get(model::starter::OWNER).as_reference());
            let owner = owner.map(|owner| self::name(unit, owner)).transpose()?;
            let owner = owner.map_or_else(String::new, |owner| format!("; the record belongs to {owner}"));
            let says = format!(
                "its scope is {}; it belongs to {}{owner}",
                scope_in_words(asked.workflow.scope),
                self::name(unit, asked.owner)?
            );
            (
                "scope",
                says,
                "write `scope: organization`, or have the record or the process belong to another".to_owned(),
            )
        }
        Question::Condition => {
            let says = match reason {
                None => "`start.if` holds".to_owned(),
                Some(Reason::ConditionFailed(why)) => format!("`start.if` could not be decided: {why}"),
                Some(_) => "`start.if` does not hold".to_owned(),
            };
            let read = read(unit, caller, fact, trigger.paths())?;
            ("condition", format!("{says}{read}"), "change the values that it reads, or the condition".to_owned())
        }
    };
    Ok(Check { name, passed: reason.is_none(), says, hint: reason.as_ref().map(|_| hint) })
}

fn looked_at(start: &Start, own: Option<&Entity>) -> String {
    let mut all = Vec::new();
    match &start.update {
        Some(UpdateTrigger::Any) => all.push("every attribute".to_owned()),
        Some(UpdateTrigger::Attributes(attributes)) => all.push(names(own, attributes.iter().copied())),
        None => {}
    }
    all.extend(start.status.then(|| "`statecode`, `statuscode`".to_owned()));
    all.extend(start.assign.then(|| "`ownerid`".to_owned()));
    all.join(", ")
}

fn not_named(happened: &Happened) -> String {
    let hint = "name one of those in the request, or add what it named to `update` under `start`";
    match happened.named_is_known {
        true => hint.to_owned(),
        false => {
            format!("{hint}; the journal knows what got another value, and not what the request named beside")
        }
    }
}

/// What the condition read, as the caller may see it: "; `record.severity` is high".
fn read(unit: &mut Unit, caller: &Caller, fact: &model::fact::Fact, paths: &[Path]) -> Result<String, Failure> {
    let mut told = String::new();
    for path in paths {
        let facts = match start::read_event(unit, caller.user, fact, std::slice::from_ref(path), &[]) {
            Ok(facts) => facts,
            Err(Failure::Refused(_)) => {
                told.push_str(&format!("; what `{path}` is, you may not read"));
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let known = facts.get(path);
        let shown = match (&known.option, &known.shown) {
            (Some(option), _) => option.to_string(),
            (None, Some(shown)) => format!("\"{shown}\""),
            (None, None) if known.value.is_null() => "empty".to_owned(),
            (None, None) => rules::value::describe(&known.value).to_string(),
        };
        told.push_str(&format!("; `{path}` is {shown}"));
    }
    Ok(told)
}

/// The owner may not read what the start condition asks for: then the process does start, and its job fails.
pub(super) fn barred(unit: &Unit, asked: &Asked, refusal: &Refusal) -> Result<Check, Failure> {
    let owner = name(unit, asked.owner)?;
    Ok(Check {
        name: "condition",
        passed: false,
        says: format!("its owner, {owner}, may not read what `start.if` asks for, so its job fails at once: {refusal}"),
        hint: Some("give him a role that may, or write another `owner` in its file".to_owned()),
    })
}
