//! Installing a plugin: its signature and it looked at whole first, with what it asks for and what it would change; then
//! put in place.
//!
//! Installing puts a version beside the ones that are there. Activations that call it are made anew, with the newest
//! version in the range of each step; jobs that run keep the digest that they began with (processes 9.1, D11).

use std::collections::HashSet;

use model::{
    Caller, Digest, Refusal, TaskName,
    consent::Consent,
    package::{Code, Manifest},
    refusal::Problem,
    step::Installed,
};
use sha2::{Digest as _, Sha256};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use store::packages::{self as rows, Kind};

use super::{Signed, Source, changes, inspect, say, stage_plugin, steps_of};
use crate::{
    Catalogue, Engine, Failure,
    catalogue::{Directory, Pins},
};

/// A component to be installed.
#[derive(Clone, Copy, Debug)]
pub struct NewPlugin<'p> {
    /// Its bytes.
    pub component: &'p [u8],
    /// Where they were taken from, as whoever brings them says.
    pub origin: &'p Origin,
    /// What is granted to it beside what its library has already.
    pub given: &'p Given,
    /// What its bytes must be, where somebody said so.
    pub digest: Option<Digest>,
    /// The text of its signature, if it has one.
    pub signature: Option<&'p str>,
    /// Whether it may take the place of other bytes that are installed under its version.
    pub replace: bool,
}

/// Where a component was taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody says.
    #[default]
    Unknown,
    /// A file of whoever installs it.
    File(SmolStr),
    /// An address of the web, or a registry.
    Address(SmolStr),
}

impl Origin {
    /// The file or the address.
    pub fn text(&self) -> &str {
        match self {
            Self::Unknown => "",
            Self::File(text) | Self::Address(text) => text,
        }
    }
}

/// What is granted with an installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given {
    /// Nothing more than the library has.
    #[default]
    Nothing,
    /// Everything that the component asks for.
    Asked,
    /// This.
    Items(Consent),
}

/// What installing a component would mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    /// The component.
    pub found: Installed,
    /// Whether exactly this is in place already.
    pub is_known: bool,
    /// Whether other bytes are in place under its version.
    pub differs: bool,
    /// Who signed it.
    pub signed: Signed,
    /// All that it asks for.
    pub asked: Consent,
    /// What of it its library does not have yet.
    pub lacking: Consent,
    /// The version that new runs use now, if there is one.
    pub replaces: Option<semver::Version>,
    /// What is different from that version, in words.
    pub changes: Vec<String>,
    /// The active processes whose new runs would use it.
    pub used_by: Vec<SmolStr>,
    /// Why processes that call it could not run by it; everything granted that it asks for.
    pub problems: Vec<Problem>,
}

/// A component that was installed.
#[derive(Clone, Debug, PartialEq)]
pub struct InstalledPlugin {
    /// The component.
    pub found: Installed,
    /// Who signed it.
    pub signed: Signed,
    /// The active processes whose new runs use it.
    pub used_by: Vec<SmolStr>,
}

impl Engine {
    /// What installing this component would mean; changes nothing.
    pub fn inspect_plugin(&self, caller: &Caller, new: &NewPlugin<'_>) -> Result<Inspected, Failure> {
        let (found, signed) = self.looked_at(caller, new)?;
        let (catalogue, snapshot) = self.state()?;
        let manifest = &found.manifest;
        let installed = rows::installed(&snapshot, &manifest.library, &manifest.version.to_smolstr())?;
        let asked = Consent::of_package(manifest);
        let lacking = catalogue.standing.consent(&manifest.library).lacking(&asked);
        let current = self.current(&snapshot, &manifest.library)?;
        let directory = with(&catalogue.steps, &found);
        Ok(Inspected {
            is_known: installed.as_ref().is_some_and(|one| one.package == found.digest && one.withdrawn.is_none()),
            differs: installed.is_some_and(|known| known.package != found.digest),
            signed,
            lacking,
            replaces: current.as_ref().map(|current| current.manifest.version.clone()),
            changes: current.map(|current| changes::between(&current.manifest, manifest)).unwrap_or_default(),
            used_by: users(&catalogue, &directory, found.digest),
            problems: broken(&catalogue, &snapshot, &manifest.library, &directory)?,
            asked,
            found,
        })
    }

    /// Installs a component: checks it whole, then puts it in place for runs that start from now on. Running jobs keep
    /// what they are pinned to. Refused where a process that calls it could not run by it.
    pub fn install_plugin(&self, caller: &Caller, new: &NewPlugin<'_>) -> Result<InstalledPlugin, Failure> {
        let (found, signed) = self.looked_at(caller, new)?;
        let _alone = self.deploying.lock();
        let (catalogue, snapshot) = self.state()?;
        let replaced = check_place(&snapshot, &found, new)?;
        let directory = with(&catalogue.steps, &found);
        let mut problems = broken(&catalogue, &snapshot, &found.manifest.library, &directory)?;
        problems.retain(|problem| !problem.warning);
        let mut consent = catalogue.standing.consent(&found.manifest.library);
        match new.given {
            Given::Nothing => {}
            Given::Asked => consent.add(&Consent::of_package(&found.manifest)),
            Given::Items(items) => consent.add(items),
        }
        problems.extend(ungranted(&catalogue, &directory, &found, &consent));
        if !problems.is_empty() {
            return Err(Refusal::BadSolution(problems).into());
        }
        let used_by = users(&catalogue, &directory, found.digest);
        let source = Source { origin: new.origin.text(), signed_by: &signed.by, ..Source::default() };
        self.deploy(|unit| {
            let changed = stage_plugin(unit, &found, new.component, source)?;
            say::put(unit, caller, &found.manifest.library, &consent)?;
            if changed {
                crate::deploy::activate_again(unit, &directory)?;
            }
            Ok(())
        })?;
        replaced.into_iter().try_for_each(|replaced| self.let_go(replaced))?;
        if let Some(why) = &signed.warning {
            let (library, version) = (found.manifest.library.as_str(), found.manifest.version.to_string());
            tracing::warn!(library, version, why = why.as_str(), "a plugin was installed that nobody answers for");
        }
        Ok(InstalledPlugin { found, signed, used_by })
    }

