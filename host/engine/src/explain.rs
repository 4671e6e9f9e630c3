//! Why a process started for an event, or did not, or would not: every check in words, passed or not, with what to change.
//!
//! `event` makes the fact again, from the journal or from what is supposed; `rules::trigger` asks; `words` says it. Nothing is
//! written. Other kinds of process give a `Why` of their own.

pub(crate) mod event;
mod words;

use std::sync::Arc;

use model::{
    Caller, JobId, Message, Origin, Privilege, ProcessName, RecordRef, Refusal, TaskName,
    fact::Fact,
    job::JobState,
    process::{
        DefinitionState,
        workflow::{Mode, RunAs, Workflow},
    },
    starter,
};
use rules::trigger::Trigger;
use smol_str::SmolStr;
use store::definitions;

pub use self::event::Event;
use self::event::Happened;
use crate::{Engine, Failure, Process, access, catalogue::Surroundings, load, rows, settle::start, unit::Unit};

/// Why a process starts, or does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// The process.
    pub process: SmolStr,
    /// The version that was asked; absent: a definition that was never activated.
    pub version: Option<u32>,
    /// The event in words.
    pub event: String,
    /// Whether it starts, as far as all that was checked goes.
    pub starts: bool,
    /// Each check, in the order in which they are made.
    pub checks: Vec<Check>,
    /// The runs that did start by it.
    pub runs: Vec<Started>,
}

/// One check.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What is checked: `active`, `owner`, `entity`, `event`, `attributes`, `scope`, `condition`, `user`, `depth`, `on-demand`, `task`.
    pub name: &'static str,
    /// Whether it is passed.
    pub passed: bool,
    /// What was found.
    pub says: String,
    /// What to change, where it is not passed.
    pub hint: Option<String>,
}

/// A run that an event started.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// The run.
    pub job: JobId,
    /// How it stands, by word.
    pub state: SmolStr,
    /// Why it stands so.
    pub reason: Option<SmolStr>,
}

/// The process as it is asked.
struct Asked {
    process: Arc<Process>,
    version: Option<u32>,
    workflow: Arc<Workflow>,
    owner: RecordRef,
    surroundings: Surroundings,
}

impl Engine {
    /// Why the process starts for `event` on the record, or does not. The caller must be allowed to read the process and the
    /// record.
    pub fn explain(
        &self,
        caller: &Caller,
        name: &ProcessName,
        record: RecordRef,
        event: &Event,
    ) -> Result<Why, Failure> {
        self.check_reads_process(caller, name)?;
        let mut unit = self.begin()?;
        let process = unit.catalogue.process(name.as_str()).cloned();
        let process = process.ok_or_else(|| Refusal::UnknownProcess(name.as_str().into()))?;
        let happened = event::happened(&mut unit, caller, record, event)?;
        let entity = unit.entity(record.entity)?;
        let who = unit.who(caller)?;
        who.check_any(&entity, Privilege::Read)?;
        let seen = happened.fact.after.as_ref().or(happened.fact.before.as_ref());
        if let Some(seen) = seen {
            who.check(&unit.catalogue, &unit.overlay.unvalidated(), &entity, Privilege::Read, seen)?;
        }
        let asked = self.asked(&unit, process, &happened)?;
        let checks = checks(&mut unit, caller, &asked, &happened)?;
        let runs = runs(&mut unit, caller, &asked.process, &happened)?;
        Ok(Why {
            process: name.as_str().into(),
            version: asked.version,
            event: words::event(&unit, &happened),
            // Who it runs as is not asked before it starts: it starts, and fails.
            starts: checks.iter().all(|check| check.passed || check.name == "user"),
            checks,
            runs,
        })
    }

    /// The version that held when the event happened; of what is only supposed the one that holds now.
    fn asked(&self, unit: &Unit, process: Arc<Process>, happened: &Happened) -> Result<Asked, Failure> {
        let surroundings = unit.catalogue.surroundings_of(&process.solution).clone();
        let reader = unit.overlay.unvalidated();
        let held = match happened.at {
            None => None,
            Some(at) => definitions::activations(&reader, process.id)?.into_iter().rfind(|kept| kept.on <= at),
        };
        let current = process.activation.as_ref().map(|activation| activation.id.version);
        match held {
            Some(held) if Some(held.version) != current => {
                let id = model::ActivationId { process: process.id, version: held.version };
                let (compiled, owner) = load::version(&self.parts, &unit.catalogue, &reader, id)?;
                let workflow = Arc::new(compiled.workflow);
                Ok(Asked { version: Some(held.version), workflow, owner, surroundings, process })
            }
            _ => {
                let owner = process.owner;
                Ok(Asked { version: current, workflow: process.workflow.clone(), owner, surroundings, process })
            }
        }
    }
}

