//! The nouns of Stepwise: what a record, a process, a job, a verb and a refusal are.
//!
//! Every crate of the host speaks these words. Nothing here reads a clock, a file or a store, nothing decides,
//! and nothing knows how it looks on a wire or in a file: the edges and the store have shapes of their own.

pub mod argument;
pub mod audit;
pub mod caller;
pub mod command;
pub mod condition;
pub mod consent;
pub mod entity;
pub mod expression;
pub mod fact;
pub mod fault;
pub mod grant;
pub mod id;
pub mod job;
pub mod message;
pub mod name;
pub mod navigation;
pub mod outside;
pub mod package;
pub mod parcel;
pub mod principal;
pub mod process;
pub mod query;
pub mod record;
pub mod refusal;
pub mod schema;
pub mod starter;
pub mod step;
pub mod text;
pub mod time;
pub mod value;
pub mod verb;

pub use argument::{Argument, Field};
pub use caller::{Caller, Origin};
pub use command::{Command, CommandTarget};
pub use id::{
    ActivationId, AttributeId, CorrelationId, Digest, EntityId, JobId, ProcessId, RecordId, RecordRef, SessionId,
    Version,
};
pub use message::{Image, Message};
pub use name::{AttributeName, ChoiceName, EntityName, NameProblem, ProcessName, SetName, StageId, StepId, StepName};
pub use navigation::Way;
pub use principal::{Level, Levels, Privilege, Rights, RolePrivileges, TaskName};
pub use record::{Record, Values};
pub use refusal::Refusal;
pub use schema::Schema;
pub use time::{Date, Span, Term, Timestamp};
pub use value::{Decimal, Money, Value, ValueType};
pub use verb::{Outcome, Verb};
