//! A custom step: its name, what it needs, and one function.

use crate::{Context, Failure, Field, Inputs, Outputs};

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

/// One custom step of a library.
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
    /// What it is told.
    type Inputs: Inputs;
    /// What it finds out.
    type Outputs: Outputs;

    /// Does the work, once for each attempt.
    ///
    /// # Errors
    /// Whatever keeps the step from its outputs; everything it changed is then undone.
    fn run(context: &Context, inputs: Self::Inputs) -> Result<Self::Outputs, Failure>;
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
