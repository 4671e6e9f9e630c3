//! What the world reads off the store's keys, because pages look at the whole journal and nobody else does.

use model::{EntityId, RecordId, RecordRef};
use uuid::Uuid;

/// The record in a key of the journal: behind the family's byte, its entity and its id.
pub(super) fn record_of(key: &[u8]) -> Option<RecordRef> {
    let entity = u32::from_be_bytes(key.get(1..5)?.try_into().ok()?);
    let id = Uuid::from_slice(key.get(5..21)?).ok()?;
    Some(RecordRef::new(EntityId(entity), RecordId(id)))
}
