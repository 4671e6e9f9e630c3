//! Plugins and scripts: what they say of themselves and what runs when a custom step is called.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::{Argument, Digest, StepName};

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
    /// What can be called.
    pub steps: Vec<StepDefinition>,
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
    pub uses: Vec<(SmolStr, Vec<SmolStr>)>,
    /// Whether it has effects outside, so that it runs on its own (E17).
    pub external: bool,
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
