//! `stepwise process activate|deactivate|assign`: whether a process runs, and as whose.

use serde_json::{Value as Json, json};

use crate::{
    cli::{
        Connection,
        job::escaped,
        people::{People, USER, text},
    },
    client::Client,
    output::say,
    trouble::{Exit, Trouble},
};

/// Activates a process or lets it rest.
pub fn switch(name: &str, active: bool, connection: &Connection) -> Result<(), Trouble> {
    let word = if active { "activate" } else { "deactivate" };
    let answer = Client::new(connection)?.post(&format!("/api/v1/processes/{}/{word}", escaped(name)), &json!({}))?;
    let shown = match answer["version"].as_u64() {
        Some(version) => format!("{name} is active: new runs get version {version}"),
        None => format!("{name} rests: nothing starts it; jobs that wait go on"),
    };
    connection.output.text(&shown, &answer)?;
    let callers: Vec<&str> = answer["called_by"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    if !active && !callers.is_empty() {
        say(&format!("calls of it by {} are refused from now on", callers.join(", ")));
    }
    let next = if active { "deactivate" } else { "activate" };
    say(&format!("next: stepwise process {next} {name}"));
    Ok(())
}

/// Gives a process to another user.
pub fn assign(name: &str, to: &str, connection: &Connection) -> Result<(), Trouble> {
    let user = People::of(connection)?.address(&USER, to)?;
    let client = Client::new(connection)?;
    let filter = escaped(&format!("uniquename eq '{}'", name.replace('\'', "''")));
    let found = client.get(&format!("/api/data/v9.2/workflows?$select=workflowid&$filter={filter}"))?;
    let id = text(&found["value"][0], "workflowid");
    if id.is_empty() {
        return Err(Trouble::new(Exit::NotFound, format!("there is no process `{name}`")));
    }
    let body = json!({"ownerid@odata.bind": user});
    let answer =
        client.request("PATCH", &format!("/api/data/v9.2/workflows({id})"), &[("if-match", "*")], Some(&body))?;
    connection.output.text(&format!("{name} belongs to {to}"), &answer)
}
