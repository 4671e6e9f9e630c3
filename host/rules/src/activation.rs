//! May a process be active while it belongs to this user (D10)?
//!
//! Asked by the engine when a process is activated, when it gets another owner, and at each of its starts. Who may change
//! a process is not asked here: that is `access`.

use model::{
    Level, Privilege, TaskName,
    process::workflow::{Scope, Workflow},
    starter,
};

use crate::access::{Lack, Profile};

/// What the owner of an active process has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// How far he may create processes.
    pub create: Level,
    /// The task of processes of this kind.
    pub task: Option<TaskName>,
}

impl Needs {
    /// What this definition asks of its owner. The scope of what no event starts reaches no record, so it asks for nothing.
    pub fn of(workflow: &Workflow) -> Self {
        let real_time = || Some(TaskName::ACTIVATE_REAL_TIME);
        if workflow.action.is_some() {
            return Self { create: Level::Organization, task: real_time() };
        }
        if workflow.task_flow.is_some() {
            return Self { create: Level::Organization, task: Some(TaskName::ACTIVATE_FLOWS) };
        }
        let create = match workflow.scope {
            _ if !workflow.start.has_event() => Level::User,
            Scope::User => Level::User,
            Scope::BusinessUnit => Level::BusinessUnit,
            Scope::ParentChild => Level::ParentChild,
            Scope::Organization => Level::Organization,
        };
        Self { create, task: workflow.mode.is_real_time().then(real_time).flatten() }
    }

    /// What the owner lacks of it; nothing where the process may be active.
    pub fn lacked_by(&self, owner: &Profile) -> Option<Lack> {
        if owner.level(starter::PROCESS, Privilege::Create) < self.create {
            return Some(Lack::Privilege(starter::PROCESS, Privilege::Create, self.create));
        }
        self.task.clone().filter(|task| !owner.has_task(task)).map(Lack::Task)
    }
}

#[cfg(test)]
mod tests {
    use model::{RecordId, RecordRef};

    use super::*;
    use crate::access::{Granted, Seat};

    fn owner(create: Level, tasks: &[TaskName]) -> Profile {
        let user = RecordRef::new(starter::SYSTEM_USER, RecordId(uuid::Uuid::from_u128(1)));
        let mut granted = Granted { tasks: tasks.iter().cloned().collect(), ..Granted::default() };
        granted.entities.entry(starter::PROCESS).or_default().set(Privilege::Create, create);
        Profile::new(user, false, vec![Seat::new(user, vec![user], None, granted)])
    }

    #[test]
    fn an_owner_needs_the_level_of_the_scope_and_the_task_of_the_kind() {
        let real_time = || Some(TaskName::ACTIVATE_REAL_TIME);
        let lack = |create| Some(Lack::Privilege(starter::PROCESS, Privilege::Create, create));
        for (place, needed) in Level::ALL.into_iter().enumerate() {
            for (held, level) in Level::ALL.into_iter().enumerate() {
                let wanted = if held < place { lack(needed) } else { None };
                let needs = Needs { create: needed, task: None };
                assert_eq!(needs.lacked_by(&owner(level, &[])), wanted, "{needed:?} of {level:?}");
                let needs = Needs { create: needed, task: real_time() };
                assert_eq!(needs.lacked_by(&owner(level, &[TaskName::ACTIVATE_REAL_TIME])), wanted);
                let wanted = wanted.or(real_time().map(Lack::Task));
                assert_eq!(needs.lacked_by(&owner(level, &[TaskName::ACTIVATE_FLOWS])), wanted);
            }
        }
    }
}
