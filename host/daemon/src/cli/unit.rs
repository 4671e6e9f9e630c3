//! `stepwise unit create|list|show|move|delete`: the tree of business units.

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::{
    Connection,
    people::{People, UNIT, label, made, names, table, text},
};
use crate::{output::say, trouble::Trouble};

/// Business units.
#[derive(Debug, Subcommand)]
pub enum Unit {
    /// Make a business unit
    Create {
        /// What people call it
        name: String,
        /// The unit that it lies in; the root unless you say so
        #[arg(long, value_name = "UNIT")]
        parent: Option<String>,
    },
    /// List business units, each with the one that it lies in
    List,
    /// Show a business unit with its users and teams
    Show {
        /// A name or an id
        name: String,
    },
    /// Put a business unit, with all below it, into another one
    Move {
        /// The unit
        name: String,
        /// Where it is to lie
        #[arg(long, value_name = "UNIT")]
        parent: String,
    },
    /// Take a business unit away; one with units, users or teams in it stays
    Delete {
        /// The unit
        name: String,
    },
}

const USERS: &str = "business_unit_system_users";
const TEAMS: &str = "business_unit_teams";

impl Unit {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let people = People::of(connection)?;
        match self {
            Self::Create { name, parent } => {
                let mut body = json!({"name": name});
                if let Some(parent) = parent {
                    body["parentbusinessunitid@odata.bind"] = json!(people.address(&UNIT, parent)?);
                }
                let record = people.create(&UNIT, &body)?;
                made(connection, &UNIT, &record, &format!("stepwise user create NAME --business-unit \"{name}\""))
            }
            Self::List => {
                let answer = people.list(&UNIT, "$select=name,_parentbusinessunitid_value")?;
                let row =
                    |unit: &Json| vec![text(unit, "name").to_owned(), label(unit, "parentbusinessunitid").to_owned()];
                let rows = answer["value"].as_array().into_iter().flatten().map(row).collect();
                connection.output.rows(&["BUSINESS UNIT", "LIES IN"], rows, &answer)
            }
            Self::Show { name } => show(&people, name, connection),
            Self::Move { name, parent } => {
                let (unit, parent) = (people.address(&UNIT, name)?, people.address(&UNIT, parent)?);
                people.update(&unit, &json!({"parentbusinessunitid@odata.bind": parent}))?;
                show(&people, name, connection)
            }
            Self::Delete { name } => {
                people.delete(&people.address(&UNIT, name)?)?;
                say(&format!("business unit `{name}` is gone"));
                Ok(())
            }
        }
    }
}

fn show(people: &People, name: &str, connection: &Connection) -> Result<(), Trouble> {
    let expand = format!("$expand={USERS}($select=fullname),{TEAMS}($select=name)");
    let unit = people.find(&UNIT, name, &format!("$select=name,description,_parentbusinessunitid_value&{expand}"))?;
    let rows = [
        ("business unit", text(&unit, "name").to_owned()),
        ("id", text(&unit, "businessunitid").to_owned()),
        ("description", text(&unit, "description").to_owned()),
        ("lies in", label(&unit, "parentbusinessunitid").to_owned()),
        ("users", names(&unit, USERS, "fullname")),
        ("teams", names(&unit, TEAMS, "name")),
    ];
    table(connection, &rows, &unit)
}
