//! The words of a line: split at blanks, with text in double quotes as one piece.
//!
//! Whether a character stood in quotes is kept, so that `"a/b"` is text while `a/b` is a record.

use smol_str::SmolStr;

use super::{Name, Term};

/// One word: its characters, each with whether it stood in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    characters: Vec<(char, bool)>,
    /// Whether there were quotes at all: `""` is a text without characters.
    quoted: bool,
}

/// The words of `text`.
pub(super) fn split(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut token = Token { characters: Vec::new(), quoted: false };
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            blank if blank.is_whitespace() => token.end(&mut tokens),
            '"' => {
                token.quoted = true;
                loop {
                    let inside = match characters.next() {
                        Some((_, '"')) => break,
                        Some((_, '\\')) => escaped(characters.next())?,
                        Some((_, character)) => character,
                        None => return Err(format!("the text that begins with `{}` is not closed", &text[place..])),
                    };
                    token.characters.push((inside, true));
                }
            }
            bare => token.characters.push((bare, false)),
        }
    }
    token.end(&mut tokens);
    Ok(tokens)
}

fn escaped(character: Option<(usize, char)>) -> Result<char, String> {
    match character {
        Some((_, 'n')) => Ok('\n'),
        Some((_, character @ ('"' | '\\'))) => Ok(character),
        _ => Err("behind `\\` stands `\"`, `\\` or `n`".into()),
    }
}

impl Token {
    fn end(&mut self, tokens: &mut Vec<Token>) {
        if self.quoted || !self.characters.is_empty() {
            tokens.push(Token { characters: std::mem::take(&mut self.characters), quoted: self.quoted });
            self.quoted = false;
        }
    }

    fn text(&self) -> String {
        self.characters.iter().map(|(character, _)| *character).collect()
    }

    pub(super) fn is_comment(&self) -> bool {
        self.characters.first() == Some(&('#', false))
    }

    pub(super) fn is_bare(&self, word: &str) -> bool {
        !self.quoted && self.text() == word
    }

    /// The word as it stands, quotes or not.
    pub(super) fn word(&self) -> Result<SmolStr, String> {
        Ok(self.text().into())
    }

    /// The two sides of the first bare `mark`.
    fn halves(&self, mark: char) -> Option<(Token, Token)> {
        let place = self.characters.iter().position(|character| *character == (mark, false))?;
        let half = |characters: &[(char, bool)], quoted| Token { characters: characters.to_vec(), quoted };
        Some((half(&self.characters[..place], false), half(&self.characters[place + 1..], self.quoted)))
    }

    /// `attribute=value`
    pub(super) fn setting(&self) -> Result<(SmolStr, Token), String> {
        match self.halves('=') {
            Some((key, value)) if !key.characters.is_empty() => Ok((key.text().into(), value)),
            _ => Err(format!("`{}` is no setting: it is written attribute=value", self.text())),
        }
    }

    /// `account/a1` or `account/a1@3`
    pub(super) fn name(&self) -> Result<Name, String> {
        let no_record = || format!("`{}` is no record: it is written ENTITY/NAME", self.text());
        let (entity, name) = self.halves('/').ok_or_else(no_record)?;
        let (name, version) = match name.halves('@') {
            None => (name, None),
            Some((name, version)) => {
                let version = version.text();
                (name, Some(version.parse().map_err(|_| format!("`{version}` is no version"))?))
            }
        };
        if entity.characters.is_empty() || name.characters.is_empty() {
            return Err(no_record());
        }
        Ok(Name { entity: entity.text().into(), name: name.text().into(), version })
    }

    /// A value.
    pub(super) fn term(&self) -> Result<Term, String> {
        Ok(match self.text() {
            _ if self.characters.contains(&('/', false)) => Term::Record(self.name()?),
            text if self.quoted => Term::Text(text.into()),
            text if text == "null" => Term::Empty,
            text => Term::Bare(text.into()),
        })
    }
}
