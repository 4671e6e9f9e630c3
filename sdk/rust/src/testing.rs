//! A fake host for native tests of steps: records in memory, a fixed clock, everything that was called.
//!
//! ```
//! # use stepwise_sdk::{prelude::*, testing::FakeHost};
//! # struct Greet;
//! # #[derive(Inputs)] struct Whom { name: String }
//! # #[derive(Outputs)] struct Greeting { text: String }
//! # impl Step for Greet {
//! #     const NAME: &str = "demo.greet";
//! #     type Inputs = Whom;
//! #     type Outputs = Greeting;
//! #     fn run(_: &Context, whom: Whom) -> Result<Greeting, Failure> {
//! #         Ok(Greeting { text: format!("Hello {}", whom.name) })
//! #     }
//! # }
//! let host = FakeHost::new();
//! let greeting = host.run::<Greet>(Whom { name: "Ada".into() }).unwrap();
//! assert_eq!(greeting.text, "Hello Ada");
//! ```
//!
//! It knows no schema and no access rules: those are the host's, and the same step can be tried on a real one with a
//! scenario page. Of filters it knows `name eq value`, joined by `and`; a query with any other filter is answered by
//! what the test has put into `answer_query`.

use crate::{
    Context, ErrorKind, Example, Failure, Field, Guid, Record, Reference, Step, Value,
    context::{EventStage, Host, Level, RunMode},
    example::Ending,
    http::{HttpError, Request, Response},
    step,
    wire::bindings::stepwise::plugin::{
        http,
        records::{Page, Row, VerbError},
        types,
    },
};
use std::{cell::RefCell, collections::VecDeque};

/// Everything that a step did, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Did {
    /// Made this record.
    Created(Reference, Vec<Field>),
    /// Changed this record.
    Updated(Reference, Vec<Field>),
    /// Deleted this record.
    Deleted(Reference),
    /// Gave this record to this owner.
    Assigned(Reference, Reference),
    /// Set this status.
    SetStatus(Reference, String),
    /// Shared this record with somebody.
    Shared(Reference, Reference, Vec<String>),
    /// Took rights back.
    Unshared(Reference, Reference),
    /// Invoked this message with these arguments.
    Invoked(String, Option<Reference>, Vec<Field>),
    /// Sent this request, with placeholders where secrets belong.
    Sent(Request),
    /// Wrote this line.
    Logged(String),
}

