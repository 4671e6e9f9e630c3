//! Secrets of those who act: tokens of every kind and passwords, kept by their hash only (E9, E32).
//!
//! Users, teams and units are records. Here is what must not be one. Which secret may do what is `engine::signin`'s.

use std::fmt;

use minicbor::Decoder;
use model::{Digest, RecordRef, Timestamp};
use smol_str::SmolStr;

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed, wrong},
    key::{self, Family, Tuple},
};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program's key.
    Api,
    /// What `stepwise dev` leaves in its file.
    Dev,
    /// A person's session in a browser.
    Session,
    /// The link that sets the first password up, used once.
    Setup,
    /// The secret by which an application asks for access tokens.
    Client,
    /// What an application got for its secret.
    Access,
}

/// In the order of their numbers, which are stored.
const KINDS: [Kind; 6] = [Kind::Api, Kind::Dev, Kind::Session, Kind::Setup, Kind::Client, Kind::Access];

/// A token. The secret itself is nowhere: who shows it is known by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of the secret.
    pub hash: Digest,
    /// The user it stands for.
    pub user: RecordRef,
    /// What it is for.
    pub kind: Kind,
    /// What it may be used for, as bits that the engine knows; 0 is everything.
    pub scope: u8,
    /// What people call it.
    pub label: SmolStr,
    /// When it was made.
    pub created_on: Timestamp,
    /// From when on it is worth nothing; absent: never.
    pub expires_on: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_on: Option<Timestamp>,
    /// When it was shown last, to about a minute.
    pub last_used: Option<Timestamp>,
}

/// The password of a user, as its hash. Debug shows no more of it than that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Password {
    /// The hash with its parameters and salt, in the form of the PHC.
    pub hash: SmolStr,
    /// When it was set.
    pub set_on: Timestamp,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("set_on", &self.set_on).finish_non_exhaustive()
    }
}

/// Writes a token.
pub fn put_token(writer: &mut impl Writer, token: &Token) {
    let number = KINDS.iter().position(|kind| *kind == token.kind).unwrap_or_default();
    let value = Row::of(|row| {
        row.field(0).record(token.user);
        row.field(1).u64(number as u64);
        row.field(2).text(&token.label);
        row.field(3).time(token.created_on);
        row.optional(4, token.expires_on, Row::time);
        row.optional(5, (token.scope != 0).then_some(token.scope.into()), Row::u64);
        row.optional(6, token.revoked_on, Row::time);
        row.optional(7, token.last_used, Row::time);
    });
    writer.put(Tuple::of(Family::Token).digest(&token.hash).key(), value);
    writer.put(user_key(token).key(), [].into());
}

/// The token with this hash, whether it is still good or not.
pub fn token(reader: &(impl Reader + ?Sized), hash: Digest) -> Result<Option<Token>, Error> {
    let row = reader.get(Tuple::of(Family::Token).digest(&hash).bytes())?;
    row.map(|row| codec::read("tokens", &row, |from| read(hash, from))).transpose()
}

/// All tokens of every user and kind.
pub fn tokens(reader: &(impl Reader + ?Sized)) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    for row in reader.scan(&Range::prefix(Tuple::of(Family::Token).bytes()))? {
        let (key, value) = row?;
        let hash = key::last_digest(&key)?;
        tokens.push(codec::read("tokens", &value, |from| read(hash, from))?);
    }
    Ok(tokens)
}

/// The token whose hash begins so, if it is the only one.
pub fn token_from(reader: &(impl Reader + ?Sized), start: &[u8]) -> Result<Option<Token>, Error> {
    let range = Range::prefix(&[Tuple::of(Family::Token).bytes(), start].concat());
    let keys: Vec<_> = reader.scan(&range)?.take(2).map(|row| row.map(|(key, _)| key)).collect::<Result<_, _>>()?;
    match &keys[..] {
        [one] => token(reader, key::last_digest(one)?),
        _ => Ok(None),
    }
}

