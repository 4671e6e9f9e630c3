//! Mail as definitions write it: the step `email` (formats 4) and the templates it can be made from (formats 10).

use std::sync::Arc;

use smol_str::SmolStr;

use crate::{
    EntityId,
    expression::{Path, ValueSource},
    parcel::Markup,
};

/// What a step `email` sends, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// Who sends it; absent: the user as whom the process runs.
    pub from: Option<PartySource>,
    /// Who gets it; at least one.
    pub to: Vec<PartySource>,
    /// Who gets a copy.
    pub cc: Vec<PartySource>,
    /// Who gets a copy that the others do not see.
    pub bcc: Vec<PartySource>,
    /// What it says.
    pub content: Content,
    /// The record that it is about; for a template the record that it reads.
    pub regarding: Option<Path>,
}

/// A party as a step writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum PartySource {
    /// A record.
    Record(ValueSource),
    /// The text of an address.
    Address(ValueSource),
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// The step says it itself, in plain text.
    New {
        /// The subject.
        subject: ValueSource,
        /// The text.
        body: ValueSource,
    },
    /// A template says it, as it was when the process was activated.
    Template(Arc<EmailTemplate>),
}

/// A mail with places for values.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailTemplate {
    /// Its name, unique among templates.
    pub name: SmolStr,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// The entity of the record that it reads as `record`.
    pub entity: EntityId,
    /// The subject.
    pub subject: ValueSource,
    /// What the body is written in.
    pub markup: Markup,
    /// The text.
    pub body: ValueSource,
    /// The solution that brought it.
    pub solution: SmolStr,
}
