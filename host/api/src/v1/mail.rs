//! The outbox: what waits to be sent and why, what has failed; `POST /api/v1/mail/{id}/retry` and `/cancel`.
//!
//! A mail is named by the id of its email record. Who may read that record sees it here, who may write it may give orders.

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use engine::{MailState, OutboxMail};
use model::{
    RecordId, RecordRef, Schema,
    parcel::{Mailbox, Posted},
    starter,
};
use serde_json::{Map, Value, json};

use super::{ask, show_record};
use crate::{App, odata::options, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/mail", get(list))
        .route("/api/v1/mail/{id}", get(show))
        .route("/api/v1/mail/{id}/{order}", post(order))
}

/// The largest list in one answer.
const LARGEST: usize = 1_000;

async fn list(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let wanted = Wanted::read(query.as_deref())?;
        let page = engine.mails(caller, wanted.state, wanted.top, wanted.cursor.as_deref())?;
        let schema = engine.schema();
        let mails: Vec<Value> = page.mails.iter().map(|mail| Value::Object(in_json(mail, &schema))).collect();
        Ok(json!({"value": mails, "next": page.next.as_deref(), "courier": engine.courier()}))
    })
    .await
}

async fn show(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let mail = engine.mail(caller, email(&id)?)?;
        let mut shown = in_json(&mail, &engine.schema());
        shown.insert("markup".into(), json!(mail.posted.parcel.markup.mime()));
        shown.insert("body".into(), json!(&*mail.posted.parcel.body));
        Ok(Value::Object(shown))
    })
    .await
}

async fn order(State(app): State<App>, headers: HeaderMap, Path((id, order)): Path<(String, String)>) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let email = email(&id)?;
        match order.as_str() {
            "retry" => engine.retry_mail(caller, email)?,
            "cancel" => engine.cancel_mail(caller, email)?,
            other => return Err(Denial::malformed(format!("`{other}` is no order for mail: they are retry, cancel"))),
        }
        Ok(json!({"id": id, "order": order}))
    })
    .await
}

/// What a list wants.
struct Wanted {
    state: Option<MailState>,
    top: usize,
    cursor: Option<String>,
}

impl Wanted {
    fn read(query: Option<&str>) -> Result<Self, Denial> {
        let mut wanted = Self { state: None, top: 50, cursor: None };
        for (name, text) in options(query)? {
            match &*name {
                "state" => wanted.state = Some(state(&text)?),
                "top" => {
                    let top: Option<usize> = text.parse().ok();
                    let top = top.ok_or_else(|| Denial::malformed(format!("`top` is a number, not `{text}`")))?;
                    wanted.top = top.clamp(1, LARGEST);
                }
                "cursor" => wanted.cursor = Some(text.to_string()),
                other => return Err(Denial::malformed(format!("a list of mail takes no `{other}`"))),
            }
        }
        Ok(wanted)
    }
}

fn state(text: &str) -> Result<MailState, Denial> {
    let known = [MailState::Waiting, MailState::Sending, MailState::Failed];
    let wrong = || {
        let words = known.map(MailState::word).join(", ");
        Denial::malformed(format!("`{text}` is no state of a mail: they are {words}"))
    };
    known.into_iter().find(|state| state.word() == text).ok_or_else(wrong)
}

fn email(text: &str) -> Result<RecordRef, Denial> {
    let id = text.parse().map(RecordId);
    let id = id.map_err(|_| Denial::malformed(format!("`{text}` is no id of an email record")))?;
    Ok(RecordRef::new(starter::EMAIL, id))
}

fn in_json(mail: &OutboxMail, schema: &Schema) -> Map<String, Value> {
    let Posted { parcel, due, attempts, refused, trouble, initiating_user, .. } = &mail.posted;
    let list = |mailboxes: &[Mailbox]| -> Value { mailboxes.iter().map(|one| json!(one.to_string())).collect() };
    let is_due = mail.state != MailState::Failed;
    let shown = json!({
        "id": parcel.email.id.to_string(),
        "state": mail.state.word(),
        "subject": parcel.subject.as_str(),
        "from": parcel.from.to_string(),
        "to": list(&parcel.to),
        "cc": list(&parcel.cc),
        "bcc": list(&parcel.bcc),
        "message_id": parcel.message_id.as_str(),
        "sent_on": parcel.date.to_string(),
        "attempts": attempts,
        "due": is_due.then(|| due.to_string()),
        "trouble": trouble.as_deref(),
        "open": parcel.open.iter().map(|address| json!(address.as_str())).collect::<Value>(),
        "refused": refused.iter().map(|(who, why)| json!({"address": who.as_str(), "why": why.as_str()})).collect::<Value>(),
        "initiating_user": show_record(*initiating_user, schema),
    });
    match shown {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}
