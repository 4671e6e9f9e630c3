//! `records`: the verbs, by name on the guest's side and by number on the engine's.
//!
//! A name that does not exist, a verb that was not asked for and everything that the engine refuses comes back as a
//! value; a unit of work that cannot go on stops the guest.

use model::{
    AttributeId, Outcome, Privilege, Record, RecordRef, Refusal, Rights, Schema, Values, Verb, Version,
    query::{Filter, LARGEST_PAGE, Operand, Page, Query, Sort},
    schema::Entity,
    step::{HostFault, HostRefusal},
};
use script::{Diagnostic, filter};
use smol_str::SmolStr;

use super::schema;
use crate::{
    abi::v1::{
        self, Invalid,
        records::{self, VerbError},
        types::{self, ErrorKind},
    },
    call::Call,
    fault::{Stop, shortened},
};

/// How a verb of a guest ends that does not end well.
enum No {
    /// The guest is told and may go on.
    Told(VerbError),
    /// The guest is stopped.
    Stopped(Stop),
}

type Verbs<T> = Result<T, No>;

/// What the contract's functions return.
type Answer<T> = wasmtime::Result<Result<T, VerbError>>;

impl records::Host for Call {
    fn create(&mut self, entity: String, attributes: Vec<types::Field>) -> Answer<types::Reference> {
        answer(self.create_record(&entity, attributes))
    }

    fn retrieve(&mut self, target: types::Reference, attributes: Vec<String>) -> Answer<types::Record> {
        answer(self.retrieve_record(&target, &attributes))
    }

    fn update(&mut self, target: types::Reference, expected: Option<u64>, changes: Vec<types::Field>) -> Answer<u64> {
        answer(self.begin("update", &target).and_then(|target| {
            let values = self.values(target, changes)?;
            self.apply(Verb::Update { target, expected: expected.map(Version), values }).map(version)
        }))
    }

    fn delete(&mut self, target: types::Reference, expected: Option<u64>) -> Answer<()> {
        answer(
            self.begin("delete", &target)
                .and_then(|target| self.apply(Verb::Delete { target, expected: expected.map(Version) }).map(|_| ())),
        )
    }

    fn assign(&mut self, target: types::Reference, owner: types::Reference) -> Answer<u64> {
        answer(self.begin("assign", &target).and_then(|target| {
            let owner = v1::reference_from_wire(&owner, self.schema()?)?;
            self.apply(Verb::Assign { target, owner }).map(version)
        }))
    }

    fn set_status(&mut self, target: types::Reference, status: String) -> Answer<u64> {
        answer(self.begin("set-status", &target).and_then(|target| {
            let verb = set_status(target, &status, self.schema()?)?;
            self.apply(verb).map(version)
        }))
    }

    fn share(&mut self, target: types::Reference, with: types::Reference, rights: Vec<String>) -> Answer<()> {
        answer(self.begin("share", &target).and_then(|target| {
            let principal = v1::reference_from_wire(&with, self.schema()?)?;
            let rights = rights_of(&rights)?;
            self.apply(Verb::Share { target, principal, rights }).map(|_| ())
        }))
    }

    fn unshare(&mut self, target: types::Reference, with: types::Reference) -> Answer<()> {
        answer(self.begin("share", &target).and_then(|target| {
            let principal = v1::reference_from_wire(&with, self.schema()?)?;
            self.apply(Verb::Unshare { target, principal }).map(|_| ())
        }))
    }

    fn query(&mut self, question: types::Query) -> Answer<records::Page> {
        answer(self.query_records(question))
    }

    fn describe_entity(&mut self, entity: String) -> Answer<String> {
        answer(self.count().and_then(|()| self.schema()).and_then(|schema| {
            let entity = named(schema, &entity)?;
            Ok(schema::described(entity, schema))
        }))
    }

