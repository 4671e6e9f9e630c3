//! Plugins and scripts: from the bytes that the store keeps to steps that can be called, and installing more.
//!
//! A component describes itself, so it is asked each time a store is opened; its compiled code comes from the runner's
//! cache. Jobs pin a digest: the bytes stay.

use std::{collections::HashSet, sync::Arc};

use formats::SourceFile;
use model::{
    Caller, Digest, Refusal, Schema, TaskName,
    package::{Code, Manifest},
    refusal::Problem,
    step::{Installed, PackageProblem},
};
use smol_str::{SmolStr, ToSmolStr};
use store::{
    Reader,
    packages::{self, Install, Kind},
};

use crate::{
    Engine, Error, Failure, Parts,
    catalogue::{Directory, Step},
    load::stored,
    unit::Unit,
};

/// All installed steps. One that cannot be made ready is left out and said so: its jobs wait for a person (R6).
pub(crate) fn directory(parts: &Parts, reader: &dyn Reader, schema: &Schema) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    for install in packages::all(reader)? {
        match steps(parts, reader, &install, schema) {
            Ok(steps) => steps.into_iter().for_each(|step| directory.add(step)),
            Err(error @ Error::Store(_)) => return Err(error),
            Err(error) => {
                let (library, version) = (install.library.as_str(), install.version.as_str());
                tracing::error!(library, version, error = &error as &dyn std::error::Error, "failed to load a package");
            }
        }
    }
    Ok(directory)
}

/// The steps of one package.
pub(crate) fn steps(
    parts: &Parts,
    reader: &dyn Reader,
    install: &Install,
    schema: &Schema,
) -> Result<Vec<Step>, Error> {
    let what = || format!("`{}` {}", install.library, install.version);
    let bytes = packages::bytes(reader, install.package)?.ok_or_else(|| stored(&what(), "its bytes are gone"))?;
    match install.kind {
        Kind::Plugin => {
            let found = parts.runner.install(&bytes).map_err(|source| package_error(install, source))?;
            Ok(steps_of(&found.manifest, &Code::Component(found.digest)))
        }
        Kind::Script => {
            let file = SourceFile::new(install.file.clone(), &*bytes);
            let read = formats::read_script(&file, schema);
            let (script, manifest) = read.map_err(|problems| stored(&what(), first_of(&problems)))?;
            Ok(steps_of(&manifest, &Code::Script(Arc::new(script))))
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

/// Stages a component with what it says of itself. Tells whether it changes anything.
pub(crate) fn stage_plugin(
    unit: &mut Unit,
    found: &Installed,
    bytes: &[u8],
    file: &str,
    solution: &str,
) -> Result<bool, Failure> {
    let library = found.manifest.library.clone();
    let place = (library, found.manifest.version.to_smolstr());
    stage(unit, place, Kind::Plugin, (found.digest, bytes), file, solution)
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
    stage(unit, place, Kind::Script, (script.digest, script.text.as_bytes()), &script.file, solution)
}

fn stage(
    unit: &mut Unit,
    (library, version): (SmolStr, SmolStr),
    kind: Kind,
    (digest, bytes): (Digest, &[u8]),
    file: &str,
    solution: &str,
) -> Result<bool, Failure> {
    let known = packages::installed(&unit.overlay, &library, &version)?;
    if known.is_some_and(|known| known.package == digest && known.solution == solution) {
        return Ok(false);
    }
    packages::put_bytes(&mut unit.overlay, digest, bytes);
    let install = Install {
        library,
        version,
        kind,
        package: digest,
        file: file.into(),
        solution: solution.into(),
        installed_on: unit.now,
        quarantined: None,
    };
    packages::install(&mut unit.overlay, &install);
    Ok(true)
}

/// Checks a component whole and reads its manifest; what is wrong comes with its file.
pub(crate) fn inspect(parts: &Parts, file: &str, bytes: &[u8]) -> Result<Installed, Vec<Problem>> {
    let problem = |message: String| Problem {
        file: file.into(),
        line: 1,
        column: 1,
        length: 0,
        message,
        hint: None,
        warning: false,
    };
    let found = parts.runner.install(bytes);
    found.map_err(|wrong| wrong.sentences.into_iter().map(problem).collect())
}

impl Engine {
    /// Installs a component: checks it whole, then puts it in place for runs that start from now on. Running jobs keep
    /// what they are pinned to.
    pub fn install_plugin(&self, caller: &Caller, component: &[u8]) -> Result<Installed, Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        let _alone = self.deploying.lock();
        let found = inspect(&self.parts, "the component", component).map_err(Refusal::BadSolution)?;
        let catalogue = self.catalogue();
        let mut directory = catalogue.steps.clone();
        steps_of(&found.manifest, &Code::Component(found.digest)).into_iter().for_each(|step| directory.add(step));
        let problems = crate::deploy::broken(&catalogue, &catalogue.schema, &directory, &HashSet::new());
        if !problems.is_empty() {
            return Err(Refusal::BadSolution(problems).into());
        }
        self.deploy(|unit| {
            let changed = stage_plugin(unit, &found, component, "", "")?;
            if changed {
                crate::deploy::activate_again(unit, &directory)?;
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The plugins that are installed.
    pub fn plugins(&self) -> Result<Vec<Installed>, Failure> {
        let (_, snapshot) = self.state()?;
        let mut found = Vec::new();
        for install in packages::all(&snapshot)?.into_iter().filter(|install| install.kind == Kind::Plugin) {
            let Some(bytes) = packages::bytes(&snapshot, install.package)? else { continue };
            found.extend(self.parts.runner.install(&bytes).ok());
        }
        Ok(found)
    }
}

fn package_error(install: &Install, source: PackageProblem) -> Error {
    let version = install.version.parse().unwrap_or_else(|_| semver::Version::new(0, 0, 0));
    Error::Package { library: install.library.to_string(), version, source }
}

/// The first of several problems, for a fault that is none of the user's.
pub(crate) fn first_of(problems: &[Problem]) -> String {
    problems.first().map_or_else(|| "nothing is known about why".to_owned(), ToString::to_string)
}
