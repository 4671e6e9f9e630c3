//! Custom steps by name and version, email templates by name, and the ones that an activation is pinned to.

use std::{collections::HashMap, sync::Arc};

use model::{
    Digest, StepName,
    package::{Code, StepDefinition},
    process::email::EmailTemplate,
};
use rules::workflow::Program;
use semver::{Version, VersionReq};
use smol_str::SmolStr;

/// The custom steps that are installed, and the templates of mail.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// The versions of each, the newest first.
    steps: HashMap<StepName, Vec<Step>>,
    /// Each with the digest of its canonical JSON.
    templates: HashMap<SmolStr, (Arc<EmailTemplate>, Digest)>,
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

    /// Adds a template, in place of the one of its name that came before.
    pub(crate) fn add_template(&mut self, template: Arc<EmailTemplate>, digest: Digest) {
        self.templates.insert(template.name.clone(), (template, digest));
    }

    /// The template of this name.
    pub(crate) fn template(&self, name: &str) -> Option<&EmailTemplate> {
        self.templates.get(name).map(|(template, _)| &**template)
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

    fn templates(&self) -> Vec<Arc<EmailTemplate>> {
        self.templates.values().map(|(template, _)| template.clone()).collect()
    }
}

impl rules::workflow::Steps for Directory {
    fn step(&self, name: &StepName, version: Option<&VersionReq>) -> Option<&StepDefinition> {
        self.find(name, version).map(|step| &step.definition)
    }
}

/// What an activation uses, as it was when it was activated: the steps that it calls, each with its code, and the
/// templates that it sends, each with the digest of its canonical JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pins {
    pins: Vec<(StepName, Option<VersionReq>, Step)>,
    templates: Vec<(SmolStr, Digest)>,
}

impl Pins {
    /// Pins the newest fitting version of each call, and each template as it is.
    pub fn choose(program: &Program, directory: &Directory) -> Self {
        let mut pins = Self::default();
        for (name, range) in program.calls() {
            if pins.find(name, range).is_none()
                && let Some(step) = directory.find(name, range)
            {
                pins.pins.push((name.clone(), range.cloned(), step.clone()));
            }
        }
        for name in program.templates() {
            if let Some((_, digest)) = directory.templates.get(name)
                && pins.templates.iter().all(|(known, _)| known != name)
            {
                pins.templates.push((name.clone(), *digest));
            }
        }
        pins
    }

    /// The templates with their digests, in the order of their first use.
    pub fn templates(&self) -> &[(SmolStr, Digest)] {
        &self.templates
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
