//! Task flows (processes 6, formats 8): pages that one person fills in at one sitting, over a record and its parents.
//!
//! The definition with its names resolved. A task flow is a process like an action: its `finish` steps are the process's
//! steps, and what it has of its own is here. `rules::task_flow` says which page comes next and what a page lacks; what is
//! typed is kept by the engine until all of it is written at once.

use smol_str::SmolStr;

use crate::{
    ActivationId, AttributeId, EntityId, RecordRef, SessionId, StageId, Timestamp, Value, Version,
    condition::Condition,
    expression::{Part, Path},
    process::flow::{Onward, StagePlace},
};

/// How many pages a task flow may have.
pub const MOST_PAGES: usize = 30;
/// How many items a page may have.
pub const MOST_ITEMS: usize = 30;

/// What makes a process a task flow.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskFlow {
    /// Which roles may use it. Administrators and customizers always may.
    pub roles: Vec<SmolStr>,
    /// Its pages in the order of the file; at least one.
    pub pages: Vec<Page>,
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its identity.
    pub id: StageId,
    /// What people call it.
    pub title: String,
    /// What stands on it, from top to bottom.
    pub items: Vec<Item>,
    /// Where it leads on a condition; the first that holds wins.
    pub branches: Vec<(Condition, Onward)>,
    /// Where it leads else.
    pub next: Onward,
}

impl Page {
    /// The items that hold an attribute, with their places on the page.
    pub fn fields(&self) -> impl Iterator<Item = (u16, &Field)> {
        (0u16..).zip(&self.items).filter_map(|(place, item)| match item {
            Item::Field(field) => Some((place, field)),
            Item::Section(_) | Item::Label(_) => None,
        })
    }

    /// The attribute at this place of the page.
    pub fn field(&self, place: u16) -> Option<&Field> {
        self.fields().find(|(at, _)| *at == place).map(|(_, field)| field)
    }

    /// All the places that it may lead to.
    pub fn ways(&self) -> impl Iterator<Item = Onward> + '_ {
        self.branches.iter().map(|(_, onward)| *onward).chain([self.next])
    }

    /// Whether something can be typed on it.
    pub fn takes_values(&self) -> bool {
        self.fields().any(|(_, field)| !field.read_only)
    }
}

/// Something that stands on a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A heading.
    Section(Vec<Part>),
    /// A sentence, with values in it.
    Label(Vec<Part>),
    /// An attribute, to be read or to be filled in.
    Field(Field),
}

/// An attribute on a page: of the record, or of one that it reaches through lookups.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// `record.contactid.telephone1`.
    pub path: Path,
    /// What people call it: the attribute's title unless the item says another.
    pub title: String,
    /// The entity whose attribute it is.
    pub entity: EntityId,
    /// The attribute.
    pub attribute: AttributeId,
    /// Whether the page cannot be left forward while it is empty.
    pub required: bool,
    /// Whether it is only shown.
    pub read_only: bool,
}

/// A user who fills in a task flow: where he stands, and what he typed so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Its identity, a UUIDv7.
    pub id: SessionId,
    /// Whose it is.
    pub user: RecordRef,
    /// The version of the task flow that it was begun with; it goes on with that one.
    pub activation: ActivationId,
    /// The record that it is about.
    pub record: RecordRef,
    /// How often it was changed: what clients name to change it.
    pub version: Version,
    /// When it was begun.
    pub begun: Timestamp,
    /// When it was changed last.
    pub touched: Timestamp,
    /// When all of it was written.
    pub finished: Option<Timestamp>,
    /// The pages gone through; the last one is the page at hand.
    pub path: Vec<StagePlace>,
    /// What the page at hand showed of what is stored.
    pub seen: Vec<Seen>,
    /// What was typed, also on pages that are not on the path any more.
    pub drafts: Vec<Draft>,
}

impl Session {
    /// The page at hand.
    pub fn page(&self) -> StagePlace {
        self.path.last().copied().unwrap_or(StagePlace::FIRST)
    }

    /// What was typed on this page.
    pub fn drafts_of(&self, page: StagePlace) -> impl Iterator<Item = &Draft> {
        self.drafts.iter().filter(move |draft| draft.page == page)
    }
}

/// A stored value as a page showed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The place of the item on its page.
    pub item: u16,
    /// The record.
    pub record: RecordRef,
    /// Its value.
    pub value: Value,
}

/// A value that was typed and is not written yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The page.
    pub page: StagePlace,
    /// The place of the item on it.
    pub item: u16,
    /// The record that it is for.
    pub record: RecordRef,
    /// The attribute.
    pub attribute: AttributeId,
    /// What was stored when it was typed.
    pub seen: Value,
    /// What was typed.
    pub typed: Value,
}
