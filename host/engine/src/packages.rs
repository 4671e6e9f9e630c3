//! Plugins and scripts: from the bytes that the store keeps to steps that can be called.
//!
//! A component describes itself, so it is asked each time a store is opened; its compiled code comes from the runner's
//! cache. Jobs pin a digest: the bytes stay. What people do with plugins is in the rooms: `install`, `say`, `life`.

mod breaker;
mod changes;
mod check;
pub(crate) mod compiling;
mod health;
mod install;
mod life;
mod list;
mod quarantine;
mod say;
mod standing;
mod trust;

use std::sync::Arc;

use formats::SourceFile;
use model::{
    Digest, Schema,
    package::{Code, Manifest},
    refusal::Problem,
    step::{Installed, PackageProblem},
};
use smol_str::{SmolStr, ToSmolStr};
use store::{
    Reader,
    packages::{self, Install, Kind},
};

pub use self::{
    breaker::Resting,
    compiling::{Compiles, Missing},
    health::CallFigures,
    install::{Given, Inspected, InstalledPlugin, NewPlugin, Origin},
    life::{RolledBack, Uninstalled},
    list::{PluginOrigin, PluginState},
    say::PluginSettings,
    trust::{Demand, Signed, Trust, TrustedKey},
};
pub(crate) use self::{
    breaker::{Admission, Trial},
    health::Done,
    say::grant_asked,
    standing::{Standing, not_granted},
};
use crate::{
    Error, Failure, Parts,
    catalogue::{Directory, Step},
    load::stored,
    unit::Unit,
};

/// All installed steps that can be chosen, and how their packages stand. One that cannot be made ready is left out and said
/// so: its jobs wait for a person (R6).
pub(crate) fn directory(parts: &Parts, reader: &dyn Reader, schema: &Schema) -> Result<(Directory, Standing), Error> {
    let (mut directory, mut standing) = (Directory::default(), Standing::load(parts, reader)?);
    for install in packages::all(reader)? {
        match load(parts, reader, &install, schema) {
            Ok(Loaded { manifest, code, faulty }) => {
                if let Some(why) = faulty {
                    let (library, version) = (install.library.as_str(), install.version.as_str());
                    tracing::error!(library, version, error = why.as_str(), "an installed script has mistakes");
                    standing.put_fault(crate::catalogue::digest(&code), why);
                }
                standing.add(&install, Some(&manifest).filter(|_| install.kind == Kind::Plugin));
                if install.withdrawn.is_none() {
                    steps_of(&manifest, &code).into_iter().for_each(|step| directory.add(step));
                }
            }
            Err(error @ Error::Store(_)) => return Err(error),
            Err(error) => {
                let (library, version) = (install.library.as_str(), install.version.as_str());
                tracing::error!(
                    library,
                    version,
                    error = model::fault::with_causes(&error),
                    "failed to load a package"
                );
                standing.add(&install, None);
            }
        }
    }
    Ok((directory, standing))
}

/// The steps of one package.
pub(crate) fn steps(
    parts: &Parts,
    reader: &dyn Reader,
    install: &Install,
    schema: &Schema,
) -> Result<Vec<Step>, Error> {
    load(parts, reader, install, schema).map(|loaded| steps_of(&loaded.manifest, &loaded.code))
}

/// A package, ready to be called.
struct Loaded {
    manifest: Manifest,
    code: Code,
    /// Why it must not be called all the same: a script whose program has mistakes by now.
    faulty: Option<SmolStr>,
}

/// A package, ready to be called, or to be once it is compiled. A component whose compiled form is there is not even read.
fn load(parts: &Parts, reader: &dyn Reader, install: &Install, schema: &Schema) -> Result<Loaded, Error> {
    let what = || format!("`{}` {}", install.library, install.version);
    if install.kind == Kind::Plugin
        && let Some(known) = parts.runner.known(install.package)
    {
        return Ok(Loaded { manifest: known.manifest, code: Code::Component(known.digest), faulty: None });
    }
    // Its compiled form is missing and made again beside the jobs; what it is was kept.
    if install.kind == Kind::Plugin
        && parts.settings.compilers > 0
        && let Some(document) = packages::document(reader, install.package)?
        && let Ok(manifest) = parts.runner.read_document(&document)
    {
        return Ok(Loaded { manifest, code: Code::Component(install.package), faulty: None });
    }
    let bytes = packages::bytes(reader, install.package)?.ok_or_else(|| stored(&what(), "its bytes are gone"))?;
    match install.kind {
        Kind::Plugin => {
            let found = parts.runner.install(&bytes).map_err(|source| package_error(install, source))?;
            Ok(Loaded { manifest: found.manifest, code: Code::Component(found.digest), faulty: None })
        }
        Kind::Script => {
            let file = SourceFile::new(install.file.clone(), &*bytes);
            let read = formats::read_kept_script(&file, schema);
            let (script, manifest, problems) = read.map_err(|problems| stored(&what(), first_of(&problems)))?;
            let faulty = crate::scripts::faulty(&script, &problems);
            Ok(Loaded { manifest, code: Code::Script(Arc::new(script)), faulty })
        }
    }
}

