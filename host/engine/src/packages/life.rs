//! What becomes of an installed plugin: back to an older version, and out.
//!
//! Nothing here touches a running job: it keeps the digest that it began with, and what it needs cannot be uninstalled.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use model::{
    ActivationId, Caller, Digest, Refusal, TaskName,
    consent::Consent,
    job::{Job, JobState},
};
use rules::workflow::Program;
use semver::Version;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use store::{
    Reader, definitions, jobs,
    packages::{self as rows, Install},
};

use crate::{
    Engine, Failure, activation,
    catalogue::{self, Activation, Directory},
};

/// A library that went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledBack {
    /// The versions that new runs use no more, the newest first.
    pub from: Vec<Version>,
    /// The version that they use now.
    pub to: Version,
    /// The processes whose new runs use it.
    pub used_by: Vec<SmolStr>,
}

/// What is no longer installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uninstalled {
    /// The versions.
    pub versions: Vec<Version>,
    /// Whether none is left, so that what its library was granted went with it.
    pub is_gone: bool,
}

impl Engine {
    /// Lets new runs use an older version of a library again: the one before the newest, or `to`. Newer ones stay installed
    /// and withdrawn until they are installed again; jobs that run keep theirs.
    pub fn roll_back_plugin(
        &self,
        caller: &Caller,
        library: &str,
        to: Option<&Version>,
    ) -> Result<RolledBack, Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        let _alone = self.deploying.lock();
        let (catalogue, snapshot) = self.state()?;
        let versions = versions(&snapshot, library)?;
        let standing: Vec<&(Version, Install)> =
            versions.iter().filter(|(_, install)| install.withdrawn.is_none()).collect();
        let no = |why: &str| Refusal::NotPossible { verb: "rollback".into(), entity: library.into(), why: why.into() };
        let target = match to {
            Some(to) => standing.iter().find(|(version, _)| version == to).copied(),
            None => standing.get(1).copied(),
        };
        let (to, _) = target.ok_or_else(|| no("there is no such older version that new runs could use"))?;
        let leaving: Vec<Install> =
            standing.iter().filter(|(version, _)| version > to).map(|(_, install)| install.clone()).collect();
        if leaving.is_empty() {
            return Err(no("that version is what new runs use already").into());
        }
        let gone: HashSet<Digest> = leaving.iter().map(|install| install.package).collect();
        let directory = without(&catalogue.steps, &gone);
        let mut problems = super::install::broken(&catalogue, &snapshot, library, &directory)?;
        problems.retain(|problem| !problem.warning);
        if !problems.is_empty() {
            return Err(Refusal::BadSolution(problems).into());
        }
        self.deploy(|unit| {
            for install in &leaving {
                let withdrawn = Some(unit.now);
                rows::install(&mut unit.overlay, &Install { withdrawn, ..install.clone() });
            }
            crate::deploy::activate_again(unit, &directory)
        })?;
        let from = standing.iter().filter(|(version, _)| version > to).map(|(version, _)| version.clone()).collect();
        Ok(RolledBack { from, to: to.clone(), used_by: self.users(library) })
    }

    /// Takes a version of a library off, or all of them. Refused while a process calls it or a job is pinned to it.
    pub fn uninstall_plugin(
        &self,
        caller: &Caller,
        library: &str,
        version: Option<&Version>,
    ) -> Result<Uninstalled, Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        let _alone = self.deploying.lock();
        let (_, snapshot) = self.state()?;
        let all = versions(&snapshot, library)?;
        let leaving: Vec<&(Version, Install)> =
            all.iter().filter(|(known, _)| version.is_none_or(|version| version == known)).collect();
        let Some((shown, _)) = leaving.first() else {
            return Err(Refusal::UnknownPlugin(named(library, version)).into());
        };
        let gone: HashSet<Digest> = leaving.iter().map(|(_, install)| install.package).collect();
        let by = self.uses(&snapshot, &gone)?;
        if !by.is_empty() {
            let plugin = format_smolstr!("{library} {shown}");
            return Err(Refusal::PluginInUse { plugin, by: by.join("; ").into() }.into());
        }
        let kept: HashSet<Digest> = rows::all(&snapshot)?
            .into_iter()
            .filter(|install| !leaving.iter().any(|(_, leaving)| leaving == install))
            .map(|install| install.package)
            .collect();
        self.deploy(|unit| {
            for (_, install) in &leaving {
                rows::uninstall(&mut unit.overlay, &install.library, &install.version);
                if !kept.contains(&install.package) {
                    rows::remove_bytes(&mut unit.overlay, install.package);
                    super::quarantine::end(unit, install.package);
                }
            }
            // Whoever comes next under the name asks anew.
            if leaving.len() == all.len() {
                super::say::put(unit, caller, library, &Consent::default())?;
            }
            Ok(())
        })?;
        for digest in gone.difference(&kept) {
            self.parts.runner.forget(*digest);
            self.catalogue().standing.health.forgive(*digest);
        }
        self.compiled_code();
        let is_gone = leaving.len() == all.len();
        Ok(Uninstalled { versions: leaving.into_iter().map(|(version, _)| version.clone()).collect(), is_gone })
    }

    /// What uses any of these: processes that call it, and unfinished jobs that are pinned to it.
    fn uses(&self, reader: &dyn Reader, gone: &HashSet<Digest>) -> Result<Vec<String>, Failure> {
        let catalogue = self.catalogue();
        let left = without(&catalogue.steps, gone);
        let mut by = Vec::new();
        let mut processes: Vec<_> = catalogue.processes().collect();
        processes.sort_by_key(|process| process.id);
        for process in processes {
            let uses = match &process.activation {
                Some(active) => active.pins.all().any(|(_, step)| gone.contains(&catalogue::digest(&step.code))),
                // A draft is pinned to nothing; it must still be readable.
                None => {
                    let compiles = |steps| Program::compile(&process.workflow, &catalogue.schema, steps).is_ok();
                    compiles(&catalogue.steps) && !compiles(&left)
                }
            };
            if uses {
                by.push(format!("process `{}`", process.name));
            }
        }
        for (process, count) in self.pinned_jobs(reader, gone, |job| job.state.is_completed())? {
            let jobs = if count == 1 { "1 unfinished job" } else { &format!("{count} unfinished jobs") };
            by.push(format!("{jobs} of `{}`", catalogue.process_name(process)));
        }
        Ok(by)
    }

    /// Takes bytes away in whose place others have come, where nothing could still run by them: no definition, and no job
    /// but those that are over for good. Whoever is the last to need them leaves them behind. Called while no deployment is
    /// under way: who starts a job from now on starts it by what came instead.
    pub(super) fn let_go(&self, replaced: Digest) -> Result<(), Failure> {
        let (catalogue, snapshot) = self.state()?;
        let runs =
            |active: &Arc<Activation>| active.pins.all().any(|(_, step)| catalogue::digest(&step.code) == replaced);
        let mut active = catalogue.processes().filter_map(|process| process.activation.as_ref());
        if active.any(runs) || rows::all(&snapshot)?.iter().any(|install| install.package == replaced) {
            return Ok(());
        }
        let is_over = |job: &Job| matches!(job.state, JobState::Succeeded(_) | JobState::Canceled(_));
        let gone = HashSet::from([replaced]);
        // Where there are very many jobs, the bytes are cheaper than the look.
        let many = self.parts.settings.jobs_looked_at;
        if jobs::newest(&snapshot, None)?.nth(many).is_some()
            || !self.pinned_jobs(&snapshot, &gone, is_over)?.is_empty()
        {
            return Ok(());
        }
        self.deploy(|unit| {
            rows::remove_bytes(&mut unit.overlay, replaced);
            super::quarantine::end(unit, replaced);
            Ok(())
        })?;
        self.parts.runner.forget(replaced);
        catalogue.standing.health.forgive(replaced);
        self.compiled_code();
        Ok(())
    }

    /// How many jobs of each process are pinned to any of these that are not over.
    fn pinned_jobs(
        &self,
        reader: &dyn Reader,
        gone: &HashSet<Digest>,
        is_over: impl Fn(&Job) -> bool,
    ) -> Result<BTreeMap<model::ProcessId, u64>, Failure> {
        let (mut pins, mut found): (HashMap<ActivationId, bool>, BTreeMap<_, u64>) = Default::default();
        for job in jobs::newest(reader, None)? {
            let job = job?;
            if is_over(&job) {
                continue;
            }
            let id = job.activation;
            let is_pinned = match pins.get(&id) {
                Some(known) => *known,
                None => {
                    let content = definitions::activation(reader, id)?;
                    let kept = content.map(|content| activation::read(reader, "an activation", content)).transpose()?;
                    let is_pinned = kept.is_some_and(|kept| gone.iter().any(|digest| kept.runs(*digest)));
                    pins.insert(id, is_pinned);
                    is_pinned
                }
            };
            if is_pinned {
                *found.entry(id.process).or_default() += 1;
            }
        }
        Ok(found)
    }
}

/// The versions of a library, the newest first. A script stands under the name of its step.
pub(super) fn versions(reader: &dyn Reader, library: &str) -> Result<Vec<(Version, Install)>, Failure> {
    let mut versions: Vec<(Version, Install)> = rows::all(reader)?
        .into_iter()
        .filter(|install| install.library == library)
        .filter_map(|install| Some((Version::parse(&install.version).ok()?, install)))
        .collect();
    versions.sort_by(|(one, _), (other, _)| other.cmp(one));
    match versions.is_empty() {
        true => Err(Refusal::UnknownPlugin(library.into()).into()),
        false => Ok(versions),
    }
}

/// The steps as they are without these packages.
fn without(steps: &Directory, gone: &HashSet<Digest>) -> Directory {
    let mut left = Directory::default();
    let staying = steps.all().filter(|step| !gone.contains(&catalogue::digest(&step.code)));
    staying.for_each(|step| left.add(step.clone()));
    left
}

pub(super) fn named(library: &str, version: Option<&Version>) -> SmolStr {
    match version {
        Some(version) => format_smolstr!("{library} {version}"),
        None => library.to_smolstr(),
    }
}