    fn invoke(
        &mut self,
        name: String,
        target: Option<types::Reference>,
        arguments: Vec<types::Field>,
    ) -> Answer<Vec<types::Field>> {
        answer(self.invoke_action(&name, target, arguments))
    }
}

impl Call {
    fn create_record(&mut self, entity: &str, attributes: Vec<types::Field>) -> Verbs<types::Reference> {
        self.count()?;
        self.granted("create", entity)?;
        let schema = self.schema()?;
        let entity = named(schema, entity)?;
        let values = values(entity, attributes, schema)?;
        let entity = entity.id;
        let made = self.apply(Verb::Create { entity, id: None, values })?;
        Ok(v1::reference_to_wire(made.record, self.schema()?))
    }

    fn invoke_action(
        &mut self,
        name: &str,
        target: Option<types::Reference>,
        arguments: Vec<types::Field>,
    ) -> Verbs<Vec<types::Field>> {
        self.count()?;
        self.granted(name, "actions")?;
        let schema = self.schema()?;
        let target = target.map(|target| v1::reference_from_wire(&target, schema)).transpose()?;
        let arguments = arguments.into_iter().map(|field| v1::field_from_wire(field, schema));
        let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
        let outputs = self.lend(|host| host.invoke(name, target, arguments))??;
        let schema = self.schema()?;
        Ok(outputs.iter().map(|field| v1::field_to_wire(field, schema)).collect())
    }

    fn retrieve_record(&mut self, target: &types::Reference, attributes: &[String]) -> Verbs<types::Record> {
        let target = self.begin("retrieve", target)?;
        let wanted = match attributes {
            [] => None,
            names => Some(numbers(entity_of(self.schema()?, target)?, names)?),
        };
        let record = self.lend(|host| host.retrieve(target, wanted.as_deref()))??;
        let schema = self.schema()?;
        let entity = entity_of(schema, target)?;
        Ok(types::Record {
            target: v1::reference_to_wire(target, schema),
            version: record.version.0,
            attributes: fields(&record, entity, wanted.as_deref(), schema),
        })
    }

    fn query_records(&mut self, question: types::Query) -> Verbs<records::Page> {
        self.count()?;
        self.granted("query", &question.entity)?;
        let query = query(&question, self.schema()?)?;
        let page = self.lend(|host| host.query(&query))??;
        let schema = self.schema()?;
        Ok(page_to_wire(&page, &query, named(schema, &question.entity)?, schema))
    }

    /// Counts the verb, checks that it was asked for, and finds the record's entity.
    fn begin(&mut self, verb: &str, target: &types::Reference) -> Verbs<RecordRef> {
        self.count()?;
        self.granted(verb, &target.entity)?;
        let schema = self.schema()?;
        named(schema, &target.entity)?;
        Ok(v1::reference_from_wire(target, schema)?)
    }

    fn count(&mut self) -> Verbs<()> {
        self.facts()?;
        Ok(self.meter.verb()?)
    }

    fn schema(&self) -> Verbs<&Schema> {
        Ok(&self.facts()?.schema)
    }

    fn values(&self, target: RecordRef, changes: Vec<types::Field>) -> Verbs<Values> {
        let schema = self.schema()?;
        values(entity_of(schema, target)?, changes, schema)
    }

    fn apply(&mut self, verb: Verb) -> Verbs<Outcome> {
        Ok(self.lend(|host| host.apply(verb))??)
    }

    /// A step may do what its manifest asks for and nothing else; `any` stands for every entity.
    fn granted(&self, verb: &str, entity: &str) -> Verbs<()> {
        let facts = self.facts()?;
        let Some(uses) = &facts.uses else { return Ok(()) };
        let shown = |text| shortened(text, 60);
        let message = if !covers(uses, verb, entity) {
            format!("the step does not list `{}` of `{}` under `uses`", shown(verb), shown(entity))
        } else if facts.grants.uses.as_ref().is_some_and(|granted| !covers(granted, verb, entity)) {
            format!("the operator does not grant `{}` of `{}`", shown(verb), shown(entity))
        } else {
            return Ok(());
        };
        Err(No::Told(error(ErrorKind::Denied, "not-granted", message)))
    }
}

