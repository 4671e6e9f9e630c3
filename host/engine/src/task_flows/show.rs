//! What a user is shown of his sessions: the page at hand with what is stored and typed, and who else is at the record.

use model::{
    AttributeId, Caller, EntityId, Privilege, RecordRef, SessionId, StageId, Timestamp, Value, Version,
    process::{
        flow::{Onward, StagePlace},
        task_flow::Item,
    },
};
use rules::task_flow::{clashes, seen_at};
use script::{CompiledSource, Facts, Known};
use smol_str::{SmolStr, format_smolstr};
use store::sessions;

use super::{
    check_roles,
    sitting::{Sitting, Spot, stored},
    words,
};
use crate::{
    Failure, access,
    resolve::{Reading, Root},
    unit::Unit,
};

/// A task flow that somebody may fill in.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskFlowChoice {
    /// Its name.
    pub process: SmolStr,
    /// What people call it.
    pub title: SmolStr,
    /// The session of his that is open, if there is one.
    pub session: Option<SessionId>,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionBrief {
    /// Its identity.
    pub id: SessionId,
    /// Its version.
    pub version: Version,
    /// The name of its task flow.
    pub process: SmolStr,
    /// The record that it is about.
    pub record: RecordRef,
    /// When it was begun.
    pub begun: Timestamp,
    /// When it was changed last.
    pub touched: Timestamp,
    /// When it was finished.
    pub finished: Option<Timestamp>,
}

/// A session as its user is shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionView {
    /// What lists say of it.
    pub brief: SessionBrief,
    /// What people call the task flow.
    pub title: SmolStr,
    /// Whether the task flow is active; if not, the session can only be read and discarded.
    pub process_active: bool,
    /// The pages gone through with their titles, the page at hand last.
    pub path: Vec<(StageId, SmolStr)>,
    /// The page at hand; absent once it is finished.
    pub page: Option<PageView>,
    /// Others who are filling in something about the record.
    pub others: Vec<Other>,
}

/// The page at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct PageView {
    /// Its id.
    pub id: StageId,
    /// What people call it.
    pub title: SmolStr,
    /// What stands on it.
    pub items: Vec<ItemView>,
    /// Whether it is the last one as things are: it is finished and not passed.
    pub last: bool,
}

/// Something on a page.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemView {
    /// A heading.
    Section(SmolStr),
    /// A sentence.
    Label(SmolStr),
    /// An attribute.
    Field(Box<FieldView>),
}

/// An attribute on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldView {
    /// Its path, by which values are given.
    pub path: SmolStr,
    /// What people call it.
    pub title: SmolStr,
    /// The entity whose attribute it is.
    pub entity: EntityId,
    /// The attribute.
    pub attribute: AttributeId,
    /// The record that has it; absent where a lookup on the way is empty, or the user may not see the record.
    pub record: Option<RecordRef>,
    /// What it holds, with what was typed.
    pub value: Value,
    /// The same as people see it.
    pub shown: SmolStr,
    /// Whether that was typed in this session and is not written yet.
    pub typed: bool,
    /// Whether it must be filled.
    pub required: bool,
    /// Whether it is only shown.
    pub read_only: bool,
    /// What somebody else made of it since the page was shown.
    pub changed: Option<SmolStr>,
}

/// Somebody else at the same record.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// Who.
    pub user: RecordRef,
    /// His name.
    pub name: SmolStr,
    /// In which task flow.
    pub process: SmolStr,
    /// Since when.
    pub begun: Timestamp,
}

