//! Quarantine in the store: what an operator orders, what breakers say, and the jobs that wait until a package is called again.
//!
//! A job that comes to a package in quarantine parks as in a wait, on a place that stands for the package. Who ends the
//! quarantine touches the row that the job rests on, so that neither can miss the other (E1).

use model::{
    Caller, Digest, Refusal, TaskName,
    job::{Job, JobState},
};
use semver::Version;
use smol_str::SmolStr;
use store::{
    Reader,
    packages::{self as rows, Install},
    quarantines,
    waits::{self, Owed, Waiter},
};

use super::{
    breaker::{Resting, Task},
    life::{named, versions},
};
use crate::{Catalogue, Engine, Failure, settle, unit::Unit};

/// So many jobs that wait for a package are counted.
const COUNTED: usize = 1_000;

impl Engine {
    /// Puts a version of a library into quarantine: it is not called until somebody resumes it, and jobs that come to it wait.
    /// Without a version: all of them. It does not end by itself.
    pub fn quarantine_plugin(
        &self,
        caller: &Caller,
        library: &str,
        version: Option<&Version>,
        why: &str,
    ) -> Result<Vec<Version>, Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        let _alone = self.deploying.lock();
        let changed = self.deploy(|unit| {
            let meant = meant(unit, library, version)?;
            if meant.is_empty() {
                return Err(Refusal::UnknownPlugin(named(library, version)).into());
            }
            for (_, install) in &meant {
                rows::install(&mut unit.overlay, &Install { quarantined: Some(why.into()), ..install.clone() });
            }
            Ok(meant)
        })?;
        Ok(changed.into_iter().map(|(version, _)| version).collect())
    }

    /// Lets a version of a library, or all of them, be called again. Its breakdowns are counted anew, and the jobs that wait
    /// for it go on.
    pub fn resume_plugin(
        &self,
        caller: &Caller,
        library: &str,
        version: Option<&Version>,
    ) -> Result<Vec<Version>, Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        let _alone = self.deploying.lock();
        let health = self.catalogue().standing.health.clone();
        // Builds that are gone, and that only old jobs are pinned to, are known by what they were called.
        let gone = health.breakers.all().into_iter().filter(|(_, known, number)| {
            known == library && version.is_none_or(|version| *number == version.to_string().as_str())
        });
        let gone: Vec<(Digest, SmolStr)> = gone.map(|(digest, _, number)| (digest, number)).collect();
        let resumed = self.deploy(|unit| {
            let meant = match meant(unit, library, version) {
                Err(Failure::Refused(Refusal::UnknownPlugin(_))) if !gone.is_empty() => Vec::new(),
                meant => meant?,
            };
            if meant.is_empty() && gone.is_empty() {
                return Err(Refusal::UnknownPlugin(named(library, version)).into());
            }
            let packages = meant.iter().map(|(_, install)| install.package).chain(gone.iter().map(|(gone, _)| *gone));
            for package in packages {
                // First in memory: who parks meanwhile rests on the row.
                health.forgive(package);
                end(unit, package);
            }
            for (_, install) in &meant {
                rows::install(&mut unit.overlay, &Install { quarantined: None, ..install.clone() });
            }
            Ok(meant)
        })?;
        self.queue.owe();
        let mut versions: Vec<Version> = resumed.into_iter().map(|(version, _)| version).collect();
        let others = gone.iter().filter_map(|(_, number)| Version::parse(number).ok());
        let others: Vec<Version> = others.filter(|other| !versions.contains(other)).collect();
        versions.extend(others);
        Ok(versions)
    }

    /// Writes what breakers say and lets go who is to go on. Tells whether there was something to do.
    pub(crate) fn see_to_quarantines(&self) -> Result<bool, Failure> {
        let breakers = self.catalogue.load().standing.health.breakers.clone();
        if !breakers.take_due() {
            return Ok(false);
        }
        let mut tasks = breakers.tasks(self.parts.clock.now()).into_iter();
        let any = !tasks.as_slice().is_empty();
        while let Some(task) = tasks.next() {
            if let Err(failure) = self.see_to(&task) {
                breakers.put_back([task].into_iter().chain(tasks));
                return Err(failure);
            }
        }
        if let Some(next) = breakers.next() {
            self.queue.alarm(next);
        }
        Ok(any)
    }

    fn see_to(&self, task: &Task) -> Result<(), Failure> {
        match task {
            Task::Keep(row) => self.in_background(|unit| {
                quarantines::put(&mut unit.overlay, row);
                Ok(())
            }),
            Task::End(package) => {
                self.in_background(|unit| {
                    end(unit, *package);
                    Ok(())
                })?;
                self.queue.owe();
                Ok(())
            }
            Task::Wake(package, most, behind) => {
                let last = self.in_background(|unit| wake(unit, *package, *most, *behind))?;
                self.catalogue.load().standing.health.breakers.woken(*package, last);
                Ok(())
            }
        }
    }

    /// When a package in quarantine is looked at next: for its trial, or because its probation is over.
    pub fn next_trial(&self) -> Option<model::Timestamp> {
        self.catalogue.load().standing.health.breakers.next()
    }

    /// Looks at quarantines again: a pause may be over.
    pub(crate) fn wake_breakers(&self) {
        self.catalogue.load().standing.health.breakers.look();
    }
}

impl Catalogue {
    /// Why a job waits that waits until a package is called again.
    pub fn rests(&self, job: &Job) -> Option<SmolStr> {
        let JobState::Waiting(watch) = &job.state else { return None };
        let (place, _) = watch.on.iter().find(|(record, _)| quarantines::is_place(*record))?;
        Some(self.standing.told_at(*place))
    }
}

/// The installed versions that are meant.
fn meant(unit: &Unit, library: &str, version: Option<&Version>) -> Result<Vec<(Version, Install)>, Failure> {
    let all = versions(&unit.overlay.unvalidated(), library)?.into_iter();
    Ok(all.filter(|(known, _)| version.is_none_or(|version| version == known)).collect())
}

/// The package is called as ever: whoever waits for it is to go on, in slices.
pub(super) fn end(unit: &mut Unit, package: Digest) {
    quarantines::remove(&mut unit.overlay, package);
    waits::owe(&mut unit.overlay, &Owed { record: quarantines::place(package), changed: None, behind: None });
}

/// Lets the next of those go on who wait for a package, in the order of their making, round and round.
fn wake(unit: &mut Unit, package: Digest, most: usize, behind: Option<Waiter>) -> Result<Option<Waiter>, Failure> {
    let place = quarantines::place(package);
    // Not validated: who parks from now on has seen how it stands.
    let of = |unit: &Unit, behind, most| waits::of_record(&unit.overlay.unvalidated(), place, behind, most, |_| true);
    let mut waiters = of(unit, behind, most)?;
    if behind.is_some() && waiters.len() < most {
        let more = of(unit, None, most - waiters.len())?;
        let known: Vec<_> = more.into_iter().filter(|one| !waiters.contains(one)).collect();
        waiters.extend(known);
    }
    let mut woken = Vec::new();
    settle::wake_all(unit, &waiters, None, &mut woken)?;
    unit.ready.append(&mut woken);
    Ok(waiters.last().copied())
}

/// How a package stands, with how many wait for it.
pub(super) fn counted(resting: Resting, reader: &dyn Reader, package: Digest) -> Result<Resting, Failure> {
    let waiters = waits::of_record(reader, quarantines::place(package), None, COUNTED, |_| true)?;
    Ok(Resting { jobs: waiters.len(), ..resting })
}
