//! Which scripts are meant, and what each stands on: the solution around it, its entities, the pages beside it.
//!
//! The pages of `scripts/NAME.rhai` are those called `NAME.md` or `NAME-SOMETHING.md`, beside it or in the solution's
//! `cases`, and all in the folder `cases/NAME`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use formats::{Base, Definitions, SourceFile, Steps, numbering};
use model::{Schema, StepName, package::StepDefinition, refusal::Problem, step::Limits};

use crate::{
    output::say,
    solution,
    trouble::{Exit, Place, Trouble},
};

/// The folders of what a script may name.
const WORDS: [&str; 2] = ["entities/", "choices/"];

/// A script on disk.
pub struct OneScript {
    /// As it was named.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The solution around it.
    pub root: Option<PathBuf>,
}

/// The scripts that `paths` name: files, or all in solution directories and other folders.
pub fn scripts(paths: &[PathBuf]) -> Result<Vec<OneScript>, Trouble> {
    let mut found = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => {
                let before = found.len();
                gather(path, &mut found)?;
                if found.len() == before {
                    let message = format!("{} has no scripts", path.display());
                    return Err(Trouble::new(Exit::NotFound, message).hint("a script is a file `scripts/NAME.rhai`"));
                }
            }
            false => found.push(path.clone()),
        }
    }
    found.iter().map(|path| OneScript::read(path)).collect()
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Trouble>>()?;
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        match path.is_dir() {
            true if !hidden => gather(&path, found)?,
            false if path.extension().is_some_and(|ending| ending == "rhai") => found.push(path),
            _ => {}
        }
    }
    Ok(())
}

impl OneScript {
    fn read(path: &Path) -> Result<Self, Trouble> {
        let bytes = fs::read(path);
        let bytes = bytes.map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", path.display())))?;
        Ok(Self { path: path.to_path_buf(), bytes, root: solution::root_of(path) })
    }

    /// Its path as the solution sees it.
    pub fn name(&self) -> String {
        let whole = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        match self.root.as_ref().and_then(|root| whole.strip_prefix(root).ok()) {
            Some(inside) => inside.to_string_lossy().replace('\\', "/"),
            None => self.path.display().to_string(),
        }
    }

    /// As the file of a solution.
    pub fn source(&self) -> SourceFile {
        SourceFile::new(self.name(), &self.bytes)
    }

    /// The files of the solution around it; none where it stands alone.
    pub fn around(&self) -> Result<Vec<solution::File>, Trouble> {
        self.root.as_deref().map_or_else(|| Ok(Vec::new()), solution::read)
    }

    /// Whether it cannot be tried without this file of its solution.
    pub fn needs(&self, path: &str) -> bool {
        path == "solution.yaml" || path == self.name() || WORDS.iter().any(|folder| path.starts_with(folder))
    }

    /// The entities that it may name.
    pub fn schema(&self) -> Result<Schema, Trouble> {
        let files = self.around()?.into_iter();
        let words = files
            .filter(|file| file.path == "solution.yaml" || WORDS.iter().any(|folder| file.path.starts_with(folder)));
        let words: Vec<_> = words.map(|file| SourceFile::new(file.path, file.bytes)).collect();
        let definitions: Definitions = engine::starter();
        let numbers = numbering::extend(&numbering::Numbers::new(), &definitions.whole_entities());
        if words.is_empty() {
            return definitions.schema(&numbers).map_err(|problem| Trouble::failed(problem.to_string()));
        }
        match formats::read(&words, &base(&numbers, &definitions)) {
            Ok(solution) => Ok(solution.schema),
            Err(problems) => Err(Trouble {
                places: problems.into_iter().map(|problem| Place { line: None, problem }).collect(),
                ..Trouble::failed("the entities of the solution have problems")
            }),
        }
    }

    /// What is wrong with it, read with all the other files of its solution.
    pub fn problems(&self) -> Result<Vec<Place>, Trouble> {
        let name = self.name();
        let problems = match self.root {
            None => return self.alone(),
            Some(_) => {
                let files = self.around()?.into_iter().map(|file| SourceFile::new(file.path, file.bytes));
                // One that lies elsewhere in the folder of a solution is no file of it; it stands on its entities all the same.
                let mut files: Vec<_> = files.collect();
                if !files.iter().any(|file| file.path == name.as_str()) {
                    return self.alone();
                }
                let definitions = engine::starter();
                let numbers = numbering::extend(&numbering::Numbers::new(), &definitions.whole_entities());
                files.retain(|file| !file.path.starts_with("plugins/"));
                match formats::read(&files, &base(&numbers, &definitions)) {
                    Ok(solution) => solution.warnings,
                    Err(problems) => problems,
                }
            }
        };
        let (own, others): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.file == name.as_str());
        let words = others.iter().filter(|problem| !problem.warning && self.needs(&problem.file)).count();
        if words > 0 {
            say(&format!("{words} problem(s) in what {name} stands on: `stepwise process check` shows them"));
        }
        Ok(own.into_iter().map(|one| self.place(one)).collect())
    }

    fn alone(&self) -> Result<Vec<Place>, Trouble> {
        let (_, problems) = formats::check_script(&self.source(), &self.schema()?, Limits::OF_SCRIPTS);
        Ok(problems.into_iter().map(|problem| self.place(problem)).collect())
    }

    /// A problem with its line, under the name by which the file was given.
    pub fn place(&self, problem: Problem) -> Place {
        let file = self.path.display().to_string().into();
        Place { line: solution::line(&self.bytes, problem.line), problem: Problem { file, ..problem } }
    }

    /// The pages that belong to it, by name.
    pub fn pages(&self) -> Result<Vec<PathBuf>, Trouble> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let beside = self.path.parent().map(Path::to_path_buf).unwrap_or_default();
        let cases = self.root.as_ref().map(|root| root.join("cases"));
        let mut pages = Vec::new();
        for folder in [Some(beside), cases.clone()].into_iter().flatten() {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry?.path();
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let is_its = name == stem || name.strip_prefix(&stem).is_some_and(|rest| rest.starts_with('-'));
                if is_its && path.extension().is_some_and(|ending| ending == "md") {
                    pages.push(path);
                }
            }
        }
        for entry in cases.into_iter().flat_map(|cases| fs::read_dir(cases.join(&stem)).into_iter().flatten()) {
            pages.push(entry?.path());
        }
        pages.retain(|page| {
            fs::read_to_string(page).is_ok_and(|text| text.lines().any(|line| line.starts_with("```run")))
        });
        pages.sort();
        pages.dedup();
        Ok(pages)
    }
}

fn base<'b>(numbers: &'b numbering::Numbers, definitions: &'b Definitions) -> Base<'b> {
    Base {
        numbers,
        definitions,
        steps: &NoPlugins,
        processes: &[],
        security: &[],
        time_zone: script::Environment::at(model::Timestamp::default()).time_zone,
        flow_limits: model::process::flow::FlowLimits::default(),
        script_limits: model::step::Limits::OF_SCRIPTS,
    }
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
