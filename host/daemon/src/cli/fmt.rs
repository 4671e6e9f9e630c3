//! `stepwise fmt DIR`: the files of a solution in canonical form, without a daemon.

use std::{fs, path::PathBuf};

use clap::Args;
use engine::Failure;
use model::Refusal;
use scenario::World;
use serde_json::json;

use super::{
    Connection,
    process::{Plugins, refused, sandbox, stage},
};
use crate::{
    output::say,
    solution,
    trouble::{Exit, Trouble},
};

/// Write the files of a solution in canonical form; comments stay above their keys.
#[derive(Debug, Args)]
pub struct Fmt {
    /// The solution directory
    dir: PathBuf,
    /// Give an id to each step that has none, so that it is known wherever it moves
    #[arg(long)]
    ids: bool,
    /// Write nothing, and end with exit code 1 where a file is not in canonical form
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    plugins: Plugins,
}

impl Fmt {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut files = solution::read(&self.dir)?;
        let plugins = self.plugins.read()?;
        files.extend(plugins);
        let world = World::new(stage(sandbox(connection)?, &files));
        let world = world.map_err(|no| Trouble::failed(no.to_string()))?;
        let formatted = match world.format(self.ids) {
            Ok(formatted) => formatted,
            Err(Failure::Refused(Refusal::BadSolution(problems))) => return Err(refused(problems, &files)),
            Err(failure) => return Err(Trouble::failed(failure.to_string())),
        };
        let mut changed = Vec::new();
        for (path, shown) in formatted {
            let written = files.iter().find(|file| file.path == path.as_str());
            match shown {
                Ok(shown) if written.is_some_and(|file| file.bytes != shown.as_bytes()) => {
                    if !self.check {
                        fs::write(self.dir.join(path.as_str()), &shown)?;
                    }
                    changed.push(path.to_string());
                }
                Ok(_) => {}
                Err(why) => say(&format!("{path} stays as it is: {why}")),
            }
        }
        let verb = if self.check { "not in canonical form" } else { "written" };
        let told: Vec<String> = changed.iter().map(|path| format!("{path}: {verb}")).collect();
        let text = if told.is_empty() { "every file is in canonical form".to_owned() } else { told.join("\n") };
        connection.output.text(&text, &json!({"changed": changed}))?;
        match self.check && !changed.is_empty() {
            true => Err(Trouble::new(Exit::Failed, format!("{} file(s) are not in canonical form", changed.len()))),
            false => Ok(()),
        }
    }
}
