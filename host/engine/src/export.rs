//! The files of what was applied, as `apply` takes them again: a definition that nobody changed since as it was written, any
//! other in canonical form (formats 1). Canonical files of a directory, and copies of processes.
//!
//! Components stay where they are: an export names no bytes. Rows of tables are records and no part of it.

use std::collections::BTreeMap;

use formats::SourceFile;
use model::{Caller, ProcessName, Refusal, TaskName};
use smol_str::{SmolStr, format_smolstr};
use store::{
    definitions::{self, Definition, Kind},
    packages,
};

use crate::{
    ApplyOptions, Engine, Failure, Plan,
    deploy::{self, KINDS},
    load,
};

/// A file in canonical form, or why it has none that says the same.
pub type Formatted = (SmolStr, Result<String, String>);

impl Engine {
    /// The names and versions of the solutions that were applied.
    pub fn solutions(&self, caller: &Caller) -> Result<Vec<(SmolStr, semver::Version)>, Failure> {
        self.check_task(caller, &TaskName::APPLY_SOLUTIONS)?;
        let (_, snapshot) = self.state()?;
        let mut found = Vec::new();
        for definition in definitions::all(&snapshot, Kind::Solution)? {
            let header = formats::solution_from_json(&load::content(&snapshot, &definition)?);
            let header = header.map_err(|_| load::stored(&definition.name, "its head cannot be read"))?;
            found.push((definition.name, header.version));
        }
        Ok(found)
    }

    /// The files of a solution, by path. To apply them plans nothing.
    pub fn export(&self, caller: &Caller, solution: &str) -> Result<Vec<SourceFile>, Failure> {
        self.check_task(caller, &TaskName::APPLY_SOLUTIONS)?;
        let (_, snapshot) = self.state()?;
        if definitions::get(&snapshot, Kind::Solution, solution)?.is_none() {
            return Err(Refusal::NotFound { entity: "solution".into(), record: format_smolstr!("`{solution}`") }.into());
        }
        let mut files = BTreeMap::new();
        for kind in KINDS {
            for definition in definitions::all(&snapshot, kind)?.into_iter().filter(|known| known.solution == solution)
            {
                files.insert(definition.file.clone(), text(&snapshot, &definition)?);
            }
        }
        // A script that was applied in several versions is there with its newest: the last one of its file.
        let mut newest: BTreeMap<SmolStr, (semver::Version, Vec<u8>)> = BTreeMap::new();
        for install in packages::all(&snapshot)? {
            let version = semver::Version::parse(&install.version).ok();
            let (Some(version), packages::Kind::Script, true) = (version, install.kind, install.solution == solution)
            else {
                continue;
            };
            let is_newer = newest.get(&install.file).is_none_or(|(known, _)| *known < version);
            if let Some(bytes) = packages::bytes(&snapshot, install.package)?.filter(|_| is_newer) {
                newest.insert(install.file, (version, bytes.to_vec()));
            }
        }
        files.extend(newest.into_iter().map(|(file, (_, bytes))| (file, bytes)));
        Ok(files.into_iter().map(|(path, bytes)| SourceFile { path, bytes: bytes.into() }).collect())
    }

    /// The definitions among these files in canonical form; with `ids` each step has one.
    pub fn format(&self, files: &[SourceFile], ids: bool) -> Result<Vec<Formatted>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let read = self.read(&catalogue, &snapshot, files)?;
        // An action that is a script by itself has no file that could be written in another way.
        let parts = deploy::parts(&read).into_iter().filter(|part| !is_script(part.file));
        let formatted = parts.map(|part| {
            let shown = match ids && part.kind == Kind::Workflow {
                true => formats::yaml::with_ids(part.text, part.canonical),
                false => formats::yaml::formatted(part.text, part.canonical),
            };
            (part.file.clone(), shown)
        });
        Ok(formatted.collect())
    }

    /// Makes a process of a template, or of any other process, in its solution: a draft under another name.
    pub fn copy_process(&self, caller: &Caller, from: &ProcessName, name: &ProcessName) -> Result<Plan, Failure> {
        self.check_reads_process(caller, from)?;
        let catalogue = self.catalogue();
        let process = catalogue.process(from.as_str()).ok_or_else(|| Refusal::UnknownProcess(from.as_str().into()))?;
        if catalogue.process(name.as_str()).is_some() {
            return Err(Refusal::Exists { entity: "process".into(), record: format_smolstr!("`{name}`") }.into());
        }
        let mut files = self.export(caller, &process.solution)?;
        let text = self.copy_of(from, name)?;
        files.push(SourceFile::new(format_smolstr!("processes/{name}.yaml"), text));
        self.apply_solution(caller, files, ApplyOptions::default())
    }

    /// The file of such a copy.
    fn copy_of(&self, from: &ProcessName, name: &ProcessName) -> Result<String, Failure> {
        let (_, snapshot) = self.state()?;
        let definition = definitions::get(&snapshot, Kind::Workflow, from.as_str())?;
        let definition = definition.ok_or_else(|| Refusal::UnknownProcess(from.as_str().into()))?;
        if is_script(&definition.file) {
            let say = format!("`{from}` is a script: copy its file under another name, and name it so in `action`");
            return Err(deploy::problems(&definition.file, [say]).into());
        }
        let copy = formats::yaml::copied(&load::content(&snapshot, &definition)?, name.as_str());
        Ok(copy.ok_or_else(|| load::stored(from.as_str(), "its definition is no JSON"))?)
    }
}

/// Whether a definition stands at the head of a script.
fn is_script(file: &str) -> bool {
    file.ends_with(".rhai")
}

/// The text of a definition: as it was written where it came from a file.
fn text(reader: &dyn store::Reader, definition: &Definition) -> Result<Vec<u8>, Failure> {
    if let Some(written) = definition.text.map(|text| definitions::content(reader, text)).transpose()?.flatten() {
        return Ok(written.to_vec());
    }
    let text = formats::yaml::from_json(&load::content(reader, definition)?);
    Ok(text.ok_or_else(|| load::stored(&definition.name, "its definition is no JSON"))?.into_bytes())
}
