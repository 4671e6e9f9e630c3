//! Definitions: numbers that are never used again, what holds now, and the activations that jobs keep (E7, E8).
//!
//! Content is canonical JSON under its digest, written before what points to it. `formats` reads it; here it is bytes.

use std::collections::HashMap;

use model::{
    ActivationId, AttributeId, AttributeName, Digest, EntityId, EntityName, ProcessId, ProcessName, RecordRef,
    Timestamp, schema::EntityNumbers,
};
use smol_str::SmolStr;

use crate::{
    Error, Range, Reader, Value, Writer,
    codec::{self, Read, Row, needed, wrong},
    key::{self, Family, Tuple},
};

/// The kind of a definition. Its number is in keys: never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What a solution says of itself.
    Solution = 1,
    /// An entity.
    Entity = 2,
    /// A choice.
    Choice = 3,
    /// A workflow.
    Workflow = 4,
    /// A script; its text is a package.
    Script = 5,
    /// How a file of rows becomes records.
    Import = 6,
    /// An index or key that is being built over records that were there before it (E10); its name tells how far.
    Building = 7,
    /// A role that a solution brought; what it grants is in its record.
    Role = 8,
    /// A business unit of a solution.
    BusinessUnit = 9,
    /// A team of a solution.
    Team = 10,
    /// A user of a solution.
    User = 11,
    /// A queue of a solution.
    Queue = 12,
    /// A template of mail.
    EmailTemplate = 16,
    /// A business process flow.
    Flow = 20,
}

/// What holds under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub kind: Kind,
    /// Its name, unique in its kind.
    pub name: SmolStr,
    /// Its canonical JSON.
    pub content: Digest,
    /// The text as it was written, if it came from a file: export gives it back (formats 1).
    pub text: Option<Digest>,
    /// The file, as its solution names it.
    pub file: SmolStr,
    /// The solution that brought it.
    pub solution: SmolStr,
    /// When it was applied.
    pub applied_on: Timestamp,
    /// For a process: its number, and the version of the activation that starts now; none where it is a draft.
    pub process: Option<(ProcessId, Option<u32>)>,
    /// For a process: the user who owns it; absent in rows of versions that kept him with the activation only.
    pub owner: Option<RecordRef>,
}

/// Every unit of work rests on the schema: call it once before anything is decided (E2).
pub fn watch_schema(reader: &(impl Reader + ?Sized)) {
    reader.watch(Tuple::of(Family::Schema).bytes());
}

/// Entities, choices or their numbers change: every unit that began before runs again.
pub fn touch_schema(writer: &mut impl Writer) {
    writer.touch(Tuple::of(Family::Schema).bytes());
}

/// Writes content under its digest.
pub fn put_content(writer: &mut impl Writer, digest: Digest, bytes: &[u8]) {
    writer.put(Tuple::of(Family::Content).digest(&digest).key(), bytes.into());
}

/// The content under a digest.
pub fn content(reader: &(impl Reader + ?Sized), digest: Digest) -> Result<Option<Value>, Error> {
    reader.peek(Tuple::of(Family::Content).digest(&digest).bytes())
}

/// Writes what holds under a name from now on.
pub fn put(writer: &mut impl Writer, definition: &Definition) {
    let value = Row::of(|row| {
        row.field(0).bytes(&definition.content.0);
        row.optional(1, definition.text.as_ref(), |row, text| row.bytes(&text.0));
        row.field(2).text(&definition.file);
        row.field(3).text(&definition.solution);
        row.field(4).time(definition.applied_on);
        row.optional(5, definition.process, |row, (process, active)| {
            row.array(2);
            row.u64(process.0.into());
            row.u64(active.unwrap_or(0).into());
        });
        row.optional(6, definition.owner, Row::record);
    });
    writer.put(definition_key(definition.kind, &definition.name).key(), value);
}

/// Takes a definition away; its content and activations stay.
pub fn remove(writer: &mut impl Writer, kind: Kind, name: &str) {
    writer.delete(definition_key(kind, name).key());
}

/// What holds under a name.
pub fn get(reader: &(impl Reader + ?Sized), kind: Kind, name: &str) -> Result<Option<Definition>, Error> {
    let row = reader.get(definition_key(kind, name).bytes())?;
    row.map(|row| decode(kind, name, &row)).transpose()
}

/// An activation as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activated {
    /// Its version, from 1.
    pub version: u32,
    /// The digest of its content.
    pub content: Digest,
    /// When it was made.
    pub on: Timestamp,
}

/// Everything of a kind, by name.
pub fn all(reader: &(impl Reader + ?Sized), kind: Kind) -> Result<Vec<Definition>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Definition).u8(kind as u8).bytes()))?;
    rows.map(|row| row.and_then(|(key, value)| decode(kind, key::name_behind(&key, 2)?, &value))).collect()
}

/// Writes the numbers of an entity. They only ever grow.
pub fn put_numbers(writer: &mut impl Writer, name: &EntityName, numbers: &EntityNumbers) {
    let value = Row::of(|row| {
        row.field(0).u64(numbers.id.0.into());
        let mut attributes: Vec<_> = numbers.attributes.iter().collect();
        attributes.sort_unstable_by_key(|(_, number)| **number);
        row.field(1).list(attributes.into_iter(), |row, (name, number)| named(row, name, number.0));
        let mut keys: Vec<_> = numbers.keys.iter().collect();
        keys.sort_unstable_by_key(|(_, number)| **number);
        row.field(2).list(keys.into_iter(), |row, (name, number)| named(row, name, *number));
    });
    writer.put(Tuple::of(Family::EntityNumbers).name(name.as_str()).key(), value);
}

