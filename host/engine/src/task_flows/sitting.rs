//! A session with the version of the task flow that it runs by, and what was typed staged over what is stored.
//!
//! Staging is taken back before anything else is done: what a page is asked sees what was typed, and the store never does.

use std::sync::Arc;

use model::{
    Caller, Privilege, RecordRef, Refusal, SessionId, StageId, Value, Version,
    expression::Path,
    process::{
        flow::{Onward, StagePlace},
        task_flow::{Field, Page, Seen, Session, TaskFlow},
        workflow::Workflow,
    },
    refusal::FlowCode,
};
use rules::task_flow::{go_to, onward};
use smol_str::{SmolStr, format_smolstr};
use store::{
    records,
    sessions::{self, Kept},
};

use super::check_roles;
use crate::{
    Error, Failure,
    access::{self, Who},
    catalogue::Activation,
    flows, load,
    resolve::{Reading, Root},
    unit::{Unit, show},
};

/// A finished session stays so long that a client can still ask what came of it, in microseconds.
const FINISHED: i64 = 24 * 3_600_000_000;

/// A session at work.
pub(super) struct Sitting {
    /// As the store has it.
    pub kept: Kept,
    /// As it becomes.
    pub session: Session,
    /// What it runs by.
    pub activation: Arc<Activation>,
    /// What that says.
    pub workflow: Arc<Workflow>,
    /// Who owned it.
    pub owner: RecordRef,
    /// Whether the task flow is active at all.
    pub active: bool,
}

/// An attribute on the page at hand: where it is kept, and what it holds with what was typed.
pub(super) struct Spot {
    /// The place on the page.
    pub item: u16,
    /// The attribute.
    pub field: Field,
    /// The record that has it; absent where a lookup on the way is empty.
    pub record: Option<RecordRef>,
    /// What it holds.
    pub value: Value,
}

/// The caller's session as it is kept; of the version that he expects.
pub(super) fn kept(unit: &Unit, caller: &Caller, id: SessionId, expected: Option<Version>) -> Result<Kept, Failure> {
    let missing = || Refusal::NotFound { entity: "session".into(), record: format_smolstr!("{id}") };
    let kept = sessions::get(&unit.overlay, id)?.filter(|kept| kept.session.user == caller.user);
    let kept = kept.ok_or_else(missing)?;
    let actual = kept.session.version;
    match expected.filter(|expected| *expected != actual) {
        None => Ok(kept),
        Some(expected) => {
            let (entity, record) = ("session".into(), format_smolstr!("{id}"));
            Err(Refusal::VersionMismatch { entity, record, expected, actual }.into())
        }
    }
}

/// When a session goes that is touched now.
pub(super) fn goes(unit: &Unit, finished: bool) -> model::Timestamp {
    if finished {
        return unit.now.plus_micros(FINISHED);
    }
    let span = unit.parts.settings.session_retention;
    let days = i64::from(span.days).saturating_add(i64::from(span.months).saturating_mul(30));
    unit.now.plus_micros(days.saturating_mul(24 * 3_600_000_000).saturating_add(span.micros))
}

impl Sitting {
    /// The caller's session with this id.
    pub fn expect(unit: &mut Unit, caller: &Caller, id: SessionId, expected: Option<Version>) -> Result<Self, Failure> {
        let kept = kept(unit, caller, id, expected)?;
        Self::of(unit, kept)
    }

