//! `stepwise script list`: the scripts that a daemon has, and what is wrong with them by now.

use serde_json::Value as Json;

use crate::{
    cli::Connection,
    client::{self, Client},
    output,
    trouble::Trouble,
};

/// Lists them.
pub fn list(connection: &Connection) -> Result<(), Trouble> {
    let answer = Client::new(connection)?.get("/api/v1/scripts")?;
    let scripts: Vec<&Json> = answer["value"].as_array().into_iter().flatten().collect();
    for problem in scripts.iter().flat_map(|script| script["problems"].as_array().into_iter().flatten()) {
        client::place(problem).print();
    }
    for script in &scripts {
        if let Some(why) = script["resting"].as_str() {
            output::say(why);
        }
    }
    let text = |script: &Json, name: &str| script[name].as_str().unwrap_or_default().to_owned();
    let row = |script: &&Json| {
        let used: Vec<&str> = script["used_by"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        vec![
            text(script, "name"),
            text(script, "version"),
            text(script, "solution"),
            text(script, "state"),
            used.join(", "),
        ]
    };
    let headings = ["NAME", "VERSION", "SOLUTION", "STATE", "USED BY"];
    connection.output.rows(&headings, scripts.iter().map(row).collect(), &answer["value"])
}
