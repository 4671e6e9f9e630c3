//! `stepwise script check PATH...`: what is wrong with scripts, each finding with its line and what to do.

use std::path::PathBuf;

use clap::Args;
use model::refusal::Problem;
use serde_json::{Value as Json, json};

use super::files::{self, OneScript};
use crate::{
    cli::Connection,
    output::say,
    trouble::{Exit, Place, Trouble},
};

/// Which ones.
#[derive(Debug, Args)]
pub struct Check {
    /// Scripts, or directories with scripts
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Check {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let scripts = files::scripts(&self.paths)?;
        for script in scripts.iter().filter(|script| script.root.is_none()) {
            let path = script.path.display();
            say(&format!("{path} stands in no solution: it is checked with the starter's entities"));
        }
        match check(&scripts, connection)? {
            0 => Ok(()),
            wrong => Err(Trouble::new(Exit::Failed, format!("{wrong} problem(s) found"))),
        }
    }
}

/// Tells what is wrong with scripts, and how much that is.
pub fn check(scripts: &[OneScript], connection: &Connection) -> Result<usize, Trouble> {
    let mut found = Vec::new();
    for script in scripts {
        found.append(&mut script.problems()?);
    }
    found.iter().for_each(Place::print);
    let wrong = found.iter().filter(|place| !place.problem.warning).count();
    let told: Vec<_> = found.iter().map(in_json).collect();
    let told = json!({"files": scripts.len(), "problems": wrong, "found": told});
    connection.output.text(&format!("{} file(s) checked, {wrong} problem(s)", scripts.len()), &told)?;
    Ok(wrong)
}

fn in_json(place: &Place) -> Json {
    let Problem { file, line, column, length, message, hint, warning } = &place.problem;
    json!({
        "file": file.as_str(), "line": line, "column": column, "length": length,
        "message": message, "hint": hint, "warning": warning, "text": place.line,
    })
}
