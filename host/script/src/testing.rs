//! A small schema for the tests of this crate: complaints with what a name can mean.

use std::collections::HashMap;

use model::{
    AttributeId, AttributeName, EntityId, EntityName, Schema, SetName,
    entity::{
        AttributeDefinition, AttributeKind, Cascade, ChoiceOption, ChoiceSource, EntityDefinition, LookupKind,
        NumberKind, OnDelete, Ownership, State, Status, Targets,
    },
    schema::EntityNumbers,
    starter,
};

fn name(text: &str) -> AttributeName {
    AttributeName::parse(text).expect(text)
}

fn entity_name(text: &str) -> EntityName {
    EntityName::parse(text).expect(text)
}

fn lookup(targets: &[&str]) -> AttributeKind {
    let to = match targets {
        [] => Targets::Any,
        names => Targets::Only(names.iter().map(|name| entity_name(name)).collect()),
    };
    let (on_delete, cascade) = (OnDelete::RemoveLink, Cascade::default());
    AttributeKind::Lookup(LookupKind { to, on_delete, cascade, copy: Vec::new(), relationship: None })
}

fn options() -> ChoiceSource {
    let option = |(text, value): (&str, i32)| ChoiceOption { name: name(text), value, title: text.to_owned() };
    ChoiceSource::Own([("low", 1), ("normal", 2), ("high", 3)].map(option).to_vec())
}

fn entity(text: &str, attributes: &[(&str, AttributeKind)]) -> EntityDefinition {
    let status = |(text, value): (&str, i32)| Status { name: name(text), value, title: text.to_owned(), next: None };
    let state = |text: &str, value, statuses: &[(&str, i32)]| State {
        name: name(text),
        value,
        title: text.to_owned(),
        statuses: statuses.iter().map(|one| status(*one)).collect(),
    };
    EntityDefinition {
        name: entity_name(text),
        id: uuid::Uuid::nil(),
        title: text.to_owned(),
        title_plural: String::new(),
        description: String::new(),
        set: SetName::parse(&format!("{text}s")).expect(text),
        ownership: Ownership::UserOrTeam,
        activity: false,
        primary: name(attributes[0].0),
        email: None,
        flows: false,
        audit: true,
        attributes: attributes
            .iter()
            .map(|(text, kind)| AttributeDefinition::plain(name(text), text, kind.clone()))
            .collect(),
        hierarchy: attributes.iter().any(|(text, _)| *text == "parentid").then(|| name("parentid")),
        keys: Vec::new(),
        many_to_many: Default::default(),
        states: vec![
            state("active", 0, &[("received", 1), ("investigating", 2)]),
            state("resolved", 1, &[("answered", 4)]),
        ],
        solution: "test".into(),
    }
}

/// Entities complaint, account, contact, systemuser, team, businessunit.
pub(crate) fn schema() -> Schema {
    use AttributeKind as K;
    let text = || K::text(300);
    let whole = K::Whole { min: i64::MIN, max: i64::MAX };
    let boolean = K::Boolean { no: "No".into(), yes: "Yes".into() };
    let complaint = entity(
        "complaint",
        &[
            ("title", text()),
            ("product", text()),
            ("touched", whole),
            ("ratio", K::Float(NumberKind::default())),
            ("weight", K::Decimal(NumberKind::default())),
            ("amount", K::Money(NumberKind::default())),
            ("urgent", boolean),
            ("receivedon", K::Date),
            ("senton", K::DateTime),
            ("severity", K::Choice(options())),
            ("topics", K::Choices(options())),
            ("token", K::Guid),
            ("contactid", lookup(&["contact"])),
            ("customerid", lookup(&["account", "contact"])),
            ("regardingobjectid", lookup(&[])),
            ("parentid", lookup(&["complaint"])),
        ],
    );
    let contact = [("fullname", text()), ("parentcustomerid", lookup(&["account"]))];
    let entities = vec![
        complaint,
        entity("account", &[("name", text())]),
        entity("contact", &contact),
        entity("systemuser", &[("fullname", text())]),
        entity("team", &[("name", text())]),
        entity("businessunit", &[("name", text())]),
    ];
    let numbers: HashMap<_, _> = entities.iter().enumerate().map(|(place, entity)| numbers(place, entity)).collect();
    Schema::build(entities, [], &numbers).expect("the definitions above name each other")
}

fn numbers(place: usize, entity: &EntityDefinition) -> (EntityName, EntityNumbers) {
    let known = starter::ENTITIES.iter().find(|(name, _)| *name == entity.name.as_str()).map(|(_, id)| *id);
    let own = u32::try_from(place).expect("few") + starter::FIRST_OWN_ENTITY.0;
    let first = starter::FIRST_OWN_ATTRIBUTE.0;
    let attributes = entity.attributes.iter().zip(first..).map(|(one, id)| (one.name.clone(), AttributeId(id)));
    let id = known.unwrap_or(EntityId(own));
    (entity.name.clone(), EntityNumbers { id, attributes: attributes.collect(), keys: HashMap::new() })
}