/// All checks, those of the event and those of the people and chains around it.
fn checks(unit: &mut Unit, caller: &Caller, asked: &Asked, happened: &Happened) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![active(unit, asked, happened)?, owner(unit, asked)?];
    if happened.fact.message == Message::OnDemand {
        checks.extend(on_demand(unit, caller, asked, happened)?);
        return Ok(checks);
    }
    let fact = &happened.fact;
    let trigger = Trigger::compile(asked.process.id, &asked.workflow, asked.owner);
    let trigger = trigger.map_err(|sentence| load::stored(asked.process.name.as_str(), sentence))?;
    let (answers, barred) = match start::ask(unit, &trigger, &asked.surroundings, fact) {
        Ok(answers) => (answers, None),
        Err(Failure::Refused(refusal)) => (Vec::new(), Some(refusal)),
        Err(fault) => return Err(fault),
    };
    for answer in &answers {
        checks.push(words::answer(unit, caller, asked, happened, &trigger, answer)?);
    }
    if answers.first().is_some_and(|first| first.reason.is_some()) {
        return Ok(checks);
    }
    if let Some(refusal) = barred {
        checks.push(words::barred(unit, asked, &refusal)?);
    }
    checks.push(user(unit, asked, fact)?);
    checks.push(depth(unit, asked, fact));
    Ok(checks)
}

fn active(unit: &Unit, asked: &Asked, happened: &Happened) -> Result<Check, Failure> {
    let pass = |says: String| Check { name: "active", passed: true, says, hint: None };
    let fail = |says: String, hint: &str| Check { name: "active", passed: false, says, hint: Some(hint.to_owned()) };
    let activate = "`stepwise process activate NAME`, or write `state: active` in its file and apply it";
    let first = definitions::activations(&unit.overlay.unvalidated(), asked.process.id)?.first().map(|first| first.on);
    Ok(match (asked.process.state, asked.version, happened.at, first) {
        (_, _, Some(at), Some(first)) if first > at => fail(
            format!("it was activated for the first time on {first}, after the event"),
            "nothing: it is active now",
        ),
        (DefinitionState::Active, Some(version), None, _) => pass(format!("it is active, in version {version}")),
        (_, Some(version), Some(_), _) => pass(format!("version {version} held then")),
        (DefinitionState::Template, ..) => fail("it is a template, which is only copied".to_owned(), "copy it"),
        _ => fail("it is a draft".to_owned(), activate),
    })
}

/// Whether its owner may have it run (D10), as roles are now.
fn owner(unit: &mut Unit, asked: &Asked) -> Result<Check, Failure> {
    let name = words::name(unit, asked.owner)?;
    let check = |passed, says, hint: Option<&str>| Check { name: "owner", passed, says, hint: hint.map(str::to_owned) };
    match access::owner::check_as(unit, &asked.workflow, asked.owner) {
        Ok(()) => Ok(check(true, format!("it belongs to {name}, who may have it run"), None)),
        Err(Failure::Refused(refusal)) => {
            let hint = "change his roles, or `stepwise process assign NAME --to USER`";
            Ok(check(false, refusal.to_string(), Some(hint)))
        }
        Err(fault) => Err(fault),
    }
}

/// The user as whom it would run: enabled, and allowed to read the record.
fn user(unit: &mut Unit, asked: &Asked, fact: &Fact) -> Result<Check, Failure> {
    let (user, role) = match asked.workflow.mode {
        Mode::Background => (asked.owner, "its owner"),
        Mode::RealTime { run_as: RunAs::Owner, .. } => (asked.owner, "its owner"),
        Mode::RealTime { run_as: RunAs::Caller, .. } => (fact.caller.user, "who makes the change"),
    };
    let name = words::name(unit, user)?;
    let by = Caller { user, delegate: None, origin: Origin::Outside, ..fact.caller };
    let allowed = may_read(unit, &by, fact);
    Ok(match allowed {
        Ok(()) => Check {
            name: "user",
            passed: true,
            says: format!("it runs as {role}, {name}, who may read the record"),
            hint: None,
        },
        Err(Failure::Refused(refusal)) => Check {
            name: "user",
            passed: false,
            says: format!("it runs as {role}, {name}, so it starts and fails where it reads the record: {refusal}"),
            hint: Some("give him a role that may, enable him, or write another `owner` in its file".to_owned()),
        },
        Err(fault) => return Err(fault),
    })
}

