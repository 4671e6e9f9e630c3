//! Facts: what verbs did. Triggers, waits, the journal, the event stream and traces are all read off them.

use crate::{AttributeId, Caller, Message, Record, RecordRef, Values};

/// One change that a unit of work made.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What happened.
    pub message: Message,
    /// To which record.
    pub record: RecordRef,
    /// The record before; absent on create.
    pub before: Option<Record>,
    /// The record after; absent on delete.
    pub after: Option<Record>,
    /// The attributes named in the request with the values given, changed or not (D13).
    pub change: Values,
    /// By whom, and in which chain.
    pub caller: Caller,
}

impl Fact {
    /// The attributes whose value is another one after than before.
    pub fn changed(&self) -> impl Iterator<Item = AttributeId> {
        let (before, after) = (self.before.as_ref(), self.after.as_ref());
        let mut names: Vec<AttributeId> =
            before.into_iter().chain(after).flat_map(|record| record.values.attributes()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter(move |name| {
            let was = before.map(|record| record.get(*name));
            let is = after.map(|record| record.get(*name));
            was.unwrap_or(&crate::Value::NULL) != is.unwrap_or(&crate::Value::NULL)
        })
    }
}
