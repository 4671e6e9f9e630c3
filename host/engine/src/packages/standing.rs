//! How the installed packages stand: what is granted to each library, and which versions rest in quarantine.
//!
//! Part of the catalogue, so that a call of a custom step asks memory only. Whoever starts an activation asks here too.

use std::{collections::HashMap, sync::Arc};

use model::{
    Digest, RecordRef, StepName, Timestamp,
    consent::Consent,
    grant::{Grants, Secret},
    package::{Code, Manifest},
    step::{HostFault, Limits, StepFailure},
};
use smol_str::{SmolStr, format_smolstr};
use store::{
    Reader,
    packages::Install,
    plugins::{self, Sealed},
    quarantines,
};

use super::{
    breaker::{Admission, Resting},
    compiling::{Compiling, Missing},
    health::Health,
    say::place,
};
use crate::{
    Error, Parts, Settings,
    catalogue::{self, Pins, Step},
};

/// How packages stand.
#[derive(Default)]
pub(crate) struct Standing {
    packages: HashMap<Digest, Package>,
    consents: HashMap<SmolStr, Consent>,
    /// What the sandbox is told of each library.
    grants: HashMap<SmolStr, Arc<Grants>>,
    /// Why an installed script must not be called.
    faults: HashMap<Digest, SmolStr>,
    /// What the installed versions of each library ask for, all together.
    asked: HashMap<SmolStr, Consent>,
    /// What calls came to since the engine was opened.
    pub health: Arc<Health>,
    /// What is to be compiled.
    pub compiling: Arc<Compiling>,
}

/// One installed version.
struct Package {
    label: Label,
    quarantined: Option<SmolStr>,
    /// The steps that must not be called yet, each with what is missing.
    lacks: Vec<(StepName, Consent)>,
}

/// Library and version.
pub(crate) type Label = (SmolStr, SmolStr);

impl Standing {
    /// What was granted and set, without packages yet. A secret that does not open is left out and said so.
    pub fn load(parts: &Parts, reader: &dyn Reader) -> Result<Self, Error> {
        let granted = plugins::all_granted(reader)?.into_iter();
        let consents: HashMap<_, _> = granted.map(|granted| (granted.library, granted.consent)).collect();
        let told = consents.iter().map(|(library, consent)| (library.clone(), Grants::from(consent)));
        let mut grants: HashMap<SmolStr, Grants> = told.collect();
        let nothing = || Grants::from(&Consent::default());
        for (library, key, value) in plugins::settings(reader)? {
            grants.entry(library).or_insert_with(nothing).config.insert(key, value);
        }
        for Sealed { library, name, bytes, .. } in plugins::secrets(reader)? {
            let opened = parts.settings.seal.as_ref().and_then(|seal| seal.open(&place(&library, &name), &bytes));
            match opened.and_then(|secret| String::from_utf8(secret).ok()) {
                Some(secret) => {
                    let secrets = &mut grants.entry(library).or_insert_with(nothing).secrets;
                    secrets.insert(name, Secret::new(secret));
                }
                None => {
                    let (library, name) = (library.as_str(), name.as_str());
                    tracing::error!(library, name, "a secret was sealed by another key and is not used: set it again");
                }
            }
        }
        let grants = grants.into_iter().map(|(library, grants)| (library, Arc::new(grants))).collect();
        let health = Health::new(parts.settings.quarantine, quarantines::all(reader)?);
        Ok(Self { consents, grants, health: Arc::new(health), ..Self::default() })
    }

    /// What the sandbox is told of a step's library. What a script may do its own text says, and the engine checks.
    pub fn grants(&self, step: &Step) -> Arc<Grants> {
        let known = self.grants.get(step.definition.name.library());
        match (&step.code, known) {
            (Code::Component(_), Some(known)) => Arc::clone(known),
            (Code::Component(_), None) => Arc::new(Grants::from(&Consent::default())),
            (Code::Script(_), Some(known)) => Arc::new(Grants { uses: None, ..(**known).clone() }),
            (Code::Script(_), None) => Arc::default(),
        }
    }

