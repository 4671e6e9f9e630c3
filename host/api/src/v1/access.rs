//! Why somebody may do something with a record, or what he lacks.

use axum::{
    Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use engine::{Explained, Explanation, Reason};
use serde_json::{Value, json};

use super::{ask, record, tokens::user};
use crate::{App, odata::options, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/access/explain", get(explain))
}

async fn explain(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let (mut who, mut target) = (None, None);
        for (name, text) in options(query.as_deref())? {
            match name.as_str() {
                "user" => who = Some(text),
                "record" => target = Some(record(&text, &engine.schema())?),
                other => return Err(Denial::malformed(format!("this takes `user` and `record`, and no `{other}`"))),
            }
        }
        let target = target.ok_or_else(|| Denial::malformed("the query lacks `record`: ENTITY/ID"))?;
        let who = user(engine, caller, who.as_deref())?;
        Ok(told(&engine.explain_access(caller, who, target)?))
    })
    .await
}

fn told(explanation: &Explanation) -> Value {
    json!({
        "user": explanation.user.as_str(),
        "disabled": explanation.disabled,
        "entity": explanation.entity.as_str(),
        "record": explanation.record.as_str(),
        "privileges": explanation.privileges.iter().map(|one| privilege(one, &explanation.entity)).collect::<Vec<_>>(),
    })
}

fn privilege(one: &Explained, entity: &str) -> Value {
    json!({
        "privilege": one.privilege.word(),
        "name": one.privilege.api_name(entity).as_str(),
        "allowed": one.allowed,
        "reasons": one.reasons.iter().map(reason).collect::<Vec<_>>(),
        "missing": (!one.allowed).then(|| {
            format!("Missing {} at {} depth", one.privilege.api_name(entity), one.needed.word())
        }),
    })
}

fn reason(reason: &Reason) -> Value {
    json!({
        "source": reason.source.words(),
        "level": reason.level.word(),
        "depth": reason.level.depth(),
        "reaches": reason.reaches,
    })
}
