//! Who asks, and which organisation this is.

use model::starter;
use serde_json::json;

use super::{Binding, Bound, Effect, Given, Kind, Message};
use crate::{odata::write::Asked, problem::Denial};

/// The messages of this group.
pub const MESSAGES: &[Message] = &[
    Message { name: "WhoAmI", kind: Kind::Function, binding: Binding::None, parameters: &[], run: who_am_i },
    Message {
        name: "RetrieveCurrentOrganization",
        kind: Kind::Function,
        binding: Binding::None,
        parameters: &["AccessType"],
        run: organisation,
    },
    Message { name: "RetrieveVersion", kind: Kind::Function, binding: Binding::None, parameters: &[], run: version },
];

/// One store is one organisation: its root business unit is what it has instead of a number of its own.
fn who_am_i(asked: &Asked<'_>, _: &Bound<'_>, _: &Given) -> Result<Effect, Denial> {
    let unit = asked.schema.entity(starter::SYSTEM_USER).and_then(|user| user.attribute("businessunitid"));
    let unit = match unit {
        None => None,
        Some(unit) => {
            let user = asked.engine.retrieve(asked.caller, asked.caller.user, Some(&[unit.id]))?;
            user.get(unit.id).as_reference().map(|unit| unit.id.to_string())
        }
    };
    Ok(Effect::Answer(json!({
        "BusinessUnitId": unit,
        "UserId": asked.caller.user.id.to_string(),
        "OrganizationId": engine::root_unit().id.to_string(),
    })))
}

fn organisation(asked: &Asked<'_>, _: &Bound<'_>, _: &Given) -> Result<Effect, Denial> {
    let settings = asked.engine.settings();
    let url = settings.public_url.trim_end_matches('/');
    Ok(Effect::Answer(json!({"Detail": {
        "OrganizationId": engine::root_unit().id.to_string(),
        "FriendlyName": "Stepwise",
        "UniqueName": "stepwise",
        "UrlName": "stepwise",
        "OrganizationVersion": VERSION,
        "State": "Enabled",
        "Endpoints": { "Count": 1, "Keys": ["WebApplication"], "Values": [format!("{url}/")] },
    }})))
}

/// Clients look at the first number only: that of the dialect.
const VERSION: &str = concat!("9.2.", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));

fn version(_: &Asked<'_>, _: &Bound<'_>, _: &Given) -> Result<Effect, Denial> {
    Ok(Effect::Answer(json!({ "Version": VERSION })))
}
