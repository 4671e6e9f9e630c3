//! `stepwise mail list|show|retry|cancel`: what lies in the outbox; `check`: whether the server takes mail from us.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use connect::mail::Smtp;
use engine::{Clock as _, SystemClock};
use model::{
    RecordId, RecordRef,
    parcel::{Address, Courier, Fate, Mailbox, Markup, Parcel, message_id},
    starter,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Connection, job::escaped};
use crate::{
    client::Client,
    config::{self, Config, Flags},
    output::{self, say},
    trouble::{Exit, Trouble},
};

/// Mail that has not reached everybody yet.
#[derive(Debug, Subcommand)]
pub enum Mail {
    /// List what lies in the outbox, the oldest first: what waits and why, and what has failed
    List {
        /// waiting, sending or failed
        #[arg(long)]
        state: Option<String>,
        /// The most mails
        #[arg(long, default_value_t = 50)]
        top: u32,
    },
    /// Show a mail with its text and what servers said
    Show {
        /// The id of its email record
        id: String,
    },
    /// Have a mail tried at once; one that has failed for those who did not get it
    Retry {
        /// The ids of their email records
        #[arg(required_unless_present = "state")]
        id: Vec<String>,
        /// All in this state: waiting or failed
        #[arg(long, conflicts_with = "id")]
        state: Option<String>,
    },
    /// Take a mail back: it is not tried any more
    Cancel {
        /// The id of its email record
        id: String,
    },
    /// Connect to the server that the configuration names and sign in; with --to a mail is sent
    Check {
        /// The configuration file
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Whom to send a mail that says nothing
        #[arg(long, value_name = "ADDRESS", requires = "from")]
        to: Option<String>,
        /// Who sends it
        #[arg(long, value_name = "ADDRESS", requires = "to")]
        from: Option<String>,
    },
}

impl Mail {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        match self {
            Self::List { state, top } => {
                let client = Client::new(connection)?;
                let state = state.as_ref().map(|state| format!("&state={}", escaped(state))).unwrap_or_default();
                list(&client.get(&format!("/api/v1/mail?top={top}{state}"))?, connection)
            }
            Self::Show { id } => {
                let mail = Client::new(connection)?.get(&format!("/api/v1/mail/{}", escaped(id)))?;
                connection.output.text(&shown(&mail), &mail)
            }
            Self::Retry { id, state: None } => {
                let client = Client::new(connection)?;
                id.iter().try_for_each(|id| order(&client, id, "retry"))?;
                connection.output.text(&format!("{} mail(s) are tried again", id.len()), &json!({"done": id.len()}))
            }
            Self::Retry { state: Some(state), .. } => retry_all(&Client::new(connection)?, state, connection),
            Self::Cancel { id } => {
                order(&Client::new(connection)?, id, "cancel")?;
                connection.output.text(&format!("{id} is taken back"), &json!({"id": id}))
            }
            Self::Check { config, to, from } => {
                let parties = to.as_deref().zip(from.as_deref());
                check(config.as_deref(), parties, connection)
            }
        }
    }
}

fn order(client: &Client, id: &str, order: &str) -> Result<(), Trouble> {
    client.post(&format!("/api/v1/mail/{}/{order}", escaped(id)), &json!({})).map(drop)
}

/// Page by page. A mail that is sent or taken back meanwhile is left alone.
fn retry_all(client: &Client, state: &str, connection: &Connection) -> Result<(), Trouble> {
    let (mut done, mut left, mut cursor) = (0_u64, 0_u64, String::new());
    loop {
        let page = client.get(&format!("/api/v1/mail?top=200&state={}{cursor}", escaped(state)))?;
        for mail in page["value"].as_array().into_iter().flatten() {
            match order(client, text(mail, "id"), "retry") {
                Ok(()) => done += 1,
                Err(trouble) if matches!(trouble.exit, Exit::Conflict | Exit::Permission) => left += 1,
                Err(trouble) => return Err(trouble),
            }
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", escaped(next)),
            None => break,
        }
    }
    let told = format!("{done} mail(s) are tried again, {left} left as they were");
    connection.output.text(&told, &json!({"done": done, "left": left}))
}

