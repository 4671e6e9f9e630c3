//! Descriptions of entities, of their alternate keys and of their navigations.

use model::{AttributeId, Schema, Way, entity::Ownership, schema::Entity};
use serde_json::{Map, Value as Json, json};

use super::{attributes, label, object};

/// All entities, by name.
pub fn all(schema: &Schema) -> Vec<Map<String, Json>> {
    let mut entities: Vec<&Entity> = schema.entities().map(AsRef::as_ref).collect();
    entities.sort_by(|one, other| one.name().cmp(other.name()));
    entities.into_iter().map(|entity| one(schema, entity)).collect()
}

/// One entity, with everything that may be expanded.
pub fn one(schema: &Schema, entity: &Entity) -> Map<String, Json> {
    let definition = &entity.definition;
    let name = definition.name.as_str();
    let primary = entity.attribute_by_id(entity.primary).map(|attribute| attribute.name().as_str());
    object(json!({
        "MetadataId": definition.id.to_string(),
        "LogicalName": name,
        "SchemaName": name,
        "EntitySetName": definition.set.as_str(),
        "LogicalCollectionName": definition.set.as_str(),
        "CollectionSchemaName": definition.set.as_str(),
        "PrimaryIdAttribute": entity.id_name().as_str(),
        "PrimaryNameAttribute": primary,
        "DisplayName": label(&definition.title),
        "DisplayCollectionName": label(&definition.title_plural),
        "Description": label(&definition.description),
        "ObjectTypeCode": entity.id.0,
        "OwnershipType": match definition.ownership {
            Ownership::UserOrTeam => "UserOwned",
            Ownership::Organization => "OrganizationOwned",
        },
        "IsActivity": definition.activity,
        "IsBusinessProcessEnabled": definition.flows,
        "IsBPFEntity": entity.is_flow_instance(),
        "IsCustomEntity": definition.solution != formats::starter::SOLUTION,
        "IsPrivate": false,
        "IsIntersect": schema_links(schema, entity),
        "IsLogicalEntity": false,
        "IsValidForAdvancedFind": true,
        "TableType": "Standard",
        "IsAuditEnabled": { "Value": definition.audit, "CanBeChanged": true },
        "IsCustomizable": { "Value": true, "CanBeChanged": false },
        "Attributes": attributes::all(schema, entity),
        "Keys": keys(entity),
        "ManyToOneRelationships": relationships(schema, entity, "ManyToOneRelationships"),
        "OneToManyRelationships": relationships(schema, entity, "OneToManyRelationships"),
        "ManyToManyRelationships": relationships(schema, entity, "ManyToManyRelationships"),
    }))
}

/// Whether its records link two others.
fn schema_links(schema: &Schema, entity: &Entity) -> bool {
    let targets = entity.attributes().iter().filter_map(|attribute| attribute.targets.as_deref()?.first());
    let mut others = targets.filter_map(|target| schema.entity(*target));
    others.any(|other| {
        schema.ways(other).iter().any(|(_, way)| matches!(way, Way::Across { link, .. } if *link == entity.id))
    })
}

/// Its alternate keys.
pub fn keys(entity: &Entity) -> Vec<Map<String, Json>> {
    let keys = entity.keys.iter().map(|key| {
        let names = key.attributes.iter().map(|attribute| attribute_name(entity, *attribute));
        object(json!({
            "MetadataId": formats::identity("key", &format!("{}.{}", entity.name(), key.name)).to_string(),
            "LogicalName": key.name.as_str(),
            "SchemaName": key.name.as_str(),
            "EntityLogicalName": entity.name().as_str(),
            "KeyAttributes": names.collect::<Vec<_>>(),
            "EntityKeyIndexStatus": "Active",
        }))
    });
    keys.collect()
}

/// Its navigations of one kind.
pub fn relationships(schema: &Schema, entity: &Entity, kind: &str) -> Vec<Map<String, Json>> {
    let described = schema.ways(entity).into_iter().filter_map(|(name, way)| match (kind, way) {
        ("ManyToOneRelationships", Way::To { lookup, entity: target }) => {
            let there = schema.entity(target)?;
            let list = schema.ways(there).into_iter().find(
                |(_, way)| matches!(way, Way::From { entity: from, lookup: by } if *from == entity.id && *by == lookup),
            );
            Some(one_to_many(&list.map_or(name.clone(), |(list, _)| list), entity, there, lookup, &name))
        }
        ("OneToManyRelationships", Way::From { entity: from, lookup }) => {
            let from = schema.entity(from)?;
            let back = schema.ways(from).into_iter().find(|(_, way)| {
                matches!(way, Way::To { lookup: by, entity: target } if *by == lookup && *target == entity.id)
            });
            Some(one_to_many(&name, from, entity, lookup, &back.map_or(name.clone(), |(back, _)| back)))
        }
        ("ManyToManyRelationships", Way::Across { link, here, there, entity: other }) => {
            let (link, other) = (schema.entity(link)?, schema.entity(other)?);
            Some(object(json!({
                "MetadataId": formats::identity("relationship", &name).to_string(),
                "SchemaName": name.as_str(),
                "RelationshipType": "ManyToManyRelationship",
                "IntersectEntityName": link.name().as_str(),
                "Entity1LogicalName": entity.name().as_str(),
                "Entity1IntersectAttribute": attribute_name(link, here),
                "Entity1NavigationPropertyName": name.as_str(),
                "Entity2LogicalName": other.name().as_str(),
                "Entity2IntersectAttribute": attribute_name(link, there),
                "Entity2NavigationPropertyName": name.as_str(),
            })))
        }
        _ => None,
    });
    described.collect()
}

fn one_to_many(list: &str, from: &Entity, to: &Entity, lookup: AttributeId, navigation: &str) -> Map<String, Json> {
    object(json!({
        "MetadataId": formats::identity("relationship", list).to_string(),
        "SchemaName": list,
        "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": to.name().as_str(),
        "ReferencedAttribute": to.id_name().as_str(),
        "ReferencedEntityNavigationPropertyName": list,
        "ReferencingEntity": from.name().as_str(),
        "ReferencingAttribute": attribute_name(from, lookup),
        "ReferencingEntityNavigationPropertyName": navigation,
    }))
}

fn attribute_name(entity: &Entity, attribute: AttributeId) -> Option<&str> {
    entity.attribute_by_id(attribute).map(|attribute| attribute.name().as_str())
}
