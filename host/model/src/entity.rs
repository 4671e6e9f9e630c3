//! What a solution says of its entities and choices (formats 9), by name and without numbers.
//!
//! `schema` gives the numbers and resolves the names; code that works on records looks there.

use indexmap::IndexMap;
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{AttributeName, ChoiceName, EntityName, SetName, Value};

/// An entity as a file defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityDefinition {
    /// Its name.
    pub name: EntityName,
    /// The key that API clients see.
    pub id: Uuid,
    /// What people call one record.
    pub title: String,
    /// What people call several.
    pub title_plural: String,
    /// What it is for.
    pub description: String,
    /// The API name of its records.
    pub set: SetName,
    /// Who owns its records. Fixed once applied.
    pub ownership: Ownership,
    /// Whether its records are activities.
    pub activity: bool,
    /// The text attribute that names a record.
    pub primary: AttributeName,
    /// The attribute with the address for mail.
    pub email: Option<AttributeName>,
    /// Whether business process flows may run on it; not taken back.
    pub flows: bool,
    /// Whether its changes are audited.
    pub audit: bool,
    /// Its own attributes, in the order written.
    pub attributes: Vec<AttributeDefinition>,
    /// The lookup to itself that `under` follows.
    pub hierarchy: Option<AttributeName>,
    /// Its alternate keys: unique, text without regard to case, empty values not counted.
    pub keys: Vec<KeyDefinition>,
    /// N:N relationships by name, with the other entity.
    pub many_to_many: IndexMap<AttributeName, EntityName>,
    /// Its states; at least one, the first status of the first is a new record's.
    pub states: Vec<State>,
    /// The solution that brought it; another solution's file with `extends` adds attributes.
    pub solution: SmolStr,
}

/// Who owns the records of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Each record has a user or a team as owner.
    UserOrTeam,
    /// The organisation does; records have no owner of their own.
    Organization,
}

/// An attribute as a file defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeDefinition {
    /// Its name.
    pub name: AttributeName,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What it holds.
    pub kind: AttributeKind,
    /// Whether a record must have it.
    pub required: Requirement,
    /// The value of a new record that does not name it.
    pub default: Value,
    /// Whether queries by it are quick.
    pub indexed: bool,
    /// Whether only the engine writes it.
    pub read_only: bool,
}

/// Whether a value must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Requirement {
    /// It may be empty.
    #[default]
    Optional,
    /// Forms mark it; nothing enforces it.
    Recommended,
    /// A create or update that would leave it empty is refused.
    Required,
}

/// What an attribute holds, with what its type allows.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeKind {
    /// Text.
    Text(TextKind),
    /// A whole number within bounds.
    Whole {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// A decimal number.
    Decimal(NumberKind),
    /// A binary floating-point number.
    Float(NumberKind),
    /// Money.
    Money(NumberKind),
    /// Yes or no.
    Boolean {
        /// What people read for no.
        no: String,
        /// What people read for yes.
        yes: String,
    },
    /// A day.
    Date,
    /// A moment, kept to the second.
    DateTime,
    /// A length of time.
    Duration,
    /// One option.
    Choice(ChoiceSource),
    /// Any number of options.
    Choices(ChoiceSource),
    /// An identity that is no lookup.
    Guid,
    /// Bytes, up to so many MiB.
    File {
        /// The largest size, in MiB.
        max_size: u32,
    },
    /// A record.
    Lookup(LookupKind),
}

/// Bounds of text.
#[derive(Clone, Debug, PartialEq)]
pub struct TextKind {
    /// The most characters.
    pub max_length: u32,
    /// Whether it is edited in several lines.
    pub multiline: bool,
    /// What the text is, if it is something that can be checked.
    pub format: Option<TextFormat>,
    /// The pattern of a text that numbers itself: `C-{seq:6}`.
    pub number: Option<String>,
}

impl Default for TextKind {
    fn default() -> Self {
        Self { max_length: 100, multiline: false, format: None, number: None }
    }
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFormat {
    /// An address for mail.
    Email,
    /// A telephone number.
    Phone,
    /// A web address.
    Url,
}

/// Bounds of a number that is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct NumberKind {
    /// The least value.
    pub min: Option<crate::Decimal>,
    /// The greatest value.
    pub max: Option<crate::Decimal>,
    /// Places for input and display.
    pub precision: u8,
}

/// Where the options of a choice stand.
#[derive(Clone, Debug, PartialEq)]
pub enum ChoiceSource {
    /// In a choice file.
    Named(ChoiceName),
    /// At the attribute itself.
    Own(Vec<ChoiceOption>),
}

/// A choice as a file defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceDefinition {
    /// Its name.
    pub name: ChoiceName,
    /// The key that API clients see.
    pub id: Uuid,
    /// What people call it.
    pub title: String,
    /// Its options, in the order shown.
    pub options: Vec<ChoiceOption>,
    /// The solution that brought it.
    pub solution: SmolStr,
}

/// One option of a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceOption {
    /// Its name in files and expressions.
    pub name: AttributeName,
    /// Its number in the API and the store; never used again.
    pub value: i32,
    /// What people read.
    pub title: String,
}

/// A lookup's targets and what passes over it.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupKind {
    /// Which entities it may point to.
    pub to: Targets,
    /// What the delete of its target does.
    pub on_delete: OnDelete,
    /// What is passed on from the target.
    pub cascade: Cascade,
    /// Attributes taken over from the target when a record is created from it: here, there.
    pub copy: Vec<(AttributeName, AttributeName)>,
    /// The name of the list on the target; `<to>_<entity>_<attribute>` unless given.
    pub relationship: Option<SmolStr>,
}

/// The entities that a lookup may point to.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Any entity: only the regarding lookup of activities is so.
    Any,
    /// These.
    Only(Vec<EntityName>),
}

/// What the delete of a record does to those that look to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnDelete {
    /// Their lookup is emptied.
    #[default]
    RemoveLink,
    /// They keep it from being deleted.
    Restrict,
    /// They are deleted too.
    Cascade,
}

/// What is passed on from a parent to the records that look to it (D18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cascade {
    /// Assigning the parent assigns them.
    pub assign: bool,
    /// Sharing the parent shares them.
    pub share: bool,
    /// A new parent takes them over.
    pub reparent: bool,
}

/// An alternate key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyDefinition {
    /// Its name.
    pub name: AttributeName,
    /// Its attributes, in order.
    pub attributes: Vec<AttributeName>,
}

/// A state of an entity with the statuses that belong to it.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its name.
    pub name: AttributeName,
    /// Its number (`statecode`).
    pub value: i32,
    /// What people read.
    pub title: String,
    /// Its statuses; the first is its default.
    pub statuses: Vec<Status>,
}

/// A status, the finer part of a state.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Its name, unique in the entity.
    pub name: AttributeName,
    /// Its number (`statuscode`).
    pub value: i32,
    /// What people read.
    pub title: String,
    /// The statuses it may go to; absent: any.
    pub next: Option<Vec<AttributeName>>,
}
