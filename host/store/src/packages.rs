//! Packages: the bytes of plugins and the texts of scripts by digest, and which are installed.
//!
//! Bytes go in first, what points to them after; jobs pin a digest, so bytes stay while anything names them.

use minicbor::Decoder;
use model::{Digest, Timestamp};
use smol_str::SmolStr;

use crate::{
    Error, Range, Reader, Value, Writer,
    codec::{self, Read, Row, needed, wrong},
    key::{self, Family, Tuple},
};

/// What a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A component.
    Plugin,
    /// A script: its text with the manifest in its leading comment.
    Script,
}

/// An installed version of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Install {
    /// The library: the part before the dot of its steps' names.
    pub library: SmolStr,
    /// Its version.
    pub version: SmolStr,
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub package: Digest,
    /// The file it came from, for messages.
    pub file: SmolStr,
    /// The solution that brought it; empty where a person installed it.
    pub solution: SmolStr,
    /// When.
    pub installed_on: Timestamp,
    /// Why it may not be called, while it may not.
    pub quarantined: Option<SmolStr>,
    /// Since when activations do not choose it any more, though runs that are pinned to it go on.
    pub withdrawn: Option<Timestamp>,
    /// Where its bytes were taken from: a file, an address; empty where nobody said.
    pub origin: SmolStr,
    /// The key by which it was signed; empty where it was not.
    pub signed_by: SmolStr,
}

/// Writes the bytes of a package.
pub fn put_bytes(writer: &mut impl Writer, digest: Digest, bytes: &[u8]) {
    writer.put(Tuple::of(Family::Package).digest(&digest).key(), bytes.into());
}

/// Takes the bytes of a package away, and what it said of itself, once nothing names them.
pub fn remove_bytes(writer: &mut impl Writer, digest: Digest) {
    writer.delete(Tuple::of(Family::Package).digest(&digest).key());
    writer.delete(Tuple::of(Family::Document).digest(&digest).key());
}

/// Keeps what a component said of itself, so that it is known without being run.
pub fn put_document(writer: &mut impl Writer, digest: Digest, document: &[u8]) {
    writer.put(Tuple::of(Family::Document).digest(&digest).key(), Row::of(|row| row.field(0).bytes(document)));
}

/// What a component said of itself; absent where nobody kept it.
pub fn document(reader: &(impl Reader + ?Sized), digest: Digest) -> Result<Option<Vec<u8>>, Error> {
    let row = reader.peek(Tuple::of(Family::Document).digest(&digest).bytes())?;
    let read = |from: &mut Decoder<'_>| {
        let mut document = None;
        codec::fields(from, |number, from| match number {
            0 => from.bytes().map(|bytes| document = Some(bytes.to_vec())).map(|()| true),
            _ => Ok(false),
        })?;
        needed(document, "document")
    };
    row.map(|row| codec::read("documents of packages", &row, read)).transpose()
}

/// The bytes of a package.
pub fn bytes(reader: &(impl Reader + ?Sized), digest: Digest) -> Result<Option<Value>, Error> {
    reader.peek(Tuple::of(Family::Package).digest(&digest).bytes())
}

/// Notes that a package is installed, or installed otherwise than before.
pub fn install(writer: &mut impl Writer, install: &Install) {
    let value = Row::of(|row| {
        row.field(0).u64(match install.kind {
            Kind::Plugin => 0,
            Kind::Script => 1,
        });
        row.field(1).bytes(&install.package.0);
        row.field(2).text(&install.file);
        row.field(3).text(&install.solution);
        row.field(4).time(install.installed_on);
        row.optional(5, install.quarantined.as_ref(), |row, why| row.text(why));
        row.optional(6, install.withdrawn, Row::time);
        row.optional(7, Some(&install.origin).filter(|text| !text.is_empty()), |row, text| row.text(text));
        row.optional(8, Some(&install.signed_by).filter(|text| !text.is_empty()), |row, text| row.text(text));
    });
    writer.put(install_key(&install.library, &install.version).key(), value);
}

/// One version of a library.
pub fn installed(reader: &(impl Reader + ?Sized), library: &str, version: &str) -> Result<Option<Install>, Error> {
    let row = reader.get(install_key(library, version).bytes())?;
    row.map(|row| decode(library, version, &row)).transpose()
}

/// Everything installed, by library and then by the text of its version.
pub fn all(reader: &(impl Reader + ?Sized)) -> Result<Vec<Install>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Install).bytes()))?;
    let decoded = rows.map(|row| {
        let (key, value) = row?;
        let library = key::name_behind(&key, 1)?;
        let version = key::name_behind(&key, 2 + library.len())?;
        decode(library, version, &value)
    });
    decoded.collect()
}

/// Takes a version off; its bytes stay for the jobs that pin them.
pub fn uninstall(writer: &mut impl Writer, library: &str, version: &str) {
    writer.delete(install_key(library, version).key());
}

fn install_key(library: &str, version: &str) -> Tuple {
    Tuple::of(Family::Install).name(library).name(version)
}

fn decode(library: &str, version: &str, row: &[u8]) -> Result<Install, Error> {
    codec::read("packages", row, |from| read(library, version, from))
}

fn read(library: &str, version: &str, from: &mut Decoder<'_>) -> Read<Install> {
    let (mut kind, mut package, mut installed_on, mut quarantined) = (None, None, None, None);
    let (mut file, mut solution) = (SmolStr::default(), SmolStr::default());
    let (mut withdrawn, mut origin, mut signed_by) = (None, SmolStr::default(), SmolStr::default());
    codec::fields(from, |number, from| {
        match number {
            0 => kind = Some(read_kind(from.u8()?)?),
            1 => package = Some(codec::digest(from)?),
            2 => file = codec::text(from)?,
            3 => solution = codec::text(from)?,
            4 => installed_on = Some(codec::time(from)?),
            5 => quarantined = Some(codec::text(from)?),
            6 => withdrawn = Some(codec::time(from)?),
            7 => origin = codec::text(from)?,
            8 => signed_by = codec::text(from)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Install {
        library: library.into(),
        version: version.into(),
        kind: needed(kind, "kind")?,
        package: needed(package, "package")?,
        file,
        solution,
        installed_on: needed(installed_on, "installed on")?,
        quarantined,
        withdrawn,
        origin,
        signed_by,
    })
}

fn read_kind(number: u8) -> Read<Kind> {
    match number {
        0 => Ok(Kind::Plugin),
        1 => Ok(Kind::Script),
        other => Err(wrong(format!("the unknown kind {other}"))),
    }
}
