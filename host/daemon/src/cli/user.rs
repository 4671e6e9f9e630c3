//! `stepwise user create|list|show|disable|enable|give|take`: who may sign in, and with which roles.

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::{
    Connection,
    people::{People, ROLE, TEAM, UNIT, USER, label, made, names, text},
};
use crate::trouble::Trouble;

/// Users.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Make a user: without a role he may nothing, without a token or a password he does not sign in
    Create {
        /// What people call him
        name: String,
        /// The name he signs in with; the same unless you say so
        #[arg(long, value_name = "NAME")]
        login: Option<String>,
        /// His address for mail
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// A role that he holds; may be repeated
        #[arg(long, value_name = "ROLE")]
        role: Vec<String>,
        /// A team that he belongs to; may be repeated
        #[arg(long, value_name = "TEAM")]
        team: Vec<String>,
        /// The business unit that he lies in; the root unless you say so
        #[arg(long, value_name = "UNIT")]
        business_unit: Option<String>,
    },
    /// List users
    List,
    /// Show a user with his roles and teams
    Show {
        /// A name or an id
        name: String,
    },
    /// Disable a user: he may nothing more, and nothing of his processes starts
    Disable {
        /// A name or an id
        name: String,
    },
    /// Enable a user again
    Enable {
        /// A name or an id
        name: String,
    },
    /// Give a user a role
    Give {
        /// A name or an id
        name: String,
        /// The role
        #[arg(long)]
        role: String,
    },
    /// Take a role from a user
    Take {
        /// A name or an id
        name: String,
        /// The role
        #[arg(long)]
        role: String,
    },
}

/// The roles of a user, as the data service calls the way to them.
const ROLES: &str = "systemuserroles_association";
const TEAMS: &str = "teammembership_association";

impl User {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let people = People::of(connection)?;
        match self {
            Self::Create { name, .. } => {
                let record = people.create(&USER, &self.body(&people)?)?;
                made(connection, &USER, &record, &format!("stepwise token create --user \"{name}\""))
            }
            Self::List => list(&people, connection),
            Self::Show { name } => show(&people, name, connection),
            Self::Disable { name } => switch(&people, name, true, connection),
            Self::Enable { name } => switch(&people, name, false, connection),
            Self::Give { name, role } => {
                let (user, role) = (people.address(&USER, name)?, people.address(&ROLE, role)?);
                people.link(&user, ROLES, &role)?;
                show(&people, name, connection)
            }
            Self::Take { name, role } => {
                let (user, role) = (people.address(&USER, name)?, people.address(&ROLE, role)?);
                people.unlink(&user, ROLES, &role)?;
                show(&people, name, connection)
            }
        }
    }

    /// The record with what is linked to it, so that he is there with all of it or not at all.
    fn body(&self, people: &People) -> Result<Json, Trouble> {
        let Self::Create { name, login, email, role, team, business_unit } = self else { return Ok(Json::Null) };
        let mut body = json!({"fullname": name, "domainname": login.as_deref().unwrap_or(name)});
        if let Some(email) = email {
            body["internalemailaddress"] = json!(email);
        }
        if let Some(unit) = business_unit {
            body["businessunitid@odata.bind"] = json!(people.address(&UNIT, unit)?);
        }
        for (list, links) in [
            ("systemuser_systemuserroles_systemuserid", people.links(&ROLE, "roleid", role)?),
            ("systemuser_teammembership_systemuserid", people.links(&TEAM, "teamid", team)?),
        ] {
            if !links.is_empty() {
                body[list] = json!(links);
            }
        }
        Ok(body)
    }
}

fn list(people: &People, connection: &Connection) -> Result<(), Trouble> {
    let select = "$select=fullname,domainname,internalemailaddress,isdisabled,_businessunitid_value";
    let answer = people.list(&USER, &format!("{select}&$expand={ROLES}($select=name)"))?;
    let heads = ["USER", "SIGNS IN AS", "BUSINESS UNIT", "ROLES", "DISABLED"];
    let row = |user: &Json| {
        let disabled = if user["isdisabled"] == true { "yes" } else { "" };
        let column = |name: &str| text(user, name).to_owned();
        vec![
            column("fullname"),
            column("domainname"),
            label(user, "businessunitid").to_owned(),
            names(user, ROLES, "name"),
            disabled.to_owned(),
        ]
    };
    let rows = answer["value"].as_array().into_iter().flatten().map(row).collect();
    connection.output.rows(&heads, rows, &answer)
}

fn show(people: &People, name: &str, connection: &Connection) -> Result<(), Trouble> {
    let select = "$select=fullname,domainname,internalemailaddress,isdisabled,_businessunitid_value";
    let expand = format!("$expand={ROLES}($select=name),{TEAMS}($select=name)");
    let user = people.find(&USER, name, &format!("{select}&{expand}"))?;
    let rows = [
        ("user", text(&user, "fullname").to_owned()),
        ("id", text(&user, "systemuserid").to_owned()),
        ("signs in as", text(&user, "domainname").to_owned()),
        ("email", text(&user, "internalemailaddress").to_owned()),
        ("business unit", label(&user, "businessunitid").to_owned()),
        ("roles", names(&user, ROLES, "name")),
        ("teams", names(&user, TEAMS, "name")),
        ("disabled", if user["isdisabled"] == true { "yes" } else { "no" }.to_owned()),
    ];
    super::people::table(connection, &rows, &user)
}

fn switch(people: &People, name: &str, disabled: bool, connection: &Connection) -> Result<(), Trouble> {
    let address = people.address(&USER, name)?;
    people.update(&address, &json!({"isdisabled": disabled}))?;
    show(people, name, connection)
}
