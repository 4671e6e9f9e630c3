//! The versions of a process: every activation that it has had, and what each of them says (processes 1.2, D11).
//!
//! For people who ask what changed, and which copy a waiting job still runs. Reads what `deploy` has written.

use model::{Caller, ProcessName, Refusal, Timestamp};
use smol_str::SmolStr;
use store::definitions::{self, Definition, Kind};

use crate::{Engine, Failure, activation, load};

/// An activation that a process has or has had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub number: u32,
    /// When it was made.
    pub activated_on: Timestamp,
    /// Whether new runs get it.
    pub current: bool,
}

/// What a version says, as YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its number; absent: what holds is a draft or a template, which has no activation.
    pub version: Option<u32>,
    /// The file it came from, as its solution names it.
    pub file: SmolStr,
    /// The definition in canonical form, under a comment for each custom step that it is pinned to.
    pub text: String,
}

impl Engine {
    /// Every version of a process, the first first; none where it was never active.
    pub fn versions(&self, caller: &Caller, name: &ProcessName) -> Result<Vec<Version>, Failure> {
        self.check_reads_process(caller, name)?;
        let (_, snapshot) = self.state()?;
        let definition = self.definition(&snapshot, name)?;
        let Some((process, current)) = definition.process else { return Ok(Vec::new()) };
        let version = |kept: definitions::Activated| Version {
            number: kept.version,
            activated_on: kept.on,
            current: current == Some(kept.version),
        };
        Ok(definitions::activations(&snapshot, process)?.into_iter().map(version).collect())
    }

    /// What a version of a process says; without a number what holds now.
    pub fn written(&self, caller: &Caller, name: &ProcessName, number: Option<u32>) -> Result<Written, Failure> {
        self.check_reads_process(caller, name)?;
        let (_, snapshot) = self.state()?;
        let definition = self.definition(&snapshot, name)?;
        let (process, current) = definition.process.unzip();
        let number = number.or(current.flatten());
        let what = || format!("process `{name}`");
        let (canonical, steps) = match (process, number) {
            (Some(process), Some(version)) => {
                let kept = definitions::activations(&snapshot, process)?;
                let kept = kept.iter().find(|kept| kept.version == version);
                let kept = kept.ok_or_else(|| missing(name, version))?;
                let kept = activation::read(&snapshot, &what(), kept.content)?;
                let steps: String = kept.steps().map(|step| format!("# runs {step}\n")).collect();
                (kept.canonical, steps)
            }
            _ => (load::content(&snapshot, &definition)?.to_vec(), String::new()),
        };
        let text = formats::yaml::from_json(&canonical);
        let text = text.ok_or_else(|| load::stored(&what(), "its definition is no JSON"))?;
        Ok(Written { version: number, file: definition.file, text: format!("{steps}{text}") })
    }

    fn definition(&self, reader: &dyn store::Reader, name: &ProcessName) -> Result<Definition, Failure> {
        let found = match definitions::get(reader, Kind::Workflow, name.as_str())? {
            None => definitions::get(reader, Kind::Flow, name.as_str())?,
            found => found,
        };
        found.ok_or_else(|| Refusal::UnknownProcess(name.as_str().into()).into())
    }
}

fn missing(name: &ProcessName, version: u32) -> Refusal {
    Refusal::NotFound { entity: "version".into(), record: smol_str::format_smolstr!("{version} of process `{name}`") }
}
