//! What the lines of a session need from a Stepwise: the verbs and the reads, by name.
//!
//! Two implement it: `world`, an engine in memory, and the command line's `shell`, a client of the web API. Values go in as
//! they were written; the attribute decides what they become, on the other side as for everybody.

use model::{Span, Timestamp, job::Order};
use smol_str::SmolStr;
use uuid::Uuid;

/// A "no" of the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct No {
    /// The stable code; `fault` where it is not the caller's doing.
    pub code: SmolStr,
    /// In words.
    pub message: String,
    /// Where there is more to say, a line each: the problems of a solution with their places.
    pub details: Vec<String>,
}

impl No {
    /// A "no" with this code.
    pub fn new(code: impl Into<SmolStr>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), details: Vec::new() }
    }
}

/// A record by entity name and id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The entity.
    pub entity: SmolStr,
    /// The record.
    pub id: Uuid,
}

/// A value on its way in.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Empty.
    Empty,
    /// A number, a yes or no, an option, a date: whatever the attribute makes of it.
    Bare(SmolStr),
    /// Text.
    Text(SmolStr),
    /// A record.
    Record(Target),
}

/// A piece of an answer: words, or a record that the session may have a name for.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// A record.
    Record(Target),
    /// A run of a process.
    Job(Uuid),
}

/// What is asked of the flows of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum FlowAsk {
    /// What a view would show.
    Look,
    /// A view.
    View,
    /// Switch Process, to this flow.
    Switch(SmolStr),
    /// A start.
    Start {
        /// The flow.
        process: SmolStr,
        /// The stage; absent: its first.
        stage: Option<SmolStr>,
    },
    /// A move of an instance.
    Move(FlowMove),
}

/// A move of an instance of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowMove {
    /// `next`, `back`, `set-stage`, `finish`, `abandon`, `reactivate`.
    pub wanted: SmolStr,
    /// The flow; absent: the one that is shown.
    pub process: Option<SmolStr>,
    /// The stage of `set-stage`.
    pub stage: Option<SmolStr>,
    /// The record of the next stage.
    pub to: Option<Target>,
    /// The values of a new record for it.
    pub create: Option<Vec<(SmolStr, Given)>>,
}

/// What is asked of the task flows of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskAsk {
    /// `list`, `begin`, `show`, `page`, `back`, `finish`, `discard`.
    pub word: SmolStr,
    /// The task flow; absent: the one that is open.
    pub process: Option<SmolStr>,
    /// The version that the session is to have.
    pub version: Option<u64>,
    /// What is typed, by the paths of the page.
    pub values: Vec<(SmolStr, Given)>,
}

/// What is shown of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The record.
    pub target: Target,
    /// Its attributes with their values as they are written in a line.
    pub fields: Vec<(SmolStr, Piece)>,
}

/// What is asked of the records of an entity.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The entity.
    pub entity: &'a str,
    /// `$filter` of the web API.
    pub filter: Option<&'a str>,
    /// `$orderby` of the web API.
    pub order: Option<&'a str>,
    /// The most records.
    pub top: Option<u32>,
    /// The attributes to show; none: the primary one.
    pub attributes: &'a [SmolStr],
}

/// What is shown of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownJob {
    /// The job.
    pub id: Uuid,
    /// The process that it runs.
    pub process: SmolStr,
    /// The record that it runs on.
    pub record: Option<Target>,
    /// The word of its state.
    pub state: SmolStr,
    /// Why it stands so.
    pub reason: Option<String>,
    /// Its run log, where it was asked for: a line each.
    pub log: Vec<Vec<Piece>>,
}

/// What is to be moved to another version.
#[derive(Clone, Copy, Debug)]
pub struct Migrating<'a> {
    /// The process.
    pub process: &'a str,
    /// The version whose jobs are moved; absent: every other one.
    pub from: Option<u32>,
    /// The version that they get; absent: the one that holds now.
    pub to: Option<u32>,
    /// Steps that are called otherwise now: old, new.
    pub map: &'a [(SmolStr, SmolStr)],
    /// Whether it is only told what would happen.
    pub preview: bool,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Imported {
    /// Rows that made a record.
    pub created: u64,
    /// Rows that changed one.
    pub updated: u64,
    /// Rows whose record was equal.
    pub unchanged: u64,
    /// Rows that were refused: line of the file and why.
    pub refused: Vec<(u64, String)>,
}

