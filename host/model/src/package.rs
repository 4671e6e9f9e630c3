//! Plugins and scripts: what they say of themselves and what runs when a custom step is called.

use std::sync::Arc;

use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    Argument, Digest, EntityName, StepName,
    grant::{HostGrant, LimitChanges, Uses},
};

/// A plugin or a script as it describes itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The library: the part before the dot of its steps' names.
    pub library: SmolStr,
    /// Its version.
    pub version: semver::Version,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What it asks its operator for.
    pub wants: Wants,
    /// What can be called.
    pub steps: Vec<StepDefinition>,
}

/// What a library asks its operator for, each with a sentence why.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wants {
    /// Hosts that its external steps call.
    pub hosts: Vec<(HostGrant, String)>,
    /// Secrets that it sends to them, by name.
    pub secrets: Vec<(SmolStr, String)>,
    /// What can be set for it.
    pub config: Vec<Setting>,
}

/// Something that an operator can set for a library.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its key.
    pub name: SmolStr,
    /// What it is for.
    pub description: String,
    /// Whether the library does not work without it.
    pub required: bool,
    /// What holds when it is not set.
    pub default: Option<SmolStr>,
}

/// A custom step, condition or action.
#[derive(Clone, Debug, PartialEq)]
pub struct StepDefinition {
    /// Its name.
    pub name: StepName,
    /// What it is.
    pub kind: StepKind,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What it takes.
    pub inputs: Vec<Argument>,
    /// What it gives.
    pub outputs: Vec<Argument>,
    /// The error codes it may give, each with its sentence.
    pub errors: Vec<(SmolStr, String)>,
    /// The verbs it may use, by entity: `complaint` with `retrieve`, `update`.
    pub uses: Uses,
    /// Whether it has effects outside, so that it runs on its own (E17).
    pub external: bool,
    /// What else it says of itself.
    pub claims: Claims,
}

/// What a step says of itself and conformance holds it to. Nothing here gives it a right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims {
    /// Doing it twice with one idempotency key has one effect, outside too.
    pub idempotent: bool,
    /// The same inputs, records, time and seed give the same outputs and verbs.
    pub deterministic: bool,
    /// Whether an input that it does not declare is an error and not left alone.
    pub strict: bool,
    /// Of an action: the entity whose records it is bound to; absent: it is global.
    pub entity: Option<EntityName>,
    /// The limits that it asks for.
    pub limits: LimitChanges,
    /// Calls that work, and calls that fail by a declared code.
    pub examples: Vec<Example>,
    /// What to use instead, when it should no longer be used.
    pub deprecated: Option<String>,
    /// What is said of single inputs and outputs.
    pub notes: Vec<ArgumentNote>,
}

/// One call as it is documented. Values are JSON in the forms of a manifest's defaults; a record is `{"entity", "id"}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// Records that are there, beside those that its inputs name.
    pub records: Vec<ExampleRecord>,
    /// Inputs by name.
    pub inputs: Vec<(SmolStr, SmolStr)>,
    /// Outputs by name, when they are told.
    pub outputs: Option<Vec<(SmolStr, SmolStr)>>,
    /// The code of the failure, when it fails.
    pub error: Option<SmolStr>,
}

/// A record that is there when an example is called.
#[derive(Clone, Debug, PartialEq)]
pub struct ExampleRecord {
    /// Its entity's name.
    pub entity: SmolStr,
    /// Its id.
    pub id: Uuid,
    /// What it holds, by name, as JSON.
    pub attributes: Vec<(SmolStr, SmolStr)>,
}

/// What is said of one input or output beside its type.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgumentNote {
    /// `inputs/days`
    pub place: SmolStr,
    /// What to use instead, when it should no longer be used.
    pub deprecated: Option<String>,
    /// Values that show what it is, as JSON.
    pub examples: Vec<SmolStr>,
}

/// What a custom step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A step of a workflow or action.
    Step,
    /// A condition: one output, boolean.
    Condition,
    /// The body of an action.
    Action,
}

/// What runs when a custom step is called, pinned by content.
#[derive(Clone, Debug, PartialEq)]
pub enum Code {
    /// A component; its compiled form was prepared under this digest.
    Component(Digest),
    /// A script, run by the script runner.
    Script(Arc<Script>),
}

/// A script.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// SHA-256 of its text.
    pub digest: Digest,
    /// Where it came from, for messages: `scripts/days-open.rhai`.
    pub file: SmolStr,
    /// Its text, whole, with the manifest in its leading comment, so that lines count as written.
    pub text: SmolStr,
}
