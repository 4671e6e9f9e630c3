//! Refusals: every expected "no" with its stable code and the data that explains it.
//!
//! A refusal is no fault: nothing was written, and whoever asked can do something about it. Edges map the code to
//! their status; scenarios expect it with `! code`.

use smol_str::{SmolStr, format_smolstr};

use crate::{Digest, Level, TaskName, ValueType, Version};

/// An expected "no".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// There is no such entity.
    #[error("there is no entity `{0}`")]
    UnknownEntity(SmolStr),
    /// The entity has no such attribute.
    #[error("`{entity}` has no attribute `{attribute}`")]
    UnknownAttribute {
        /// The entity.
        entity: SmolStr,
        /// What was named.
        attribute: SmolStr,
    },
    /// There is no such process.
    #[error("there is no process `{0}`")]
    UnknownProcess(SmolStr),
    /// There is no such plugin, or no such version of it.
    #[error("there is no plugin `{0}`: `stepwise plugin list` tells which there are")]
    UnknownPlugin(SmolStr),
    /// A plugin cannot go while something uses it.
    #[error("`{plugin}` is in use: {by}; what uses it has to be changed, switched off or ended before")]
    PluginInUse {
        /// The plugin with its version.
        plugin: SmolStr,
        /// What uses it, in words.
        by: SmolStr,
    },
    /// A plugin that a real-time run needs is being compiled: worth trying again.
    #[error(
        "`{plugin}` is being compiled, because its compiled form was missing; nothing was written, try again in {seconds} s"
    )]
    PluginCompiling {
        /// The plugin with its version.
        plugin: SmolStr,
        /// When it is worth trying again.
        seconds: u64,
    },
    /// Nobody who is trusted answers for a plugin.
    #[error("`{plugin}` is not trusted: {why}")]
    UntrustedPlugin {
        /// The plugin, or its file.
        plugin: SmolStr,
        /// What is wrong with its signature, in words.
        why: SmolStr,
    },
    /// The record is not there.
    #[error("there is no `{entity}` {record}")]
    NotFound {
        /// The entity.
        entity: SmolStr,
        /// Which record: its id, key or name.
        record: SmolStr,
    },
    /// The record is there already.
    #[error("`{entity}` {record} exists already")]
    Exists {
        /// The entity.
        entity: SmolStr,
        /// The record.
        record: SmolStr,
    },
    /// The record was changed since the caller read it.
    #[error("`{entity}` {record} has version {actual}, not {expected}: somebody changed it meanwhile")]
    VersionMismatch {
        /// The entity.
        entity: SmolStr,
        /// The record.
        record: SmolStr,
        /// What the caller expects.
        expected: Version,
        /// What it is.
        actual: Version,
    },
    /// Another record has the same key.
    #[error("key `{key}` of `{entity}` is taken by {holder}")]
    DuplicateKey {
        /// The entity.
        entity: SmolStr,
        /// The key.
        key: SmolStr,
        /// The record that has it.
        holder: SmolStr,
    },
    /// A value is of the wrong type.
    #[error("`{attribute}` holds {expected}, not {found}")]
    WrongType {
        /// The attribute or argument.
        attribute: SmolStr,
        /// What it holds.
        expected: ValueType,
        /// What was given, in words.
        found: SmolStr,
    },
    /// A value breaks a bound of its attribute.
    #[error("`{attribute}` {rule}")]
    OutOfBounds {
        /// The attribute or argument.
        attribute: SmolStr,
        /// The bound, in words: "is at most 100 characters long".
        rule: SmolStr,
    },
    /// A required value is missing.
    #[error("`{attribute}` of `{entity}` is required")]
    Required {
        /// The entity.
        entity: SmolStr,
        /// The attribute.
        attribute: SmolStr,
    },
    /// Only the engine writes this attribute.
    #[error("`{attribute}` of `{entity}` is written by the engine only")]
    ReadOnly {
        /// The entity.
        entity: SmolStr,
        /// The attribute.
        attribute: SmolStr,
    },
    /// A lookup names a record of an entity that it may not point to, or one that is not there.
    #[error("`{attribute}` cannot point to {target}: {why}")]
    BadReference {
        /// The lookup.
        attribute: SmolStr,
        /// What was named.
        target: SmolStr,
        /// Why not.
        why: SmolStr,
    },
    /// The entity has no owner to set.
    #[error("records of `{0}` belong to the organisation and cannot be assigned")]
    NoOwner(SmolStr),
    /// State and status do not belong together, or there is no such one.
    #[error("`{entity}` has no {}", no_such(state.as_deref(), status.as_deref()))]
    BadStatus {
        /// The entity.
        entity: SmolStr,
        /// The state, by name or number, if one was named.
        state: Option<SmolStr>,
        /// The status, by name or number, if one was named and the state is there.
        status: Option<SmolStr>,
    },
    /// The status may not follow the one that the record has.
    #[error("`{entity}` cannot go from status `{from}` to `{to}`")]
    BadTransition {
        /// The entity.
        entity: SmolStr,
        /// The status now.
        from: SmolStr,
        /// The status wanted.
        to: SmolStr,
    },
    /// Other records keep this one from being deleted.
    #[error("`{entity}` {record} cannot be deleted: `{by}` points to it with `{attribute}`")]
    Referenced {
        /// The entity.
        entity: SmolStr,
        /// The record.
        record: SmolStr,
        /// The entity whose record points to it.
        by: SmolStr,
        /// The lookup.
        attribute: SmolStr,
    },
    /// The user lacks a privilege on a record; no role, team or share gives it to him.
    #[error("Missing {privilege} at {} depth {}", .level.word(), place(.entity, .record.as_deref()))]
    MissingPrivilege {
        /// The privilege as clients know it: `prvWriteIncident`.
        privilege: SmolStr,
        /// The depth that would do.
        level: Level,
        /// The entity.
        entity: SmolStr,
        /// The record; absent where no record in particular is asked for.
        record: Option<SmolStr>,
    },
    /// The user lacks the privilege of a task: no role of his or of his teams has it.
    #[error("Missing {}: none of the user's roles has the task `{}`", .0.api_name(), .0)]
    MissingTask(TaskName),
    /// Nobody is signed in, or not by what was shown.
    #[error("{why}")]
    Unauthenticated {
        /// What is wrong with what was shown.
        why: SmolStr,
    },
    /// The token was made for less than this.
    #[error("the scope of the token is `{scope}`, and this needs `{needs}`{}", or_full(.needs))]
    TokenScope {
        /// What the token is for.
        scope: SmolStr,
        /// What is needed.
        needs: SmolStr,
    },
    /// Somebody tries too often.
    #[error("there were too many {what}; try again in {seconds} s")]
    TooManyTries {
        /// What was tried: "wrong passwords".
        what: SmolStr,
        /// When it is worth trying again.
        seconds: u64,
    },
    /// The user is disabled and may do nothing.
    #[error("user {0} is disabled: whoever may write users can enable him again")]
    DisabledUser(SmolStr),
    /// The verb is not for this entity.
    #[error("{verb} is not possible on `{entity}`: {why}")]
    NotPossible {
        /// The verb.
        verb: SmolStr,
        /// The entity.
        entity: SmolStr,
        /// Why.
        why: SmolStr,
    },
    /// Somebody cannot be reached by mail: he has no address, wants no mail, or is nobody (D15).
    #[error("the mail has no way to go: {0}")]
    NoAddress(SmolStr),
    /// What somebody has for an address is none.
    #[error("the mail cannot go to {party}: `{address}` is no address, {why}")]
    BadAddress {
        /// Who.
        party: SmolStr,
        /// What he has.
        address: SmolStr,
        /// What an address is.
        why: SmolStr,
    },
    /// What is wanted of a mail is not possible where it is.
    #[error("mail {mail} {why}")]
    MailState {
        /// The mail, by its record.
        mail: SmolStr,
        /// Why not.
        why: SmolStr,
    },
    /// A chain of operations is too deep (D1).
    #[error(
        "operation {depth} of one chain, {limit} are allowed: a process starts itself, or a cascade goes too far; the chain is {chain}"
    )]
    TooDeep {
        /// How deep.
        depth: u16,
        /// The limit.
        limit: u16,
        /// The chain's correlation and the process that went too far.
        chain: SmolStr,
    },
    /// One process was started too often on one record by what it did itself (D1).
    #[error(
        "start {starts} of one process on one record within an hour by its own effects, {limit} are allowed; \
         the chain is {chain}, last in `{process}`"
    )]
    TooOften {
        /// The process.
        process: SmolStr,
        /// How often.
        starts: u32,
        /// The limit.
        limit: u32,
        /// The correlation of the chain that went too far.
        chain: SmolStr,
    },
    /// The process may not be started so.
    #[error("`{process}` cannot be started: {why}")]
    NotStartable {
        /// The process.
        process: SmolStr,
        /// Why.
        why: SmolStr,
    },
    /// Nothing of the process may run while it belongs to this user (D10).
    #[error("`{process}` belongs to {owner}, and {why}: give it to another user, or him what he lacks")]
    ProcessOwner {
        /// The process.
        process: SmolStr,
        /// Who owns it.
        owner: SmolStr,
        /// What is wrong with that.
        why: SmolStr,
    },
    /// What was asked is not possible in this state of the job.
    #[error("job {job} is {state}: {why}")]
    JobState {
        /// The job.
        job: SmolStr,
        /// The word of its state.
        state: SmolStr,
        /// What is not possible then.
        why: SmolStr,
    },
    /// A limit of the system (E40).
    #[error("{what} is limited to {limit}")]
    Limit {
        /// What.
        what: SmolStr,
        /// The figure.
        limit: u64,
    },
    /// A text that the caller gave cannot be understood.
    #[error("{what} cannot be read: {why}")]
    Unreadable {
        /// What: "the filter".
        what: SmolStr,
        /// Why, with the place.
        why: SmolStr,
    },
    /// A real-time process or a custom step says no, in its own words.
    #[error("{message}")]
    Stopped {
        /// The process or step.
        by: SmolStr,
        /// What it says.
        message: SmolStr,
    },
    /// What a process that runs within the operation was to do was refused.
    #[error("{place}: {refusal}")]
    InProcess {
        /// The process and its step.
        place: SmolStr,
        /// What was refused.
        refusal: Box<Refusal>,
    },
    /// A process that runs within the operation cannot go on.
    #[error("{message}")]
    ProcessFailed {
        /// The process.
        process: SmolStr,
        /// Why, with the step.
        message: SmolStr,
    },
    /// A custom step of the operation is not called for now, because it broke down too often.
    #[error("{message}")]
    Quarantined {
        /// The plugin's or the script's bytes.
        package: Digest,
        /// Which step, why, and what ends that.
        message: SmolStr,
    },
    /// A flow cannot be moved so (processes 5.4).
    #[error("`{flow}` {why}")]
    Flow {
        /// Which of the results of a move.
        code: FlowCode,
        /// The flow.
        flow: SmolStr,
        /// Why, and what to do.
        why: SmolStr,
    },
    /// No role of the caller may use the task flow.
    #[error("task flow `{flow}` is for {roles}: none of your roles is among them")]
    MissingRole {
        /// The task flow.
        flow: SmolStr,
        /// Those who may use it, in words.
        roles: SmolStr,
    },
    /// The files of a solution are not right; the problems say where.
    #[error("the solution has {} problem(s)", .0.len())]
    BadSolution(Vec<Problem>),
    /// The store was too busy for the caller's deadline: worth trying again.
    #[error("too many others changed the same records; nothing was written")]
    Busy,
    /// The disk has no room.
    #[error("the disk has no room for more; reading goes on")]
    Full,
}

