//! `stepwise access explain`: which role, team or share grants what on a record, or what is missing.

use clap::Subcommand;
use serde_json::Value as Json;

use super::{Connection, job::escaped};
use crate::{client::Client, trouble::Trouble};

/// Who may do what.
#[derive(Debug, Subcommand)]
pub enum Access {
    /// Tell why a user may do something with a record, or what he lacks
    Explain {
        /// Whose rights: a user name or an id; your own unless you say so
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// The record: ENTITY/ID
        #[arg(long)]
        record: String,
    },
}

impl Access {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let Self::Explain { user, record } = self;
        let mut path = format!("/api/v1/access/explain?record={}", escaped(record));
        if let Some(user) = user {
            path.push_str(&format!("&user={}", escaped(user)));
        }
        let answer = Client::new(connection)?.get(&path)?;
        let privileges = answer["privileges"].as_array().map(Vec::as_slice).unwrap_or_default();
        connection.output.rows(&["PRIVILEGE", "ALLOWED", "BECAUSE"], privileges.iter().map(row).collect(), &answer)
    }
}

fn row(one: &Json) -> Vec<String> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let allowed = one["allowed"] == Json::Bool(true);
    let reasons = one["reasons"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut because: Vec<String> = reasons
        .iter()
        .filter(|reason| !allowed || reason["reaches"] == Json::Bool(true))
        .map(|reason| format!("{} ({})", text(&reason["source"]), text(&reason["level"])))
        .collect();
    if !allowed {
        because.insert(0, text(&one["missing"]));
    }
    vec![text(&one["privilege"]), if allowed { "yes" } else { "no" }.to_owned(), because.join("; ")]
}
