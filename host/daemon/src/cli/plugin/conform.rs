//! `stepwise plugin conform`: every case against one component or script.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ::conform::{Bench, Expectations, Form, Kit, Level, Report, Source};
use clap::{Args, ValueEnum};
use formats::SourceFile;

use super::{build, language::World};
use crate::{
    cli::Connection,
    output::{Output, line},
    solution,
    trouble::{Exit, Trouble},
};

/// What is examined, and how it is told.
#[derive(Debug, Args)]
pub struct Conform {
    /// A component, a script, or the folder of a plugin
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Which cases count
    #[arg(long, default_value = "should")]
    level: Counts,
    /// Cases that are known to fail, and figures of the last release (TOML)
    #[arg(long, value_name = "FILE")]
    expectations: Option<PathBuf>,
    /// The form of the report; by itself for people, or JSON with `--output json`
    #[arg(long)]
    format: Option<Format>,
    /// The version before this one, for what an upgrade changes
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// The solution whose entities it works on; a script's own by itself
    #[arg(long, value_name = "DIR")]
    solution: Option<PathBuf>,
    /// Look at this step only; may be given several times
    #[arg(long = "step", value_name = "NAME")]
    steps: Vec<String>,
}

/// Which cases count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Counts {
    /// Those without which a plugin is not one
    Must,
    /// All
    Should,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// The Test Anything Protocol
    Tap,
    /// The XML that build servers read
    Junit,
    /// Everything, as one object
    Json,
}

impl Conform {
    /// Runs the cases and reports.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let expectations = match &self.expectations {
            None => Expectations::default(),
            Some(file) => Expectations::parse(&text(file)?)
                .map_err(|why| Trouble::new(Exit::Configuration, format!("{}: {why}", file.display())))?,
        };
        let level = match self.level {
            Counts::Must => Level::Must,
            Counts::Should => Level::Should,
        };
        let form = match (self.format, connection.output) {
            (Some(Format::Human), _) | (None, Output::Table) => Form::Human,
            (Some(Format::Tap), _) => Form::Tap,
            (Some(Format::Junit), _) => Form::Junit,
            (Some(Format::Json), _) | (None, Output::Json) => Form::Json,
        };
        let mut bench = kit(&self.path, self.previous.as_deref(), self.solution.as_deref(), &self.steps)?;
        let findings = bench.run_all(level, &expectations);
        let report = Report { subject: bench.name(), findings };
        line(&report.text(form))?;
        match report.passed() {
            true => Ok(()),
            false => Err(Trouble::new(
                Exit::NotConforming,
                format!("{} does not conform: {}", report.subject, report.summary()),
            )
            .hint("sdk/CONFORMANCE.md documents every case")),
        }
    }
}

/// The bench for a file or a folder.
pub fn kit(path: &Path, previous: Option<&Path>, solution: Option<&Path>, only: &[String]) -> Result<Bench, Trouble> {
    let own = || path.extension().is_some_and(|ending| ending == "rhai").then(|| solution::root_of(path)).flatten();
    let solution = match solution.map(Path::to_path_buf).or_else(own) {
        None => Vec::new(),
        Some(root) => solution::read(&root)?.into_iter().map(|file| SourceFile::new(file.path, file.bytes)).collect(),
    };
    let kit = Kit {
        source: source(path)?,
        previous: previous.map(source).transpose()?,
        solution,
        cache: cache(),
        only: only.to_vec(),
        unsteady: false,
    };
    kit.open().map_err(|error| Trouble::failed(error.to_string()))
}

fn source(path: &Path) -> Result<Source, Trouble> {
    if path.is_dir() {
        return source(&build::build(path, World::Plugin)?);
    }
    if path.extension().is_some_and(|ending| ending == "rhai") {
        // A script lies under `scripts` or alone; its file is told by its name.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let parent = path.parent().and_then(Path::file_name).map(|parent| parent.to_string_lossy());
        let file =
            parent.filter(|parent| parent == "scripts").map_or_else(|| name.to_string(), |_| format!("scripts/{name}"));
        return Ok(Source::Script(file, text(path)?));
    }
    let bytes = fs::read(path).map_err(|error| missing(path, &error))?;
    Ok(Source::Component(bytes.into()))
}

fn text(path: &Path) -> Result<String, Trouble> {
    fs::read_to_string(path).map_err(|error| missing(path, &error))
}

fn missing(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new(Exit::NotFound, format!("{}: {error}", path.display()))
}

/// Compiled code of this user: a component in Python takes half a minute to compile.
pub fn cache() -> Option<PathBuf> {
    let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = own.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    fs::create_dir_all(cache.join("stepwise")).ok()?;
    Some(cache.join("stepwise/compiled"))
}
