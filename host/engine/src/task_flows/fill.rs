//! What is typed on the page at hand (K3, K5): whether it fits and the user may write it, whether somebody else wrote the same
//! meanwhile, and what the page still lacks.

use model::{
    Caller, Privilege, Record, Refusal, Value, Values,
    process::{flow::StagePlace, task_flow::Draft},
    refusal::FlowCode,
};
use rules::task_flow::{clashes, lacking, seen_at, take};
use smol_str::{SmolStr, format_smolstr};

use super::{
    Kind,
    sitting::{Sitting, Spot, missing, stored},
    words,
};
use crate::{Failure, access, unit::Unit, verb};

/// Notes what was typed. Refused as a whole where it is not right or something required is empty; where somebody else wrote
/// another value than the page showed, what was typed stays on the page, which shows the new value from now on.
pub(super) fn fill(unit: &mut Unit, caller: &Caller, sitting: &mut Sitting, given: &[(SmolStr, Value)]) -> Kind<()> {
    let page = sitting.session.page();
    let before = sitting.before(page);
    let spots = sitting.staged(unit, &before, |sitting, unit| sitting.spots(unit, page))?;
    let typed = typed(unit, sitting, &spots, given)?;
    let typed = sitting.staged(unit, &before, |_, unit| checked(unit, caller, typed))?;
    let mut clashing = Vec::new();
    for (spot, record, value) in typed {
        let now = stored(unit, record, spot.field.attribute)?;
        let seen = seen_at(&sitting.session, spot.item, record).cloned().unwrap_or_else(|| now.clone());
        if clashes(&seen, &value, &now) {
            clashing.push(words::clash(unit, sitting, &spot.field, record, (&seen, &value, &now))?);
        }
        let attribute = spot.field.attribute;
        let draft = Draft { page, item: spot.item, record, attribute, seen: now, typed: value };
        take(&mut sitting.session, draft, &spot.value);
    }
    if !clashing.is_empty() {
        sitting.go(unit, page)?;
        return Ok(Err(words::conflict(sitting, page, &clashing)));
    }
    match gate(unit, sitting, page)? {
        None => Ok(Ok(())),
        Some(refusal) => Err(refusal.into()),
    }
}

/// The refusal that a page lacks something, with all that was typed up to it.
pub(super) fn gate(unit: &mut Unit, sitting: &Sitting, page: StagePlace) -> Result<Option<Refusal>, Failure> {
    let mut upto = sitting.before(page);
    upto.push(page);
    let spots = sitting.staged(unit, &upto, |sitting, unit| sitting.spots(unit, page))?;
    let holds = |item: u16| {
        let spot = spots.iter().find(|spot| spot.item == item);
        spot.filter(|spot| spot.record.is_some()).map(|spot| spot.value.clone()).unwrap_or_default()
    };
    let lacks = lacking(sitting.page(page)?, holds);
    if lacks.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = lacks.iter().map(|field| format!("`{}`", field.path)).collect();
    let title = sitting.title(page);
    let why = format_smolstr!("stays at page `{title}` until {} is filled", names.join(", "));
    Ok(Some(sitting.refusal(FlowCode::StageGate, why)))
}

type Typed<'s> = Vec<(&'s Spot, model::RecordRef, Value)>;

/// What was typed, by the items of the page; refused where it is nothing that can be typed there.
fn typed<'s>(
    unit: &Unit,
    sitting: &Sitting,
    spots: &'s [Spot],
    given: &[(SmolStr, Value)],
) -> Result<Typed<'s>, Failure> {
    let page = sitting.title(sitting.session.page());
    let mut typed: Typed<'s> = Vec::new();
    for (name, value) in given {
        let is = |spot: &&Spot| {
            let path = format_smolstr!("{}", spot.field.path);
            path == *name || path.strip_prefix("record.") == Some(name)
        };
        let spot = spots.iter().find(is).ok_or_else(|| Refusal::UnknownAttribute {
            entity: format_smolstr!("page {page}"),
            attribute: name.clone(),
        })?;
        let no = |why: SmolStr| Refusal::NotPossible { verb: "typing".into(), entity: name.clone(), why };
        if spot.field.read_only {
            return Err(no("the page only shows it".into()).into());
        }
        let Some(record) = spot.record else {
            let way = format!("{}", spot.field.path);
            let way = way.rsplit_once('.').map_or("record", |(way, _)| way);
            return Err(match way {
                "record" => missing(unit, sitting.session.record),
                way => no(format_smolstr!("`{way}` is empty, so there is no record to write it to")).into(),
            });
        };
        typed.retain(|(known, ..)| known.item != spot.item);
        typed.push((spot, record, value.clone()));
    }
    Ok(typed)
}

/// The same with values as they are kept, once the user may write each record and all of it fits.
fn checked<'s>(unit: &mut Unit, caller: &Caller, typed: Typed<'s>) -> Result<Typed<'s>, Failure> {
    let mut records: Vec<(Record, Values)> = Vec::new();
    for (spot, target, value) in &typed {
        if records.iter().all(|(record, _)| record.reference() != *target) {
            let entity = unit.entity(target.entity)?;
            records.push((access::expect(unit, caller, &entity, Privilege::Write, *target)?, Values::new()));
        }
        let place = records.iter_mut().find(|(record, _)| record.reference() == *target);
        if let Some((_, values)) = place {
            values.insert(spot.field.attribute, value.clone());
        }
    }
    let mut right = Vec::with_capacity(typed.len());
    for (record, values) in records {
        let change = verb::foresee(unit, caller, &record, values)?.change;
        let own = typed.iter().filter(|(_, target, _)| *target == record.reference());
        right.extend(own.map(|(spot, target, _)| (*spot, *target, change.get(spot.field.attribute).clone())));
    }
    Ok(right)
}