    /// The session with the version of its task flow.
    pub fn of(unit: &mut Unit, kept: Kept) -> Result<Self, Failure> {
        let id = kept.session.activation;
        let catalogue = unit.catalogue.clone();
        let process = catalogue.process_by_id(id.process);
        let active = process.is_some_and(|process| process.activation.is_some());
        let session = kept.session.clone();
        if let Some((process, activation)) = process.and_then(|process| Some((process, process.activation.as_ref()?)))
            && activation.id == id
        {
            let (activation, workflow) = (activation.clone(), process.workflow.clone());
            return Ok(Self { kept, session, activation, workflow, owner: process.owner, active });
        }
        match load::version(&unit.parts, &catalogue, &unit.overlay.unvalidated(), id) {
            Ok((compiled, owner)) => {
                let (activation, workflow) = (Arc::new(compiled.activation), Arc::new(compiled.workflow));
                Ok(Self { kept, session, activation, workflow, owner, active })
            }
            Err(Error::Stored { .. }) => {
                let why =
                    "has changed so much since this session began that it cannot go on: discard it, and begin anew";
                let flow = catalogue.process_name(id.process);
                Err(Refusal::Flow { code: FlowCode::ProcessInactive, flow, why: why.into() }.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses what is over, or belongs to a task flow that is not active.
    pub fn check_goes_on(&self) -> Result<(), Failure> {
        if self.session.finished.is_some() {
            return Err(self.no(FlowCode::InstanceNotActive, "is finished here: begin it anew to fill it in again"));
        }
        match self.active {
            true => Ok(()),
            false => {
                Err(self.no(FlowCode::ProcessInactive, "is not active: the session can only be read or discarded"))
            }
        }
    }

    /// Refuses who may not fill it in any more, or not see the record any more.
    pub fn check_may(&self, unit: &mut Unit, caller: &Caller) -> Result<(), Failure> {
        check_roles(unit, caller, self.workflow.header.name.clone(), &self.workflow)?;
        let entity = unit.entity(self.session.record.entity)?;
        access::expect(unit, caller, &entity, Privilege::Read, self.session.record).map(drop)
    }

    /// The refusal of a change of this session.
    pub fn no(&self, code: FlowCode, why: impl Into<SmolStr>) -> Failure {
        self.refusal(code, why).into()
    }

    /// The same as a value.
    pub fn refusal(&self, code: FlowCode, why: impl Into<SmolStr>) -> Refusal {
        Refusal::Flow { code, flow: self.workflow.header.name.as_str().into(), why: why.into() }
    }

    /// What makes it a task flow.
    pub fn flow(&self) -> Result<&TaskFlow, Failure> {
        let missing = || load::stored(self.workflow.header.name.as_str(), "it is no task flow");
        Ok(self.workflow.task_flow.as_ref().ok_or_else(missing)?)
    }

    /// A page.
    pub fn page(&self, place: StagePlace) -> Result<&Page, Failure> {
        let missing = || load::stored(self.workflow.header.name.as_str(), "a page of a session is gone");
        Ok(self.flow()?.pages.get(place.index()).ok_or_else(missing)?)
    }

    /// What people call a page.
    pub fn title(&self, place: StagePlace) -> SmolStr {
        self.page(place).map_or_else(|_| SmolStr::default(), |page| page.title.as_str().into())
    }

    /// Its id.
    pub fn page_id(&self, place: StagePlace) -> Option<StageId> {
        self.page(place).ok().map(|page| page.id.clone())
    }

    /// The pages before this one on the path; all of them where it is not on it.
    pub fn before(&self, page: StagePlace) -> Vec<StagePlace> {
        self.session.path.iter().copied().take_while(|known| *known != page).collect()
    }

    /// Does `look` with all staged that was typed on these pages, and takes it back.
    pub fn staged<T>(
        &self,
        unit: &mut Unit,
        pages: &[StagePlace],
        look: impl FnOnce(&Self, &mut Unit) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let savepoint = unit.savepoint();
        let staged = self.stage(unit, pages);
        let seen = staged.and_then(|()| look(self, unit));
        unit.rollback(savepoint);
        seen
    }

    fn stage(&self, unit: &mut Unit, pages: &[StagePlace]) -> Result<(), Failure> {
        let catalogue = unit.catalogue.clone();
        for draft in pages.iter().flat_map(|page| self.session.drafts_of(*page)) {
            let Some(before) = unit.record(draft.record)? else { continue };
            let mut after = before.clone();
            after.values.store(draft.attribute, draft.typed.clone());
            records::replace(&mut unit.overlay, &before, &after, catalogue.indexes(before.entity));
        }
        Ok(())
    }

    /// The attributes on a page, as they are in this state of the unit. Where each is kept, the engine itself looks: who
    /// may see and write it is asked besides.
    pub fn spots(&self, unit: &mut Unit, page: StagePlace) -> Result<Vec<Spot>, Failure> {
        let fields: Vec<(u16, Field)> = self.page(page)?.fields().map(|(item, field)| (item, field.clone())).collect();
        let mut spots = Vec::with_capacity(fields.len());
        for (item, field) in fields {
            let way = field.path.segments.split_last().map_or(&[][..], |(_, way)| way);
            let known = Reading::new(unit, Who::Engine).follow(Root::Value(self.session.record.into()), way)?;
            let record = known.value.as_reference();
            let found = record.map(|record| unit.record(record)).transpose()?.flatten();
            let value = found.as_ref().map(|found| found.get(field.attribute).clone()).unwrap_or_default();
            spots.push(Spot { item, field, record: found.map(|found| found.reference()), value });
        }
        Ok(spots)
    }

    /// Where the page at hand leads, with all that was typed up to it.
    pub fn onward(&self, unit: &mut Unit) -> Result<Onward, Failure> {
        let path = self.session.path.clone();
        self.onward_from(unit, &path)
    }

    /// Where the last of these pages leads, with all that was typed on them.
    pub fn onward_from(&self, unit: &mut Unit, path: &[StagePlace]) -> Result<Onward, Failure> {
        let page = path.last().copied().unwrap_or(StagePlace::FIRST);
        self.staged(unit, path, |sitting, unit| {
            onward(sitting.flow()?, page, |branch| sitting.holds(unit, page, branch))
        })
    }

    fn holds(&self, unit: &mut Unit, page: StagePlace, branch: usize) -> Result<bool, Failure> {
        let condition = self.activation.pages.as_ref().and_then(|pages| pages.condition(page, branch));
        let Some(condition) = condition else { return Ok(false) };
        let roots = condition.paths().iter().map(|path| self.root(path).map(|record| (record, 0))).collect();
        flows::holds(unit, condition, &self.activation.surroundings, roots, Vec::new())?.map_err(|problem| {
            let (page, flow) = (self.title(page), &self.workflow.header.name);
            let what = format_smolstr!("branch {} of page `{page}` of `{flow}`", branch + 1);
            Refusal::Unreadable { what, why: format_smolstr!("{problem}") }.into()
        })
    }

    /// Where a path of a condition or a label begins.
    pub fn root(&self, path: &Path) -> Option<RecordRef> {
        match path.root.as_str() {
            "record" => Some(self.session.record),
            "user" | "caller" => Some(self.session.user),
            _ => None,
        }
    }

    /// What is stored of the attributes on a page, whose records are those that the pages before lead to.
    pub fn see(&self, unit: &mut Unit, page: StagePlace) -> Result<Vec<Seen>, Failure> {
        let spots = self.staged(unit, &self.before(page), |sitting, unit| sitting.spots(unit, page))?;
        let mut seen = Vec::with_capacity(spots.len());
        for Spot { item, field, record, .. } in spots {
            let Some(record) = record else { continue };
            let value = stored(unit, record, field.attribute)?;
            seen.push(Seen { item, record, value });
        }
        Ok(seen)
    }

    /// Goes to a page, and notes what it shows.
    pub fn go(&mut self, unit: &mut Unit, page: StagePlace) -> Result<(), Failure> {
        let seen = self.see(unit, page)?;
        go_to(&mut self.session, page, seen);
        Ok(())
    }

    /// Stages the session as it is by now.
    pub fn save(&mut self, unit: &mut Unit) {
        self.session.version = self.kept.session.version.next();
        self.session.touched = unit.now;
        let goes = goes(unit, self.session.finished.is_some());
        let after = Kept { session: self.session.clone(), goes };
        sessions::replace(&mut unit.overlay, &self.kept, &after);
        self.kept = after;
    }
}

/// What is stored of an attribute; the unit rests on it.
pub(super) fn stored(unit: &mut Unit, record: RecordRef, attribute: model::AttributeId) -> Result<Value, Failure> {
    Ok(unit.record(record)?.map(|record| record.get(attribute).clone()).unwrap_or_default())
}

/// The refusal that a record is not there.
pub(super) fn missing(unit: &Unit, record: RecordRef) -> Failure {
    let entity = unit.catalogue.schema.name_of(record.entity);
    Refusal::NotFound { entity, record: show(record) }.into()
}