/// What came of a move of a flow that was not made: the words that clients of our API know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowCode {
    /// The next stage is about a record that is not named yet.
    CrossEntity,
    /// There is no stage after this one.
    End,
    /// Attributes of the active stage are empty.
    StageGate,
    /// The stage is neither gone through nor the next one.
    NotAdjacent,
    /// The instance is finished or aborted.
    InstanceNotActive,
    /// The flow is not active.
    ProcessInactive,
    /// Somebody else wrote what was typed on a page.
    SessionConflict,
}

impl FlowCode {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::CrossEntity => "cross-entity",
            Self::End => "end",
            Self::StageGate => "stage-gate",
            Self::NotAdjacent => "not-adjacent",
            Self::InstanceNotActive => "instance-not-active",
            Self::ProcessInactive => "process-inactive",
            Self::SessionConflict => "session-conflict",
        }
    }
}

/// Something wrong in a file that people write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Problem {
    /// The file, as its solution names it.
    pub file: SmolStr,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters are meant; 0 where only the beginning is known.
    pub length: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it: "did you mean `createdon`?"
    pub hint: Option<String>,
    /// Whether the solution can be applied all the same.
    pub warning: bool,
}

fn place(entity: &str, record: Option<&str>) -> SmolStr {
    match record {
        Some(record) => format_smolstr!("on `{entity}` {record}"),
        None => format_smolstr!("on `{entity}`"),
    }
}

