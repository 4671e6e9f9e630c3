//! Flows of a solution beside those that are there: how many may be active on one entity (processes 5.2).

use formats::Solution;
use model::{
    process::{DefinitionState, flow::MOST_ACTIVE},
    refusal::Problem,
};

use super::problem;
use crate::catalogue::Catalogue;

/// Reports active flows beyond the limit of their entity, at the files that bring them.
pub(super) fn too_many(catalogue: &Catalogue, solution: &Solution) -> Vec<Problem> {
    let own = |name: &model::ProcessName| solution.flows.iter().any(|flow| flow.value.header.name == *name);
    let mut problems = Vec::new();
    let mut counted: Vec<(model::EntityId, usize)> = Vec::new();
    for flow in solution.flows.iter().filter(|flow| flow.value.header.state == DefinitionState::Active) {
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
        if count > MOST_ACTIVE {
            let name = solution.schema.name_of(entity);
            let message =
                format!("at most {MOST_ACTIVE} flows may be active on `{name}`: deactivate one of the others");
            problems.push(problem(&flow.file, message));
        }
    }
    problems
}
