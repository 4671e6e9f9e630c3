//! Navigation: Next, Back, Set Stage, Finish, Abandon, Reactivate (processes 5.4; T14, T16, T19, T20).
//!
//! Whether somebody may move at all is asked before, of access. Each move that changes something is a change of status.

use model::{
    AttributeId,
    process::flow::{Flow, InstanceState, Onward, StagePlace},
};

use super::{Standing, Surroundings, path::onward};

/// What somebody wants of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// To the stage that comes next.
    Next,
    /// To the stage before.
    Back,
    /// To a stage gone through, or to the one that comes next.
    SetStage(StagePlace),
    /// The flow has come to its end.
    Finish,
    /// The flow is given up.
    Abandon,
    /// It goes on where it stood.
    Reactivate,
}

/// What comes of a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The instance changes.
    Moved(Moved),
    /// It is so already.
    Unchanged,
    /// It may not.
    No(No),
}

/// An instance after a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How it stands then.
    pub standing: Standing,
    /// The stage that is left.
    pub left: Option<StagePlace>,
    /// The stage that is entered.
    pub entered: Option<StagePlace>,
}

/// Why a move is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum No {
    /// The flow is not active (T14).
    ProcessInactive,
    /// The instance is finished or aborted (T16).
    InstanceNotActive(InstanceState),
    /// There is no stage after this one.
    End,
    /// There is no stage before this one.
    Beginning,
    /// The stage is neither gone through nor the next one; or, to finish, this stage is not the last.
    NotAdjacent,
    /// These attributes of the active stage have to be filled first.
    StageGate(Vec<AttributeId>),
    /// The next stage is about a record that the instance does not have yet.
    CrossEntity(StagePlace),
}

/// What comes of `wanted`, for an instance that stands so; `active` tells whether the flow is.
pub fn decide<S: Surroundings>(
    flow: &Flow,
    active: bool,
    standing: &Standing,
    wanted: Move,
    around: &mut S,
) -> Result<Verdict, S::Error> {
    if !active && wanted != Move::Abandon {
        return Ok(Verdict::No(No::ProcessInactive));
    }
    if wanted == Move::Reactivate {
        return Ok(match standing.state {
            InstanceState::Active => Verdict::Unchanged,
            _ => ended(standing, InstanceState::Active),
        });
    }
    if standing.state != InstanceState::Active {
        return Ok(Verdict::No(No::InstanceNotActive(standing.state)));
    }
    match wanted {
        Move::Next => match onward(flow, standing.active(), around)? {
            Onward::Stage(to) => forward(standing, to, around),
            Onward::End => Ok(Verdict::No(No::End)),
        },
        Move::Back => Ok(match standing.traversed() {
            [.., before, _] => back(standing, *before),
            _ => Verdict::No(No::Beginning),
        }),
        Move::SetStage(to) => set_stage(flow, standing, to, around),
        Move::Finish => finish(flow, standing, around),
        Move::Abandon => Ok(ended(standing, InstanceState::Aborted)),
        Move::Reactivate => Ok(Verdict::Unchanged),
    }
}

fn set_stage<S: Surroundings>(
    flow: &Flow,
    standing: &Standing,
    to: StagePlace,
    around: &mut S,
) -> Result<Verdict, S::Error> {
    if to == standing.active() {
        return Ok(Verdict::Unchanged);
    }
    if standing.traversed().contains(&to) {
        return Ok(back(standing, to));
    }
    match onward(flow, standing.active(), around)? {
        Onward::Stage(next) if next == to => forward(standing, to, around),
        _ => Ok(Verdict::No(No::NotAdjacent)),
    }
}

fn finish<S: Surroundings>(flow: &Flow, standing: &Standing, around: &mut S) -> Result<Verdict, S::Error> {
    if onward(flow, standing.active(), around)? != Onward::End {
        return Ok(Verdict::No(No::NotAdjacent));
    }
    Ok(match gate(standing, around)? {
        Some(no) => Verdict::No(no),
        None => ended(standing, InstanceState::Finished),
    })
}

/// The gate first, then the record: who has not filled the stage is not asked for the next record yet.
fn forward<S: Surroundings>(standing: &Standing, to: StagePlace, around: &mut S) -> Result<Verdict, S::Error> {
    if let Some(no) = gate(standing, around)? {
        return Ok(Verdict::No(no));
    }
    if !around.has_record(to)? {
        return Ok(Verdict::No(No::CrossEntity(to)));
    }
    let next = Standing::at(standing.state, standing.traversed().iter().copied(), to);
    Ok(Verdict::Moved(Moved { standing: next, left: Some(standing.active()), entered: Some(to) }))
}

fn gate<S: Surroundings>(standing: &Standing, around: &mut S) -> Result<Option<No>, S::Error> {
    let empty = around.empty(standing.active())?;
    Ok((!empty.is_empty()).then_some(No::StageGate(empty)))
}

/// Back to a stage gone through: the path ends there again (T20).
fn back(standing: &Standing, to: StagePlace) -> Verdict {
    let before = standing.traversed().iter().copied().take_while(|stage| *stage != to);
    let next = Standing::at(standing.state, before, to);
    Verdict::Moved(Moved { standing: next, left: Some(standing.active()), entered: Some(to) })
}

/// The same stage in another state.
fn ended(standing: &Standing, state: InstanceState) -> Verdict {
    let next = Standing { state, ..standing.clone() };
    Verdict::Moved(Moved { standing: next, left: None, entered: None })
}
