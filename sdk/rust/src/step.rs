//! A custom step: its name, what it needs, and one function.

use crate::{Context, Example, Failure, Field, Inputs, Outputs};

/// What a step may do to an entity, for [`Step::USES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Read one record.
    Retrieve,
    /// Read many records.
    Query,
    /// Make records.
    Create,
    /// Change records.
    Update,
    /// Delete records.
    Delete,
    /// Give records to another owner.
    Assign,
    /// Set a status.
    SetStatus,
    /// Give and take rights on records.
    Share,
}

impl Verb {
    /// The name in manifests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Retrieve => "retrieve",
            Self::Query => "query",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Assign => "assign",
            Self::SetStatus => "set-status",
            Self::Share => "share",
        }
    }
}

/// Where a step may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Among the steps of a process.
    Step,
    /// In a condition: one output, a boolean.
    Condition,
    /// As an action.
    Action,
}

/// Limits that a step asks for, where the usual ones are too tight; an operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds of processor time; usually 250.
    pub cpu_ms: Option<u32>,
    /// Milliseconds on the wall; usually 30,000.
    pub wall_ms: Option<u32>,
    /// Bytes of memory; usually 64 MiB.
    pub memory: Option<u32>,
    /// Bytes of inputs; usually 1 MiB.
    pub input: Option<u32>,
    /// Bytes of outputs; usually 1 MiB.
    pub output: Option<u32>,
    /// Bytes of log lines; usually 64 KiB.
    pub log: Option<u32>,
    /// Verbs and queries; usually 256.
    pub verb_calls: Option<u32>,
    /// Requests; usually 32.
    pub http_calls: Option<u32>,
}

impl Limits {
    /// The usual ones, to be changed: `Limits { wall_ms: Some(60_000), ..Limits::USUAL }`.
    pub const USUAL: Self = Self {
        cpu_ms: None,
        wall_ms: None,
        memory: None,
        input: None,
        output: None,
        log: None,
        verb_calls: None,
        http_calls: None,
    };
}

/// Something that an operator can set for the library.
///
/// ```
/// use stepwise_sdk::prelude::*;
///
/// const CONFIG: &[Setting] =
///     &[Setting { name: "limit", description: "The most that is asked for", required: false, default: Some("100") }];
/// # assert_eq!(CONFIG.len(), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its key, for [`Context::config`].
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Whether nothing works without it.
    pub required: bool,
    /// What holds when it is not set.
    pub default: Option<&'static str>,
}

