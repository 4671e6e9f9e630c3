//! `stepwise token create|list|revoke`

use clap::{Subcommand, ValueEnum};
use serde_json::{Value as Json, json};

use super::{Connection, job::escaped};
use crate::{
    client::Client,
    output::{self, Output, say},
    trouble::Trouble,
};

/// Tokens of programs and secrets of applications.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token; its secret is shown this once
    Create {
        /// Whose it is: a user name or an id; your own unless you say so
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// What people call it
        #[arg(long, default_value = "token")]
        label: String,
        /// How long it is good for: 30d, 12h, 15m, or a moment; for ever unless you say so
        #[arg(long, value_name = "SPAN")]
        expires: Option<String>,
        /// What it may change, over and over: read, data, jobs, deploy, or full, which it is unless you say so
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
        /// What it is for
        #[arg(long, value_enum, default_value_t = Kind::Api)]
        kind: Kind,
    },
    /// List tokens, the newest first
    List {
        /// Of this user; your own unless you say so
        #[arg(long, value_name = "NAME", conflicts_with = "all")]
        user: Option<String>,
        /// Of everybody
        #[arg(long)]
        all: bool,
    },
    /// Revoke a token: nobody signs in with it any more
    Revoke {
        /// Its id, as it is listed
        id: String,
    },
}

/// What a token is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// A program that sends it with each request
    Api,
    /// An application that gets its tokens for it at /oauth2/v2.0/token
    Client,
}

impl Token {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        match self {
            Self::Create { user, label, expires, scope, kind } => {
                let kind = match kind {
                    Kind::Api => "api",
                    Kind::Client => "client",
                };
                let mut body = json!({"label": label, "kind": kind, "scopes": scope});
                for (name, value) in [("user", user), ("expires", expires)] {
                    if let Some(value) = value {
                        body[name] = json!(value);
                    }
                }
                made(&client.post("/api/v1/tokens", &body)?, connection)
            }
            Self::List { user, all } => {
                let user = if *all { Some("*") } else { user.as_deref() };
                let query = user.map(|user| format!("?user={}", escaped(user))).unwrap_or_default();
                list(&client.get(&format!("/api/v1/tokens{query}"))?, connection)
            }
            Self::Revoke { id } => {
                let token = client.request("DELETE", &format!("/api/v1/tokens/{}", escaped(id)), &[], None)?;
                connection.output.text(&format!("{id} is revoked"), &token)
            }
        }
    }
}

/// The secret goes to stdout, alone, so that it can be sent into a file; all else is talk.
fn made(token: &Json, connection: &Connection) -> Result<(), Trouble> {
    if let Output::Json = connection.output {
        return output::line(&token.to_string());
    }
    if token["client_secret"].is_string() {
        let lines = ["client_id", "client_secret"].map(|name| format!("{name} = {}", text(token, name)));
        output::line(&lines.join("\n"))?;
    } else {
        output::line(text(token, "token"))?;
    }
    say(&format!("it is shown this once; next: stepwise token revoke {}", text(token, "id")));
    Ok(())
}

fn list(answer: &Json, connection: &Connection) -> Result<(), Trouble> {
    let tokens = answer["value"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |token: &Json| {
        let scopes: Vec<&str> = token["scopes"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let end = token["revoked_on"].as_str().map(|on| format!("revoked {on}"));
        let end = end.unwrap_or_else(|| text(token, "expires_on").to_owned());
        let column = |name: &str| text(token, name).to_owned();
        vec![
            column("id"),
            column("user"),
            column("kind"),
            column("label"),
            scopes.join(" "),
            end,
            column("last_used_on"),
        ]
    };
    let heads = ["TOKEN", "USER", "KIND", "LABEL", "SCOPE", "EXPIRES", "LAST USED"];
    connection.output.rows(&heads, tokens.iter().map(row).collect(), answer)?;
    if let Some(first) = tokens.first() {
        say(&format!("next: stepwise token revoke {}", text(first, "id")));
    }
    Ok(())
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}