/// A Stepwise that a session talks to.
pub trait Port {
    /// Makes a record; gives its id.
    fn create(&mut self, entity: &str, values: &[(SmolStr, Given)]) -> Result<Uuid, No>;
    /// Changes what is named.
    fn update(&mut self, target: &Target, version: Option<u64>, values: &[(SmolStr, Given)]) -> Result<(), No>;
    /// Takes a record away.
    fn delete(&mut self, target: &Target, version: Option<u64>) -> Result<(), No>;
    /// Gives a record another owner.
    fn assign(&mut self, target: &Target, to: &Target) -> Result<(), No>;
    /// Sets a status, or a state with its first status, by name.
    fn set_status(&mut self, target: &Target, to: &str) -> Result<(), No>;
    /// Reads a record; no attributes: all that the entity has of its own.
    fn get(&mut self, target: &Target, attributes: &[SmolStr]) -> Result<Shown, No>;
    /// Asks for records.
    fn query(&mut self, question: &Question<'_>) -> Result<Vec<Shown>, No>;
    /// The one record of the entity that has this primary name.
    fn find(&mut self, entity: &str, name: &str) -> Result<Option<Target>, No>;
    /// Starts a process on a record with these inputs; gives the job.
    fn run(&mut self, process: &str, record: &Target, inputs: &[(SmolStr, Given)]) -> Result<Uuid, No>;
    /// Calls an action; gives its outputs.
    fn call(
        &mut self,
        action: &str,
        target: Option<&Target>,
        inputs: &[(SmolStr, Given)],
    ) -> Result<Vec<(SmolStr, Piece)>, No>;
    /// Why a process started for the last change of the record, or would for this event; a line for each check.
    fn explain(
        &mut self,
        process: &str,
        record: &Target,
        event: Option<&str>,
        attributes: &[SmolStr],
    ) -> Result<Vec<String>, No>;
    /// What a process would do on a record, a line each; nothing of it stays.
    fn attempt(
        &mut self,
        process: &str,
        record: &Target,
        inputs: &[(SmolStr, Given)],
        until: Option<Timestamp>,
        branches: &[u16],
    ) -> Result<Vec<Vec<Piece>>, No>;
    /// Moves the resting jobs of a process to another version, or tells what that would do; a line for each job.
    fn migrate(&mut self, migrating: &Migrating<'_>) -> Result<Vec<Vec<Piece>>, No>;
    /// Asks for the flows of a record, or moves one; the answer has a line for each thing to show.
    fn flow(&mut self, record: &Target, asked: &FlowAsk) -> Result<Vec<String>, No>;
    /// Asks for the task flows of a record, or fills one in; the answer has a line for each thing to show.
    fn task(&mut self, record: &Target, asked: &TaskAsk) -> Result<Vec<String>, No>;
    /// Imports a file of rows.
    fn import(&mut self, file: &str, entity: Option<&str>, key: Option<&str>) -> Result<Imported, No>;
    /// Jobs in the order of their creation, without their logs.
    fn jobs(&mut self, state: Option<&str>, process: Option<&str>) -> Result<Vec<ShownJob>, No>;
    /// One job with its run log.
    fn job(&mut self, id: Uuid) -> Result<ShownJob, No>;

    /// Gives a user or team rights on a record, by their words.
    fn share(&mut self, _target: &Target, _with: &Target, _rights: &[SmolStr]) -> Result<(), No> {
        Err(only_in_a_page("`share`"))
    }
    /// Takes back what it has by sharing.
    fn unshare(&mut self, _target: &Target, _with: &Target) -> Result<(), No> {
        Err(only_in_a_page("`unshare`"))
    }
    /// Does with a job what somebody wants.
    fn order(&mut self, _job: Uuid, _order: Order) -> Result<(), No> {
        Err(only_in_a_page("an order for a job"))
    }
    /// Says something to a library of custom steps; a line for each thing to show.
    fn plugin(&mut self, _order: &str, _library: &str, _words: &[SmolStr]) -> Result<Vec<String>, No> {
        Err(only_in_a_page("`plugin`"))
    }
    /// Goes on as another user.
    fn act_as(&mut self, _user: &str) -> Result<(), No> {
        Err(only_in_a_page("another user"))
    }
    /// Applies the files of the page.
    fn apply(&mut self) -> Result<(), No> {
        Err(only_in_a_page("`apply`"))
    }
    /// Lets time pass.
    fn advance(&mut self, _span: Span) -> Result<(), No> {
        Err(only_in_a_page("`advance`"))
    }
    /// Drops everything but the store and opens it again.
    fn restart(&mut self) -> Result<(), No> {
        Err(only_in_a_page("`restart`"))
    }
    /// Lets the next operation of this kind on the store fail.
    fn fail_next(&mut self, _kind: &str) -> Result<(), No> {
        Err(only_in_a_page("`fail-next`"))
    }
}

fn only_in_a_page(what: &str) -> No {
    No::new("not-possible", format!("{what} is possible in a page only, where the whole world is in memory"))
}