/// Whether a verb of an entity is among these; `any` stands for every entity and not for actions.
fn covers(uses: &[(SmolStr, Vec<SmolStr>)], verb: &str, entity: &str) -> bool {
    let mut found = uses.iter().filter(|(name, _)| name == entity || name == "any" && entity != "actions");
    found.any(|(_, verbs)| verbs.iter().any(|asked| asked == verb))
}

fn answer<T>(result: Verbs<T>) -> Answer<T> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(No::Told(error)) => Ok(Err(error)),
        Err(No::Stopped(stop)) => Err(stop.into()),
    }
}

fn version(outcome: Outcome) -> u64 {
    outcome.version.0
}

fn error(kind: ErrorKind, code: &str, message: String) -> VerbError {
    VerbError { kind, code: code.to_owned(), message, details: Vec::new() }
}

/// Rights by their words: `read`, `append-to`.
fn rights_of(words: &[String]) -> Verbs<Rights> {
    let right = |word: &String| {
        let right = Privilege::from_word(word).map(Rights::of).filter(|right| !right.is_empty());
        right.ok_or_else(|| {
            let message = format!("`{}` is no right that sharing gives", shortened(word, 60));
            No::Told(error(ErrorKind::InvalidInput, "unreadable", message))
        })
    };
    words.iter().try_fold(Rights::NONE, |rights, word| Ok(rights.union(right(word)?)))
}

/// A verb for a status by its name, or for a state's first status.
fn set_status(target: RecordRef, name: &str, schema: &Schema) -> Verbs<Verb> {
    let entity = entity_of(schema, target)?;
    if let Some((state, status)) = entity.status_named(name) {
        return Ok(Verb::SetStatus { target, state: Some(state.value), status: Some(status.value) });
    }
    match entity.state_named(name) {
        Some(state) => Ok(Verb::SetStatus { target, state: Some(state.value), status: None }),
        None => Err(Refusal::BadStatus {
            entity: entity.name().as_str().into(),
            state: None,
            status: Some(format!("or state `{}`", shortened(name, 60)).into()),
        }
        .into()),
    }
}

fn query(question: &types::Query, schema: &Schema) -> Verbs<Query> {
    let entity = named(schema, &question.entity)?;
    let attributes = match question.attributes.as_slice() {
        [] => None,
        names => Some(numbers(entity, names)?),
    };
    let order = question.order.iter().map(|part| {
        let by = if entity.id_name() == part.attribute {
            Operand::Id
        } else {
            Operand::Attribute(number(entity, &part.attribute)?)
        };
        Ok(Sort { by, descending: part.descending })
    });
    let order = order.collect::<Verbs<_>>()?;
    let filter = match question.filter.trim() {
        "" => Filter::All(Vec::new()),
        text => filter::parse(text, entity, schema).map_err(|found| unreadable(&found))?,
    };
    Ok(Query {
        attributes,
        filter,
        order,
        page_size: question.page_size.unwrap_or(1_000).clamp(1, LARGEST_PAGE),
        cookie: question.cookie.as_deref().map(SmolStr::from),
        ..Query::all(entity.id)
    })
}

fn unreadable(found: &Diagnostic) -> Refusal {
    let hint = found.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let why = format!("{} at column {}{hint}", found.message, found.column);
    Refusal::Unreadable { what: "the filter".into(), why: why.into() }
}