fn list(answer: &Json, connection: &Connection) -> Result<(), Trouble> {
    let mails = answer["value"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = mails.iter().map(|mail| {
        let tried = mail["attempts"].to_string();
        [text(mail, "id"), text(mail, "state"), &to(mail), text(mail, "subject"), &tried, text(mail, "due"), &why(mail)]
            .map(str::to_owned)
            .to_vec()
    });
    let headings = ["MAIL", "STATE", "TO", "SUBJECT", "TRIES", "NEXT", "WHY"];
    connection.output.rows(&headings, rows.collect(), answer)?;
    match (answer["courier"].as_str(), mails.first()) {
        (None, _) => say("mail stays in the outbox: `smtp.host` is not set (host/docs/operate.md, Mail)"),
        (Some(courier), None) => say(&format!("nothing waits; mail goes to {courier}")),
        (Some(courier), Some(first)) => {
            say(&format!("mail goes to {courier}; next: stepwise mail show {}", text(first, "id")));
        }
    }
    Ok(())
}

/// Why it is still here: what the last try met, else who was refused.
fn why(mail: &Json) -> String {
    if let Some(trouble) = mail["trouble"].as_str() {
        return trouble.to_owned();
    }
    let refused = mail["refused"].as_array().into_iter().flatten();
    refused.map(|one| format!("{}: {}", text(one, "address"), text(one, "why"))).collect::<Vec<_>>().join("; ")
}

fn to(mail: &Json) -> String {
    let to = mail["to"].as_array().into_iter().flatten().filter_map(Json::as_str);
    to.collect::<Vec<_>>().join(", ")
}

fn shown(mail: &Json) -> String {
    let mut lines = vec![format!("{}: {}", text(mail, "subject"), text(mail, "state"))];
    let mut tell = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {name:<11} {value}"));
        }
    };
    tell("from", text(mail, "from"));
    for name in ["to", "cc", "bcc", "open"] {
        let people = mail[name].as_array().into_iter().flatten().filter_map(Json::as_str);
        tell(name, &people.collect::<Vec<_>>().join(", "));
    }
    tell("sent", text(mail, "sent_on"));
    tell("message id", text(mail, "message_id"));
    tell("tries", &mail["attempts"].to_string());
    tell("next", text(mail, "due"));
    tell("trouble", text(mail, "trouble"));
    for refused in mail["refused"].as_array().into_iter().flatten() {
        tell("refused", &format!("{}: {}", text(refused, "address"), text(refused, "why")));
    }
    lines.extend(text(mail, "body").lines().map(|line| format!("  | {line}").trim_end().to_owned()));
    lines.join("\n")
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

/// Without the daemon: what the configuration says is tried as it stands.
fn check(file: Option<&Path>, parties: Option<(&str, &str)>, connection: &Connection) -> Result<(), Trouble> {
    let flags = Flags { config: file.map(Path::to_owned), ..Flags::default() };
    let config = Config::load(&flags, std::env::vars(), Path::new("."))?;
    let config::Mail { server, .. } = config.mail.ok_or_else(|| {
        Trouble::new(Exit::Configuration, "`smtp.host` is not set: mail stays in the outbox")
            .hint("name the file with --config, or set STEPWISE_SMTP__HOST")
    })?;
    let place = format!("{} port {}", server.host, server.port);
    let smtp = Smtp::new(server).map_err(|error| Trouble::new(Exit::Configuration, error.to_string()))?;
    smtp.check().map_err(Trouble::failed)?;
    let Some((to, from)) = parties else {
        output::say("next: the same with --from ADDRESS --to ADDRESS");
        return connection.output.text(&format!("{place} lets us in"), &json!({"server": place}));
    };
    match smtp.carry(&letter(&address(from)?, &address(to)?)).pop() {
        Some(Fate::Delivered) => {
            connection.output.text(&format!("{place} took a mail to {to}"), &json!({"server": place, "to": to}))
        }
        Some(Fate::Refused(why) | Fate::Deferred(why)) => Err(Trouble::failed(why.to_string())),
        None => Err(Trouble::failed("nothing was sent")),
    }
}

fn address(text: &str) -> Result<Address, Trouble> {
    Address::parse(text).map_err(|why| Trouble::new(Exit::Usage, format!("`{text}` is no address: {why}")))
}

fn letter(from: &Address, to: &Address) -> Parcel {
    let mailbox = |address: &Address| Mailbox { name: None, address: address.clone() };
    let id = Uuid::now_v7();
    Parcel {
        email: RecordRef::new(starter::EMAIL, RecordId(id)),
        key: id.to_string().into(),
        message_id: message_id(&id.to_string(), from),
        date: SystemClock::new().now(),
        from: mailbox(from),
        to: vec![mailbox(to)],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "A mail to try the way".into(),
        body: "Stepwise sent this to see whether mail arrives. Nothing is to be done.\n".into(),
        markup: Markup::Text,
        open: vec![to.clone()],
    }
}
