//! Commands: what every store can do by a name, beside the actions of its processes (processes 3).
//!
//! A step `action`, a plugin's or script's `invoke` and the messages of the Web API all mean these. What each one does
//! stands in the engine; here is what it is called, what it is done to, what it takes and gives.

use crate::{
    Argument, AttributeName, EntityId, EntityName, Value, ValueType,
    argument::ArgumentKind,
    starter::{QUEUE_ITEM, TEAM},
};

/// A command by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Puts a record into a queue, or moves it there from another one.
    AddToQueue,
    /// Takes a record out of its queue.
    RemoveFromQueue,
    /// Notes who works on what waits in a queue.
    PickFromQueue,
    /// Takes that note back, so that others may pick it.
    ReleaseToQueue,
    /// Makes users members of a team.
    AddMembersTeam,
    /// Ends their membership.
    RemoveMembersTeam,
    /// Tells what a user or a team may do with a record, by roles and shares together. Changes nothing.
    RetrievePrincipalAccess,
    /// Tells with whom a record is shared. Changes nothing.
    RetrieveSharedPrincipalsAndAccess,
}

/// What a command is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandTarget {
    /// A record of this entity.
    Of(EntityId),
    /// Any record.
    Any,
    /// Any record but a queue item, which is what the record gets.
    Waiting,
    /// A record that waits in a queue, or its queue item.
    Queued,
}

impl Command {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AddToQueue,
        Self::RemoveFromQueue,
        Self::PickFromQueue,
        Self::ReleaseToQueue,
        Self::AddMembersTeam,
        Self::RemoveMembersTeam,
        Self::RetrievePrincipalAccess,
        Self::RetrieveSharedPrincipalsAndAccess,
    ];

    /// The name under which it is called everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::AddToQueue => "AddToQueue",
            Self::RemoveFromQueue => "RemoveFromQueue",
            Self::PickFromQueue => "PickFromQueue",
            Self::ReleaseToQueue => "ReleaseToQueue",
            Self::AddMembersTeam => "AddMembersTeam",
            Self::RemoveMembersTeam => "RemoveMembersTeam",
            Self::RetrievePrincipalAccess => "RetrievePrincipalAccess",
            Self::RetrieveSharedPrincipalsAndAccess => "RetrieveSharedPrincipalsAndAccess",
        }
    }

    /// The command of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }

    /// What it is done to.
    pub fn target(self) -> CommandTarget {
        match self {
            Self::AddToQueue => CommandTarget::Waiting,
            Self::RetrievePrincipalAccess | Self::RetrieveSharedPrincipalsAndAccess => CommandTarget::Any,
            Self::RemoveFromQueue | Self::PickFromQueue | Self::ReleaseToQueue => CommandTarget::Queued,
            Self::AddMembersTeam | Self::RemoveMembersTeam => CommandTarget::Of(TEAM),
        }
    }

    /// Whether it can be done to a record of this entity.
    pub fn fits(self, entity: EntityId) -> bool {
        match self.target() {
            CommandTarget::Of(wanted) => entity == wanted,
            CommandTarget::Waiting => entity != QUEUE_ITEM,
            CommandTarget::Any | CommandTarget::Queued => true,
        }
    }

    /// What it takes.
    pub fn inputs(self) -> Vec<Argument> {
        match self {
            Self::AddToQueue => vec![argument("queue", "Queue", ValueType::Reference, &["queue"], true)],
            Self::PickFromQueue => vec![
                argument("worker", "Who works on it", ValueType::Reference, &["systemuser"], false),
                argument("remove", "Take it out of the queue", ValueType::Boolean, &[], false),
            ],
            Self::RemoveFromQueue | Self::ReleaseToQueue | Self::RetrieveSharedPrincipalsAndAccess => Vec::new(),
            Self::RetrievePrincipalAccess => {
                vec![argument("principal", "User or team", ValueType::Reference, &["systemuser", "team"], true)]
            }
            Self::AddMembersTeam | Self::RemoveMembersTeam => {
                vec![argument("members", "Users", ValueType::References, &["systemuser"], true)]
            }
        }
    }

    /// What it gives.
    pub fn outputs(self) -> Vec<Argument> {
        match self {
            Self::AddToQueue => vec![argument("item", "Queue item", ValueType::Reference, &["queueitem"], true)],
            Self::RetrievePrincipalAccess => vec![argument("rights", "Rights", ValueType::Text, &[], true)],
            Self::RetrieveSharedPrincipalsAndAccess => vec![
                argument("principals", "Users and teams", ValueType::References, &["systemuser", "team"], true),
                argument("rights", "Rights of each, a line each", ValueType::Text, &[], true),
            ],
            _ => Vec::new(),
        }
    }
}

fn argument(name: &str, title: &str, value_type: ValueType, to: &[&str], required: bool) -> Argument {
    let entity = |name: &&str| EntityName::parse(name).expect("the names above are written in the alphabet of names");
    Argument {
        name: AttributeName::parse(name).expect("the names above are written in the alphabet of names"),
        title: title.to_owned(),
        description: String::new(),
        kind: ArgumentKind { to: to.iter().map(entity).collect(), ..ArgumentKind::plain(value_type) },
        required,
        default: Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_found_by_its_name_and_declares_what_it_takes() {
        for command in Command::ALL {
            assert_eq!(Command::named(command.name()), Some(command));
            assert!(command.inputs().iter().chain(&command.outputs()).all(|argument| !argument.title.is_empty()));
        }
        assert_eq!(Command::named("addtoqueue"), None);
    }
}
