//! Users, teams, roles and business units over the data service: what `stepwise user|team|role|unit` have in common.
//!
//! A person names them as people call them; here a name becomes an address, before anything is written, so that a wrong
//! name changes nothing.

use serde_json::{Value as Json, json};

use super::{Connection, job::escaped};
use crate::{
    client::Client,
    output::say,
    trouble::{Exit, Trouble},
};

/// Where the data service is.
const DATA: &str = "/api/data/v9.2";

/// One of the four kinds.
pub struct Kind {
    /// The word for people.
    pub word: &'static str,
    /// The entity set.
    pub set: &'static str,
    /// The attribute with the identity.
    pub id: &'static str,
    /// The attribute with the name.
    pub name: &'static str,
}

/// Users.
pub const USER: Kind = Kind { word: "user", set: "systemusers", id: "systemuserid", name: "fullname" };
/// Teams.
pub const TEAM: Kind = Kind { word: "team", set: "teams", id: "teamid", name: "name" };
/// Roles.
pub const ROLE: Kind = Kind { word: "role", set: "roles", id: "roleid", name: "name" };
/// Business units.
pub const UNIT: Kind = Kind { word: "business unit", set: "businessunits", id: "businessunitid", name: "name" };

/// The people of one daemon.
pub struct People {
    client: Client,
}

impl People {
    /// Those of the daemon that the connection leads to.
    pub fn of(connection: &Connection) -> Result<Self, Trouble> {
        Ok(Self { client: Client::new(connection)? })
    }

    /// All of a kind by name, with these options of a query.
    pub fn list(&self, kind: &Kind, options: &str) -> Result<Json, Trouble> {
        let mut all: Vec<Json> = Vec::new();
        let mut answer = self.client.get(&format!("{DATA}/{}?$orderby={}&{options}", kind.set, kind.name))?;
        loop {
            all.extend(answer["value"].as_array().into_iter().flatten().cloned());
            // The address of the next page is whole; the client knows the beginning.
            let next =
                answer["@odata.nextLink"].as_str().and_then(|link| link.find(DATA).map(|at| link[at..].to_owned()));
            let Some(next) = next else { return Ok(json!({"value": all})) };
            answer = self.client.get(&next)?;
        }
    }

    /// The one of this name or id, with these options of a query.
    pub fn find(&self, kind: &Kind, name: &str, options: &str) -> Result<Json, Trouble> {
        if name.parse::<uuid::Uuid>().is_ok() {
            return self.client.get(&format!("{DATA}/{}({name})?{options}", kind.set));
        }
        let quoted = escaped(&format!("'{}'", name.replace('\'', "''")));
        // A user is also known by the name he signs in with.
        let login = if kind.set == USER.set { format!(" or domainname eq {quoted}") } else { String::new() };
        let filter = format!("$filter={} eq {quoted}{login}", kind.name).replace(' ', "%20");
        let answer = self.client.get(&format!("{DATA}/{}?{filter}&{options}", kind.set))?;
        match answer["value"].as_array().map(Vec::as_slice).unwrap_or_default() {
            [one] => Ok(one.clone()),
            [] => Err(Trouble::new(Exit::NotFound, format!("there is no {} `{name}`", kind.word))),
            [first, ..] => Err(Trouble::new(Exit::Failed, format!("several {}s are called `{name}`", kind.word))
                .hint(format!("name the one you mean by its id, as {}", text(first, kind.id)))),
        }
    }

    /// The address of the one of this name, as a lookup takes it.
    pub fn address(&self, kind: &Kind, name: &str) -> Result<String, Trouble> {
        let found = self.find(kind, name, &format!("$select={}", kind.id))?;
        Ok(format!("/{}({})", kind.set, text(&found, kind.id)))
    }

    /// The same for several names, each as the body of a row that links to it by `lookup`.
    pub fn links(&self, kind: &Kind, lookup: &str, names: &[String]) -> Result<Vec<Json>, Trouble> {
        let bind = format!("{lookup}@odata.bind");
        names.iter().map(|name| Ok(json!({ bind.as_str(): self.address(kind, name)? }))).collect()
    }

    /// Makes one, with what is linked to it, in one step.
    pub fn create(&self, kind: &Kind, body: &Json) -> Result<Json, Trouble> {
        let prefer = [("prefer", "return=representation")];
        self.client.request("POST", &format!("{DATA}/{}", kind.set), &prefer, Some(body))
    }

    /// Changes one.
    pub fn update(&self, address: &str, body: &Json) -> Result<(), Trouble> {
        self.client.request("PATCH", &format!("{DATA}{address}"), &[("if-match", "*")], Some(body)).map(drop)
    }

    /// Links one to another.
    pub fn link(&self, from: &str, way: &str, to: &str) -> Result<(), Trouble> {
        let body = json!({"@odata.id": format!("{DATA}{to}")});
        self.client.request("POST", &format!("{DATA}{from}/{way}/$ref"), &[], Some(&body)).map(drop)
    }

    /// Ends such a link.
    pub fn unlink(&self, from: &str, way: &str, to: &str) -> Result<(), Trouble> {
        let id = to.split(['(', ')']).nth(1).unwrap_or_default();
        self.client.request("DELETE", &format!("{DATA}{from}/{way}({id})/$ref"), &[], None).map(drop)
    }

    /// Takes one away.
    pub fn delete(&self, address: &str) -> Result<(), Trouble> {
        self.client.request("DELETE", &format!("{DATA}{address}"), &[], None).map(drop)
    }
}

/// What is shown of a new one: its id for programs, its name and what to do next for people.
pub fn made(connection: &Connection, kind: &Kind, record: &Json, next: &str) -> Result<(), Trouble> {
    connection.output.text(text(record, kind.id), record)?;
    say(&format!("{} `{}` is there; next: {next}", kind.word, text(record, kind.name)));
    Ok(())
}

/// The text of an attribute; nothing where there is none.
pub fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

/// The text of a lookup as people know it.
pub fn label<'a>(json: &'a Json, lookup: &str) -> &'a str {
    text(json, &format!("_{lookup}_value@OData.Community.Display.V1.FormattedValue"))
}

/// The names of what was expanded.
pub fn names(json: &Json, way: &str, attribute: &str) -> String {
    let all = json[way].as_array().into_iter().flatten();
    let mut names: Vec<&str> = all.filter_map(|one| one[attribute].as_str()).collect();
    names.sort_unstable();
    names.join(", ")
}

/// Names and values under each other; values that are empty are left out.
pub fn table(connection: &Connection, rows: &[(&str, String)], json: &Json) -> Result<(), Trouble> {
    let rows = rows.iter().filter(|(_, value)| !value.is_empty());
    let rows = rows.map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect();
    connection.output.rows(&["", ""], rows, json)
}
