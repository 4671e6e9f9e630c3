//! May this process be active while it belongs to this user (D10)? `rules::activation` decides; here the owner is looked
//! up and a refusal gets its words.
//!
//! `check` is asked at each start, by the profile that is kept; `check_staged` when a process is activated or given away,
//! by what the unit itself has staged of users and roles.

use model::{ProcessName, RecordRef, Refusal, process::workflow::Workflow, starter};
use rules::{
    access::{Lack, Profile},
    activation::Needs,
};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    Failure, Process,
    unit::{Unit, show},
};

/// Refuses a start of a process whose owner may not have it run any more.
pub(crate) fn check(unit: &mut Unit, process: &Process) -> Result<(), Failure> {
    check_as(unit, &process.workflow, process.owner)
}

/// The same for any version of a process, and whoever owned that.
pub(crate) fn check_as(unit: &mut Unit, workflow: &Workflow, owner: RecordRef) -> Result<(), Failure> {
    let profile = unit.profile(owner)?;
    match why_not(workflow, &profile) {
        None => Ok(()),
        Some(why) => Err(refusal(unit, &workflow.header.name, owner, why)?.into()),
    }
}

/// The same for a process that is about to be active, or to get this owner, in this unit.
pub(crate) fn check_staged(unit: &Unit, workflow: &Workflow, owner: RecordRef) -> Result<(), Failure> {
    let name = &workflow.header.name;
    if owner.entity != starter::SYSTEM_USER {
        let why = "a process belongs to a user, never to a team".into();
        return Err(refusal(unit, name, owner, why)?.into());
    }
    let catalogue = &unit.catalogue;
    let profile = catalogue.profiles.compile(catalogue, &unit.overlay.unvalidated(), owner)?;
    match why_not(workflow, &profile) {
        None => Ok(()),
        Some(why) => Err(refusal(unit, name, owner, why)?.into()),
    }
}

fn why_not(workflow: &Workflow, owner: &Profile) -> Option<SmolStr> {
    if owner.disabled {
        return Some("he is disabled".into());
    }
    let what = match (&workflow.action, &workflow.task_flow) {
        (Some(_), _) => "an action",
        (_, Some(_)) => "a task flow",
        _ => "its scope",
    };
    Some(match Needs::of(workflow).lacked_by(owner)? {
        Lack::Privilege(_, privilege, level) => {
            format_smolstr!("{what} needs {} at {} depth", privilege.api_name("workflow"), level.word())
        }
        Lack::EveryTask => "a process of this kind needs every task".into(),
        Lack::Task(task) => format_smolstr!("a process of this kind needs {} (`{task}`)", task.api_name()),
    })
}

fn refusal(unit: &Unit, process: &ProcessName, owner: RecordRef, why: SmolStr) -> Result<Refusal, Failure> {
    let entity = unit.catalogue.schema.entity(owner.entity);
    let record = unit.glance(owner)?;
    let name = entity.zip(record).and_then(|(entity, record)| record.get(entity.primary).as_text().map(SmolStr::from));
    let owner = name.map_or_else(|| show(owner), |name| format_smolstr!("`{name}`"));
    Ok(Refusal::ProcessOwner { process: process.as_str().into(), owner, why })
}