/// A host in memory. Its methods with `with_` prepare it before the step runs.
pub struct FakeHost {
    state: RefCell<State>,
    /// The step's time in microseconds since 1970; 2026-01-01 unless the test says otherwise.
    pub now: i64,
    /// What the operator set.
    pub config: Vec<(String, String)>,
    /// The secrets that the operator set, by name only: a step never sees one.
    pub secrets: Vec<String>,
    /// The process's record.
    pub record: Option<Reference>,
    /// What started the process.
    pub message: String,
    /// The record just before the event.
    pub pre_image: Vec<Field>,
    /// The record just after the event.
    pub post_image: Vec<Field>,
    /// From 1.
    pub attempt: u32,
    /// True when nobody wants the result any more.
    pub cancelled: bool,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    did: Vec<Did>,
    failures: VecDeque<VerbError>,
    answers: VecDeque<Vec<Record>>,
    documents: Vec<(String, String)>,
    replies: VecDeque<Vec<Field>>,
    responses: VecDeque<Result<Response, HttpError>>,
    ids: u128,
    random: u64,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeHost {
    /// An empty organisation.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: RefCell::default(),
            now: 1_767_225_600_000_000,
            config: Vec::new(),
            secrets: Vec::new(),
            record: None,
            message: String::new(),
            pre_image: Vec::new(),
            post_image: Vec::new(),
            attempt: 1,
            cancelled: false,
        }
    }

    /// Puts a record in, as if it had always been there.
    pub fn with_record(&self, entity: &str, attributes: Vec<Field>) -> Reference {
        self.state.borrow_mut().insert(entity, attributes)
    }

    /// The next verb fails like this.
    pub fn fail_next(&self, kind: ErrorKind, code: &str) {
        self.state.borrow_mut().failures.push_back(refused(kind, code, "told to fail by the test"));
    }

    /// The next query is answered with these records.
    pub fn answer_query(&self, records: Vec<Record>) {
        self.state.borrow_mut().answers.push_back(records);
    }

    /// What `describe_entity` tells of an entity: its JSON document.
    pub fn describe(&self, entity: &str, document: &str) {
        self.state.borrow_mut().documents.push((entity.to_string(), document.to_string()));
    }

    /// The next invoked message returns these outputs.
    pub fn answer_invoke(&self, outputs: Vec<Field>) {
        self.state.borrow_mut().replies.push_back(outputs);
    }

    /// The next request is answered with this status and body.
    pub fn answer_http(&self, status: u16, body: impl Into<Vec<u8>>) {
        self.answer_http_with(Response { status, url: String::new(), headers: Vec::new(), body: body.into() });
    }

    /// The next request is answered like this; an empty `url` becomes that of the request.
    pub fn answer_http_with(&self, response: Response) {
        self.state.borrow_mut().responses.push_back(Ok(response));
    }

    /// The next request gets no answer.
    pub fn fail_http(&self, kind: ErrorKind, code: &str) {
        let message = "told to fail by the test".to_string();
        let error = HttpError { kind, code: code.to_string(), message, details: Vec::new() };
        self.state.borrow_mut().responses.push_back(Err(error));
    }

    /// Everything that was done so far.
    #[must_use]
    pub fn did(&self) -> Vec<Did> {
        self.state.borrow().did.clone()
    }

    /// A record as it is now.
    #[must_use]
    pub fn read(&self, target: &Reference) -> Option<Record> {
        self.state.borrow_mut().find(target).ok().map(|record| record.clone())
    }

    /// Runs a step.
    ///
    /// # Errors
    /// The step's failure.
    pub fn run<S: Step>(&self, inputs: S::Inputs) -> Result<S::Outputs, Failure> {
        S::run(&Context::new(self), inputs)
    }

    /// Runs a step as the host does: untyped fields in, untyped fields out.
    ///
    /// # Errors
    /// `invalid-input` for the fields, or the step's failure.
    pub fn execute<S: Step>(&self, inputs: Vec<Field>) -> Result<Vec<Field>, Failure> {
        step::call::<S>(&Context::new(self), inputs)
    }

    /// Runs the examples of a step, one after the other, each with the records that it names and brings.
    /// `stepwise plugin conform` runs the same ones in the sandbox.
    ///
    /// # Panics
    /// When one does not end as it says, with its title.
    pub fn check_examples<S: Step>(&self) {
        for Example { title, records, inputs, ending } in S::examples() {
            self.state.borrow_mut().bring(&inputs, records);
            let ended = self.execute::<S>(inputs);
            match (ending, ended) {
                (Ending::Well, Ok(_)) => {}
                (Ending::With(outputs), Ok(given)) => {
                    assert_eq!(plain(given), plain(outputs), "`{title}` gives something else");
                }
                (Ending::Failing(code), Err(failure)) => {
                    assert_eq!(failure.code(), code, "`{title}` fails in another way: {failure}");
                }
                (_, Ok(given)) => panic!("`{title}` should fail and gives {given:?}"),
                (_, Err(failure)) => panic!("`{title}` should not fail: {failure}"),
            }
        }
    }

    fn verb<T>(&self, act: impl FnOnce(&mut State) -> Result<T, VerbError>) -> Result<T, VerbError> {
        let mut state = self.state.borrow_mut();
        match state.failures.pop_front() {
            Some(failure) => Err(failure),
            None => act(&mut state),
        }
    }

    fn somebody() -> Reference {
        Reference::new("systemuser", Guid::from_u128(1))
    }
}

impl State {
    fn insert(&mut self, entity: &str, attributes: Vec<Field>) -> Reference {
        self.ids += 1;
        let target = Reference::new(entity, Guid::from_u128(0x1000 + self.ids));
        self.records.push(Record { target: target.clone(), version: 1, attributes });
        target
    }

    /// What an example names and brings is there, anew.
    fn bring(&mut self, inputs: &[Field], brought: Vec<(Reference, Vec<Field>)>) {
        let named = inputs.iter().flat_map(|field| match &field.value {
            Value::Lookup(target) => vec![target.clone()],
            Value::Lookups(targets) => targets.clone(),
            _ => Vec::new(),
        });
        let all = brought.into_iter().chain(named.map(|target| (target, Vec::new())));
        self.records.clear();
        for (target, attributes) in all {
            if !self.records.iter().any(|record| record.target == target) {
                self.records.push(Record { target, version: 1, attributes });
            }
        }
    }

    fn find(&mut self, target: &Reference) -> Result<&mut Record, VerbError> {
        self.records
            .iter_mut()
            .find(|record| record.target == *target)
            .ok_or_else(|| refused(ErrorKind::NotFound, "not-found", &format!("there is no {target}")))
    }