/// Which status or state there is not.
fn no_such(state: Option<&str>, status: Option<&str>) -> String {
    match (state, status) {
        (Some(state), Some(status)) => format!("status {status} in state {state}"),
        (None, Some(status)) => format!("status {status}"),
        (Some(state), None) => format!("state {state}"),
        (None, None) => "states".to_owned(),
    }
}

fn or_full(needs: &str) -> &'static str {
    if needs == "full" { "" } else { " or `full`" }
}

impl Refusal {
    /// The refusal itself, without the processes in which it came up.
    pub fn root(&self) -> &Refusal {
        match self {
            Self::InProcess { refusal, .. } => refusal.root(),
            other => other,
        }
    }

    /// The stable code, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownEntity(_) => "unknown-entity",
            Self::UnknownAttribute { .. } => "unknown-attribute",
            Self::UnknownProcess(_) => "unknown-process",
            Self::UnknownPlugin(_) => "unknown-plugin",
            Self::PluginInUse { .. } => "plugin-in-use",
            Self::PluginCompiling { .. } => "plugin-compiling",
            Self::UntrustedPlugin { .. } => "untrusted-plugin",
            Self::NotFound { .. } => "not-found",
            Self::Exists { .. } => "exists",
            Self::VersionMismatch { .. } => "version-mismatch",
            Self::DuplicateKey { .. } => "duplicate-key",
            Self::WrongType { .. } => "wrong-type",
            Self::OutOfBounds { .. } => "out-of-bounds",
            Self::Required { .. } => "required",
            Self::ReadOnly { .. } => "read-only",
            Self::BadReference { .. } => "bad-reference",
            Self::NoOwner(_) => "no-owner",
            Self::BadStatus { .. } => "bad-status",
            Self::BadTransition { .. } => "bad-transition",
            Self::Referenced { .. } => "referenced",
            Self::MissingPrivilege { .. } => "missing-privilege",
            Self::MissingTask(_) => "missing-task",
            Self::Unauthenticated { .. } => "unauthenticated",
            Self::TokenScope { .. } => "token-scope",
            Self::TooManyTries { .. } => "too-many-tries",
            Self::DisabledUser(_) => "disabled-user",
            Self::NotPossible { .. } => "not-possible",
            Self::NoAddress(_) => "no-address",
            Self::BadAddress { .. } => "bad-address",
            Self::MailState { .. } => "mail-state",
            Self::TooDeep { .. } | Self::TooOften { .. } => "too-deep",
            Self::NotStartable { .. } => "not-startable",
            Self::ProcessOwner { .. } => "process-owner",
            Self::JobState { .. } => "job-state",
            Self::Limit { .. } => "limit",
            Self::Unreadable { .. } => "unreadable",
            Self::Stopped { .. } => "stopped",
            Self::InProcess { refusal, .. } => refusal.code(),
            Self::ProcessFailed { .. } => "process-failed",
            Self::Quarantined { .. } => "quarantined",
            Self::Flow { code, .. } => code.word(),
            Self::MissingRole { .. } => "missing-role",
            Self::BadSolution(_) => "bad-solution",
            Self::Busy => "busy",
            Self::Full => "full",
        }
    }
}
