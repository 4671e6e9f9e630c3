//! Task flows at work (processes 6, K1 to K8): sessions, what is typed on their pages, and the end that writes all of it.
//!
//! `rules::task_flow` decides; here what is stored is read and what was typed is staged over it, so that whatever is asked
//! of a page sees both. Nothing but the session is written until it is finished; then it is the verbs of whoever finishes
//! it and the steps under `finish`, in one unit of work.

mod fill;
mod finish;
mod show;
mod sitting;
mod words;

use model::{
    Caller, Privilege, ProcessName, RecordRef, Refusal, SessionId, Value, Version,
    process::{flow::StagePlace, task_flow::Session},
    refusal::FlowCode,
};
use rules::task_flow::go_to;
use smol_str::{SmolStr, format_smolstr};
use store::sessions::{self, Kept};

pub use self::show::{FieldView, ItemView, Other, PageView, SessionBrief, SessionView, TaskFlowChoice};
use self::sitting::Sitting;
use crate::{Engine, Failure, Process, access, unit::Unit};

/// The most sessions that one user may have open.
const MOST_OPEN: usize = 100;
/// Sessions that one slice of the retention takes away.
const SLICE: usize = 100;

/// Values as they are typed: the attribute's path as the page has it, with or without `record.`, and the value.
pub type Given = Vec<(SmolStr, Value)>;

/// What may be written all the same where it was refused: a conflict leaves the session where the user can go on.
type Kind<T> = Result<Result<T, Refusal>, Failure>;

impl Engine {
    /// The task flows that the caller may fill in on this record, by name.
    pub fn task_flows_on(&self, caller: &Caller, record: RecordRef) -> Result<Vec<TaskFlowChoice>, Failure> {
        self.now(|unit| show::choices(unit, caller, record))
    }

    /// Begins a session of the task flow on the record. Where the caller has one open already, that is the answer; also
    /// tells whether it is a new one.
    pub fn begin_session(
        &self,
        caller: &Caller,
        flow: &ProcessName,
        record: RecordRef,
    ) -> Result<(SessionView, bool), Failure> {
        self.now(|unit| {
            let (sitting, new) = begin(unit, caller, flow, record)?;
            Ok((show::view(unit, caller, &sitting)?, new))
        })
    }

    /// The caller's sessions, the newest first.
    pub fn sessions(&self, caller: &Caller) -> Result<Vec<SessionBrief>, Failure> {
        self.now(|unit| show::all(unit, caller))
    }

    /// One session of the caller, with the page at hand as things are now. Writes nothing.
    pub fn session(&self, caller: &Caller, id: SessionId) -> Result<SessionView, Failure> {
        self.now(|unit| {
            let sitting = Sitting::expect(unit, caller, id, None)?;
            show::view(unit, caller, &sitting)
        })
    }

    /// Notes what was typed on the page at hand and goes on to the page that comes next; on the last one it stays.
    pub fn submit_page(
        &self,
        caller: &Caller,
        id: SessionId,
        expected: Option<Version>,
        given: &Given,
    ) -> Result<SessionView, Failure> {
        self.change_session(caller, id, expected, |unit, sitting| {
            if let Err(refusal) = fill::fill(unit, caller, sitting, given)? {
                return Ok(Err(refusal));
            }
            let page = sitting.session.page();
            let to = match sitting.onward(unit)? {
                model::process::flow::Onward::Stage(to) => to,
                model::process::flow::Onward::End => page,
            };
            sitting.go(unit, to)?;
            Ok(Ok(()))
        })
    }

    /// Goes back to the page before. What was typed stays, and counts again once that page is passed again.
    pub fn page_back(&self, caller: &Caller, id: SessionId, expected: Option<Version>) -> Result<SessionView, Failure> {
        self.change_session(caller, id, expected, |unit, sitting| {
            let [.., before, page] = sitting.session.path[..] else {
                let title = sitting.title(sitting.session.page());
                return Err(sitting.no(FlowCode::NotAdjacent, format_smolstr!("has no page before `{title}`")));
            };
            debug_assert!(before != page, "a path has each page once");
            sitting.go(unit, before)?;
            Ok(Ok(()))
        })
    }

    /// Writes all that was typed and runs the steps at the end, or nothing of it.
    pub fn finish_session(
        &self,
        caller: &Caller,
        id: SessionId,
        expected: Option<Version>,
        given: &Given,
    ) -> Result<SessionView, Failure> {
        self.change_session(caller, id, expected, |unit, sitting| finish::finish(unit, caller, sitting, given))
    }

    /// Takes a session away; nothing of what was typed is written.
    pub fn discard_session(&self, caller: &Caller, id: SessionId, expected: Option<Version>) -> Result<(), Failure> {
        self.now(|unit| {
            let kept = sitting::kept(unit, caller, id, expected)?;
            sessions::remove(&mut unit.overlay, &kept);
            Ok(())
        })
    }

    /// Changes a session that goes on. A refusal that comes as a value leaves the session as `act` made it.
    fn change_session(
        &self,
        caller: &Caller,
        id: SessionId,
        expected: Option<Version>,
        act: impl Fn(&mut Unit, &mut Sitting) -> Kind<()>,
    ) -> Result<SessionView, Failure> {
        let changed = self.now(|unit| {
            let mut sitting = Sitting::expect(unit, caller, id, expected)?;
            sitting.check_goes_on()?;
            sitting.check_may(unit, caller)?;
            let done = act(unit, &mut sitting)?;
            sitting.save(unit);
            match done {
                Ok(()) => Ok(Ok(show::view(unit, caller, &sitting)?)),
                Err(refusal) => Ok(Err(refusal)),
            }
        })?;
        Ok(changed?)
    }
}

