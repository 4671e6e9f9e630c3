//! `stepwise process check DIR`: everything that applying a solution would check, without a daemon and without a store.
//!
//! The files are planned in a world of their own, so a definition that passes here fails nowhere but on what a daemon has
//! and the directory has not.

use std::path::PathBuf;

use clap::Args;
use engine::{Failure, Plan};
use model::{Refusal, refusal::Problem};
use scenario::World;
use serde_json::json;

use super::local::{self, Plugins};
use crate::{
    cli::Connection,
    solution::{self, File},
    trouble::{Exit, Place, Trouble},
};

/// Check a solution directory.
#[derive(Debug, Args)]
pub struct Check {
    /// The solution directory
    dir: PathBuf,
    #[command(flatten)]
    plugins: Plugins,
}

impl Check {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut files = solution::read(&self.dir)?;
        files.append(&mut self.plugins.read()?);
        let world = World::new(local::stage(local::sandbox(connection)?, &files));
        let world = world.map_err(|no| Trouble::failed(no.to_string()))?;
        match world.plan() {
            Ok(plan) => passed(&plan, &files, connection),
            Err(Failure::Refused(Refusal::BadSolution(problems))) => Err(refused(problems, &files)),
            Err(failure) => Err(Trouble::failed(failure.to_string())),
        }
    }
}

fn passed(plan: &Plan, files: &[File], connection: &Connection) -> Result<(), Trouble> {
    plan.warnings.iter().for_each(|problem| place(problem.clone(), files).print());
    let (warnings, parts) = (plan.warnings.len(), plan.changes.len());
    let told = json!({
        "solution": plan.solution.as_str(), "version": plan.version.to_string(), "parts": parts, "warnings": warnings,
    });
    let text = format!("{} {}: {parts} part(s) checked, {warnings} warning(s)", plan.solution, plan.version);
    connection.output.text(&text, &told)
}

/// Every problem with its place.
pub fn refused(problems: Vec<Problem>, files: &[File]) -> Trouble {
    let wrong = problems.iter().filter(|problem| !problem.warning).count();
    let places = problems.into_iter().map(|problem| place(problem, files)).collect();
    Trouble { places, ..Trouble::new(Exit::Failed, format!("{wrong} problem(s) found")) }
}

fn place(problem: Problem, files: &[File]) -> Place {
    let file = files.iter().find(|file| file.path == problem.file.as_str());
    Place { line: file.and_then(|file| solution::line(&file.bytes, problem.line)), problem }
}
