//! `EntityDefinitions`: what the schema says of entities, their attributes, keys and navigations, as clients ask before
//! they write. Read only: the schema comes from solutions.
//!
//! Each description is made whole and then cut down to what was asked for by `asked`. Everybody who is signed in may
//! read them: they hold no records.

mod asked;
mod attributes;
mod entities;

use axum::{http::StatusCode, response::Response};
use model::schema::Entity;
use serde_json::{Map, Value as Json};

use super::{
    Call, json,
    url::{NAMESPACE, split},
};
use crate::{bridge, problem::Denial};
use asked::Wanted;

/// `GET EntityDefinitions...`
pub(super) async fn read(call: Call, segments: Vec<String>) -> Result<Response, Denial> {
    let Call { app, base, credentials, options, .. } = call;
    let body = bridge::ask(&app.engine, move |engine| {
        credentials.sign_in(engine)?;
        let schema = engine.schema();
        let wanted = Wanted::read(&options)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (what, described) = find(&schema, &segments)?;
        wanted.answer(&base.context(&format!("#{what}")), described)
    });
    Ok(json(StatusCode::OK, &body.await?))
}

/// What a path of definitions leads to.
enum Described {
    One(Map<String, Json>),
    List(Vec<Map<String, Json>>),
}

fn find(schema: &model::Schema, segments: &[&str]) -> Result<(String, Described), Denial> {
    let nothing = || Denial::no_resource(format!("there is nothing at `{}`", segments.join("/")));
    let (first, rest) = segments.split_first().ok_or_else(nothing)?;
    let Some(key) = key(first) else {
        let all = entities::all(schema);
        return match rest {
            [] => Ok(("EntityDefinitions".to_owned(), Described::List(all))),
            _ => Err(nothing()),
        };
    };
    let entity = named(schema, key)?;
    let (list, rest) = match rest {
        [] => return Ok(("EntityDefinitions/$entity".to_owned(), Described::One(entities::one(schema, entity)))),
        [list, rest @ ..] => (*list, rest),
    };
    let (name, item) = (list.split('(').next().unwrap_or(list), self::key(list));
    let all = match name {
        "Attributes" => attributes::all(schema, entity),
        "Keys" => entities::keys(entity),
        "ManyToOneRelationships" | "OneToManyRelationships" | "ManyToManyRelationships" => {
            entities::relationships(schema, entity, name)
        }
        _ => return Err(nothing()),
    };
    let what = format!("EntityDefinitions('{}')/{name}", entity.name());
    let (item, kind) = match (item, rest) {
        (item, []) => (item, None),
        (item, [kind]) if kind.starts_with(NAMESPACE) => (item, kind.strip_prefix(NAMESPACE)),
        _ => return Err(nothing()),
    };
    let all = match kind {
        None => all,
        Some(kind) => {
            if !attributes::KINDS.contains(&kind) {
                return Err(Denial::no_resource(format!("there is no kind of attribute `{kind}`")));
            }
            let full = format!("#{NAMESPACE}{kind}");
            all.into_iter().filter(|one| one.get("@odata.type").and_then(Json::as_str) == Some(&full)).collect()
        }
    };
    match item {
        None => Ok((what, Described::List(all))),
        Some(key) => {
            let found = all.into_iter().find(|one| fits(one, key));
            let found =
                found.ok_or_else(|| Denial::no_resource(format!("`{}` has nothing at `{list}`", entity.name())))?;
            Ok((format!("{what}/$entity"), Described::One(found)))
        }
    }
}

/// What stands between the parentheses, if there are any.
fn key(segment: &str) -> Option<&str> {
    let (_, rest) = segment.split_once('(')?;
    rest.strip_suffix(')').map(str::trim).filter(|key| !key.is_empty())
}

/// `LogicalName='account'`, or the GUID.
fn named<'a>(schema: &'a model::Schema, key: &str) -> Result<&'a Entity, Denial> {
    let missing = || Denial::no_resource(format!("there is no entity `{key}`"));
    let found = match text(key, "LogicalName") {
        Some(name) => schema.named(name),
        None => {
            let id = key.trim_start_matches("MetadataId=").trim_matches('\'');
            let id: uuid::Uuid = id
                .parse()
                .map_err(|_| Denial::malformed(format!("`{key}` is neither a GUID nor `LogicalName='name'`")))?;
            schema.entities().find(|entity| entity.definition.id == id)
        }
    };
    found.map(AsRef::as_ref).ok_or_else(missing)
}

fn fits(one: &Map<String, Json>, key: &str) -> bool {
    let name = text(key, "LogicalName").or_else(|| text(key, "SchemaName"));
    let (property, value) = match name {
        Some(name) => ("LogicalName", name),
        None => ("MetadataId", key.trim_start_matches("MetadataId=")),
    };
    one.get(property).and_then(Json::as_str) == Some(value)
}

/// The text of `name='text'`.
fn text<'k>(key: &'k str, name: &str) -> Option<&'k str> {
    let [one] = split(key, ',')[..] else { return None };
    let value = one.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim();
    value.strip_prefix('\'')?.strip_suffix('\'')
}

/// A text as people read it, in the one language that there is.
fn label(text: &str) -> Json {
    if text.is_empty() {
        return serde_json::json!({ "LocalizedLabels": [], "UserLocalizedLabel": null });
    }
    let label = serde_json::json!({ "Label": text, "LanguageCode": 1033 });
    serde_json::json!({ "LocalizedLabels": [label], "UserLocalizedLabel": label })
}

/// The properties of a JSON object.
fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}
