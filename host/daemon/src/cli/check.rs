//! `stepwise script check FILE...`: what is wrong with a script, without a daemon.
//!
//! A script in a solution directory is checked with the entities of that solution; one that stands alone with those
//! that every store has.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use formats::{Base, Definitions, SourceFile, Steps, numbering};
use model::{StepName, package::StepDefinition, refusal::Problem};
use serde_json::json;

use super::Connection;
use crate::{
    output::say,
    solution,
    trouble::{Exit, Place, Trouble},
};

/// Scripts.
#[derive(Debug, Subcommand)]
pub enum Script {
    /// Check scripts: syntax, names of functions, entities and attributes, the manifest
    Check {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

impl Script {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let Self::Check { files } = self;
        let mut wrong = 0;
        for file in files {
            let found = check(file)?;
            wrong += found.iter().filter(|place| !place.problem.warning).count();
            found.iter().for_each(Place::print);
        }
        let told = json!({"files": files.len(), "problems": wrong});
        connection.output.text(&format!("{} file(s) checked, {wrong} problem(s)", files.len()), &told)?;
        match wrong {
            0 => Ok(()),
            _ => Err(Trouble::new(Exit::Failed, format!("{wrong} problem(s) found"))),
        }
    }
}

fn check(file: &Path) -> Result<Vec<Place>, Trouble> {
    let text = std::fs::read(file);
    let text = text.map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", file.display())))?;
    let problems = match solution::root_of(file) {
        Some(root) => in_solution(&root, file)?,
        None => {
            say(&format!("{} stands in no solution: it is checked with the starter's entities", file.display()));
            alone(SourceFile::new(file.display().to_string(), &text))?
        }
    };
    let place = |problem: Problem| Place {
        line: solution::line(&text, problem.line),
        problem: Problem { file: file.display().to_string().into(), ..problem },
    };
    Ok(problems.into_iter().map(place).collect())
}

/// The problems of one file of a solution, read with all the others.
fn in_solution(root: &Path, file: &Path) -> Result<Vec<Problem>, Trouble> {
    let files: Vec<SourceFile> =
        solution::read(root)?.into_iter().map(|file| SourceFile::new(file.path, file.bytes)).collect();
    let path = std::fs::canonicalize(file)?;
    let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
    let definitions = engine::starter();
    let numbers = numbering::extend(&numbering::Numbers::new(), &definitions.whole_entities());
    let base = Base {
        numbers: &numbers,
        definitions: &definitions,
        steps: &NoPlugins,
        processes: &[],
        security: &[],
        time_zone: script::Environment::at(model::Timestamp::default()).time_zone,
        flow_limits: model::process::flow::FlowLimits::default(),
    };
    let problems = match formats::read(&files, &base) {
        Ok(solution) => solution.warnings,
        Err(problems) => problems,
    };
    Ok(problems.into_iter().filter(|problem| problem.file == path).collect())
}

fn alone(file: SourceFile) -> Result<Vec<Problem>, Trouble> {
    let definitions: Definitions = engine::starter();
    let numbers = numbering::extend(&numbering::Numbers::new(), &definitions.whole_entities());
    let schema = definitions.schema(&numbers).map_err(|problem| Trouble::failed(problem.to_string()))?;
    Ok(formats::read_script(&file, &schema).err().unwrap_or_default())
}

/// Which plugins a daemon has is not known here; scripts do not call them.
struct NoPlugins;

impl Steps for NoPlugins {
    fn step(&self, _: &StepName, _: Option<&semver::VersionReq>) -> Option<&StepDefinition> {
        None
    }

    fn names(&self) -> Vec<StepName> {
        Vec::new()
    }
}
