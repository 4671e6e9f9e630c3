//! `stepwise team create|list|show|add|remove|delete`: groups that own records and hold roles for their members.

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::{
    Connection,
    people::{People, ROLE, TEAM, UNIT, USER, label, made, names, table, text},
};
use crate::{output::say, trouble::Trouble};

/// Teams.
#[derive(Debug, Subcommand)]
pub enum Team {
    /// Make a team
    Create {
        /// What people call it
        name: String,
        /// A role that it holds; may be repeated
        #[arg(long, value_name = "ROLE")]
        role: Vec<String>,
        /// A user who belongs to it; may be repeated
        #[arg(long, value_name = "USER")]
        member: Vec<String>,
        /// The business unit that it lies in; the root unless you say so
        #[arg(long, value_name = "UNIT")]
        business_unit: Option<String>,
    },
    /// List teams
    List,
    /// Show a team with its roles and members
    Show {
        /// A name or an id
        name: String,
    },
    /// Add users to a team
    Add {
        /// The team
        name: String,
        /// A user; may be repeated
        #[arg(long, required = true, value_name = "USER")]
        member: Vec<String>,
    },
    /// Take users out of a team
    Remove {
        /// The team
        name: String,
        /// A user; may be repeated
        #[arg(long, required = true, value_name = "USER")]
        member: Vec<String>,
    },
    /// Take a team away; one that owns records stays
    Delete {
        /// The team
        name: String,
    },
}

const ROLES: &str = "teamroles_association";
const MEMBERS: &str = "teammembership_association";

impl Team {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let people = People::of(connection)?;
        match self {
            Self::Create { name, .. } => {
                let record = people.create(&TEAM, &self.body(&people)?)?;
                made(connection, &TEAM, &record, &format!("stepwise team show \"{name}\""))
            }
            Self::List => list(&people, connection),
            Self::Show { name } => show(&people, name, connection),
            Self::Add { name, member } => {
                for (team, user) in pairs(&people, name, member)? {
                    people.link(&team, MEMBERS, &user)?;
                }
                show(&people, name, connection)
            }
            Self::Remove { name, member } => {
                for (team, user) in pairs(&people, name, member)? {
                    people.unlink(&team, MEMBERS, &user)?;
                }
                show(&people, name, connection)
            }
            Self::Delete { name } => {
                people.delete(&people.address(&TEAM, name)?)?;
                say(&format!("team `{name}` is gone"));
                Ok(())
            }
        }
    }

    fn body(&self, people: &People) -> Result<Json, Trouble> {
        let Self::Create { name, role, member, business_unit } = self else { return Ok(Json::Null) };
        let mut body = json!({"name": name});
        if let Some(unit) = business_unit {
            body["businessunitid@odata.bind"] = json!(people.address(&UNIT, unit)?);
        }
        for (list, links) in [
            ("team_teamroles_teamid", people.links(&ROLE, "roleid", role)?),
            ("team_teammembership_teamid", people.links(&USER, "systemuserid", member)?),
        ] {
            if !links.is_empty() {
                body[list] = json!(links);
            }
        }
        Ok(body)
    }
}

/// The addresses of the team and of each user; all are looked up before one is changed.
fn pairs(people: &People, team: &str, members: &[String]) -> Result<Vec<(String, String)>, Trouble> {
    let team = people.address(&TEAM, team)?;
    members.iter().map(|member| Ok((team.clone(), people.address(&USER, member)?))).collect()
}

fn list(people: &People, connection: &Connection) -> Result<(), Trouble> {
    let expand = format!("$expand={ROLES}($select=name),{MEMBERS}($select=fullname)");
    let answer = people.list(&TEAM, &format!("$select=name,_businessunitid_value&{expand}"))?;
    let row = |team: &Json| {
        let unit = label(team, "businessunitid").to_owned();
        vec![text(team, "name").to_owned(), unit, names(team, ROLES, "name"), names(team, MEMBERS, "fullname")]
    };
    let rows = answer["value"].as_array().into_iter().flatten().map(row).collect();
    connection.output.rows(&["TEAM", "BUSINESS UNIT", "ROLES", "MEMBERS"], rows, &answer)
}

fn show(people: &People, name: &str, connection: &Connection) -> Result<(), Trouble> {
    let expand = format!("$expand={ROLES}($select=name),{MEMBERS}($select=fullname)");
    let team = people.find(&TEAM, name, &format!("$select=name,description,_businessunitid_value&{expand}"))?;
    let rows = [
        ("team", text(&team, "name").to_owned()),
        ("id", text(&team, "teamid").to_owned()),
        ("description", text(&team, "description").to_owned()),
        ("business unit", label(&team, "businessunitid").to_owned()),
        ("roles", names(&team, ROLES, "name")),
        ("members", names(&team, MEMBERS, "fullname")),
    ];
    table(connection, &rows, &team)
}
