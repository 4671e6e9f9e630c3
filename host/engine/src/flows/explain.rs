//! Why a flow starts, or is shown, for a user on a record, or does not: every check in words, with what to change.
//!
//! It asks what `start` and `view` ask, and writes nothing.

use std::sync::Arc;

use model::{
    Caller, Privilege, ProcessName, Record, RecordRef, Value,
    process::flow::{Display, InstanceState},
    schema::Entity,
    starter,
};
use smol_str::SmolStr;

use super::{instance, named, start, view};
use crate::{Check, Engine, Failure, FlowProcess, access, unit::Unit, verb::title};

/// Why a flow starts and is shown, or not.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowWhy {
    /// The flow.
    pub process: SmolStr,
    /// For whom.
    pub user: SmolStr,
    /// Whether a new record of his would get it by itself.
    pub starts: bool,
    /// Whether he is shown it on the record.
    pub shows: bool,
    /// What is asked when a record is created: `active`, `limit`, `entity`, `access`, `created-for`, `order`.
    pub starting: Vec<Check>,
    /// What is asked when the record is viewed: `record`, `started`, `sees`, `pin`, `newest`.
    pub showing: Vec<Check>,
}

impl Engine {
    /// Why the flow starts and is shown, or not, for `user` on the record. Who asks must be allowed to read the process and
    /// the record, and for somebody else that user.
    pub fn explain_flow(
        &self,
        caller: &Caller,
        name: &ProcessName,
        record: RecordRef,
        user: RecordRef,
    ) -> Result<FlowWhy, Failure> {
        self.check_reads_process(caller, name)?;
        if user != caller.user {
            self.retrieve(caller, user, Some(&[]))?;
        }
        self.now(|unit| {
            let process = named(unit, name)?;
            let entity = unit.entity(record.entity)?;
            let found = access::expect(unit, caller, &entity, Privilege::Read, record)?;
            let asker = Caller { user, initiating_user: user, delegate: None, ..*caller };
            let asked = Asked { process, entity, record: found, user: asker, name: name_of(unit, user)? };
            let starting = asked.starting(unit)?;
            let showing = asked.showing(unit)?;
            let all = |checks: &[Check]| checks.iter().all(|check| check.passed);
            Ok(FlowWhy {
                process: name.as_str().into(),
                user: asked.name.clone(),
                starts: all(&starting),
                shows: all(&showing),
                starting,
                showing,
            })
        })
    }
}

struct Asked {
    process: Arc<FlowProcess>,
    entity: Arc<Entity>,
    record: Record,
    user: Caller,
    name: SmolStr,
}

impl Asked {
    fn starting(&self, unit: &mut Unit) -> Result<Vec<Check>, Failure> {
        let mut checks = vec![self.active()];
        if !self.process.active {
            checks.push(self.limit(unit));
        }
        let begins = self.process.flow.entity == self.record.entity;
        let own = unit.catalogue.schema.name_of(self.process.flow.entity);
        let hint = "a flow begins on the entity of its first stage: look at another flow";
        checks.push(check("entity", begins, format!("it begins on records of `{own}`"), hint));
        let may = start::may_start(unit, &self.user, &self.process)?;
        checks.push(self.access("access", may, "create and read"));
        if !begins {
            return Ok(checks);
        }
        checks.push(self.created_for(unit));
        checks.push(self.order(unit)?);
        Ok(checks)
    }

    fn active(&self) -> Check {
        let says = match self.process.version {
            Some(version) => format!("it is active, in version {version}"),
            None => "it is not active: it is shown where it is started, and starts nowhere".to_owned(),
        };
        let hint = format!("`stepwise process activate {}`", self.process.name);
        check("active", self.process.active, says, &hint)
    }

    /// Whether it could be activated.
    fn limit(&self, unit: &Unit) -> Check {
        let most = unit.parts.settings.flows.active;
        match crate::deploy::check_room(&unit.catalogue, &self.process, most) {
            Ok(()) => check("limit", true, format!("there is room: at most {most} flows are active on an entity"), ""),
            Err(refusal) => {
                check("limit", false, refusal.to_string(), "deactivate another flow, or set `flows.active` higher")
            }
        }
    }

    /// Who may: by roles of the user or of his teams.
    fn access(&self, name: &'static str, may: bool, what: &str) -> Check {
        let does = if may { "may" } else { "may not" };
        let says = format!("{} {does} {what} `{}`", self.name, self.process.flow.instance);
        let roles: Vec<&str> = self.process.flow.roles.iter().map(|(role, _)| role.as_str()).collect();
        let hint = match roles.is_empty() {
            true => "no role is named in the flow: only administrators and customizers have it; name one under `roles`"
                .to_owned(),
            false => format!("give him, or a team of his, one of the roles of the flow: {}", roles.join(", ")),
        };
        check(name, may, says, &hint)
    }

