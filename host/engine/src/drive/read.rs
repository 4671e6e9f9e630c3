//! What a step reads: the paths and records that the machine asks for, read now and in the job's unit of work.

use model::{
    expression::{NamedRecord, Path},
    job::Job,
};
use rules::workflow::{Base, Input};
use script::Facts;

use super::Drive;
use crate::{
    Failure,
    resolve::{Reading, Root},
};

impl Drive<'_> {
    /// The facts at these paths, and which these records are, as the run's user may read them.
    pub(super) fn read(&mut self, paths: &[Path], records: &[NamedRecord]) -> Result<Input, Failure> {
        match self.facts(paths, records) {
            Ok(facts) => Ok(Input::Read(facts)),
            Err(Failure::Refused(refusal)) => Ok(Input::Barred(refusal)),
            Err(fault) => Err(fault),
        }
    }

    fn facts(&mut self, paths: &[Path], records: &[NamedRecord]) -> Result<Facts, Failure> {
        let caller = self.caller();
        let who = self.slot.unit()?.who(&caller)?;
        let (job, program) = (&*self.job, &self.activation.program);
        let unit = self.slot.unit()?;
        // In a before-stage `after` is what is about to be written, as it stands by now (E21).
        let pending = job.record.filter(|_| job.real_time).and_then(|record| unit.pending(record));
        let live = pending.map(|pending| (pending.after(), pending.modification.change.clone()));
        let mut reading = Reading::new(unit, who);
        let mut facts = Facts::new();
        for path in paths {
            let (base, segments) = program.base(job, path);
            let image = |values| job.record.map(|record| Root::Image(record.entity, values));
            let root = match (base, &live) {
                (Base::After, Some((after, _))) => image(&after.values),
                (Base::Change, Some((_, change))) => image(change),
                (base, _) => root_of(job, base),
            };
            if let Some(root) = root {
                facts.insert(path.clone(), reading.follow(root, segments)?);
            }
        }
        for named in records {
            facts.insert_record(named.clone(), reading.named(named)?);
        }
        Ok(facts)
    }
}

/// Where a path of the job begins; nothing where it leads nowhere.
pub(super) fn root_of(job: &Job, base: Base) -> Option<Root<'_>> {
    let image = |values| job.record.map(|record| Root::Image(record.entity, values));
    match base {
        Base::Record(record) => Some(Root::Value(record.into())),
        Base::Before => image(&job.cause.before),
        Base::After => image(&job.cause.after),
        Base::Change => image(&job.cause.change),
        Base::Nothing => None,
    }
}
