//! A library written without the SDK, as one in C may be: one step that conforms, and one for each way not to.
//!
//! The tests of the conformance kit hold each case to the step that it must find.

use stepwise_sdk::{
    ErrorKind, Field, Reference, Value,
    wire::{
        self, StepError,
        bindings::stepwise::plugin::{http, records},
    },
};

struct Careless;

stepwise_sdk::export_guest!(Careless);

/// The manifest, as text: nothing here is derived from anything.
const MANIFEST: &str = include_str!("careless.json");

impl wire::Guest for Careless {
    fn describe() -> Vec<u8> {
        MANIFEST.as_bytes().to_vec()
    }

    fn execute(step: String, inputs: Vec<Field>) -> Result<Vec<Field>, StepError> {
        match step.as_str() {
            "careless.careful" => careful(&inputs),
            "careless.caller" => caller(&inputs, true),
            "careless.blunt" => caller(&inputs, false),
            "careless.maker" => make(&inputs).map_err(passed_on).map(|made| vec![field("made", Value::Lookup(made))]),
            "careless.wrong-example" | "careless.silent-code" | "careless.undocumented" => Ok(one(1)),
            "careless.trusting" | "careless.loose" => Ok(one(1)),
            "careless.brittle" => brittle(&inputs),
            "careless.liar" => Ok(vec![field("another", Value::Whole(1))]),
            "careless.muddler" => make(&inputs).map_err(|error| failure(ErrorKind::Other, &error.code)).map(|_| one(1)),
            "careless.swallower" => {
                let made = [make(&inputs), make(&inputs)];
                Ok(one(made.iter().filter(|made| made.is_ok()).count() as i64))
            }
            "careless.repeater" => make(&inputs).map_err(passed_on).map(|_| one(1)),
            "careless.stubborn" => stubborn(&inputs),
            "careless.busy" => busy(&inputs),
            "careless.unlisted" => make(&inputs).map_err(passed_on).map(|_| one(1)),
            other => Err(failure(ErrorKind::InvalidInput, other)),
        }
    }
}

/// Looks at everything, and passes on what it is told.
fn careful(inputs: &[Field]) -> Result<Vec<Field>, StepError> {
    let task = task_of(inputs)?;
    let subject = match input(inputs, "subject") {
        Value::Text(text) => text.clone(),
        Value::Null => return Err(invalid("subject", "is missing")),
        _ => return Err(invalid("subject", "is no text")),
    };
    if subject.trim().is_empty() {
        return Err(failure(ErrorKind::RuleViolated, "no-subject"));
    }
    let subject: String = subject.chars().take(100).collect();
    let record = records::retrieve(&task, &["subject".to_owned()]).map_err(passed_on)?;
    let changes = [field("subject", Value::Text(subject))];
    let version = records::update(&task, Some(record.version), &changes).map_err(passed_on)?;
    Ok(one(i64::from(version > record.version)))
}

/// Sends a request, and says of an answer what it means; or says the same of all of them.
fn caller(_: &[Field], careful: bool) -> Result<Vec<Field>, StepError> {
    let request = http::Request {
        method: "GET".into(),
        url: "https://rates.example.com/day".into(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: None,
        options: Vec::new(),
    };
    let answer = http::send(&request);
    if !careful {
        return match answer {
            Ok(answer) if answer.status < 300 => Ok(one(1)),
            _ => Err(failure(ErrorKind::Permanent, "no-rates")),
        };
    }
    match answer {
        Err(error) => Err(failure(error.kind, &error.code)),
        Ok(answer) if answer.status < 300 => Ok(one(1)),
        Ok(answer) if answer.status == 429 => Err(failure(ErrorKind::Throttled, "busy")),
        Ok(answer) if answer.status >= 500 => Err(failure(ErrorKind::Transient, "down")),
        Ok(_) => Err(failure(ErrorKind::Permanent, "refused")),
    }
}

fn brittle(inputs: &[Field]) -> Result<Vec<Field>, StepError> {
    let Value::Whole(number) = input(inputs, "number") else { return Err(invalid("number", "is no number")) };
    Ok(one(number.checked_add(1).expect("nobody has so many")))
}

/// Knows better than the conflict.
fn stubborn(inputs: &[Field]) -> Result<Vec<Field>, StepError> {
    let task = task_of(inputs)?;
    let record = records::retrieve(&task, &[]).map_err(passed_on)?;
    let changes = [field("subject", Value::Text("mine".into()))];
    let changed = records::update(&task, Some(record.version), &changes);
    changed.map_err(|_| failure(ErrorKind::Permanent, "mine"))?;
    Ok(one(1))
}

/// Reads on, whoever wants it to stop.
fn busy(inputs: &[Field]) -> Result<Vec<Field>, StepError> {
    let task = task_of(inputs)?;
    let read = (0..200).filter(|_| records::retrieve(&task, &["subject".to_owned()]).is_ok()).count();
    Ok(one(i64::from(read > 0)))
}

fn make(_: &[Field]) -> Result<Reference, records::VerbError> {
    records::create("task", &[field("subject", Value::Text("made".into()))])
}

fn task_of(inputs: &[Field]) -> Result<Reference, StepError> {
    match input(inputs, "task") {
        Value::Lookup(task) => Ok(task.clone()),
        Value::Null => Err(invalid("task", "is missing")),
        _ => Err(invalid("task", "is no record")),
    }
}

fn input<'a>(inputs: &'a [Field], name: &str) -> &'a Value {
    inputs.iter().find(|field| field.name == name).map_or(&Value::Null, |field| &field.value)
}

fn field(name: &str, value: Value) -> Field {
    Field { name: name.into(), value }
}

fn one(number: i64) -> Vec<Field> {
    vec![field("number", Value::Whole(number))]
}

fn failure(kind: ErrorKind, code: &str) -> StepError {
    StepError { kind, code: code.into(), message: code.into(), retry_after_ms: None, details: Vec::new() }
}

fn invalid(name: &str, what: &str) -> StepError {
    StepError { message: format!("`{name}` {what}"), ..failure(ErrorKind::InvalidInput, "bad-input") }
}

fn passed_on(error: records::VerbError) -> StepError {
    StepError { message: error.message, ..failure(error.kind, &error.code) }
}
