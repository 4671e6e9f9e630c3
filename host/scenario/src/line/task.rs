//! `task ...`: what a person does with the task flows of a record.

use smol_str::SmolStr;

use super::{Name, Setting, settings, token::Token};

/// What a person does with a task flow.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskLine {
    /// `list`, `begin`, `show`, `page`, `back`, `finish`, `discard`.
    pub word: SmolStr,
    /// The task flow; absent: the one that he has open on the record.
    pub process: Option<SmolStr>,
    /// What is typed on the page at hand.
    pub set: Vec<Setting>,
}

const WORDS: [&str; 7] = ["list", "begin", "show", "page", "back", "finish", "discard"];

/// The command behind `task`, with its record; a version behind it is that of the session.
pub(super) fn parse(tokens: &[Token]) -> Result<(Name, TaskLine), String> {
    let [word, record, options @ ..] = tokens else { return Err(usage()) };
    let (word, record) = (word.word()?, record.name()?);
    if !WORDS.contains(&word.as_str()) {
        return Err(usage());
    }
    let (process, set) = match options {
        [first, rest @ ..] if matches!(first.setting(), Ok((key, _)) if key == "process") => {
            (Some(first.setting()?.1.word()?), settings(rest)?)
        }
        all => (None, settings(all)?),
    };
    if word == "begin" && process.is_none() {
        return Err("it is said which task flow: `task begin ENTITY/NAME process=FLOW`".into());
    }
    if !set.is_empty() && word != "page" && word != "finish" {
        return Err("something is typed by `task page` and `task finish` only".into());
    }
    Ok((record, TaskLine { word, process, set }))
}

fn usage() -> String {
    format!("it is `task {} ENTITY/NAME`", WORDS.join("|"))
}