/// The tokens of a user.
pub fn tokens_of(reader: &(impl Reader + ?Sized), user: RecordRef) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    for row in reader.scan(&Range::prefix(Tuple::of(Family::TokenUser).record(user).bytes()))? {
        tokens.extend(token(reader, key::last_digest(&row?.0)?)?);
    }
    Ok(tokens)
}

/// Takes a token away.
pub fn remove_token(writer: &mut impl Writer, token: &Token) {
    writer.delete(Tuple::of(Family::Token).digest(&token.hash).key());
    writer.delete(user_key(token).key());
}

/// Writes the password of a user.
pub fn put_password(writer: &mut impl Writer, user: RecordRef, password: &Password) {
    let value = Row::of(|row| {
        row.field(0).text(&password.hash);
        row.field(1).time(password.set_on);
    });
    writer.put(password_key(user).key(), value);
}

/// The password of a user, if he has one.
pub fn password(reader: &(impl Reader + ?Sized), user: RecordRef) -> Result<Option<Password>, Error> {
    let row = reader.get(password_key(user).bytes())?;
    row.map(|row| codec::read("passwords", &row, read_password)).transpose()
}

/// Takes the password of a user away.
pub fn remove_password(writer: &mut impl Writer, user: RecordRef) {
    writer.delete(password_key(user).key());
}

/// Whether anybody has a password.
pub fn has_passwords(reader: &(impl Reader + ?Sized)) -> Result<bool, Error> {
    let first = reader.scan(&Range::prefix(Tuple::of(Family::Password).bytes()))?.next();
    Ok(first.transpose()?.is_some())
}

/// The mark that stands in every token of this store; absent until the first is made.
pub fn mark(reader: &(impl Reader + ?Sized)) -> Result<Option<u32>, Error> {
    let row = reader.get(Tuple::of(Family::TokenMark).bytes())?;
    let read = |from: &mut Decoder<'_>| {
        let mut mark = None;
        codec::fields(from, |number, from| match number {
            0 => from.u32().map(|number| mark = Some(number)).map(|()| true),
            _ => Ok(false),
        })?;
        needed(mark, "mark")
    };
    row.map(|row| codec::read("the mark of tokens", &row, read)).transpose()
}

/// Sets the mark of this store.
pub fn put_mark(writer: &mut impl Writer, mark: u32) {
    writer.put(Tuple::of(Family::TokenMark).key(), Row::of(|row| row.field(0).u64(mark.into())));
}

fn user_key(token: &Token) -> Tuple {
    Tuple::of(Family::TokenUser).record(token.user).digest(&token.hash)
}

fn password_key(user: RecordRef) -> Tuple {
    Tuple::of(Family::Password).record(user)
}

fn read(hash: Digest, from: &mut Decoder<'_>) -> Read<Token> {
    let (mut user, mut kind, mut created_on, mut scope) = (None, None, None, 0);
    let (mut expires_on, mut revoked_on, mut last_used) = (None, None, None);
    let mut label = SmolStr::default();
    codec::fields(from, |number, from| {
        match number {
            0 => user = Some(codec::record(from)?),
            1 => kind = Some(read_kind(from.u8()?)?),
            2 => label = codec::text(from)?,
            3 => created_on = Some(codec::time(from)?),
            4 => expires_on = Some(codec::time(from)?),
            5 => scope = from.u8()?,
            6 => revoked_on = Some(codec::time(from)?),
            7 => last_used = Some(codec::time(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let (user, kind) = (needed(user, "user")?, needed(kind, "kind")?);
    let created_on = needed(created_on, "created on")?;
    Ok(Token { hash, user, kind, scope, label, created_on, expires_on, revoked_on, last_used })
}

fn read_kind(number: u8) -> Read<Kind> {
    KINDS.get(usize::from(number)).copied().ok_or_else(|| wrong(format!("the unknown kind {number}")))
}

fn read_password(from: &mut Decoder<'_>) -> Read<Password> {
    let (mut hash, mut set_on) = (None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => hash = Some(codec::text(from)?),
            1 => set_on = Some(codec::time(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Password { hash: needed(hash, "hash")?, set_on: needed(set_on, "set on")? })
}
