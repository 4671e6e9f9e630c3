//! A small schema for the tests of this crate: complaints with contacts, and who owns them.

use std::collections::HashMap;

use model::{
    AttributeId, AttributeName, EntityId, EntityName, RecordId, RecordRef, Schema, SetName, Value, Values,
    entity::{
        AttributeDefinition, AttributeKind, Cascade, ChoiceOption, ChoiceSource, EntityDefinition, LookupKind,
        NumberKind, OnDelete, Ownership, Requirement, State, Status, Targets, TextFormat, TextKind,
    },
    schema::EntityNumbers,
    starter,
};
use uuid::Uuid;

pub const COMPLAINT: EntityId = EntityId(64);
pub const CONTACT: EntityId = EntityId(65);
pub const ACCOUNT: EntityId = EntityId(66);

fn name(text: &str) -> AttributeName {
    AttributeName::parse(text).expect("a name")
}

fn option(text: &str, value: i32) -> ChoiceOption {
    ChoiceOption { name: name(text), value, title: text.to_uppercase() }
}

fn lookup(to: &[&str]) -> AttributeKind {
    AttributeKind::Lookup(LookupKind {
        to: Targets::Only(to.iter().map(|entity| EntityName::parse(entity).expect("a name")).collect()),
        on_delete: OnDelete::RemoveLink,
        cascade: Cascade::default(),
        copy: Vec::new(),
        relationship: None,
    })
}

fn status(text: &str, value: i32, next: Option<&[&str]>) -> Status {
    let next = next.map(|names| names.iter().map(|text| name(text)).collect());
    Status { name: name(text), value, title: text.to_owned(), next }
}

fn state(text: &str, value: i32, statuses: Vec<Status>) -> State {
    State { name: name(text), value, title: text.to_owned(), statuses }
}

fn entity(text: &str, ownership: Ownership, attributes: Vec<AttributeDefinition>) -> EntityDefinition {
    EntityDefinition {
        name: EntityName::parse(text).expect("a name"),
        id: Uuid::nil(),
        title: text.to_owned(),
        title_plural: text.to_owned(),
        description: String::new(),
        set: SetName::parse(&format!("{text}s")).expect("a name"),
        ownership,
        activity: false,
        primary: attributes[0].name.clone(),
        email: None,
        flows: false,
        audit: true,
        attributes,
        hierarchy: None,
        keys: Vec::new(),
        many_to_many: indexmap::IndexMap::new(),
        states: vec![state("active", 0, vec![status("active", 1, None)])],
        solution: "tests".into(),
    }
}

fn attribute(text: &str, kind: AttributeKind) -> AttributeDefinition {
    AttributeDefinition::plain(name(text), text, kind)
}

fn complaint() -> EntityDefinition {
    let severity = || ChoiceSource::Own(vec![option("low", 1), option("normal", 2), option("high", 3)]);
    let money = NumberKind { min: Some(0.into()), max: None, precision: 2 };
    let attributes = vec![
        AttributeDefinition { required: Requirement::Required, ..attribute("title", AttributeKind::text(20)) },
        attribute("severity", AttributeKind::Choice(severity())),
        attribute("tags", AttributeKind::Choices(severity())),
        AttributeDefinition {
            default: Value::Whole(0),
            ..attribute("touched", AttributeKind::Whole { min: 0, max: 100 })
        },
        attribute("loss", AttributeKind::Money(money)),
        attribute("rate", AttributeKind::Decimal(NumberKind::default())),
        attribute("weight", AttributeKind::Float(NumberKind::default())),
        attribute("receivedon", AttributeKind::Date),
        attribute("senton", AttributeKind::DateTime),
        attribute("contactid", lookup(&["contact"])),
        attribute("customerid", lookup(&["contact", "account"])),
        attribute("notes", AttributeKind::text(100)),
        attribute(
            "ticket",
            AttributeKind::Text(TextKind { number: Some("C-{seq:6}".to_owned()), ..TextKind::default() }),
        ),
        attribute("replyto", AttributeKind::Text(TextKind { format: Some(TextFormat::Email), ..TextKind::default() })),
        attribute("urgent", AttributeKind::Boolean { no: "No".to_owned(), yes: "Yes".to_owned() }),
        AttributeDefinition { read_only: true, ..attribute("score", AttributeKind::Whole { min: 0, max: 9 }) },
        attribute("parentid", lookup(&["complaint"])),
    ];
    EntityDefinition {
        hierarchy: Some(name("parentid")),
        states: vec![
            state(
                "active",
                0,
                vec![
                    status("received", 1, Some(&["investigating", "overdue"])),
                    status("investigating", 2, None),
                    status("overdue", 3, Some(&[])),
                ],
            ),
            state("resolved", 1, vec![status("answered", 4, Some(&["investigating"]))]),
        ],
        ..entity("complaint", Ownership::UserOrTeam, attributes)
    }
}

fn numbers(definition: &EntityDefinition, id: EntityId) -> EntityNumbers {
    let first = starter::FIRST_OWN_ATTRIBUTE.0;
    let attributes = definition.attributes.iter().zip(first..);
    EntityNumbers {
        id,
        attributes: attributes.map(|(attribute, id)| (attribute.name.clone(), AttributeId(id))).collect(),
        keys: HashMap::new(),
    }
}

/// The schema: complaint, contact, account, and the principals.
pub fn schema() -> Schema {
    let person = |text: &str| {
        entity(
            text,
            Ownership::UserOrTeam,
            vec![attribute("fullname", AttributeKind::text(100)), attribute("accountid", lookup(&["account"]))],
        )
    };
    let plain = |text: &str| entity(text, Ownership::Organization, vec![attribute("name", AttributeKind::text(100))]);
    let definitions = vec![
        (complaint(), COMPLAINT),
        (person("contact"), CONTACT),
        (plain("account"), ACCOUNT),
        (plain("systemuser"), starter::SYSTEM_USER),
        (plain("team"), starter::TEAM),
        (plain("businessunit"), starter::BUSINESS_UNIT),
    ];
    let numbers =
        definitions.iter().map(|(definition, id)| (definition.name.clone(), numbers(definition, *id))).collect();
    Schema::build(definitions.into_iter().map(|(definition, _)| definition), [], &numbers).expect("a schema")
}

/// The number of an attribute of complaints.
pub fn id(attribute: &str) -> AttributeId {
    let schema = schema();
    schema.entity(COMPLAINT).and_then(|entity| entity.attribute(attribute)).expect("an attribute").id
}

/// Values of a complaint by name.
pub fn values<V: Into<Value>>(pairs: impl IntoIterator<Item = (&'static str, V)>) -> Values {
    let schema = schema();
    let entity = schema.entity(COMPLAINT).expect("complaints");
    let id = |name: &str| entity.attribute(name).unwrap_or_else(|| panic!("attribute {name}")).id;
    pairs.into_iter().map(|(name, value)| (id(name), value.into())).collect()
}

/// A record that is told from others by its number.
pub fn record(entity: EntityId, number: u128) -> RecordRef {
    RecordRef::new(entity, RecordId(Uuid::from_u128(number)))
}

/// A user.
pub fn user(number: u128) -> RecordRef {
    record(starter::SYSTEM_USER, number)
}
