//! Secrets of those who act: tokens of every kind, kept by their hash only (E9, E32).
//!
//! Users, teams and units are records. Here is what must not be one.

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
pub enum Scope {
    /// A program's key.
    Api,
    /// What `stepwise dev` leaves in its file.
    Dev,
    /// A person's session in a browser.
    Session,
    /// The link that sets the first password up, used once.
    Setup,
}

/// A token. The secret itself is nowhere: who shows it is known by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of the secret.
    pub hash: Digest,
    /// The user it stands for.
    pub user: RecordRef,
    /// What it is for.
    pub scope: Scope,
    /// What people call it.
    pub label: SmolStr,
    /// When it was made.
    pub created_on: Timestamp,
    /// From when on it is worth nothing; absent: never.
    pub expires_on: Option<Timestamp>,
}

/// Writes a token.
pub fn put_token(writer: &mut impl Writer, token: &Token) {
    let value = Row::of(|row| {
        row.field(0).record(token.user);
        row.field(1).u64(match token.scope {
            Scope::Api => 0,
            Scope::Dev => 1,
            Scope::Session => 2,
            Scope::Setup => 3,
        });
        row.field(2).text(&token.label);
        row.field(3).time(token.created_on);
        row.optional(4, token.expires_on, Row::time);
    });
    writer.put(Tuple::of(Family::Token).digest(&token.hash).key(), value);
    writer.put(user_key(token).key(), [].into());
}

/// The token with this hash, expired or not.
pub fn token(reader: &(impl Reader + ?Sized), hash: Digest) -> Result<Option<Token>, Error> {
    let row = reader.get(Tuple::of(Family::Token).digest(&hash).bytes())?;
    row.map(|row| codec::read("tokens", &row, |from| read(hash, from))).transpose()
}

/// The tokens of a user, by their hash.
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

fn user_key(token: &Token) -> Tuple {
    Tuple::of(Family::TokenUser).record(token.user).digest(&token.hash)
}

fn read(hash: Digest, from: &mut Decoder<'_>) -> Read<Token> {
    let (mut user, mut scope, mut created_on, mut expires_on) = (None, None, None, None);
    let mut label = SmolStr::default();
    codec::fields(from, |number, from| {
        match number {
            0 => user = Some(codec::record(from)?),
            1 => scope = Some(read_scope(from.u8()?)?),
            2 => label = codec::text(from)?,
            3 => created_on = Some(codec::time(from)?),
            4 => expires_on = Some(codec::time(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let (user, scope) = (needed(user, "user")?, needed(scope, "scope")?);
    Ok(Token { hash, user, scope, label, created_on: needed(created_on, "created on")?, expires_on })
}

fn read_scope(number: u8) -> Read<Scope> {
    let scopes = [Scope::Api, Scope::Dev, Scope::Session, Scope::Setup];
    scopes.get(usize::from(number)).copied().ok_or_else(|| wrong(format!("the unknown scope {number}")))
}
