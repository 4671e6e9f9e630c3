//! Stored values: a version byte, then CBOR with numbered fields (E7).
//!
//! A field has its number for ever. A reader skips numbers it does not know and takes what is absent as empty, so new code
//! reads old rows and old code reads what it knows of new ones; what cannot be read that way gets another version byte
//! and an upgrade. `tests/golden` keeps rows of every version.

mod value;

use std::convert::Infallible;

use minicbor::{Decoder, Encoder, data::Type};
use model::{CorrelationId, Digest, EntityId, RecordId, RecordRef, Timestamp};
use smol_str::SmolStr;
use uuid::Uuid;

pub use self::value::{get_value, get_values, put_value, put_values};
use crate::{Error, Value};

/// The version of every family so far.
pub const VERSION: u8 = 1;

type Written = Result<(), minicbor::encode::Error<Infallible>>;
/// What reading a part gives.
pub type Read<T> = Result<T, minicbor::decode::Error>;

/// A row being written.
pub struct Row {
    out: Encoder<Vec<u8>>,
}

impl Row {
    /// The fields that `write` puts, behind the version byte.
    pub fn of(write: impl FnOnce(&mut Row)) -> Value {
        let mut bytes = Vec::with_capacity(256);
        bytes.push(VERSION);
        let mut row = Row { out: Encoder::new(bytes) };
        row.fields(write);
        row.out.into_writer().into()
    }

    /// A nested set of numbered fields.
    pub fn fields(&mut self, write: impl FnOnce(&mut Row)) {
        self.write(|out| out.begin_map()?.ok());
        write(self);
        self.write(|out| out.end()?.ok());
    }

    /// The number of the field whose content comes next.
    pub fn field(&mut self, number: u16) -> &mut Row {
        self.write(|out| out.u16(number)?.ok());
        self
    }

    /// A field that is absent when it is empty.
    pub fn optional<T>(&mut self, number: u16, content: Option<T>, write: impl FnOnce(&mut Row, T)) {
        if let Some(content) = content {
            write(self.field(number), content);
        }
    }

    /// A list.
    pub fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut write: impl FnMut(&mut Row, T)) {
        self.array(items.len());
        items.for_each(|item| write(self, item));
    }

    /// The head of so many items.
    pub fn array(&mut self, items: usize) {
        self.write(|out| out.array(items as u64)?.ok());
    }

    /// A number without a sign.
    pub fn u64(&mut self, number: u64) {
        self.write(|out| out.u64(number)?.ok());
    }

    /// A number.
    pub fn i64(&mut self, number: i64) {
        self.write(|out| out.i64(number)?.ok());
    }

    /// Yes or no.
    pub fn bool(&mut self, yes: bool) {
        self.write(|out| out.bool(yes)?.ok());
    }

    /// Text.
    pub fn text(&mut self, text: &str) {
        self.write(|out| out.str(text)?.ok());
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.write(|out| out.bytes(bytes)?.ok());
    }

    /// An identity.
    pub fn uuid(&mut self, id: Uuid) {
        self.bytes(id.as_bytes());
    }

    /// A record: entity and id.
    pub fn record(&mut self, record: RecordRef) {
        self.array(2);
        self.u64(record.entity.0.into());
        self.uuid(record.id.0);
    }

    /// A moment.
    pub fn time(&mut self, time: Timestamp) {
        self.i64(time.as_micros());
    }

    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) {
        // The error of a vector cannot be made, and no part of ours makes one.
        write(&mut self.out).expect("writing to memory does not fail");
    }
}

/// Reads the row of `family` by `read`, which gets the fields. Whatever the bytes are, it is an answer and no panic.
pub fn read<T>(family: &'static str, bytes: &[u8], read: impl FnOnce(&mut Decoder<'_>) -> Read<T>) -> Result<T, Error> {
    let failed = |what: String| Error::Row { family, what };
    match bytes.split_first() {
        None => Err(failed("it is empty".to_owned())),
        Some((&VERSION, fields)) => read(&mut Decoder::new(fields)).map_err(|error| failed(error.to_string())),
        Some((version, _)) => Err(failed(format!("it has version {version}, known is {VERSION}"))),
    }
}

/// Calls `field` with the number of each field; it reads the content and tells so, or leaves it to be skipped.
pub fn fields<'b>(from: &mut Decoder<'b>, mut field: impl FnMut(u16, &mut Decoder<'b>) -> Read<bool>) -> Read<()> {
    let mut left = from.map()?;
    loop {
        match left.as_mut() {
            Some(0) => return Ok(()),
            Some(left) => *left -= 1,
            None if from.datatype()? == Type::Break => return from.skip(),
            None => {}
        }
        let number = from.u16()?;
        if !field(number, from)? {
            from.skip()?;
        }
    }
}

/// A list, each item read by `item`.
pub fn list<'b, T>(from: &mut Decoder<'b>, mut item: impl FnMut(&mut Decoder<'b>) -> Read<T>) -> Read<Vec<T>> {
    let length = array(from)?;
    // A damaged length must not reserve memory: an item has at least one byte.
    let possible = usize::try_from(length).unwrap_or(usize::MAX).min(from.input().len());
    let mut items = Vec::with_capacity(possible.min(1024));
    for _ in 0..length {
        items.push(item(from)?);
    }
    Ok(items)
}

/// The head of a list.
pub fn array(from: &mut Decoder<'_>) -> Read<u64> {
    from.array()?.ok_or_else(|| minicbor::decode::Error::message("a list without a length"))
}

/// The head of a list of exactly so many items.
pub fn array_of(from: &mut Decoder<'_>, items: u64) -> Read<()> {
    match array(from)? {
        found if found == items => Ok(()),
        found => Err(wrong(format!("a list of {found} where {items} belong"))),
    }
}

/// Text.
pub fn text(from: &mut Decoder<'_>) -> Read<SmolStr> {
    from.str().map(SmolStr::new)
}

/// An identity.
pub fn uuid(from: &mut Decoder<'_>) -> Read<Uuid> {
    Uuid::from_slice(from.bytes()?).map_err(|_| wrong("an identity has 16 bytes"))
}

/// A record.
pub fn record(from: &mut Decoder<'_>) -> Read<RecordRef> {
    array_of(from, 2)?;
    Ok(RecordRef::new(EntityId(from.u32()?), RecordId(uuid(from)?)))
}

/// A digest.
pub fn digest(from: &mut Decoder<'_>) -> Read<Digest> {
    from.bytes()?.try_into().map(Digest).map_err(|_| wrong("a digest has 32 bytes"))
}

/// A chain.
pub fn correlation(from: &mut Decoder<'_>) -> Read<CorrelationId> {
    uuid(from).map(CorrelationId)
}

/// A moment.
pub fn time(from: &mut Decoder<'_>) -> Read<Timestamp> {
    Timestamp::from_micros(from.i64()?).ok_or_else(|| wrong("a moment outside the calendar"))
}

/// A field that every row of its kind has.
pub fn needed<T>(field: Option<T>, name: &'static str) -> Read<T> {
    field.ok_or_else(|| wrong(format!("`{name}` is missing")))
}

/// What does not belong.
pub fn wrong(what: impl std::fmt::Display) -> minicbor::decode::Error {
    minicbor::decode::Error::message(what)
}
