//! Custom steps by name and version, and the ones that an activation is pinned to.

use std::collections::HashMap;

use model::{
    Digest, StepName,
    package::{Code, StepDefinition},
};
use semver::{Version, VersionReq};

/// The custom steps that are installed.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// The versions of each, the newest first.
    steps: HashMap<StepName, Vec<Step>>,
}

/// One version of a custom step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its version.
    pub version: Version,
    /// What it says of itself.
    pub definition: StepDefinition,
    /// What runs.
    pub code: Code,
}

impl Directory {
    /// Adds a version of a step, in place of the same version that came before.
    pub(crate) fn add(&mut self, step: Step) {
        let versions = self.steps.entry(step.definition.name.clone()).or_default();
        versions.retain(|known| known.version != step.version);
        versions.push(step);
        versions.sort_by(|one, other| other.version.cmp(&one.version));
    }

    /// The newest version of a step in `range`, or of all. Without a range a pre-release counts only where there is
    /// nothing else.
    pub fn find(&self, name: &StepName, range: Option<&VersionReq>) -> Option<&Step> {
        let versions = self.steps.get(name)?;
        match range {
            Some(range) => versions.iter().find(|step| range.matches(&step.version)),
            None => versions.iter().find(|step| step.version.pre.is_empty()).or_else(|| versions.first()),
        }
    }

    /// All versions of all steps, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Step> {
        self.steps.values().flatten()
    }
}

impl formats::Steps for Directory {
    fn step(&self, name: &StepName, version: Option<&VersionReq>) -> Option<&StepDefinition> {
        self.find(name, version).map(|step| &step.definition)
    }

    fn names(&self) -> Vec<StepName> {
        self.steps.keys().cloned().collect()
    }
}

impl rules::workflow::Steps for Directory {
    fn step(&self, name: &StepName, version: Option<&VersionReq>) -> Option<&StepDefinition> {
        self.find(name, version).map(|step| &step.definition)
    }
}

/// The steps that an activation calls, each with the code that it was activated with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pins {
    pins: Vec<(StepName, Option<VersionReq>, Step)>,
}

impl Pins {
    /// Pins the newest fitting version of each call.
    pub fn choose<'c>(
        calls: impl IntoIterator<Item = (&'c StepName, Option<&'c VersionReq>)>,
        directory: &Directory,
    ) -> Self {
        let mut pins = Self::default();
        for (name, range) in calls {
            if pins.find(name, range).is_none()
                && let Some(step) = directory.find(name, range)
            {
                pins.pins.push((name.clone(), range.cloned(), step.clone()));
            }
        }
        pins
    }

    /// What runs when the activation calls this step.
    pub fn find(&self, name: &StepName, range: Option<&VersionReq>) -> Option<&Step> {
        self.pins.iter().find(|(known, of, _)| known == name && of.as_ref() == range).map(|(_, _, step)| step)
    }

    /// The pinned steps, each with the range that it was chosen from.
    pub fn all(&self) -> impl Iterator<Item = (Option<&VersionReq>, &Step)> {
        self.pins.iter().map(|(_, range, step)| (range.as_ref(), step))
    }
}

/// The digest of what runs.
pub(crate) fn digest(code: &Code) -> Digest {
    match code {
        Code::Component(digest) => *digest,
        Code::Script(script) => script.digest,
    }
}
