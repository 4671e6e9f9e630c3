//! The journal row of each record that a unit of work changed: who, as whom, through what, before and after (E26).

use model::{AttributeId, Record, Value, fact::Fact};
use store::journal::{self, Entry};

use crate::unit::Unit;

/// Stages one row for each changed record, whatever number of verbs met it.
pub(super) fn write(unit: &mut Unit, facts: &[Fact]) {
    let entries = super::changed(facts).into_values().filter_map(|(place, first, last)| {
        let (before, after) = (first.before.as_ref(), last.after.as_ref());
        // What was made and taken away in one unit was never there.
        let version = after.or(before)?.version;
        Some(Entry {
            id: unit.parts.ids.id(unit.now),
            record: first.record,
            at: unit.now,
            // A record that was changed and then taken away was taken away.
            message: if after.is_none() { last.message } else { first.message },
            caller: first.caller,
            through: unit.through(place).cloned(),
            version,
            changes: changes(before, after),
        })
    });
    let entries: Vec<Entry> = entries.collect();
    for entry in &entries {
        journal::append(&mut unit.overlay, entry);
    }
}

/// Each attribute with another value after than before.
fn changes(before: Option<&Record>, after: Option<&Record>) -> Vec<(AttributeId, Value, Value)> {
    let mut names: Vec<AttributeId> =
        before.into_iter().chain(after).flat_map(|record| record.values.attributes()).collect();
    names.sort_unstable();
    names.dedup();
    let value = |record: Option<&Record>, name| record.map_or(Value::Null, |record| record.get(name).clone());
    let pairs = names.into_iter().map(|name| (name, value(before, name), value(after, name)));
    pairs.filter(|(_, before, after)| before != after).collect()
}