/// The numbers of all entities, also of those that are gone.
pub fn numbers(reader: &(impl Reader + ?Sized)) -> Result<HashMap<EntityName, EntityNumbers>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::EntityNumbers).bytes()))?;
    let decoded = rows.map(|row| {
        let (key, value) = row?;
        let name = EntityName::parse(key::name_behind(&key, 1)?);
        let name = name.map_err(|problem| Error::Row { family: "numbers", what: problem.to_string() })?;
        Ok((name, codec::read("numbers", &value, read_numbers)?))
    });
    decoded.collect()
}

/// The number of a process; a new name gets the next one. The answer is validated, so two never get the same.
pub fn process_number(unit: &mut (impl Reader + Writer), name: &ProcessName) -> Result<ProcessId, Error> {
    let key = Tuple::of(Family::ProcessNumber).name(name.as_str());
    if let Some(row) = unit.get(key.bytes())? {
        return codec::read("numbers", &row, read_number).map(ProcessId);
    }
    let bucket = Tuple::of(Family::ProcessNumber);
    unit.watch(bucket.bytes());
    let mut highest = 0;
    for row in unit.scan(&Range::prefix(bucket.bytes()))? {
        highest = highest.max(codec::read("numbers", &row?.1, read_number)?);
    }
    unit.touch(bucket.bytes());
    unit.put(key.key(), Row::of(|row| row.field(0).u64(u64::from(highest) + 1)));
    Ok(ProcessId(highest + 1))
}

/// Writes an activation: the copy of a definition that jobs run, whatever becomes of the definition.
pub fn put_activation(writer: &mut impl Writer, activation: ActivationId, content: Digest, on: Timestamp) {
    let value = Row::of(|row| {
        row.field(0).bytes(&content.0);
        row.field(1).time(on);
    });
    writer.put(activation_key(activation).key(), value);
}

/// The digest of an activation's content.
pub fn activation(reader: &(impl Reader + ?Sized), activation: ActivationId) -> Result<Option<Digest>, Error> {
    let Some(row) = reader.peek(activation_key(activation).bytes())? else { return Ok(None) };
    codec::read("activations", &row, read_activation).map(|(content, _)| Some(content))
}

/// All activations of a process, the first first.
pub fn activations(reader: &(impl Reader + ?Sized), process: ProcessId) -> Result<Vec<Activated>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Activation).process(process).bytes()))?;
    let decoded = rows.map(|row| {
        let (key, value) = row?;
        let (content, on) = codec::read("activations", &value, read_activation)?;
        Ok(Activated { version: key::last_u32(&key)?, content, on })
    });
    decoded.collect()
}

fn definition_key(kind: Kind, name: &str) -> Tuple {
    Tuple::of(Family::Definition).u8(kind as u8).name(name)
}

fn activation_key(activation: ActivationId) -> Tuple {
    Tuple::of(Family::Activation).process(activation.process).u32(activation.version)
}

fn named(row: &mut Row, name: &AttributeName, number: u16) {
    row.array(2);
    row.text(name.as_str());
    row.u64(number.into());
}

fn decode(kind: Kind, name: &str, row: &[u8]) -> Result<Definition, Error> {
    codec::read("definitions", row, |from| {
        let (mut content, mut applied_on, mut process, mut text, mut owner) = (None, None, None, None, None);
        let (mut file, mut solution) = (SmolStr::default(), SmolStr::default());
        codec::fields(from, |number, from| {
            match number {
                0 => content = Some(codec::digest(from)?),
                1 => text = Some(codec::digest(from)?),
                2 => file = codec::text(from)?,
                3 => solution = codec::text(from)?,
                4 => applied_on = Some(codec::time(from)?),
                5 => {
                    codec::array_of(from, 2)?;
                    process = Some((ProcessId(from.u32()?), Some(from.u32()?).filter(|version| *version > 0)));
                }
                6 => owner = Some(codec::record(from)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let (content, applied_on) = (needed(content, "content")?, needed(applied_on, "applied on")?);
        Ok(Definition { kind, name: name.into(), content, text, file, solution, applied_on, process, owner })
    })
}

fn read_numbers(from: &mut minicbor::Decoder<'_>) -> Read<EntityNumbers> {
    let (mut id, mut attributes, mut keys) = (None, HashMap::new(), HashMap::new());
    codec::fields(from, |number, from| {
        match number {
            0 => id = Some(EntityId(from.u32()?)),
            1 => attributes = codec::list(from, read_named)?.into_iter().map(|(k, v)| (k, AttributeId(v))).collect(),
            2 => keys = codec::list(from, read_named)?.into_iter().collect(),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(EntityNumbers { id: needed(id, "id")?, attributes, keys })
}

fn read_named(from: &mut minicbor::Decoder<'_>) -> Read<(AttributeName, u16)> {
    codec::array_of(from, 2)?;
    Ok((AttributeName::parse(from.str()?).map_err(wrong)?, from.u16()?))
}

fn read_number(from: &mut minicbor::Decoder<'_>) -> Read<u32> {
    let mut found = None;
    codec::fields(from, |number, from| {
        if number == 0 {
            found = Some(from.u32()?);
        }
        Ok(number == 0)
    })?;
    needed(found, "number")
}

fn read_activation(from: &mut minicbor::Decoder<'_>) -> Read<(Digest, Timestamp)> {
    let (mut content, mut on) = (None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => content = Some(codec::digest(from)?),
            1 => on = Some(codec::time(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((needed(content, "content")?, needed(on, "activated on")?))
}
