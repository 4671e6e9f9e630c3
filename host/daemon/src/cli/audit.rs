//! `stepwise audit list`: who did what to which record, who signed in, and who was refused.

use clap::Subcommand;
use serde_json::Value as Json;

use super::{
    Connection,
    job::escaped,
    people::{People, USER, label, text},
};
use crate::{client::Client, trouble::Trouble};

/// The audit.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List what happened, the newest first
    List {
        /// To this record: ENTITY/ID, or its id
        #[arg(long)]
        record: Option<String>,
        /// By this user: a name or an id
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Only this: create, update, assign, share, delete, sign-in, sign-in-failed, refused, credentials-changed ...
        #[arg(long)]
        action: Option<String>,
        /// From this moment on, as 2026-11-20T09:00:00Z
        #[arg(long, value_name = "MOMENT")]
        since: Option<String>,
        /// The most entries
        #[arg(long, default_value_t = 50)]
        top: u32,
    },
}

impl Audit {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let Self::List { record, user, action, since, top } = self;
        let mut filters = Vec::new();
        if let Some(record) = record {
            let id = record.rsplit('/').next().unwrap_or(record);
            filters.push(format!("_objectid_value eq {id}"));
        }
        if let Some(user) = user {
            let found = People::of(connection)?.find(&USER, user, "$select=systemuserid")?;
            filters.push(format!("_userid_value eq {}", text(&found, USER.id)));
        }
        if let Some(action) = action {
            filters.push(format!("action eq '{}'", action.replace('\'', "''")));
        }
        if let Some(since) = since {
            filters.push(format!("createdon ge {since}"));
        }
        let mut path = format!("/api/data/v9.2/audits?$orderby=createdon%20desc&$top={top}");
        if !filters.is_empty() {
            path.push_str(&format!("&$filter={}", escaped(&filters.join(" and "))));
        }
        let answer = Client::new(connection)?.get(&path)?;
        let rows = answer["value"].as_array().into_iter().flatten().map(row).collect();
        connection.output.rows(&["WHEN", "WHO", "FOR", "WHAT", "RECORD", "THROUGH", "DETAILS"], rows, &answer)
    }
}

fn row(entry: &Json) -> Vec<String> {
    let column = |name: &str| text(entry, name).to_owned();
    let record = match text(entry, "_objectid_value") {
        "" => String::new(),
        id => format!("{}/{id}", text(entry, "objecttypecode")),
    };
    let through = [text(entry, "process"), text(entry, "step")];
    let through: Vec<&str> = through.into_iter().filter(|part| !part.is_empty()).collect();
    // Who really asked stands before whom he stood for.
    let (who, for_whom) = match label(entry, "delegateid") {
        "" => (label(entry, "userid").to_owned(), String::new()),
        delegate => (delegate.to_owned(), label(entry, "userid").to_owned()),
    };
    let details = match text(entry, "message") {
        "" => changed(text(entry, "changes")),
        message => message.to_owned(),
    };
    vec![column("createdon"), who, for_whom, column("action"), record, through.join(" "), details]
}

/// The attributes that became another, with their values.
fn changed(changes: &str) -> String {
    let changes: Json = serde_json::from_str(changes).unwrap_or_default();
    let one = |change: &Json| {
        let value = |name: &str| match &change[name] {
            Json::String(text) => text.clone(),
            Json::Null => "nothing".to_owned(),
            other => other.to_string(),
        };
        let (before, after) = (value("before"), value("after"));
        match change["before"].is_null() {
            true => format!("{}: {after}", text(change, "attribute")),
            false => format!("{}: {before} -> {after}", text(change, "attribute")),
        }
    };
    changes.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}