    /// Looks at a component as an installation does, so that one that follows finds it compiled. Takes as long as compiling
    /// does: on a thread of whoever asks, never on one of the engine's.
    pub fn look_at_plugin(&self, caller: &Caller, new: &NewPlugin<'_>) -> Result<(), Failure> {
        self.looked_at(caller, new).map(|_| ())
    }

    /// Whether the caller may, who signed it, and what it is: its signature first, and all of it before anything is held
    /// that others wait for, since compiling takes long.
    fn looked_at(&self, caller: &Caller, new: &NewPlugin<'_>) -> Result<(Installed, Signed), Failure> {
        const IT: &str = "the component";
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        let is = Digest(Sha256::digest(new.component).into());
        if let Some(meant) = new.digest.filter(|meant| *meant != is) {
            let why = format_smolstr!("it is sha256:{is}, and sha256:{meant} was asked for");
            return Err(Refusal::UntrustedPlugin { plugin: IT.into(), why }.into());
        }
        let judged = self.parts.settings.trust.judge(new.component, new.signature, new.origin);
        let signed = judged.map_err(|why| Refusal::UntrustedPlugin { plugin: IT.into(), why })?;
        let found = inspect(&self.parts, IT, new.component).map_err(Refusal::BadSolution)?;
        Ok((found, signed))
    }

    /// The version of a library that new runs use: the newest that is not withdrawn.
    pub(super) fn current(&self, reader: &dyn store::Reader, library: &str) -> Result<Option<Installed>, Failure> {
        let mut newest: Option<Installed> = None;
        let all = rows::all(reader)?.into_iter();
        for install in all.filter(|install| install.library == library && install.kind == Kind::Plugin) {
            let Some(found) = self.loaded(reader, &install)?.filter(|_| install.withdrawn.is_none()) else { continue };
            if newest.as_ref().is_none_or(|newest| newest.manifest.version < found.manifest.version) {
                newest = Some(found);
            }
        }
        Ok(newest)
    }
}

/// What could not run by these steps, or not be read by them, and can now: each place once.
pub(super) fn broken(
    catalogue: &Catalogue,
    reader: &dyn store::Reader,
    library: &str,
    steps: &Directory,
) -> Result<Vec<Problem>, Failure> {
    let mut problems = crate::deploy::broken(catalogue, &catalogue.schema, steps, &HashSet::new());
    for problem in super::check::read_again(catalogue, reader, library, steps)? {
        if problems.iter().all(|known| known.file != problem.file) {
            problems.push(problem);
        }
    }
    Ok(problems)
}

/// A version is what it is: other bytes need another one, or somebody who says that they may take its place. Gives those
/// whose place they take.
fn check_place(reader: &dyn store::Reader, found: &Installed, new: &NewPlugin<'_>) -> Result<Option<Digest>, Failure> {
    let Manifest { library, version, .. } = &found.manifest;
    let known = rows::installed(reader, library, &version.to_smolstr())?.map(|known| known.package);
    let replaced = known.filter(|known| *known != found.digest);
    if replaced.is_none() || new.replace {
        return Ok(replaced);
    }
    Err(Refusal::NotPossible {
        verb: "the installation".into(),
        entity: format_smolstr!("{library} {version}"),
        why: "that version is there with other bytes; give this one a version of its own, or `--replace`".into(),
    }
    .into())
}

/// The active processes whose new runs would call this code.
fn users(catalogue: &Catalogue, directory: &Directory, digest: Digest) -> Vec<SmolStr> {
    let calls = |pins: &Pins| pins.all().any(|(_, step)| step.code == Code::Component(digest));
    let active = catalogue.processes().filter_map(|process| Some((process, process.activation.as_ref()?)));
    let using = active.filter(|(_, active)| calls(&Pins::choose(&active.program, directory)));
    let mut names: Vec<SmolStr> = using.map(|(process, _)| process.name.as_str().into()).collect();
    names.sort();
    names
}

/// The steps as they will be with this component.
fn with(steps: &Directory, found: &Installed) -> Directory {
    let mut directory = steps.clone();
    steps_of(&found.manifest, &Code::Component(found.digest)).into_iter().for_each(|step| directory.add(step));
    directory
}

/// What active processes would call of the new version without its being granted what it asks for.
fn ungranted(catalogue: &Catalogue, directory: &Directory, found: &Installed, consent: &Consent) -> Vec<Problem> {
    let mut problems = Vec::new();
    for process in catalogue.processes() {
        let Some(active) = &process.activation else { continue };
        for (_, step) in Pins::choose(&active.program, directory).all() {
            if step.code != Code::Component(found.digest) {
                continue;
            }
            let lacking = consent.lacking(&Consent::of_step(&step.definition));
            if !lacking.is_empty() {
                let file = format!("processes/{}.yaml", process.name);
                problems
                    .push(crate::deploy::problem(&file, super::not_granted(&step.definition.name, &lacking).into()));
            }
        }
    }
    problems
}
