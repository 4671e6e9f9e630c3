//! Flows of a solution beside those that are there: how many may be active on one entity (processes 5.2).

use formats::Solution;
use model::{Refusal, process::DefinitionState, refusal::Problem};
use smol_str::format_smolstr;
use store::Reader;

use super::problem;
use crate::{
    Failure,
    catalogue::{Catalogue, FlowProcess},
};

/// Refuses one more active flow where its entity has as many as may be.
pub(crate) fn check_room(catalogue: &Catalogue, flow: &FlowProcess, most: usize) -> Result<(), Refusal> {
    let entity = flow.flow.entity;
    let others = catalogue.flows_over(entity).iter();
    let active = others.filter(|one| one.flow.entity == entity && one.active && one.id != flow.id).count();
    if active < most {
        return Ok(());
    }
    let name = catalogue.schema.name_of(entity);
    let what = format_smolstr!("the number of flows that are active on `{name}` (`flows.active`)");
    Err(Refusal::Limit { what, limit: most as u64 })
}

/// Instances that are counted for a warning; more are told as so many.
const MOST_COUNTED: usize = 1_000;

/// Warns of instances that stand on a stage which the flow has no more.
pub(super) fn left_behind(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    solution: &Solution,
) -> Result<Vec<Problem>, Failure> {
    let mut warnings = Vec::new();
    for flow in &solution.flows {
        let name = &flow.value.header.name;
        let Some(known) = catalogue.flow(name.as_str()) else { continue };
        for (stage, count) in crate::flows::stranded(reader, known, &flow.value, MOST_COUNTED)? {
            let more = if count == MOST_COUNTED { " or more" } else { "" };
            let message = format!(
                "{count}{more} instance(s) of `{name}` stand on the stage `{stage}`, which goes: they fall back to the last \
                 stage gone through that stays"
            );
            let hint =
                format!("where it is only called otherwise now: `stepwise process migrate {name} --map {stage}=NEW`");
            warnings.push(Problem { hint: Some(hint), warning: true, ..problem(&flow.file, message) });
        }
    }
    Ok(warnings)
}

/// Reports active flows beyond the limit of their entity, at the files that bring them.
pub(super) fn too_many(catalogue: &Catalogue, solution: &Solution, most: usize) -> Vec<Problem> {
    let own = |name: &model::ProcessName| solution.flows.iter().any(|flow| flow.value.header.name == *name);
    let mut problems = Vec::new();
    let mut counted: Vec<(model::EntityId, usize)> = Vec::new();
    // What somebody has switched off stays off until its file says another thing.
    let rests = |name: &model::ProcessName| {
        let known = catalogue.flow(name.as_str());
        known.is_some_and(|known| !known.active && known.flow.header.state == DefinitionState::Active)
    };
    let active = solution.flows.iter().filter(|flow| flow.value.header.state == DefinitionState::Active);
    for flow in active.filter(|flow| !rests(&flow.value.header.name)) {
        let entity = flow.value.entity;
        let others = || {
            let there = catalogue.flows_over(entity).iter();
            there.filter(|there| there.flow.entity == entity && there.active && !own(&there.name)).count()
        };
        let count = match counted.iter_mut().find(|(known, _)| *known == entity) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                counted.push((entity, others() + 1));
                others() + 1
            }
        };
        if count > most {
            let name = solution.schema.name_of(entity);
            let message = format!(
                "at most {most} flows may be active on `{name}` (`flows.active`): deactivate one of the others"
            );
            problems.push(problem(&flow.file, message));
        }
    }
    problems
}