    /// What a call of the step may use up: the usual limits; what its script gives itself, as far as that may be; above all
    /// what an operator says.
    pub fn limits(&self, step: &Step, settings: &Settings) -> Limits {
        let usual = match &step.code {
            Code::Component(_) => settings.limits,
            Code::Script(_) => step.definition.claims.limits.within(settings.script_limits).over(settings.limits),
        };
        let name = &step.definition.name;
        self.grants.get(name.library()).map_or(usual, |known| known.limits(name.as_str(), usual))
    }

    /// An installed script has mistakes.
    pub fn put_fault(&mut self, digest: Digest, why: SmolStr) {
        self.faults.insert(digest, why);
    }

    /// Takes a package in; a script has no manifest to be granted anything by.
    pub fn add(&mut self, install: &Install, manifest: Option<&Manifest>) {
        let lacks = manifest.map(|manifest| self.lacks(manifest)).unwrap_or_default();
        if let Some(manifest) = manifest {
            self.asked.entry(manifest.library.clone()).or_default().add(&Consent::of_package(manifest));
        }
        let label = (install.library.clone(), install.version.clone());
        let quarantined = install.quarantined.clone();
        self.packages.insert(install.package, Package { label, quarantined, lacks });
    }

    fn lacks(&self, manifest: &Manifest) -> Vec<(StepName, Consent)> {
        let consent = self.consent(&manifest.library);
        let lacking = manifest.steps.iter().map(|step| (&step.name, consent.lacking(&Consent::of_step(step))));
        lacking.filter(|(_, lacking)| !lacking.is_empty()).map(|(name, lacking)| (name.clone(), lacking)).collect()
    }

    /// What was granted to a library.
    pub fn consent(&self, library: &str) -> Consent {
        self.consents.get(library).cloned().unwrap_or_default()
    }

    /// What a component that comes with a solution is granted with it: what no version asked for before, but for hosts. Who
    /// may apply it may read its plan, and records it reaches only as far as the user of a run does; what leaves the house
    /// an operator says by himself, and what he took back stays taken back.
    pub fn comes_with(&self, manifest: &Manifest) -> Consent {
        let mut consent = Consent::of_package(manifest);
        if let Some(before) = self.asked.get(&manifest.library) {
            consent.remove(before);
        }
        consent.hosts.clear();
        consent
    }

    /// Library and version of what has this digest, if it is still installed.
    pub fn label(&self, digest: Digest) -> Option<&Label> {
        self.packages.get(&digest).map(|package| &package.label)
    }

    /// Whether the step may be called at `now`: a failure where it must not be, whatever becomes of its package.
    pub fn check(&self, step: &Step) -> Result<(), StepFailure> {
        let digest = catalogue::digest(&step.code);
        let fault = |fault, message| StepFailure::Host { fault, message };
        if let Some(why) = self.faults.get(&digest) {
            return Err(fault(HostFault::AbiMismatch, why.clone()));
        }
        match self.missing(step, self.packages.get(&digest)) {
            None => Ok(()),
            Some(lacking) => Err(fault(HostFault::CapabilityDenied, not_granted(&step.definition.name, &lacking))),
        }
    }

    /// Whether the step's package is called, and as what. What an operator has put into quarantine he ends.
    pub fn admit(&self, step: &Step, now: Timestamp) -> Admission {
        let digest = catalogue::digest(&step.code);
        match self.ordered(digest) {
            Some(resting) => Admission::Resting(resting),
            None => self.health.breakers.admit(digest, now),
        }
    }

    /// How a package stands that is not called as ever.
    pub fn resting(&self, package: Digest) -> Option<Resting> {
        self.ordered(package).or_else(|| self.health.breakers.resting(package))
    }

    /// What an operator put into quarantine.
    fn ordered(&self, package: Digest) -> Option<Resting> {
        let why = self.packages.get(&package)?.quarantined.clone()?;
        Some(Resting { why, since: None, trial: None, failed: 0, probation: None, jobs: 0 })
    }

    /// In words how an installed package stands that is not called as ever.
    pub fn told(&self, package: Digest) -> Option<SmolStr> {
        let resting = self.resting(package)?;
        let library = &self.packages.get(&package)?.label.0;
        Some(match resting.probation {
            Some(since) => format_smolstr!("`{library}` is called on probation since {since}: {}", resting.why),
            None => said(library, library, &resting),
        })
    }