    /// What the create of the record asked for (T17).
    fn created_for(&self, unit: &Unit) -> Check {
        let own = self.process.flow.header.id;
        let (passed, says) = match self.record.get(starter::PROCESS_ID) {
            Value::Guid(id) if id.is_nil() => {
                (false, "the record was created for no flow (`processid` is all zeros)".to_owned())
            }
            Value::Guid(id) if *id == own => (true, "the record was created for this flow".to_owned()),
            Value::Guid(id) => {
                let other = unit.catalogue.flows().find(|flow| flow.flow.header.id == *id);
                let other = other.map_or_else(|| id.to_string(), |flow| format!("`{}`", flow.name));
                (false, format!("the record was created for the flow {other}"))
            }
            _ => (true, "the record was created without naming a flow: the order decides".to_owned()),
        };
        check("created-for", passed, says, "start it by Switch Process, or by a step `flow: start`")
    }

    /// Whether another one comes before it (T1).
    fn order(&self, unit: &mut Unit) -> Result<Check, Failure> {
        if *self.record.get(starter::PROCESS_ID) == Value::Guid(self.process.flow.header.id) {
            return Ok(check("order", true, "its order is not asked: the create named it".to_owned(), ""));
        }
        let own = self.process.flow.order;
        for flow in unit.catalogue.clone().flows_over(self.record.entity) {
            let begins = flow.flow.entity == self.record.entity && flow.active && flow.id != self.process.id;
            let before = (flow.flow.order, &flow.name) < (own, &self.process.name);
            if begins && before && start::may_start(unit, &self.user, flow)? {
                let says = format!("`{}` comes first: its order is {}, this one's {own}", flow.name, flow.flow.order);
                return Ok(check("order", false, says, "give this flow a lower `order`"));
            }
        }
        let says = format!("its order is {own}: of the flows that {} may start it is the first", self.name);
        Ok(check("order", true, says, ""))
    }

    fn showing(&self, unit: &mut Unit) -> Result<Vec<Check>, Failure> {
        let reads = access::check(unit, &self.user, &self.entity, Privilege::Read, &self.record);
        let reads = match reads {
            Ok(()) => None,
            Err(Failure::Refused(refusal)) => Some(refusal.to_string()),
            Err(fault) => return Err(fault),
        };
        let says = reads.clone().unwrap_or_else(|| format!("{} may read the record", self.name));
        let mut checks = vec![check("record", reads.is_none(), says, "give him a role that reads it, or share it")];
        let mine = start::of_record(unit, &self.process, self.record.reference())?;
        let Some(mine) = mine.map(|mine| unit.record(mine)).transpose()?.flatten() else {
            let says = "it is not started on this record".to_owned();
            checks.push(check("started", false, says, "Switch Process starts it, and shows it to who switches"));
            return Ok(checks);
        };
        checks.push(check("started", true, self.stands(&mine), ""));
        let own = unit.entity(self.process.instance)?;
        let sees = unit.who(&self.user)?.has_all(&own, Privilege::Read);
        checks.push(self.access("sees", sees, "read"));
        if reads.is_none() && sees {
            let seen = view::resolve(unit, &self.user, self.record.reference(), false)?;
            checks.push(self.shown(&seen, mine.reference()));
        }
        Ok(checks)
    }

    fn stands(&self, mine: &Record) -> String {
        let standing = instance::standing(&self.process, mine);
        let stage = self.process.flow.stages.get(standing.active().index());
        let stage = stage.map(|stage| stage.id.as_str()).unwrap_or_default();
        let how = match standing.state {
            InstanceState::Active => "it is started",
            InstanceState::Finished => "it is finished",
            InstanceState::Aborted => "it is abandoned",
        };
        format!("{how} on this record, at `{stage}`")
    }

    fn shown(&self, seen: &view::Resolved, mine: RecordRef) -> Check {
        let shared = self.process.flow.display == Display::Shared;
        let whose = if shared { "everybody is pinned" } else { "he is pinned" };
        let name = if seen.pinned { "pin" } else { "newest" };
        let switch = "he sees it once he uses Switch Process";
        match &seen.shown {
            Some(shown) if shown.instance == mine && seen.pinned => {
                check(name, true, format!("{whose} to it on this record"), "")
            }
            Some(shown) if shown.instance == mine => {
                let says = "nothing is pinned yet, and of what he may see its status changed last".to_owned();
                check(name, true, says, "")
            }
            Some(shown) if seen.pinned => {
                let says =
                    format!("he is pinned to `{}` on this record, by his first view or his last switch", shown.process);
                check(name, false, says, switch)
            }
            Some(shown) => {
                let says = format!("nothing is pinned yet, and the status of `{}` changed later", shown.process);
                check(name, false, says, switch)
            }
            None => check(name, false, "he is shown no flow on this record".to_owned(), switch),
        }
    }
}

fn check(name: &'static str, passed: bool, says: String, hint: &str) -> Check {
    Check { name, passed, says, hint: (!passed && !hint.is_empty()).then(|| hint.to_owned()) }
}

fn name_of(unit: &mut Unit, user: RecordRef) -> Result<SmolStr, Failure> {
    let entity = unit.entity(user.entity)?;
    let found = unit.expect(&entity, user)?;
    Ok(title(&entity, &found))
}
