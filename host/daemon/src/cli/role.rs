//! `stepwise role list|show`: what there is to give, and what a role allows. Roles themselves are files of solutions.

use clap::Subcommand;
use model::Privilege;
use serde_json::Value as Json;

use super::{
    Connection,
    people::{People, ROLE, text},
};
use crate::{output::say, trouble::Trouble};

/// Roles.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// List roles
    List,
    /// Show what a role allows: for each entity how far each privilege reaches, and the tasks
    Show {
        /// A name or an id
        name: String,
    },
}

impl Role {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let people = People::of(connection)?;
        match self {
            Self::List => {
                let answer = people.list(&ROLE, "$select=name,description")?;
                let row = |role: &Json| vec![text(role, "name").to_owned(), text(role, "description").to_owned()];
                let rows = answer["value"].as_array().into_iter().flatten().map(row).collect();
                connection.output.rows(&["ROLE", "DESCRIPTION"], rows, &answer)?;
                say("next: stepwise user give NAME --role ROLE");
                Ok(())
            }
            Self::Show { name } => {
                let mut role = people.find(&ROLE, name, "$select=name,description,privileges")?;
                let grants: Json = serde_json::from_str(text(&role, "privileges")).unwrap_or_default();
                role["privileges"] = grants["privileges"].clone();
                role["tasks"] = grants["tasks"].clone();
                let heads: Vec<String> = Privilege::ALL.iter().map(|one| one.word().to_uppercase()).collect();
                let heads: Vec<&str> = std::iter::once("ENTITY").chain(heads.iter().map(String::as_str)).collect();
                let rows = grants["privileges"].as_object().into_iter().flatten().map(row).collect();
                connection.output.rows(&heads, rows, &role)?;
                let tasks: Vec<&str> =
                    grants["tasks"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
                say(&format!("tasks: {}", if tasks.is_empty() { "none".to_owned() } else { tasks.join(", ") }));
                Ok(())
            }
        }
    }
}

/// One entity with the level of each privilege; `all` stands for those that are not named.
fn row((entity, levels): (&String, &Json)) -> Vec<String> {
    let level = |privilege: &Privilege| {
        let level = levels[privilege.word()].as_str().or_else(|| levels["all"].as_str());
        level.filter(|level| *level != "none").unwrap_or("-").to_owned()
    };
    std::iter::once(entity.clone()).chain(Privilege::ALL.iter().map(level)).collect()
}
