//! What ends a script, with its place: its own `fail`, what the host refused, and mistakes in the script itself.
//!
//! Inside the script each is a value that `catch` gives: a map with `code`, `message` and `kind`.

use rhai::{Dynamic, EvalAltResult, Map, ParseError, Position};
use stepwise_sdk::{ErrorKind, Field, Value, VerbError, wire::StepError};

/// The code of a mistake in a script.
const MISTAKE: &str = "script-error";

/// Kinds by the words that scripts see.
const KINDS: [(&str, ErrorKind); 10] = [
    ("invalid-input", ErrorKind::InvalidInput),
    ("rule-violated", ErrorKind::RuleViolated),
    ("not-found", ErrorKind::NotFound),
    ("conflict", ErrorKind::Conflict),
    ("denied", ErrorKind::Denied),
    ("transient", ErrorKind::Transient),
    ("throttled", ErrorKind::Throttled),
    ("permanent", ErrorKind::Permanent),
    ("cancelled", ErrorKind::Cancelled),
    ("other", ErrorKind::Other),
];

/// The script that runs.
#[derive(Clone, Copy)]
pub struct Script<'s> {
    /// Where it came from.
    pub file: &'s str,
    /// Its text, whole.
    pub text: &'s str,
}

impl Script<'_> {
    /// The line of a place, as it stands there but for the spaces around it.
    fn line(self, place: Position) -> Option<String> {
        const LONGEST: usize = 100;
        let line = self.text.lines().nth(place.line()?.checked_sub(1)?)?.trim();
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => Some(format!("{}…", &line[..end])),
            None => Some(line.to_owned()).filter(|line| !line.is_empty()),
        }
    }
}

/// A failure as a value of the script.
pub fn thrown(kind: ErrorKind, code: &str, message: &str, retry_after_ms: Option<i64>) -> Dynamic {
    let word = KINDS.iter().find(|(_, known)| *known == kind).map_or("other", |(word, _)| word);
    let mut map = Map::new();
    map.insert("kind".into(), word.into());
    map.insert("code".into(), code.to_owned().into());
    map.insert("message".into(), message.to_owned().into());
    if let Some(time) = retry_after_ms {
        map.insert("retry_after_ms".into(), time.into());
    }
    Dynamic::from_map(map)
}

/// What the host refused, as a value of the script.
pub fn refused(error: VerbError) -> Dynamic {
    thrown(error.kind, &error.code, &error.message, None)
}

/// A script that does not parse.
pub fn of_parser(script: Script<'_>, error: &ParseError) -> StepError {
    of_script(script, &error.err_type().to_string(), error.position())
}

/// A script that ended with an error.
pub fn of_run(script: Script<'_>, error: EvalAltResult) -> StepError {
    let (error, place) = innermost(error);
    match error {
        EvalAltResult::ErrorRuntime(value, _) => of_thrown(script, &value, place),
        EvalAltResult::ErrorStackOverflow(_) => {
            of_script(script, "functions call each other too deep: 64 calls may lie in each other", place)
        }
        EvalAltResult::ErrorFunctionNotFound(call, _) => {
            of_script(script, &format!("there is no function `{call}` for these values"), place)
        }
        other => of_script(script, &without_place(&other), place),
    }
}

/// A mistake in the script.
pub fn of_script(script: Script<'_>, text: &str, place: Position) -> StepError {
    let within = script.line(place).map(|line| format!(", in `{line}`")).unwrap_or_default();
    let message = format!("{}: {text}{within}", located(script.file, place));
    step_error(ErrorKind::Permanent, MISTAKE, message, script.file, place)
}

fn of_thrown(script: Script<'_>, value: &Dynamic, place: Position) -> StepError {
    let Some(map) = value.read_lock::<Map>() else { return of_script(script, &value.to_string(), place) };
    let text = |key: &str| map.get(key).map(ToString::to_string);
    let (Some(code), Some(message)) = (text("code"), text("message")) else {
        return of_script(script, "the script threw a map without `code` and `message`", place);
    };
    let kind = text("kind").and_then(|word| KINDS.iter().find(|(known, _)| *known == word));
    let kind = kind.map_or(ErrorKind::RuleViolated, |(_, kind)| *kind);
    let mut error = step_error(kind, &code, message, script.file, place);
    let later = map.get("retry_after_ms").and_then(|time| time.as_int().ok());
    error.retry_after_ms = later.and_then(|time| u64::try_from(time).ok());
    error
}

fn step_error(kind: ErrorKind, code: &str, message: String, file: &str, place: Position) -> StepError {
    let number =
        |number: Option<usize>| Value::Whole(number.and_then(|number| i64::try_from(number).ok()).unwrap_or(0));
    let field = |name: &str, value| Field { name: name.into(), value };
    let mut details = vec![field("file", Value::Text(file.to_owned()))];
    if !place.is_none() {
        details.push(field("line", number(place.line())));
        details.push(field("column", number(place.position())));
    }
    StepError { kind, code: code.to_owned(), message, retry_after_ms: None, details }
}

/// The error itself, out of the calls of functions that it went through, and the place where it began.
fn innermost(error: EvalAltResult) -> (EvalAltResult, Position) {
    let place = error.position();
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => {
            let (error, inner) = innermost(*inner);
            (error, if inner.is_none() { place } else { inner })
        }
        other => (other, place),
    }
}

fn without_place(error: &EvalAltResult) -> String {
    let text = error.to_string();
    match text.rfind(" (line ") {
        Some(end) if text.ends_with(')') => text[..end].to_owned(),
        _ => text,
    }
}

fn located(file: &str, place: Position) -> String {
    match (place.line(), place.position()) {
        (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        (Some(line), None) => format!("{file}:{line}"),
        _ => file.to_owned(),
    }
}
