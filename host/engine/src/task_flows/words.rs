//! Conflicts in words (K5): which attribute of which record, who saw what, who wrote what, what was typed, what to do.

use model::{
    RecordRef, Refusal, Value,
    process::{flow::StagePlace, task_flow::Field},
    refusal::FlowCode,
};
use script::{Compiled, Facts};
use smol_str::{SmolStr, format_smolstr};
use store::journal;

use super::sitting::Sitting;
use crate::{Failure, access::Who, resolve::Reading, rows, unit::Unit, verb};

/// The longest value that a sentence holds, in characters.
const LONGEST: usize = 60;

/// The refusal that others wrote meanwhile; the session is at this page.
pub(super) fn conflict(sitting: &Sitting, page: StagePlace, clashing: &[SmolStr]) -> Refusal {
    let title = sitting.title(page);
    let why = format_smolstr!(
        "is at page `{title}`: {}. The page shows what is there now and what you typed: send it again to write yours, or \
         type what is to stay",
        clashing.join("; ")
    );
    sitting.refusal(FlowCode::SessionConflict, why)
}

/// What became of one attribute, in a sentence.
pub(super) fn clash(
    unit: &mut Unit,
    sitting: &Sitting,
    field: &Field,
    record: RecordRef,
    (seen, typed, now): (&Value, &Value, &Value),
) -> Result<SmolStr, Failure> {
    let whom = named(unit, record)?;
    let (seen, typed) = (shown(unit, sitting, field, seen)?, shown(unit, sitting, field, typed)?);
    let change = change(unit, sitting, field, record, now)?;
    Ok(format_smolstr!("`{}` of {whom} was {seen} when you saw it, {change}, and you typed {typed}", field.path))
}

/// Who wrote the value that is there now, and when.
pub(super) fn change(
    unit: &mut Unit,
    sitting: &Sitting,
    field: &Field,
    record: RecordRef,
    now: &Value,
) -> Result<SmolStr, Failure> {
    let shown = shown(unit, sitting, field, now)?;
    let reader = unit.overlay.unvalidated();
    for entry in journal::of_record(&reader, record, None)? {
        let entry = entry?;
        if !entry.changes.iter().any(|(attribute, _, after)| *attribute == field.attribute && after == now) {
            continue;
        }
        let user = rows::get(&unit.catalogue, &reader, entry.caller.user)?;
        let entity = unit.catalogue.schema.entity(entry.caller.user.entity);
        let name = match (entity, user) {
            (Some(entity), Some(user)) => verb::title(entity, &user),
            _ => "somebody".into(),
        };
        return Ok(format_smolstr!("{name} made it {shown} at {}", entry.at.to_second()));
    }
    Ok(format_smolstr!("it is {shown} now"))
}

/// A value as people see it.
pub(super) fn shown(unit: &mut Unit, sitting: &Sitting, field: &Field, value: &Value) -> Result<SmolStr, Failure> {
    if value.is_null() {
        return Ok("empty".into());
    }
    let entity = unit.entity(field.entity)?;
    let Some(attribute) = entity.attribute_by_id(field.attribute) else { return Ok("gone".into()) };
    let environment = sitting.activation.surroundings.at(unit.now);
    let known = Reading::glancing(unit, Who::Engine).name(&entity, attribute, value.clone())?;
    let mut facts = Facts::new();
    facts.insert(field.path.clone(), known);
    let text = match Compiled::new(&format!("{}", field.path)) {
        Ok(path) => path.show(&facts, &environment).unwrap_or_default(),
        Err(_) => String::new(),
    };
    Ok(match text.chars().count() > LONGEST {
        true => format_smolstr!("`{}…`", text.chars().take(LONGEST).collect::<SmolStr>()),
        false => format_smolstr!("`{text}`"),
    })
}

/// A record as people call it.
pub(super) fn named(unit: &Unit, record: RecordRef) -> Result<SmolStr, Failure> {
    let title = match (unit.catalogue.schema.entity(record.entity), unit.glance(record)?) {
        (Some(entity), Some(found)) => verb::title(entity, &found),
        _ => format_smolstr!("{}", record.id),
    };
    Ok(format_smolstr!("{} {title}", unit.catalogue.schema.name_of(record.entity)))
}
