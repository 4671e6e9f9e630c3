//! Records: the row, its index entries, its alternate keys, and whether it is there (E8).
//!
//! The verbs of the engine write through `insert`, `replace` and `remove`, which keep the entries in step with the row, so
//! an index is never behind. What a verb allows, and whether a key is free, is decided there.

use std::ops::Bound;

use model::{AttributeId, EntityId, Record, RecordId, RecordRef, Value, Values, Version, schema::Entity};

use crate::{
    Error, Key, Range, Reader, Writer,
    codec::{self, Row},
    key::{self, Family, Tuple},
};

const FAMILY: &str = "records";

/// Which entries an entity's records have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    /// Attributes with an index.
    pub attributes: Vec<AttributeId>,
    /// Alternate keys: number, attributes in order.
    pub keys: Vec<(u16, Vec<AttributeId>)>,
}

impl Indexes {
    /// Those of `entity`: indexed attributes, the primary one (definitions name records by it), the owner, and every
    /// lookup, since a delete asks who points to the record. Who created and changed a record last has no entry: it
    /// would cost two rows for each record, and those users are disabled, not deleted.
    pub fn of(entity: &Entity) -> Indexes {
        let by_engine = [model::starter::CREATED_BY, model::starter::MODIFIED_BY];
        let wanted = entity.attributes().iter().filter(|attribute| {
            let is_lookup = attribute.value_type() == model::ValueType::Reference && !by_engine.contains(&attribute.id);
            attribute.definition.indexed || is_lookup || attribute.id == entity.primary
        });
        Indexes {
            attributes: wanted.map(|attribute| attribute.id).collect(),
            keys: entity.keys.iter().map(|key| (key.number, key.attributes.clone())).collect(),
        }
    }
}

/// The record, if it is there.
pub fn get(reader: &(impl Reader + ?Sized), record: RecordRef) -> Result<Option<Record>, Error> {
    let row = reader.get(Tuple::of(Family::Record).record(record).bytes())?;
    row.map(|row| decode(record, &row)).transpose()
}

/// Is the record there? The decision rests on its existence alone, so that a busy record is no conflict for those who
/// only point to it (E2).
pub fn exists(reader: &(impl Reader + ?Sized), record: RecordRef) -> Result<bool, Error> {
    reader.watch(exists_bucket(record).bytes());
    Ok(reader.peek(Tuple::of(Family::Record).record(record).bytes())?.is_some())
}

/// The records of an entity, the newest id first.
pub fn newest<R: Reader + ?Sized>(
    reader: &R,
    entity: EntityId,
) -> Result<impl Iterator<Item = Result<Record, Error>>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Record).entity(entity).bytes()).backward())?;
    Ok(rows.map(move |row| {
        let (key, value) = row?;
        decode(RecordRef::new(entity, RecordId(key::last_uuid(&key)?)), &value)
    }))
}

/// The records of an entity by id, ascending, behind `after`. They are not validated (E2).
pub fn all<R: Reader + ?Sized>(
    reader: &R,
    entity: EntityId,
    after: Option<RecordId>,
) -> Result<impl Iterator<Item = Result<Record, Error>>, Error> {
    let prefix = Tuple::of(Family::Record).entity(entity);
    let range = Range::prefix(prefix.bytes());
    let range = match after {
        Some(after) => range.after(prefix.id(after).bytes()),
        None => range,
    };
    let rows = reader.scan(&range)?;
    Ok(rows.map(move |row| {
        let (key, value) = row?;
        decode(RecordRef::new(entity, RecordId(key::last_uuid(&key)?)), &value)
    }))
}

/// Writes a new record.
pub fn insert(writer: &mut impl Writer, record: &Record, indexes: &Indexes) {
    let reference = record.reference();
    put_row(writer, record);
    writer.touch(exists_bucket(reference).bytes());
    for attribute in &indexes.attributes {
        put_entry(writer, reference, *attribute, record.get(*attribute));
    }
    for key in keys_of(reference, &record.values, indexes) {
        writer.put(key.key(), (*record.id.0.as_bytes()).into());
    }
}

