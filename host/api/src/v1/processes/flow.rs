//! Business process flows among the processes.

use engine::FlowProcess;
use model::{Schema, process::flow::Display};
use serde_json::{Value, json};

use super::{super::show_record, state_word};

/// What a list tells of a flow.
pub(super) fn told(flow: &FlowProcess, schema: &Schema) -> Value {
    let definition = &flow.flow;
    let display = match definition.display {
        Display::PerUser => "per-user",
        Display::Shared => "shared",
    };
    json!({
        "name": flow.name.as_str(),
        "title": definition.header.title.as_str(),
        "kind": "business-process-flow",
        "mode": "flow",
        "entity": schema.name_of(definition.entity).as_str(),
        "state": state_word(flow.state()),
        "on_demand": false,
        "solution": flow.solution.as_str(),
        "version": flow.version,
        "owner": show_record(flow.owner, schema),
        "order": definition.order,
        "display": display,
        "instances": definition.instance.as_str(),
        "stages": definition.stages.iter().map(|stage| stage.id.as_str()).collect::<Vec<_>>(),
    })
}
