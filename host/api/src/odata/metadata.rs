//! `$metadata`: the schema in CSDL, for tools that read it before they ask anything.
//!
//! Lookups are shown as `_name_value` properties and as navigations, one for each target; lists as navigations. The
//! actions of processes stand behind the entities.

mod actions;

use std::fmt::Write;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::Catalogue;
use model::{Schema, ValueType, Way, schema::Entity};

use super::{Call, record};
use crate::{bridge, problem::Denial};

/// The whole document.
pub(super) async fn document(call: Call) -> Result<Response, Denial> {
    let credentials = call.credentials;
    let text = bridge::ask(&call.app.engine, move |engine| {
        credentials.sign_in(engine)?;
        Ok(csdl(&engine.catalogue()))
    });
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Ok((StatusCode::OK, [kind], text.await?).into_response())
}

fn csdl(catalogue: &Catalogue) -> String {
    let schema = &*catalogue.schema;
    let (actions, imports) = actions::of(catalogue);
    let mut entities: Vec<&Entity> = schema.entities().map(AsRef::as_ref).collect();
    entities.sort_by(|one, other| one.name().cmp(other.name()));
    let types: String = entities.iter().map(|entity| entity_type(entity, schema)).collect();
    let sets: String = entities.iter().map(|entity| entity_set(entity, schema)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\"><edmx:DataServices>\
         <Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\n\
         {types}{actions}<EntityContainer Name=\"System\">\n{sets}{imports}</EntityContainer>\n\
         </Schema></edmx:DataServices></edmx:Edmx>\n"
    )
}

fn entity_type(entity: &Entity, schema: &Schema) -> String {
    let id = entity.id_name();
    let mut text = format!(
        "<EntityType Name=\"{}\"><Key><PropertyRef Name=\"{id}\"/></Key>\n\
         <Property Name=\"{id}\" Type=\"Edm.Guid\" Nullable=\"false\"/>\n\
         <Property Name=\"versionnumber\" Type=\"Edm.Int64\"/>\n",
        entity.name()
    );
    for attribute in entity.attributes() {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "<Property Name=\"{}\" Type=\"{}\"/>",
            record::property_name(attribute),
            edm(attribute.value_type())
        );
    }
    for (name, way) in schema.ways(entity) {
        text += &navigation(entity, schema, &name, way);
    }
    text + "</EntityType>\n"
}

/// A lookup says by which property it goes; a list, that it holds any number.
fn navigation(entity: &Entity, schema: &Schema, name: &str, way: Way) -> String {
    let Some(target) = schema.entity(way.entity()) else { return String::new() };
    let kind = target.name();
    let property = match way {
        Way::To { lookup, .. } => entity.attribute_by_id(lookup),
        _ => None,
    };
    match property {
        Some(lookup) => format!(
            "<NavigationProperty Name=\"{name}\" Type=\"mscrm.{kind}\">\
             <ReferentialConstraint Property=\"{}\" ReferencedProperty=\"{}\"/></NavigationProperty>\n",
            record::property_name(lookup),
            target.id_name()
        ),
        None => format!("<NavigationProperty Name=\"{name}\" Type=\"Collection(mscrm.{kind})\"/>\n"),
    }
}

fn entity_set(entity: &Entity, schema: &Schema) -> String {
    let bindings = schema.ways(entity).into_iter().filter_map(|(name, way)| {
        let set = &schema.entity(way.entity())?.definition.set;
        Some(format!("<NavigationPropertyBinding Path=\"{name}\" Target=\"{set}\"/>"))
    });
    let (set, name) = (&entity.definition.set, entity.name());
    format!("<EntitySet Name=\"{set}\" EntityType=\"mscrm.{name}\">{}</EntitySet>\n", bindings.collect::<String>())
}

fn edm(kind: ValueType) -> &'static str {
    match kind {
        ValueType::Boolean => "Edm.Boolean",
        ValueType::Whole => "Edm.Int64",
        ValueType::Choice => "Edm.Int32",
        ValueType::Decimal | ValueType::Money => "Edm.Decimal",
        ValueType::Float => "Edm.Double",
        ValueType::Date => "Edm.Date",
        ValueType::DateTime => "Edm.DateTimeOffset",
        ValueType::Guid | ValueType::Reference => "Edm.Guid",
        ValueType::References => "Collection(Edm.Guid)",
        ValueType::Bytes => "Edm.Binary",
        ValueType::Duration => "Edm.Duration",
        ValueType::Text | ValueType::Choices | ValueType::Document => "Edm.String",
    }
}