    fn change(&mut self, target: &Reference, expected: Option<u64>, changes: &[Field]) -> Result<u64, VerbError> {
        let record = self.find(target)?;
        if expected.is_some_and(|expected| expected != record.version) {
            return Err(refused(ErrorKind::Conflict, "version-mismatch", "it was changed meanwhile"));
        }
        for change in changes {
            record.attributes.retain(|attribute| attribute.name != change.name);
            record.attributes.push(change.clone());
        }
        record.version += 1;
        Ok(record.version)
    }
}

/// Whether a filter of `attribute eq value`, joined by `and`, describes a record; anything else is prepared by the test.
fn fits(filter: &str, record: &Record) -> Result<bool, VerbError> {
    let unreadable = || {
        let message = format!("call `answer_query` before a query with the filter `{filter}`");
        refused(ErrorKind::Other, "no-answer-prepared", &message)
    };
    for part in filter.split(" and ") {
        let (name, wanted) = part.trim().trim_matches(['(', ')']).split_once(" eq ").ok_or_else(unreadable)?;
        let wanted = wanted.trim().trim_matches('\'');
        let held = match record.get(name.trim()) {
            Value::Lookup(target) => target.id.to_string(),
            Value::Guid(id) => id.to_string(),
            Value::Text(text) | Value::Decimal(text) | Value::Money(text) => text.clone(),
            Value::Whole(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            Value::Choice(number) => number.to_string(),
            Value::Null => String::from("null"),
            _ => return Err(unreadable()),
        };
        if !held.eq_ignore_ascii_case(wanted) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Fields to compare: `19.00` is `19`, and an empty text is none.
fn plain(fields: Vec<Field>) -> Vec<Field> {
    let one = |mut field: Field| {
        match &mut field.value {
            Value::Decimal(text) | Value::Money(text) => {
                if let Ok(number) = text.parse::<crate::Decimal>() {
                    *text = number.normalize().to_string();
                }
            }
            Value::Text(text) if text.is_empty() => field.value = Value::Null,
            _ => {}
        }
        field
    };
    fields.into_iter().map(one).collect()
}

fn refused(kind: ErrorKind, code: &str, message: &str) -> VerbError {
    VerbError { kind, code: code.to_string(), message: message.to_string(), details: Vec::new() }
}

fn only(record: &Record, attributes: &[String]) -> Record {
    let mut record = record.clone();
    record.attributes.retain(|field| attributes.is_empty() || attributes.contains(&field.name));
    record
}

impl Host for FakeHost {
    fn create(&self, entity: &str, attributes: &[Field]) -> Result<Reference, VerbError> {
        self.verb(|state| {
            let target = state.insert(entity, attributes.to_vec());
            state.did.push(Did::Created(target.clone(), attributes.to_vec()));
            Ok(target)
        })
    }

    fn retrieve(&self, target: &Reference, attributes: &[String]) -> Result<Record, VerbError> {
        self.verb(|state| state.find(target).map(|record| only(record, attributes)))
    }

    fn update(&self, target: &Reference, expected: Option<u64>, changes: &[Field]) -> Result<u64, VerbError> {
        self.verb(|state| {
            let version = state.change(target, expected, changes)?;
            state.did.push(Did::Updated(target.clone(), changes.to_vec()));
            Ok(version)
        })
    }

    fn delete(&self, target: &Reference, expected: Option<u64>) -> Result<(), VerbError> {
        self.verb(|state| {
            state.change(target, expected, &[])?;
            state.records.retain(|record| record.target != *target);
            state.did.push(Did::Deleted(target.clone()));
            Ok(())
        })
    }

    fn assign(&self, target: &Reference, owner: &Reference) -> Result<u64, VerbError> {
        let change = Field { name: "ownerid".into(), value: Value::Lookup(owner.clone()) };
        self.verb(|state| {
            let version = state.change(target, None, &[change])?;
            state.did.push(Did::Assigned(target.clone(), owner.clone()));
            Ok(version)
        })
    }

    fn set_status(&self, target: &Reference, status: &str) -> Result<u64, VerbError> {
        self.verb(|state| {
            let version = state.change(target, None, &[])?;
            state.did.push(Did::SetStatus(target.clone(), status.to_string()));
            Ok(version)
        })
    }

    fn share(&self, target: &Reference, with: &Reference, rights: &[String]) -> Result<(), VerbError> {
        self.verb(|state| {
            state.find(target)?;
            state.did.push(Did::Shared(target.clone(), with.clone(), rights.to_vec()));
            Ok(())
        })
    }

    fn unshare(&self, target: &Reference, with: &Reference) -> Result<(), VerbError> {
        self.verb(|state| {
            state.find(target)?;
            state.did.push(Did::Unshared(target.clone(), with.clone()));
            Ok(())
        })
    }

    fn query(&self, query: &types::Query) -> Result<Page, VerbError> {
        self.verb(|state| {
            let records = match state.answers.pop_front() {
                Some(records) => records,
                None if query.filter.trim().is_empty() => {
                    state.records.iter().filter(|record| record.target.entity == query.entity).cloned().collect()
                }
                None => {
                    let of_entity = state.records.iter().filter(|record| record.target.entity == query.entity);
                    let fitting = of_entity.map(|record| Ok(fits(&query.filter, record)?.then(|| record.clone())));
                    fitting.filter_map(Result::transpose).collect::<Result<_, VerbError>>()?
                }
            };
            Ok(page(&records, &query.attributes))
        })
    }

    fn describe_entity(&self, entity: &str) -> Result<String, VerbError> {
        let state = self.state.borrow();
        let known = state.documents.iter().find(|(name, _)| name == entity).map(|(_, document)| document.clone());
        let message = format!("the fake host knows no schema: call `describe` before a step asks for `{entity}`");
        known.ok_or_else(|| refused(ErrorKind::NotFound, "no-schema", &message))
    }

    fn invoke(&self, name: &str, target: Option<&Reference>, arguments: &[Field]) -> Result<Vec<Field>, VerbError> {
        self.verb(|state| {
            state.did.push(Did::Invoked(name.to_string(), target.cloned(), arguments.to_vec()));
            Ok(state.replies.pop_front().unwrap_or_default())
        })
    }

    fn log(&self, _: Level, message: &str, _: &[(String, String)]) {
        self.state.borrow_mut().did.push(Did::Logged(message.to_string()));
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn time_zone(&self) -> String {
        String::from("UTC")
    }

    fn random(&self) -> u64 {
        let mut state = self.state.borrow_mut();
        state.random = state.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.random
    }

    fn config(&self, key: &str) -> Option<String> {
        self.config.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    }

    fn user(&self) -> Reference {
        Self::somebody()
    }

    fn initiating_user(&self) -> Reference {
        Self::somebody()
    }

    fn business_unit(&self) -> Option<Reference> {
        None
    }

    fn record(&self) -> Option<Reference> {
        self.record.clone()
    }

    fn message(&self) -> String {
        self.message.clone()
    }

    fn pre_image(&self) -> Vec<Field> {
        self.pre_image.clone()
    }

    fn post_image(&self) -> Vec<Field> {
        self.post_image.clone()
    }

    fn depth(&self) -> u32 {
        1
    }

    fn correlation(&self) -> Guid {
        Guid::from_u128(2)
    }

    fn mode(&self) -> RunMode {
        RunMode::Direct
    }

    fn stage(&self) -> EventStage {
        EventStage::None
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    fn idempotency_key(&self) -> String {
        String::from("test")
    }

    fn deadline(&self) -> i64 {
        self.now + 30_000_000
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    fn attribute(&self, _: &str) -> Option<String> {
        None
    }

    fn send(&self, request: &http::Request) -> Result<Response, HttpError> {
        let mut state = self.state.borrow_mut();
        state.did.push(Did::Sent(Request(request.clone())));
        let Some(prepared) = state.responses.pop_front() else {
            let message = format!("call `answer_http` before a request to `{}`", request.url);
            let code = "no-answer-prepared".to_string();
            return Err(HttpError { kind: ErrorKind::Other, code, message, details: Vec::new() });
        };
        prepared.map(|mut response| {
            if response.url.is_empty() {
                response.url.clone_from(&request.url);
            }
            response
        })
    }

    fn placeholder(&self, name: &str) -> Option<String> {
        self.secrets.iter().any(|known| known == name).then(|| format!("placeholder-of-{name}"))
    }

    fn basic(&self, user: &str, name: &str) -> Option<String> {
        self.placeholder(name).map(|placeholder| format!("Basic {user}:{placeholder}"))
    }
}

fn page(records: &[Record], attributes: &[String]) -> Page {
    let names: Vec<String> = match records.first() {
        Some(first) if attributes.is_empty() => first.attributes.iter().map(|field| field.name.clone()).collect(),
        _ => attributes.to_vec(),
    };
    let rows = records.iter().map(|record| Row {
        target: record.target.clone(),
        version: record.version,
        values: names.iter().map(|name| record.get(name).clone()).collect(),
    });
    Page { rows: rows.collect(), attributes: names, cookie: None }
}
