//! Functions about all records of entities.

use model::query::Query;
use serde_json::{Value as Json, json};

use super::{Binding, Bound, Effect, Given, Kind, Message, given};
use crate::{odata::write::Asked, problem::Denial};

/// The messages of this group.
pub const MESSAGES: &[Message] = &[Message {
    name: "RetrieveTotalRecordCount",
    kind: Kind::Function,
    binding: Binding::None,
    parameters: &["EntityNames"],
    run: count,
}];

/// How many records of each entity there are, of those that the caller may read.
fn count(asked: &Asked<'_>, _: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let (mut names, mut counts) = (Vec::new(), Vec::new());
    for name in given.list("EntityNames")? {
        let name = name.as_str().ok_or_else(|| given.wrong("EntityNames", "a list of the names of entities"))?;
        let entity = given::typed(asked, name)?;
        let query = Query { count: true, page_size: 1, attributes: Some(Vec::new()), ..Query::all(entity.id) };
        names.push(Json::from(name));
        counts.push(Json::from(asked.engine.query(asked.caller, &query)?.count.unwrap_or_default()));
    }
    let collection = json!({ "Count": names.len(), "IsReadOnly": false, "Keys": names, "Values": counts });
    Ok(Effect::Answer(json!({ "EntityRecordCountCollection": collection })))
}
