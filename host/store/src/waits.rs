//! Waits on data: which jobs are to look again when an attribute of a record changes (E1, architecture 3).
//!
//! A change scans the waits of its own record only, so a parked job costs disk and no memory. Waits for a time stand in
//! `jobs::due`. Whoever parks and whoever changes both name the record's bucket: neither can miss the other.

use model::{AttributeId, JobId, RecordRef};

use crate::{
    Error, Range, Reader, Writer,
    key::{self, Family, Tuple},
};

/// The job waits for a change of these attributes. Called by `jobs`, with the job's row.
pub fn park(writer: &mut impl Writer, job: JobId, on: &[(RecordRef, AttributeId)]) {
    for (record, attribute) in on {
        writer.touch(bucket(*record).bytes());
        writer.put(bucket(*record).attribute(*attribute).job(job).key(), [].into());
    }
}

/// The job waits for them no longer: it was woken, or ended.
pub fn unpark(writer: &mut impl Writer, job: JobId, on: &[(RecordRef, AttributeId)]) {
    for (record, attribute) in on {
        writer.touch(bucket(*record).bytes());
        writer.delete(bucket(*record).attribute(*attribute).job(job).key());
    }
}

/// The jobs that wait for an attribute of a record that `changed`, each once; a decision rests on it: it is validated.
pub fn on_attributes(
    reader: &(impl Reader + ?Sized),
    record: RecordRef,
    changed: impl Fn(AttributeId) -> bool,
) -> Result<Vec<JobId>, Error> {
    of_record(reader, record, changed)
}

/// All jobs that wait for a record, each once: it is being deleted. Validated.
pub fn on_any(reader: &(impl Reader + ?Sized), record: RecordRef) -> Result<Vec<JobId>, Error> {
    of_record(reader, record, |_| true)
}

fn of_record(
    reader: &(impl Reader + ?Sized),
    record: RecordRef,
    wanted: impl Fn(AttributeId) -> bool,
) -> Result<Vec<JobId>, Error> {
    let bucket = bucket(record);
    reader.watch(bucket.bytes());
    let mut jobs = Vec::new();
    for row in reader.scan(&Range::prefix(bucket.bytes()))? {
        let key = row?.0;
        let attribute = AttributeId(key::u16_behind(&key, bucket.bytes().len())?);
        if wanted(attribute) {
            jobs.push(JobId(key::last_uuid(&key)?));
        }
    }
    jobs.sort_unstable();
    jobs.dedup();
    Ok(jobs)
}

fn bucket(record: RecordRef) -> Tuple {
    Tuple::of(Family::Wait).record(record)
}
