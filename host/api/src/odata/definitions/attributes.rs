//! Descriptions of attributes, each of the kind that clients of Dynamics know it by.

use model::{
    Schema,
    entity::{AttributeKind, Requirement},
    schema::{Attribute, Entity},
    starter,
};
use serde_json::{Map, Value as Json, json};

use super::{label, object};
use crate::odata::url::NAMESPACE;

/// The kinds to which a list of attributes can be narrowed.
pub const KINDS: [&str; 18] = [
    "BigIntAttributeMetadata",
    "BooleanAttributeMetadata",
    "DateTimeAttributeMetadata",
    "DecimalAttributeMetadata",
    "DoubleAttributeMetadata",
    "FileAttributeMetadata",
    "IntegerAttributeMetadata",
    "LookupAttributeMetadata",
    "MemoAttributeMetadata",
    "MoneyAttributeMetadata",
    "MultiSelectPicklistAttributeMetadata",
    "PicklistAttributeMetadata",
    "StateAttributeMetadata",
    "StatusAttributeMetadata",
    "StringAttributeMetadata",
    "UniqueIdentifierAttributeMetadata",
    "EntityNameAttributeMetadata",
    "ImageAttributeMetadata",
];

/// All attributes of an entity, its identity first.
pub fn all(schema: &Schema, entity: &Entity) -> Vec<Map<String, Json>> {
    let identity = std::iter::once(identity(entity));
    identity.chain(entity.attributes().iter().map(|attribute| one(schema, entity, attribute))).collect()
}

fn identity(entity: &Entity) -> Map<String, Json> {
    let name = entity.id_name();
    let mut described = common(entity, &name, &entity.definition.title, "", ("UniqueIdentifier", "Uniqueidentifier"));
    described.insert("IsPrimaryId".to_owned(), true.into());
    described.insert("IsPrimaryName".to_owned(), false.into());
    described.insert("RequiredLevel".to_owned(), json!({ "Value": "SystemRequired", "CanBeChanged": false }));
    described.insert("IsValidForUpdate".to_owned(), false.into());
    described
}

fn one(schema: &Schema, entity: &Entity, attribute: &Attribute) -> Map<String, Json> {
    let definition = &attribute.definition;
    let kind = kind(attribute);
    let mut described = common(entity, attribute.name().as_str(), &definition.title, &definition.description, kind);
    let level = match definition.required {
        Requirement::Optional => "None",
        Requirement::Recommended => "Recommended",
        Requirement::Required => "ApplicationRequired",
    };
    let more = json!({
        "IsPrimaryId": false,
        "IsPrimaryName": attribute.id == entity.primary,
        "RequiredLevel": { "Value": level, "CanBeChanged": false },
        "IsValidForCreate": !definition.read_only,
        "IsValidForUpdate": !definition.read_only,
    });
    described.append(&mut object(more));
    described.append(&mut particular(schema, entity, attribute));
    described
}

fn common(entity: &Entity, name: &str, title: &str, description: &str, kind: (&str, &str)) -> Map<String, Json> {
    object(json!({
        "@odata.type": format!("#{NAMESPACE}{}AttributeMetadata", kind.0),
        "MetadataId": formats::identity("attribute", &format!("{}.{name}", entity.name())).to_string(),
        "LogicalName": name,
        "SchemaName": name,
        "EntityLogicalName": entity.name().as_str(),
        "AttributeType": kind.1,
        "AttributeTypeName": { "Value": format!("{}Type", kind.0) },
        "DisplayName": label(title),
        "Description": label(description),
        "IsValidForRead": true,
        "IsValidForCreate": true,
        "IsValidForUpdate": true,
        "IsLogical": false,
        "AttributeOf": null,
        "IsCustomAttribute": entity.definition.solution != formats::starter::SOLUTION,
    }))
}

/// The kind by which it is described, and its type.
fn kind(attribute: &Attribute) -> (&'static str, &'static str) {
    match (&attribute.definition.kind, attribute.id) {
        (_, starter::STATE) => ("State", "State"),
        (_, starter::STATUS) => ("Status", "Status"),
        (_, starter::OWNER) => ("Lookup", "Owner"),
        (AttributeKind::Text(text), _) if text.multiline => ("Memo", "Memo"),
        (AttributeKind::Text(_) | AttributeKind::Duration, _) => ("String", "String"),
        (AttributeKind::Whole { min, max }, _) if i32::try_from(*min).is_err() || i32::try_from(*max).is_err() => {
            ("BigInt", "BigInt")
        }
        (AttributeKind::Whole { .. }, _) => ("Integer", "Integer"),
        (AttributeKind::Decimal(_), _) => ("Decimal", "Decimal"),
        (AttributeKind::Float(_), _) => ("Double", "Double"),
        (AttributeKind::Money(_), _) => ("Money", "Money"),
        (AttributeKind::Boolean { .. }, _) => ("Boolean", "Boolean"),
        (AttributeKind::Date | AttributeKind::DateTime, _) => ("DateTime", "DateTime"),
        (AttributeKind::Choice(_), _) => ("Picklist", "Picklist"),
        (AttributeKind::Choices(_), _) => ("MultiSelectPicklist", "Virtual"),
        (AttributeKind::Guid, _) => ("UniqueIdentifier", "Uniqueidentifier"),
        (AttributeKind::File { .. }, _) => ("File", "Virtual"),
        (AttributeKind::Lookup(_), _) => ("Lookup", "Lookup"),
    }
}

/// What only this kind has.
fn particular(schema: &Schema, entity: &Entity, attribute: &Attribute) -> Map<String, Json> {
    let options = |options: Vec<Json>| json!({ "OptionSet": { "OptionSetType": "Picklist", "IsGlobal": false, "Options": options } });
    let option = |value: i32, title: &str| json!({ "Value": value, "Label": label(title) });
    let own = || attribute.options.iter().map(|one| option(one.value, &one.title)).collect();
    let states = &entity.definition.states;
    object(match (&attribute.definition.kind, attribute.id) {
        (_, starter::STATE) => options(states.iter().map(|state| option(state.value, &state.title)).collect()),
        (_, starter::STATUS) => {
            let statuses = states.iter().flat_map(|state| {
                state
                    .statuses
                    .iter()
                    .map(|status| json!({ "Value": status.value, "State": state.value, "Label": label(&status.title) }))
            });
            options(statuses.collect())
        }
        (AttributeKind::Choice(_) | AttributeKind::Choices(_), _) => options(own()),
        (AttributeKind::Boolean { no, yes }, _) => {
            json!({ "OptionSet": { "TrueOption": option(1, yes), "FalseOption": option(0, no) } })
        }
        (AttributeKind::Text(text), _) => json!({ "MaxLength": text.max_length }),
        (AttributeKind::Whole { min, max }, _) => json!({ "MinValue": min, "MaxValue": max }),
        (AttributeKind::Decimal(number) | AttributeKind::Float(number) | AttributeKind::Money(number), _) => json!({
            "MinValue": number.min.and_then(|min| min.to_string().parse::<f64>().ok()),
            "MaxValue": number.max.and_then(|max| max.to_string().parse::<f64>().ok()),
            "Precision": number.precision,
        }),
        (AttributeKind::Date, _) => json!({ "Format": "DateOnly" }),
        (AttributeKind::DateTime, _) => json!({ "Format": "DateAndTime" }),
        (AttributeKind::Lookup(_), _) => {
            let targets = attribute.targets.iter().flatten().map(|target| schema.name_of(*target).to_string());
            json!({ "Targets": targets.collect::<Vec<_>>() })
        }
        _ => json!({}),
    })
}