/// The task flows that the caller may fill in on this record.
pub(super) fn choices(unit: &mut Unit, caller: &Caller, record: RecordRef) -> Result<Vec<TaskFlowChoice>, Failure> {
    let entity = unit.entity(record.entity)?;
    access::expect(unit, caller, &entity, Privilege::Read, record)?;
    let catalogue = unit.catalogue.clone();
    let mut choices = Vec::new();
    for process in catalogue.task_flows(record.entity).filter(|process| process.activation.is_some()) {
        match check_roles(unit, caller, process.name.clone(), &process.workflow) {
            Err(failure) if failure.is_refused() => continue,
            other => other?,
        }
        let open = super::open_on(unit, caller, process, record)?;
        choices.push(TaskFlowChoice {
            process: process.name.as_str().into(),
            title: process.title.clone(),
            session: open.map(|open| open.session.id),
        });
    }
    choices.sort_by(|one, other| one.process.cmp(&other.process));
    Ok(choices)
}

/// The caller's sessions, the newest first.
pub(super) fn all(unit: &mut Unit, caller: &Caller) -> Result<Vec<SessionBrief>, Failure> {
    let reader = unit.overlay.unvalidated();
    let mut all = Vec::new();
    for id in sessions::by_user(&reader, caller.user)? {
        all.extend(sessions::get(&reader, id?)?.map(|kept| brief(unit, &kept.session)));
    }
    all.reverse();
    Ok(all)
}

fn brief(unit: &Unit, session: &model::process::task_flow::Session) -> SessionBrief {
    SessionBrief {
        id: session.id,
        version: session.version,
        process: unit.catalogue.process_name(session.activation.process),
        record: session.record,
        begun: session.begun,
        touched: session.touched,
        finished: session.finished,
    }
}

/// The session as it is now; the record has to be there, and the user's to see.
pub(super) fn view(unit: &mut Unit, caller: &Caller, sitting: &Sitting) -> Result<SessionView, Failure> {
    let session = &sitting.session;
    let path = session.path.iter().filter_map(|page| Some((sitting.page_id(*page)?, sitting.title(*page)))).collect();
    let page = match session.finished {
        Some(_) => None,
        None => {
            let entity = unit.entity(session.record.entity)?;
            access::expect(unit, caller, &entity, Privilege::Read, session.record)?;
            Some(page(unit, caller, sitting, session.page())?)
        }
    };
    Ok(SessionView {
        brief: brief(unit, session),
        title: sitting.workflow.header.title.as_str().into(),
        process_active: sitting.active,
        path,
        page,
        others: others(unit, sitting)?,
    })
}

fn page(unit: &mut Unit, caller: &Caller, sitting: &Sitting, place: StagePlace) -> Result<PageView, Failure> {
    let last = sitting.onward(unit)? == Onward::End;
    let path = sitting.session.path.clone();
    // Where each attribute is kept is what the pages before say; what it holds is what this one says, too.
    let kept = sitting.staged(unit, &sitting.before(place), |sitting, unit| sitting.spots(unit, place))?;
    let held = sitting.staged(unit, &path, |sitting, unit| {
        let words = spoken(unit, caller, sitting, place)?;
        let mut values = Vec::with_capacity(kept.len());
        for spot in &kept {
            let value = match spot.record {
                Some(record) => stored(unit, record, spot.field.attribute)?,
                None => Value::Null,
            };
            values.push((value.clone(), words::shown(unit, sitting, &spot.field, &value)?));
        }
        Ok((words, values))
    })?;
    let (words, values) = held;
    let mut fields = kept.iter().zip(values);
    let page = sitting.page(place)?;
    let mut items = Vec::with_capacity(page.items.len());
    for (item, said) in page.items.iter().zip(words) {
        items.push(match item {
            Item::Section(_) => ItemView::Section(said),
            Item::Label(_) => ItemView::Label(said),
            Item::Field(_) => {
                let Some((spot, held)) = fields.next() else { continue };
                ItemView::Field(Box::new(field(unit, caller, sitting, spot, held)?))
            }
        });
    }
    Ok(PageView { id: page.id.clone(), title: page.title.as_str().into(), items, last })
}