fn may_read(unit: &mut Unit, by: &Caller, fact: &Fact) -> Result<(), Failure> {
    let entity = unit.entity(fact.record.entity)?;
    let who = unit.who(by)?;
    match fact.after.as_ref().or(fact.before.as_ref()) {
        Some(record) => who.check(&unit.catalogue, &unit.overlay.unvalidated(), &entity, Privilege::Read, record),
        None => who.check_any(&entity, Privilege::Read),
    }
}

fn depth(unit: &Unit, asked: &Asked, fact: &Fact) -> Check {
    let settings = &unit.parts.settings;
    let limits =
        rules::depth::Limits { depth: settings.max_depth, window: settings.depth_window, ..Default::default() };
    let depth = fact.caller.depth.saturating_add(1);
    let caller = Caller { depth, origin: Origin::Process(asked.process.id), ..fact.caller };
    let refused = rules::depth::check(&caller, Some(asked.process.name.as_str()), &limits).err();
    Check {
        name: "depth",
        passed: refused.is_none(),
        says: match &refused {
            None => format!("its operations would stand {depth} deep in their chain, {} are allowed", limits.depth),
            Some(refusal) => refusal.to_string(),
        },
        hint: refused.map(|_| "let a condition end the chain".to_owned()),
    }
}

/// What a run that somebody asks for has to pass.
fn on_demand(unit: &mut Unit, caller: &Caller, asked: &Asked, happened: &Happened) -> Result<Vec<Check>, Failure> {
    let record = happened.fact.record;
    let runs_on = asked.workflow.entity;
    let entity = |id| unit.catalogue.schema.name_of(id);
    let fits = runs_on == Some(record.entity);
    let of = runs_on.map_or_else(|| "nothing".into(), entity);
    let mut checks = vec![
        Check {
            name: "entity",
            passed: fits,
            says: format!("it runs on records of `{of}`, and this is one of `{}`", entity(record.entity)),
            hint: (!fits).then(|| format!("name a record of `{of}`")),
        },
        Check {
            name: "on-demand",
            passed: asked.workflow.on_demand,
            says: if asked.workflow.on_demand { "people may start it" } else { "people may not start it" }.to_owned(),
            hint: (!asked.workflow.on_demand).then(|| "write `on-demand: true` in its file and apply it".to_owned()),
        },
    ];
    let task = unit.who(caller).and_then(|who| who.check_task(&TaskName::EXECUTE_WORKFLOW_JOB));
    let task = match task {
        Ok(()) => None,
        Err(Failure::Refused(refusal)) => Some(refusal),
        Err(fault) => return Err(fault),
    };
    checks.push(Check {
        name: "task",
        passed: task.is_none(),
        says: task.as_ref().map_or_else(|| "you may start processes".to_owned(), ToString::to_string),
        hint: task.map(|_| "have a role given to you that lists the task".to_owned()),
    });
    Ok(checks)
}

/// The runs of the process that the event started, as far as the caller may read them.
fn runs(unit: &mut Unit, caller: &Caller, process: &Process, happened: &Happened) -> Result<Vec<Started>, Failure> {
    let Some(at) = happened.at else { return Ok(Vec::new()) };
    let who = unit.who(caller)?;
    let catalogue = unit.catalogue.clone();
    let Some(entity) = catalogue.schema.entity(starter::JOB) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for job in event::jobs_at(unit, &happened.fact, at)? {
        let is_its = job.activation.process == process.id;
        let reader = unit.overlay.unvalidated();
        if is_its && who.sees(&catalogue, &reader, entity, &rows::job(&catalogue, &job))? {
            let state = match &job.state {
                JobState::Ready if job.started_on.is_none() => "ready",
                state => state.word(),
            };
            found.push(Started { job: job.id, state: state.into(), reason: job.state.reason().map(SmolStr::from) });
        }
    }
    Ok(found)
}
