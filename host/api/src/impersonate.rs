//! Requests that are sent for another user: the headers that name him, and the caller that comes of it.
//!
//! His rights count, and those of who really sent it too: the engine asks both, and whether he may act for others at all.

use axum::http::HeaderMap;
use engine::Engine;
use model::{Caller, RecordId, RecordRef, starter};
use uuid::Uuid;

use crate::problem::Denial;

/// Either names the user by his id. Where Dataverse has one id for users and one for its directory, there is one here.
const HEADERS: [&str; 2] = ["mscrmcallerid", "callerobjectid"];

/// The user for whom a request is sent, if it says so.
pub fn asked(headers: &HeaderMap) -> Result<Option<RecordRef>, Denial> {
    let mut user = None;
    for name in HEADERS {
        let Some(value) = headers.get(name) else { continue };
        let id = value.to_str().ok().and_then(|text| Uuid::parse_str(text.trim()).ok());
        let id = id.ok_or_else(|| Denial::malformed(format!("the header `{name}` is the GUID of a user")))?;
        if user.replace(id).is_some_and(|other| other != id) {
            return Err(Denial::malformed("`MSCRMCallerID` and `CallerObjectId` name two users"));
        }
    }
    Ok(user.map(|id| RecordRef::new(starter::SYSTEM_USER, RecordId(id))))
}

/// The caller who does something for `user`, if there is one.
pub fn caller(engine: &Engine, caller: Caller, user: Option<RecordRef>) -> Result<Caller, Denial> {
    let Some(user) = user.filter(|user| *user != caller.user) else { return Ok(caller) };
    let caller = Caller { user, initiating_user: user, delegate: Some(caller.user), ..caller };
    if !engine.is_there(user)? {
        return Err(Denial::forbidden(format!("there is no user {} to act for", user.id)));
    }
    engine.check_caller(&caller)?;
    Ok(caller)
}