fn field(
    unit: &mut Unit,
    caller: &Caller,
    sitting: &Sitting,
    spot: &Spot,
    (value, shown): (Value, SmolStr),
) -> Result<FieldView, Failure> {
    let session = &sitting.session;
    let mut view = FieldView {
        path: format_smolstr!("{}", spot.field.path),
        title: spot.field.title.as_str().into(),
        entity: spot.field.entity,
        attribute: spot.field.attribute,
        record: spot.record,
        value,
        shown: if shown == "empty" { SmolStr::default() } else { shown.trim_matches('`').into() },
        typed: session.drafts_of(session.page()).any(|draft| draft.item == spot.item),
        required: spot.field.required,
        read_only: spot.field.read_only,
        changed: None,
    };
    let Some(record) = spot.record else { return Ok(view) };
    let entity = unit.entity(record.entity)?;
    match access::expect(unit, caller, &entity, Privilege::Read, record) {
        Err(failure) if failure.is_refused() => {
            // What he may not see is empty for him, as behind a lookup of a query.
            (view.record, view.value, view.shown) = (None, Value::Null, SmolStr::default());
            return Ok(view);
        }
        other => other.map(drop)?,
    }
    let now = stored(unit, record, spot.field.attribute)?;
    let seen = seen_at(session, spot.item, record).cloned().unwrap_or_else(|| now.clone());
    if clashes(&seen, if view.typed { &view.value } else { &seen }, &now) {
        view.changed = Some(words::change(unit, sitting, &spot.field, record, &now)?);
    }
    Ok(view)
}

/// What the words on a page say, in this state of the unit and as far as the user may read; nothing at attributes.
fn spoken(unit: &mut Unit, caller: &Caller, sitting: &Sitting, place: StagePlace) -> Result<Vec<SmolStr>, Failure> {
    let environment = sitting.activation.surroundings.at(unit.now);
    let who = unit.who(caller)?;
    let count = sitting.page(place)?.items.len();
    let mut words = Vec::with_capacity(count);
    for item in 0..count {
        let source = sitting.activation.pages.as_ref().and_then(|pages| pages.words(place, item));
        let Some(source) = source else {
            words.push(SmolStr::default());
            continue;
        };
        let facts = facts(unit, sitting, who.clone(), source)?;
        // A value that cannot be worked out is told where it would stand, and keeps nobody from the page.
        words.push(match source.evaluate(&facts, &environment) {
            Ok(value) => value.as_text().map(SmolStr::from).unwrap_or_default(),
            Err(problem) => format_smolstr!("({problem})"),
        });
    }
    Ok(words)
}

fn facts(unit: &mut Unit, sitting: &Sitting, who: access::Who, source: &CompiledSource) -> Result<Facts, Failure> {
    let mut facts = Facts::new();
    let mut reading = Reading::glancing(unit, who);
    for path in source.paths() {
        let known = match sitting.root(path) {
            Some(record) => reading.follow(Root::Value(record.into()), &path.segments)?,
            None => Known::default(),
        };
        facts.insert(path.clone(), known);
    }
    Ok(facts)
}

/// Who else has a session about the record that is not finished.
fn others(unit: &Unit, sitting: &Sitting) -> Result<Vec<Other>, Failure> {
    let own = &sitting.session;
    let reader = unit.overlay.unvalidated();
    let mut others = Vec::new();
    for id in sessions::by_record(&reader, own.record)? {
        let Some(kept) = sessions::get(&reader, id?)? else { continue };
        let session = kept.session;
        if session.user == own.user || session.finished.is_some() {
            continue;
        }
        let entity = unit.catalogue.schema.entity(session.user.entity);
        let name = unit.glance(session.user)?.zip(entity).map(|(user, entity)| user.get(entity.primary).clone());
        others.push(Other {
            user: session.user,
            name: name.and_then(|name| name.as_text().map(SmolStr::from)).unwrap_or_default(),
            process: unit.catalogue.process_name(session.activation.process),
            begun: session.begun,
        });
    }
    Ok(others)
}
