//! What happened to a record, as processes see it (processes 1.3), and the record as it was before and after.

use std::fmt;

use crate::Values;

/// The kind of change that an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// The record was created.
    Create,
    /// Attributes were named in an update.
    Update,
    /// Its state and status were set.
    SetStatus,
    /// Its owner was set.
    Assign,
    /// It was deleted.
    Delete,
    /// A person or a program ran the process.
    OnDemand,
    /// Another process started it.
    Child,
    /// An action was called.
    Action,
    /// A schedule came due.
    Schedule,
    /// Rights on it were given to a user or team.
    Share,
    /// They were taken back.
    Unshare,
}

impl Message {
    /// Every message, in the order of the documentation.
    pub const ALL: [Message; 11] = [
        Self::Create,
        Self::Update,
        Self::SetStatus,
        Self::Assign,
        Self::Delete,
        Self::OnDemand,
        Self::Child,
        Self::Action,
        Self::Schedule,
        Self::Share,
        Self::Unshare,
    ];

    /// The word that files, traces and the API use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::SetStatus => "status",
            Self::Assign => "assign",
            Self::Delete => "delete",
            Self::OnDemand => "on-demand",
            Self::Child => "child",
            Self::Action => "action",
            Self::Schedule => "schedule",
            Self::Share => "share",
            Self::Unshare => "unshare",
        }
    }

    /// The message that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|message| message.word() == word)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Values of a record at one moment, of exactly the attributes that somebody will ask for (E20).
pub type Image = Values;