    /// In words that a step's package rests.
    pub fn told_resting(&self, step: &Step, resting: &Resting) -> SmolStr {
        let known = self.packages.get(&catalogue::digest(&step.code));
        let library = known.map_or(step.definition.name.library(), |known| known.label.0.as_str());
        said(step.definition.name.as_str(), library, resting)
    }

    /// In words why somebody waits for the package of this place.
    pub fn told_at(&self, place: RecordRef) -> SmolStr {
        let installed = self.packages.iter().map(|(digest, package)| (*digest, package.label.clone()));
        let known =
            self.health.breakers.all().into_iter().map(|(digest, library, version)| (digest, (library, version)));
        let found = installed.chain(known).find(|(digest, _)| quarantines::place(*digest) == place);
        match found.and_then(|(digest, label)| Some((label, self.resting(digest)?))) {
            Some(((library, _), resting)) => said(&library, &library, &resting),
            None => SmolStr::new_static("what it calls rested in quarantine and is called again: it goes on soon"),
        }
    }

    /// Whether the step's code can be called at once: what is to be compiled before, or why that cannot be.
    pub fn compiled(&self, parts: &Parts, step: &Step) -> Result<Option<Missing>, StepFailure> {
        let Code::Component(digest) = step.code else { return Ok(None) };
        if parts.runner.is_ready(digest) {
            return Ok(None);
        }
        let name = format_smolstr!("{} {}", step.definition.name.library(), step.version);
        let asked = self.compiling.ask(digest, &name, parts.clock.now());
        asked.map(Some).map_err(|message| StepFailure::Host { fault: HostFault::NotCompiled, message })
    }

    /// What is not granted to a step and would have to be.
    pub fn lacking(&self, step: &Step) -> Consent {
        self.missing(step, self.packages.get(&catalogue::digest(&step.code))).unwrap_or_default()
    }

    /// What an activation with these pins would call without its being granted what it asks for, or although its script has
    /// mistakes, in words.
    pub fn ungranted(&self, pins: &Pins) -> Vec<String> {
        let lacking = pins.all().map(|(_, step)| (step, self.lacking(step)));
        let lacking = lacking.filter(|(_, lacking)| !lacking.is_empty());
        let lacking = lacking.map(|(step, lacking)| not_granted(&step.definition.name, &lacking).to_string());
        let faulty = pins.all().filter_map(|(_, step)| self.faults.get(&catalogue::digest(&step.code)));
        lacking.chain(faulty.map(SmolStr::to_string)).collect()
    }

    fn missing(&self, step: &Step, known: Option<&Package>) -> Option<Consent> {
        match (&step.code, known) {
            // A script's text stands in its solution; what it may use is checked as it asks for it.
            (Code::Script(_), _) => None,
            (Code::Component(_), Some(known)) => {
                known.lacks.iter().find(|(name, _)| *name == step.definition.name).map(|(_, lacking)| lacking.clone())
            }
            // Another build took its place, and a running job is still pinned to it.
            (Code::Component(_), None) => {
                let lacking = self.consent(step.definition.name.library()).lacking(&Consent::of_step(&step.definition));
                Some(lacking).filter(|lacking| !lacking.is_empty())
            }
        }
    }
}

/// `what` rests, why, and what ends that.
fn said(what: &str, library: &str, resting: &Resting) -> SmolStr {
    let why = &resting.why;
    match resting.trial {
        Some(trial) => format_smolstr!(
            "`{what}` rests in quarantine: {why}; it is tried again at {trial}, `stepwise plugin resume {library}` lets it \
             go on at once"
        ),
        None => {
            format_smolstr!("`{what}` rests in quarantine: {why}; `stepwise plugin resume {library}` lets it go on")
        }
    }
}

/// `lib.step` may not ... yet: what is missing, and what gives it.
pub(crate) fn not_granted(step: &StepName, lacking: &Consent) -> SmolStr {
    let quoted =
        |item: &SmolStr| if item.contains(char::is_whitespace) { format!("'{item}'") } else { item.to_string() };
    let items = lacking.items().iter().map(quoted).collect::<Vec<_>>().join(" ");
    let words = lacking.sentences().join("; ");
    let library = step.library();
    format_smolstr!("`{step}` was not granted what it asks for: {words} (`stepwise plugin grant {library} {items}`)")
}