/// What a package offers, each step with what runs.
pub(crate) fn steps_of(manifest: &Manifest, code: &Code) -> Vec<Step> {
    let step = |definition: &model::package::StepDefinition| Step {
        version: manifest.version.clone(),
        definition: definition.clone(),
        code: code.clone(),
    };
    manifest.steps.iter().map(step).collect()
}

/// Where a package comes from.
#[derive(Clone, Copy, Default)]
pub(crate) struct Source<'s> {
    pub file: &'s str,
    pub solution: &'s str,
    pub origin: &'s str,
    pub signed_by: &'s str,
}

/// Stages a component with what it says of itself. Tells whether it changes anything.
pub(crate) fn stage_plugin(
    unit: &mut Unit,
    found: &Installed,
    bytes: &[u8],
    source: Source<'_>,
) -> Result<bool, Failure> {
    let library = found.manifest.library.clone();
    let place = (library, found.manifest.version.to_smolstr());
    stage(unit, place, Kind::Plugin, (found.digest, bytes), source)
}

/// Stages a script. Each script has versions of its own, so it is kept under the name of its step.
pub(crate) fn stage_script(
    unit: &mut Unit,
    script: &model::package::Script,
    manifest: &Manifest,
    solution: &str,
) -> Result<bool, Failure> {
    let name = manifest.steps.first().map_or_else(|| manifest.library.clone(), |step| step.name.as_str().into());
    let place = (name, manifest.version.to_smolstr());
    let source = Source { file: &script.file, solution, ..Source::default() };
    stage(unit, place, Kind::Script, (script.digest, script.text.as_bytes()), source)
}

fn stage(
    unit: &mut Unit,
    (library, version): (SmolStr, SmolStr),
    kind: Kind,
    (digest, bytes): (Digest, &[u8]),
    source: Source<'_>,
) -> Result<bool, Failure> {
    let before = packages::installed(&unit.overlay, &library, &version)?;
    if let Some(replaced) = before.as_ref().filter(|one| one.package != digest && one.quarantined.is_some()) {
        // Jobs that wait for the build before are pinned to it, and nobody could say any more that it may be called.
        quarantine::end(unit, replaced.package);
    }
    let known = before.filter(|known| known.package == digest);
    // Who signed these bytes stays known when they come again without their signature.
    let signed_by = match (source.signed_by, &known) {
        ("", Some(known)) => known.signed_by.clone(),
        (by, _) => by.into(),
    };
    let is_same = |known: &Install| {
        let is_from_there = source.origin.is_empty() || known.origin == source.origin;
        known.solution == source.solution && known.withdrawn.is_none() && known.signed_by == signed_by && is_from_there
    };
    if known.as_ref().is_some_and(is_same) {
        return Ok(false);
    }
    packages::put_bytes(&mut unit.overlay, digest, bytes);
    if let Some(document) = unit.parts.runner.document(digest).filter(|_| kind == Kind::Plugin) {
        packages::put_document(&mut unit.overlay, digest, &document);
    }
    let install = Install {
        library,
        version,
        kind,
        package: digest,
        file: source.file.into(),
        solution: source.solution.into(),
        installed_on: unit.now,
        // The same code is as good as it was.
        quarantined: known.and_then(|known| known.quarantined),
        withdrawn: None,
        origin: source.origin.into(),
        signed_by,
    };
    packages::install(&mut unit.overlay, &install);
    Ok(true)
}

/// Checks a component whole and reads its manifest; what is wrong comes with its file. Takes as long as compiling it does,
/// so nobody who does this holds what others wait for.
pub(crate) fn inspect(parts: &Parts, file: &str, bytes: &[u8]) -> Result<Installed, Vec<Problem>> {
    let found = parts.runner.install(bytes);
    found.map_err(|wrong| wrong.sentences.into_iter().map(|sentence| crate::deploy::problem(file, sentence)).collect())
}

fn package_error(install: &Install, source: PackageProblem) -> Error {
    let version = install.version.parse().unwrap_or_else(|_| semver::Version::new(0, 0, 0));
    Error::Package { library: install.library.to_string(), version, source }
}

/// The first of several problems, for a fault that is none of the user's.
pub(crate) fn first_of(problems: &[Problem]) -> String {
    problems.first().map_or_else(|| "nothing is known about why".to_owned(), ToString::to_string)
}
