//! The active path: the stages gone through and those that lie ahead as the branches stand now (processes 5.1, T20).

use model::{
    StageId,
    condition::Condition,
    process::flow::{Flow, InstanceState, Onward, StagePlace},
};

use super::{Standing, Surroundings};

/// Where a stage leads now: the first branch that holds, else its `next`.
pub fn onward<S: Surroundings>(flow: &Flow, stage: StagePlace, around: &mut S) -> Result<Onward, S::Error> {
    let Some(found) = flow.stages.get(stage.index()) else { return Ok(Onward::End) };
    way(&found.branches, found.next, |branch| around.holds(stage, branch))
}

/// Where ways lead now: that of the first branch that holds, else `next`. Pages of task flows lead on alike.
pub fn way<E>(
    branches: &[(Condition, Onward)],
    next: Onward,
    mut holds: impl FnMut(usize) -> Result<bool, E>,
) -> Result<Onward, E> {
    for (branch, (_, to)) in branches.iter().enumerate() {
        if holds(branch)? {
            return Ok(*to);
        }
    }
    Ok(next)
}

/// The stages that lie ahead of `stage`, in their order. Ways lead to later stages only, so this ends.
pub fn ahead<S: Surroundings>(flow: &Flow, stage: StagePlace, around: &mut S) -> Result<Vec<StagePlace>, S::Error> {
    let mut path = Vec::new();
    let mut at = stage;
    while let Onward::Stage(next) = onward(flow, at, around)? {
        if next <= at {
            break;
        }
        path.push(next);
        at = next;
    }
    Ok(path)
}

/// The standing of an instance whose stages were kept by name, in the flow as it is now. Stages that are gone are left out;
/// where the active one is gone, the instance stands at the last one gone through that is still there, else at the first.
pub fn restore(flow: &Flow, state: InstanceState, traversed: &[StageId], active: Option<&StageId>) -> Standing {
    let place = |id: &StageId| {
        let found = flow.stages.iter().position(|stage| stage.id == *id);
        found.and_then(|index| u8::try_from(index).ok()).map(StagePlace)
    };
    let mut before: Vec<StagePlace> = Vec::new();
    for stage in traversed.iter().filter_map(place) {
        // Two stages may have become one.
        if !before.contains(&stage) {
            before.push(stage);
        }
    }
    let at = active.and_then(place).or_else(|| before.last().copied()).unwrap_or(StagePlace::FIRST);
    Standing::at(state, before, at)
}
