//! What the shell knows of the entities: their sets, attributes and statuses, asked once from the daemon.
//!
//! Values are passed on as they were written where it knows no better: the daemon refuses what an attribute cannot hold.

use std::collections::HashMap;

use scenario::port::{Given, No, Target};
use serde_json::{Value as Json, json};

use crate::{client::Client, trouble::Trouble};

/// Every entity, by name.
pub struct Entities(HashMap<String, Json>);

impl Entities {
    /// Asks the daemon.
    pub fn ask(client: &Client) -> Result<Self, Trouble> {
        let answer = client.get("/api/v1/entities")?;
        let entities = answer["value"].as_array().into_iter().flatten();
        let by_name = |entity: &Json| Some((entity["name"].as_str()?.to_owned(), entity.clone()));
        Ok(Self(entities.filter_map(by_name).collect()))
    }

    /// An entity.
    pub fn entity(&self, name: &str) -> Result<&Json, No> {
        self.0.get(name).ok_or_else(|| No::new("unknown-entity", format!("there is no entity `{name}`")))
    }

    /// The address of a record: `/complaints(id)`.
    pub fn address(&self, target: &Target) -> Result<String, No> {
        Ok(format!("/{}({})", self.set(&target.entity)?, target.id))
    }

    /// A record as a message of the data service names it.
    pub fn named(&self, target: &Target) -> Result<Json, No> {
        let id = self.entity(&target.entity)?["id"].as_str().unwrap_or_default();
        Ok(json!({"@odata.type": format!("#Microsoft.Dynamics.CRM.{}", target.entity), id: target.id.to_string()}))
    }

    /// The set of an entity.
    pub fn set(&self, entity: &str) -> Result<&str, No> {
        Ok(self.entity(entity)?["set"].as_str().unwrap_or_default())
    }

    /// An attribute of an entity, if there is one of this name.
    pub fn attribute<'a>(entity: &'a Json, name: &str) -> Option<&'a Json> {
        entity["attributes"].as_array()?.iter().find(|attribute| attribute["name"] == name)
    }

    /// The property and the JSON by which a value is written.
    pub fn property(&self, entity: &str, name: &str, given: &Given) -> Result<(String, Json), No> {
        let attribute = Self::attribute(self.entity(entity)?, name);
        let kind = attribute.and_then(|attribute| attribute["type"].as_str()).unwrap_or_default();
        Ok(match given {
            Given::Empty => (name.to_owned(), Json::Null),
            Given::Text(text) => (name.to_owned(), json!(text.as_str())),
            Given::Record(target) => (format!("{name}@odata.bind"), json!(self.address(target)?)),
            Given::Bare(text) => (name.to_owned(), bare(kind, text)),
        })
    }

    /// `statecode` and `statuscode` of a status, or of a state with its first status, by name.
    pub fn status(&self, entity: &str, name: &str) -> Result<(Json, Json), No> {
        let states = self.entity(entity)?["states"].as_array().map(Vec::as_slice).unwrap_or_default();
        for state in states {
            let statuses = state["statuses"].as_array().map(Vec::as_slice).unwrap_or_default();
            let status = match state["name"] == name {
                true => statuses.first(),
                false => statuses.iter().find(|status| status["name"] == name),
            };
            if let Some(status) = status {
                return Ok((state["value"].clone(), status["value"].clone()));
            }
        }
        Err(No::new("bad-status", format!("`{entity}` has no state or status `{name}`")))
    }

    /// A value as a line would write it: options, states and statuses by their names.
    pub fn shown(entity: &Json, attribute: &Json, value: &Json) -> String {
        let by_number = |list: &Json| {
            let found = list.as_array()?.iter().find(|option| option["value"] == *value)?;
            found["name"].as_str().map(str::to_owned)
        };
        let statuses = || entity["states"].as_array()?.iter().find_map(|state| by_number(&state["statuses"]));
        let named = match attribute["name"].as_str() {
            Some("statecode") => by_number(&entity["states"]),
            Some("statuscode") => statuses(),
            _ => by_number(&attribute["options"]),
        };
        named.unwrap_or_else(|| match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

fn bare(kind: &str, text: &str) -> Json {
    match (kind, text) {
        ("boolean", "true") => json!(true),
        ("boolean", "false") => json!(false),
        ("whole" | "choice" | "float", text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        _ => json!(text),
    }
}