fn begin(unit: &mut Unit, caller: &Caller, flow: &ProcessName, record: RecordRef) -> Result<(Sitting, bool), Failure> {
    let catalogue = unit.catalogue.clone();
    let unknown = || Refusal::UnknownProcess(flow.as_str().into());
    let process = catalogue.task_flow(flow.as_str()).ok_or_else(unknown)?;
    let Some(activation) = &process.activation else {
        let why = "is not active: nobody can begin it".into();
        let flow = flow.as_str().into();
        return Err(Refusal::Flow { code: FlowCode::ProcessInactive, flow, why }.into());
    };
    check_roles(unit, caller, process.name.clone(), &process.workflow)?;
    if process.workflow.entity != Some(record.entity) {
        let of = process.workflow.entity.map(|entity| catalogue.schema.name_of(entity)).unwrap_or_default();
        let (process, why) = (flow.as_str().into(), format_smolstr!("it is filled in on records of `{of}`"));
        return Err(Refusal::NotStartable { process, why }.into());
    }
    let entity = unit.entity(record.entity)?;
    access::expect(unit, caller, &entity, Privilege::Read, record)?;
    access::owner::check(unit, process)?;
    if let Some(open) = open_on(unit, caller, process, record)? {
        return Ok((Sitting::of(unit, open)?, false));
    }
    check_number(unit, caller)?;
    let session = Session {
        id: SessionId(unit.parts.ids.id(unit.now)),
        user: caller.user,
        activation: activation.id,
        record,
        version: Version::FIRST,
        begun: unit.now,
        touched: unit.now,
        finished: None,
        path: vec![StagePlace::FIRST],
        seen: Vec::new(),
        drafts: Vec::new(),
    };
    let mut sitting = Sitting::of(unit, Kept { session, goes: sitting::goes(unit, false) })?;
    let seen = sitting.see(unit, StagePlace::FIRST)?;
    go_to(&mut sitting.session, StagePlace::FIRST, seen);
    sessions::insert(&mut unit.overlay, &Kept { session: sitting.session.clone(), goes: sitting.kept.goes });
    Ok((sitting, true))
}

/// The session of this task flow that the caller has open on the record; the unit rests on there being no other one.
fn open_on(unit: &mut Unit, caller: &Caller, process: &Process, record: RecordRef) -> Result<Option<Kept>, Failure> {
    sessions::watch(&unit.overlay, caller.user, record);
    let ids = sessions::by_record(&unit.overlay, record)?.collect::<Result<Vec<_>, _>>()?;
    for id in ids {
        let Some(kept) = sessions::get(&unit.overlay, id)? else { continue };
        let session = &kept.session;
        if session.user == caller.user && session.activation.process == process.id && session.finished.is_none() {
            return Ok(Some(kept));
        }
    }
    Ok(None)
}

fn check_number(unit: &Unit, caller: &Caller) -> Result<(), Failure> {
    let reader = unit.overlay.unvalidated();
    let ids = sessions::by_user(&reader, caller.user)?.collect::<Result<Vec<_>, _>>()?;
    if ids.len() < MOST_OPEN {
        return Ok(());
    }
    let mut open = 0;
    for id in ids {
        open += usize::from(sessions::get(&reader, id)?.is_some_and(|kept| kept.session.finished.is_none()));
    }
    match open < MOST_OPEN {
        true => Ok(()),
        false => {
            let what = "the number of open sessions of one user (discard some of them)".into();
            Err(Refusal::Limit { what, limit: MOST_OPEN as u64 }.into())
        }
    }
}

/// Refuses who has none of the roles of the task flow.
fn check_roles(
    unit: &mut Unit,
    caller: &Caller,
    name: ProcessName,
    workflow: &model::process::workflow::Workflow,
) -> Result<(), Failure> {
    let task = model::TaskName::of_task_flow(&name);
    match unit.who(caller)?.check_task(&task) {
        Err(Failure::Refused(Refusal::MissingTask(missing))) if missing == task => {
            let roles = workflow.task_flow.iter().flat_map(|flow| &flow.roles);
            let roles: Vec<&str> = roles.map(SmolStr::as_str).collect();
            let roles = if roles.is_empty() { "administrators only".into() } else { roles.join(", ").into() };
            Err(Refusal::MissingRole { flow: name.as_str().into(), roles }.into())
        }
        other => other,
    }
}

/// Takes away sessions whose time has come; tells how many.
pub(crate) fn forget(unit: &mut Unit) -> Result<u64, Failure> {
    let due = {
        let reader = unit.overlay.unvalidated();
        sessions::going(&reader)?.take(SLICE).collect::<Result<Vec<_>, _>>()?
    };
    let mut gone = 0;
    for (_, id) in due.into_iter().take_while(|(at, _)| *at <= unit.now) {
        if let Some(kept) = sessions::get(&unit.overlay, id)? {
            sessions::remove(&mut unit.overlay, &kept);
            gone += 1;
        }
    }
    Ok(gone)
}