/// Writes a change of a record: its row, and the entries of what is another value now.
pub fn replace(writer: &mut impl Writer, before: &Record, after: &Record, indexes: &Indexes) {
    let reference = after.reference();
    put_row(writer, after);
    for attribute in &indexes.attributes {
        let (was, is) = (before.get(*attribute), after.get(*attribute));
        if was != is {
            delete_entry(writer, reference, *attribute, was);
            put_entry(writer, reference, *attribute, is);
        }
    }
    let was: Vec<Tuple> = keys_of(reference, &before.values, indexes).collect();
    let is: Vec<Tuple> = keys_of(reference, &after.values, indexes).collect();
    for key in was.iter().filter(|was| is.iter().all(|is| is.bytes() != was.bytes())) {
        writer.delete(key.key());
    }
    for key in is.iter().filter(|is| was.iter().all(|was| was.bytes() != is.bytes())) {
        writer.put(key.key(), (*after.id.0.as_bytes()).into());
    }
}

/// Takes a record away with all its entries.
pub fn remove(writer: &mut impl Writer, record: &Record, indexes: &Indexes) {
    let reference = record.reference();
    writer.delete(Tuple::of(Family::Record).record(reference).key());
    writer.touch(exists_bucket(reference).bytes());
    for attribute in &indexes.attributes {
        delete_entry(writer, reference, *attribute, record.get(*attribute));
    }
    for key in keys_of(reference, &record.values, indexes) {
        writer.delete(key.key());
    }
}

/// Adds the entry of an index that is being built in slices (E10).
pub fn add_to_index(writer: &mut impl Writer, record: &Record, attribute: AttributeId) {
    put_entry(writer, record.reference(), attribute, record.get(attribute));
}

/// The record that holds an alternate key, with the values in the key's order; a point read, so it is validated. With
/// an empty value no record holds it.
pub fn by_key(
    reader: &(impl Reader + ?Sized),
    entity: EntityId,
    number: u16,
    values: &[&Value],
) -> Result<Option<RecordId>, Error> {
    let Some(key) = unique_key(entity, number, values.iter().copied()) else { return Ok(None) };
    let Some(holder) = reader.get(key.bytes())? else { return Ok(None) };
    key::last_uuid(&holder).map(|id| Some(RecordId(id)))
}

/// What part of an index is walked.
#[derive(Clone, Debug, PartialEq)]
pub enum Stretch {
    /// Records with this value; `Null` for those without one.
    Equal(Value),
    /// Records whose value lies between these; `Null` is less than everything, so name a lower bound to leave it out.
    Between(Bound<Value>, Bound<Value>),
    /// Records whose text begins so.
    Starts(String),
    /// All of them, in the order of the index.
    All,
}

/// Records by an index, in its order and then by id, or backward. Texts longer than an index key keeps come in the
/// order of their beginnings, and `Equal` and `Between` may give one too many at the bounds: check the row (E8).
/// Each comes with its key, to continue behind. Not validated, unless the caller watches the bucket.
pub fn by_index<'a, R: Reader + ?Sized>(
    reader: &'a R,
    entity: EntityId,
    attribute: AttributeId,
    stretch: &Stretch,
    backward: bool,
    after: Option<&[u8]>,
) -> Result<impl Iterator<Item = Result<(RecordId, Key), Error>> + use<'a, R>, Error> {
    let range = stretch.range(entity, attribute);
    let range = if backward { range.backward() } else { range };
    let range = match after {
        Some(cursor) => range.after(cursor),
        None => range,
    };
    let rows = reader.scan(&range)?;
    Ok(rows.map(|row| row.and_then(|(key, _)| Ok((RecordId(key::last_uuid(&key)?), key)))))
}

/// Where the record stands in the index, to continue behind it.
pub fn place_in_index(entity: EntityId, attribute: AttributeId, value: &Value, id: RecordId) -> Key {
    index_key(entity, attribute, value).id(id).key()
}