fn page_to_wire(page: &Page, query: &Query, entity: &Entity, schema: &Schema) -> records::Page {
    let columns: Vec<AttributeId> = match &query.attributes {
        Some(wanted) => wanted.clone(),
        None => entity.attributes().iter().map(|attribute| attribute.id).collect(),
    };
    let name = |id: &AttributeId| entity.attribute_by_id(*id).map(|attribute| attribute.name().to_string());
    let rows = page.records.iter().map(|record| records::Row {
        target: v1::reference_to_wire(record.reference(), schema),
        version: record.version.0,
        values: columns.iter().map(|column| v1::value_to_wire(record.get(*column), schema)).collect(),
    });
    records::Page {
        attributes: columns.iter().filter_map(name).collect(),
        rows: rows.collect(),
        cookie: page.next.as_ref().map(ToString::to_string),
    }
}

/// The attributes that were asked for, empty ones included; all that are filled when none was named.
fn fields(record: &Record, entity: &Entity, wanted: Option<&[AttributeId]>, schema: &Schema) -> Vec<types::Field> {
    let field = |id: AttributeId| {
        let name = entity.attribute_by_id(id)?.name().to_string();
        Some(types::Field { name, value: v1::value_to_wire(record.get(id), schema) })
    };
    match wanted {
        Some(wanted) => wanted.iter().filter_map(|id| field(*id)).collect(),
        None => record.values.attributes().filter_map(field).collect(),
    }
}

fn values(entity: &Entity, given: Vec<types::Field>, schema: &Schema) -> Verbs<Values> {
    let pairs = given.into_iter().map(|field| {
        let attribute = number(entity, &field.name)?;
        let value = v1::value_from_wire(field.value, schema);
        Ok((attribute, value.map_err(|Invalid(why)| Invalid(format!("`{}` {why}", field.name)))?))
    });
    pairs.collect::<Verbs<Vec<_>>>().map(Values::from_iter)
}

fn numbers(entity: &Entity, names: &[String]) -> Verbs<Vec<AttributeId>> {
    names.iter().map(|name| number(entity, name)).collect()
}

fn number(entity: &Entity, name: &str) -> Verbs<AttributeId> {
    match entity.attribute(name) {
        Some(attribute) => Ok(attribute.id),
        None => Err(Refusal::UnknownAttribute {
            entity: entity.name().as_str().into(),
            attribute: shortened(name, 60).into(),
        }
        .into()),
    }
}

fn named<'a>(schema: &'a Schema, name: &str) -> Verbs<&'a Entity> {
    match schema.named(name) {
        Some(entity) => Ok(entity),
        None => Err(Refusal::UnknownEntity(shortened(name, 60).into()).into()),
    }
}

fn entity_of(schema: &Schema, target: RecordRef) -> Verbs<&Entity> {
    match schema.known(target.entity) {
        Ok(entity) => Ok(entity),
        Err(refusal) => Err(refusal.into()),
    }
}

impl From<Stop> for No {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

impl From<HostRefusal> for No {
    fn from(refusal: HostRefusal) -> Self {
        match refusal {
            HostRefusal::Refused(refusal) => refusal.into(),
            HostRefusal::Abort => Stop::new(HostFault::Aborted, "its unit of work cannot go on").into(),
        }
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Told(error(kind_of(&refusal), refusal.code(), refusal.to_string()))
    }
}

impl From<Invalid> for No {
    fn from(invalid: Invalid) -> Self {
        Self::Told(error(ErrorKind::InvalidInput, "invalid-value", format!("the value {invalid}")))
    }
}

/// What sort of failure a refusal is when a step passes it on; by code, because refusals are an open list.
fn kind_of(refusal: &Refusal) -> ErrorKind {
    match refusal.code() {
        "not-found" => ErrorKind::NotFound,
        "version-mismatch" => ErrorKind::Conflict,
        "busy" | "full" => ErrorKind::Transient,
        "denied" | "no-privilege" => ErrorKind::Denied,
        "unknown-entity" | "unknown-attribute" | "unknown-process" | "wrong-type" | "out-of-bounds" | "required"
        | "read-only" | "bad-reference" | "bad-status" | "unreadable" => ErrorKind::InvalidInput,
        "limit" | "too-deep" => ErrorKind::Permanent,
        _ => ErrorKind::RuleViolated,
    }
}