/// One custom step of a library.
///
/// ```
/// use stepwise_sdk::{prelude::*, testing::FakeHost};
///
/// /// Closes what is done.
/// struct Close;
///
/// impl Step for Close {
///     const NAME: &str = "tasks.close";
///     const TITLE: &str = "Close a task";
///     const USES: &[(&str, &[Verb])] = &[("task", &[Verb::SetStatus])];
///     type Inputs = Which;
///     type Outputs = ();
///
///     fn run(context: &Context, which: Which) -> Result<(), Failure> {
///         context.set_status(&which.task, "completed")?;
///         Ok(())
///     }
/// }
///
/// #[derive(Inputs)]
/// struct Which {
///     /// The task
///     #[argument(to = "task")]
///     task: Reference,
/// }
///
/// let host = FakeHost::new();
/// let task = host.with_record("task", attributes! { "subject" => "Call" });
/// host.run::<Close>(Which { task }).unwrap();
/// assert_eq!(host.did().len(), 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no step",
    label = "does not implement `Step`",
    note = "write `impl Step for {Self}` with its `NAME`, `Inputs`, `Outputs` and `run`"
)]
pub trait Step {
    /// `library.step-name`; all steps of a crate share the library.
    const NAME: &'static str;
    /// Where it may be used.
    const KIND: Kind = Kind::Step;
    /// The name that people see.
    const TITLE: &'static str = "";
    /// What it is for, in a sentence or two.
    const DESCRIPTION: &'static str = "";
    /// What it does to which entity; `any` stands for every entity. Anything else is denied.
    const USES: &'static [(&'static str, &'static [Verb])] = &[];
    /// The actions and messages it invokes.
    const ACTIONS: &'static [&'static str] = &[];
    /// The codes of its own failures, each with a sentence.
    const ERRORS: &'static [(&'static str, &'static str)] = &[];
    /// Whether it has effects outside, or asks there. It then runs after a checkpoint, once for each attempt, and its
    /// verbs are written when it has ended; only background workflows can call it.
    const EXTERNAL: bool = false;
    /// The hosts that it asks, each with why: `("api.example.com", "today's rates")`, `("*.example.com", "...")`,
    /// `("http://10.0.0.5:8080", "the till")`. An operator grants them to the whole library.
    const HOSTS: &'static [(&'static str, &'static str)] = &[];
    /// The secrets that it sends there, by name, each with what it is.
    const SECRETS: &'static [(&'static str, &'static str)] = &[];
    /// What an operator can set for the library.
    const CONFIG: &'static [Setting] = &[];
    /// Doing it twice with one idempotency key has one effect, outside too. Conformance holds it to this.
    const IDEMPOTENT: bool = false;
    /// The same inputs, records, time and seed give the same outputs and verbs. Conformance holds it to this.
    const DETERMINISTIC: bool = false;
    /// The limits that it asks for.
    const LIMITS: Limits = Limits::USUAL;
    /// What to use instead, when it should no longer be used.
    const DEPRECATED: &'static str = "";
    /// What it is told.
    type Inputs: Inputs;
    /// What it finds out.
    type Outputs: Outputs;

    /// Does the work, once for each attempt.
    ///
    /// # Errors
    /// Whatever keeps the step from its outputs; everything it changed is then undone.
    fn run(context: &Context, inputs: Self::Inputs) -> Result<Self::Outputs, Failure>;

    /// Calls that show what it does, and one for each code of its own failures. Conformance runs them.
    #[must_use]
    fn examples() -> Vec<Example> {
        Vec::new()
    }
}

/// Holds the names of a library's steps to what an installer would refuse; [`export!`](crate::export!) asks while compiling.
///
/// # Panics
/// A name is none, two are the same, or they are of two libraries.
#[doc(hidden)]
pub const fn named(names: &[&str]) {
    let mut one = 0;
    while one < names.len() {
        let library = library(names[one].as_bytes());
        let mut other = 0;
        while other < one {
            assert!(!same(names[one], names[other], usize::MAX), "two steps have the same `NAME`");
            assert!(
                same(names[one], names[other], library + 1),
                "the `NAME`s of all steps of a crate begin with the same library: `library.step-name`"
            );
            other += 1;
        }
        one += 1;
    }
}

/// How long the name of the library is that a step's name begins with.
const fn library(name: &[u8]) -> usize {
    let (mut place, mut dot) = (0, 0);
    let mut begins = true;
    while place < name.len() {
        let letter = name[place];
        assert!(
            if begins {
                letter.is_ascii_lowercase()
            } else {
                letter == b'.' || letter == b'-' || letter.is_ascii_lowercase() || letter.is_ascii_digit()
            },
            "the `NAME` of a step is `library.step-name`: small letters, digits and `-`"
        );
        begins = letter == b'.';
        if begins {
            assert!(dot == 0, "the `NAME` of a step has one point: `library.step-name`");
            dot = place;
        }
        place += 1;
    }
    assert!(dot > 0 && !begins, "the `NAME` of a step is `library.step-name`: it has no point");
    dot
}

/// Whether two names agree in so many letters.
const fn same(one: &str, other: &str, letters: usize) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut place = 0;
    while place < letters {
        if place >= one.len() || place >= other.len() {
            return one.len() == other.len();
        }
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

/// A step with its types forgotten.
#[doc(hidden)]
pub type Call = fn(&Context, Vec<Field>) -> Result<Vec<Field>, Failure>;

/// Runs a step on untyped fields.
///
/// # Errors
/// `invalid-input` for the fields, or the step's own failure.
pub fn call<S: Step>(context: &Context, inputs: Vec<Field>) -> Result<Vec<Field>, Failure> {
    S::Inputs::read(inputs).and_then(|inputs| S::run(context, inputs)).map(Outputs::fields)
}