/// The records whose `attribute` is `value`, by id. A decision rests on it: it is validated.
pub fn with_value(
    reader: &(impl Reader + ?Sized),
    entity: EntityId,
    attribute: AttributeId,
    value: &Value,
    most: usize,
) -> Result<Vec<RecordId>, Error> {
    reader.watch(index_key(entity, attribute, value).bytes());
    let found = by_index(reader, entity, attribute, &Stretch::Equal(value.clone()), false, None)?;
    found.take(most).map(|row| row.map(|(id, _)| id)).collect()
}

impl Stretch {
    fn range(&self, entity: EntityId, attribute: AttributeId) -> Range {
        let index = || Tuple::of(Family::Index).entity(entity).attribute(attribute);
        let at = |value: &Value| Range::prefix(index().value(value).bytes());
        match self {
            Stretch::Equal(value) => at(value),
            Stretch::Starts(start) => Range::prefix(index().text_start(start).bytes()),
            Stretch::All => Range::prefix(index().bytes()),
            Stretch::Between(lower, upper) => {
                let all = Range::prefix(index().bytes());
                let all = match lower {
                    Bound::Included(value) => all.starting_with(at(value)),
                    // A cut text may stand for a longer one, which is behind the bound.
                    Bound::Excluded(value) if is_cut(value) => all.starting_with(at(value)),
                    Bound::Excluded(value) => all.starting_behind(at(value)),
                    Bound::Unbounded => all,
                };
                match upper {
                    Bound::Included(value) => all.ending_with(at(value)),
                    Bound::Excluded(value) if is_cut(value) => all.ending_with(at(value)),
                    Bound::Excluded(value) => all.ending_before(at(value)),
                    Bound::Unbounded => all,
                }
            }
        }
    }
}

fn is_cut(value: &Value) -> bool {
    value.as_text().is_some_and(|text| text.len() > key::TEXT_BYTES / 2)
}

fn exists_bucket(record: RecordRef) -> Tuple {
    Tuple::of(Family::Exists).record(record)
}

fn index_key(entity: EntityId, attribute: AttributeId, value: &Value) -> Tuple {
    Tuple::of(Family::Index).entity(entity).attribute(attribute).value(value)
}

fn put_entry(writer: &mut impl Writer, record: RecordRef, attribute: AttributeId, value: &Value) {
    let entry = index_key(record.entity, attribute, value);
    writer.touch(entry.bytes());
    writer.put(entry.id(record.id).key(), [].into());
}

fn delete_entry(writer: &mut impl Writer, record: RecordRef, attribute: AttributeId, value: &Value) {
    let entry = index_key(record.entity, attribute, value);
    writer.touch(entry.bytes());
    writer.delete(entry.id(record.id).key());
}

fn keys_of<'a>(record: RecordRef, values: &'a Values, indexes: &'a Indexes) -> impl Iterator<Item = Tuple> + 'a {
    indexes.keys.iter().filter_map(move |(number, attributes)| {
        unique_key(record.entity, *number, attributes.iter().map(|attribute| values.get(*attribute)))
    })
}

/// Empty values are not counted: a key with one has no row.
fn unique_key<'a>(entity: EntityId, number: u16, values: impl IntoIterator<Item = &'a Value>) -> Option<Tuple> {
    let key = Tuple::of(Family::Unique).entity(entity).u16(number);
    values.into_iter().try_fold(key, |key, value| (!value.is_null()).then(|| key.whole_value(value)))
}

fn put_row(writer: &mut impl Writer, record: &Record) {
    let value = Row::of(|row| {
        row.field(0).u64(record.version.0);
        codec::put_values(row.field(1), &record.values);
    });
    writer.put(Tuple::of(Family::Record).record(record.reference()).key(), value);
}

fn decode(record: RecordRef, row: &[u8]) -> Result<Record, Error> {
    codec::read(FAMILY, row, |from| {
        let (mut version, mut values) = (None, Values::new());
        codec::fields(from, |number, from| {
            match number {
                0 => version = Some(Version(from.u64()?)),
                1 => values = codec::get_values(from)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let version = codec::needed(version, "version")?;
        Ok(Record { entity: record.entity, id: record.id, version, values })
    })
}
