//! What operators say to libraries of custom steps: grants, settings, and secrets, which come and go sealed.
//!
//! By library and not by version: what was said once holds for the next version too, unless that one asks for more.

use minicbor::Decoder;
use model::{RecordRef, Timestamp, consent::Consent};
use smol_str::SmolStr;

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed, wrong},
    key::{self, Family, Tuple},
};

/// What was granted to a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The library.
    pub library: SmolStr,
    /// What.
    pub consent: Consent,
    /// Who said so last.
    pub by: RecordRef,
    /// When.
    pub on: Timestamp,
}

/// A secret as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The library.
    pub library: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its bytes, which only the daemon that has the key can read.
    pub bytes: Vec<u8>,
    /// When it was set.
    pub on: Timestamp,
}

/// Keeps what is granted to a library, all of it.
pub fn put_granted(writer: &mut impl Writer, granted: &Granted) {
    let value = Row::of(|row| {
        row.field(0).list(granted.consent.items().iter(), |row, item| row.text(item));
        row.field(1).record(granted.by);
        row.field(2).time(granted.on);
    });
    writer.put(of(Family::Consent, &granted.library).key(), value);
}

/// What is granted to a library.
pub fn granted(reader: &(impl Reader + ?Sized), library: &str) -> Result<Option<Granted>, Error> {
    let row = reader.get(of(Family::Consent, library).bytes())?;
    row.map(|row| codec::read("grants", &row, |from| read_granted(library, from))).transpose()
}

/// What is granted to all libraries.
pub fn all_granted(reader: &(impl Reader + ?Sized)) -> Result<Vec<Granted>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Consent).bytes()))?;
    let decoded = rows.map(|row| {
        let (key, value) = row?;
        let library = key::name_behind(&key, 1)?;
        codec::read("grants", &value, |from| read_granted(library, from))
    });
    decoded.collect()
}

fn read_granted(library: &str, from: &mut Decoder<'_>) -> Read<Granted> {
    let (mut consent, mut by, mut on) = (None, None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => {
                let items = codec::list(from, codec::text)?;
                consent = Some(Consent::from_items(items.iter().map(SmolStr::as_str)).map_err(wrong)?);
            }
            1 => by = Some(codec::record(from)?),
            2 => on = Some(codec::time(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Granted {
        library: library.into(),
        consent: needed(consent, "what is granted")?,
        by: needed(by, "who granted")?,
        on: needed(on, "when")?,
    })
}

/// Sets something for a library.
pub fn put_setting(writer: &mut impl Writer, library: &str, key: &str, value: &str) {
    writer.put(of(Family::Setting, library).name(key).key(), Row::of(|row| row.field(0).text(value)));
}

/// Takes a setting back.
pub fn remove_setting(writer: &mut impl Writer, library: &str, key: &str) {
    writer.delete(of(Family::Setting, library).name(key).key());
}

/// The value of a setting, and everything that is set: library, key and value.
pub fn settings(reader: &(impl Reader + ?Sized)) -> Result<Vec<(SmolStr, SmolStr, SmolStr)>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Setting).bytes()))?;
    let decoded = rows.map(|row| {
        let (key, value) = row?;
        let (library, name) = names(&key)?;
        let value = codec::read("settings of plugins", &value, |from| {
            let mut value = None;
            codec::fields(from, |number, from| match number {
                0 => codec::text(from).map(|text| value = Some(text)).map(|()| true),
                _ => Ok(false),
            })?;
            needed(value, "value")
        })?;
        Ok((library, name, value))
    });
    decoded.collect()
}

/// Keeps a secret.
pub fn put_secret(writer: &mut impl Writer, secret: &Sealed) {
    let value = Row::of(|row| {
        row.field(0).bytes(&secret.bytes);
        row.field(1).time(secret.on);
    });
    writer.put(of(Family::Secret, &secret.library).name(&secret.name).key(), value);
}

/// Forgets a secret.
pub fn remove_secret(writer: &mut impl Writer, library: &str, name: &str) {
    writer.delete(of(Family::Secret, library).name(name).key());
}

/// All secrets, sealed.
pub fn secrets(reader: &(impl Reader + ?Sized)) -> Result<Vec<Sealed>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Secret).bytes()))?;
    let decoded = rows.map(|row| {
        let (key, value) = row?;
        let (library, name) = names(&key)?;
        codec::read("secrets of plugins", &value, |from| {
            let (mut bytes, mut on) = (None, None);
            codec::fields(from, |number, from| {
                match number {
                    0 => bytes = Some(from.bytes()?.to_vec()),
                    1 => on = Some(codec::time(from)?),
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            Ok(Sealed { library, name, bytes: needed(bytes, "secret")?, on: needed(on, "when")? })
        })
    });
    decoded.collect()
}

fn of(family: Family, library: &str) -> Tuple {
    Tuple::of(family).name(library)
}

fn names(key: &[u8]) -> Result<(SmolStr, SmolStr), Error> {
    let library = key::name_behind(key, 1)?;
    let name = key::name_behind(key, 2 + library.len())?;
    Ok((library.into(), name.into()))
}
