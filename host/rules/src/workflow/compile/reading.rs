//! What an instruction reads, and from whom: the job knows its own results and slots, the engine reads all records.

use model::{
    AttributeId,
    expression::{Path, ValueSource},
};

use super::Compiler;
use crate::workflow::{
    paths::{Gives, Leads, root},
    program::Root,
    source::{Reads, paths_of},
};

const OF_JOB: [&str; 5] = ["name", "startedon", "attempt", "url", "correlation"];
/// All that a `find` found.
pub(super) const RECORDS: &str = "records";
const OF_ERROR: [&str; 3] = ["code", "message", "step"];

impl Compiler<'_> {
    /// Notes what a value reads, and the records that it names.
    pub(super) fn read_source(&mut self, source: &ValueSource, reads: &mut Reads) {
        for (path, shown) in paths_of(source) {
            self.read(path, shown, reads);
        }
        reads.note_records(source);
    }

    /// Notes a path. `shown`: as people see it, so that a record's name is wanted, which only the engine knows.
    pub(super) fn read(&mut self, path: &Path, shown: bool, reads: &mut Reads) {
        let leads = self.leads(path);
        let Some(leads) = self.or_say(leads) else { return };
        self.note_image(path);
        if self.results.iter().any(|(known, _)| *known == path.root) && !self.asked.contains(&path.root) {
            self.asked.push(path.root.clone());
        }
        if path.segments.first().is_some_and(|first| first.name == RECORDS) && !self.asked_all.contains(&path.root) {
            self.asked_all.push(path.root.clone());
        }
        let is_record = matches!(leads, Leads::Record(_));
        let list = if self.is_local(path) && !(shown && is_record) { &mut reads.local } else { &mut reads.paths };
        if !list.contains(path) {
            list.push(path.clone());
        }
    }

    /// Whether the job knows the value without reading a record.
    fn is_local(&self, path: &Path) -> bool {
        let own = match path.root.as_str() {
            "record" | "user" | "caller" => 0,
            "before" | "after" | "change" => return false,
            "job" | "error" => 1,
            root if Root::of(root).is_some() => 1,
            root => match self.results.iter().rev().find(|(known, _)| known == root) {
                Some((_, Gives::Record(_))) => 0,
                _ => 1,
            },
        };
        path.segments.len() == own
    }

    /// What a path leads to; a sentence where it can lead nowhere.
    pub(super) fn leads(&self, path: &Path) -> Result<Leads, String> {
        let (start, followed) = self.start_of(path)?;
        let mut leads = start;
        for segment in &path.segments[followed..] {
            if leads == Leads::Value {
                return Err(format!("`{path}`: there is nothing behind a value that is no record"));
            }
            leads = leads.follow(segment, self.schema).map_err(|why| format!("`{path}`: {why}"))?;
        }
        Ok(leads)
    }

    /// Where a path starts, and how many of its segments belong to that.
    fn start_of(&self, path: &Path) -> Result<(Leads, usize), String> {
        let word = path.root.as_str();
        let first = path.segments.first().map(|segment| segment.name.as_str());
        match word {
            "record" | "before" | "after" | "change" if self.entity().is_none() => {
                Err(format!("`{path}`: a process without an entity has no `{word}`"))
            }
            "before" | "after" | "change" if first.is_none() => {
                Err(format!("`{word}` is no value: name an attribute of it, as in `{word}.title`"))
            }
            "before" | "after" | "change" => Ok((Leads::Record(self.entity().map(|entity| vec![entity])), 0)),
            "job" => one_of(path, first, &OF_JOB),
            "error" => one_of(path, first, &OF_ERROR),
            word => match (root(word, self.entity()), Root::of(word)) {
                (Some(leads), _) => Ok((leads, 0)),
                (None, Some(kind)) => match first.and_then(|name| self.program.slot(kind, name)) {
                    Some((_, slot)) => Ok((self.meant(path, Leads::of(&slot.parameter))?, 1)),
                    None => Err(format!("`{path}` is not declared")),
                },
                (None, None) => self.start_of_result(path, first),
            },
        }
    }

    fn start_of_result(&self, path: &Path, first: Option<&str>) -> Result<(Leads, usize), String> {
        match self.results.iter().rev().find(|(known, _)| *known == path.root) {
            Some((_, Gives::Record(entities))) => Ok((Leads::Record(entities.clone()), 0)),
            Some((step, Gives::Fields(fields))) => {
                let known = first.and_then(|name| fields.iter().find(|(field, _)| field == name));
                let leads = known.map(|(_, leads)| leads.clone()).ok_or_else(|| {
                    let names: Vec<_> = fields.iter().map(|(name, _)| format!("`{step}.{name}`")).collect();
                    match names.is_empty() {
                        true => format!("`{path}`: step `{step}` gives nothing"),
                        false => format!("`{path}`: step `{step}` gives {}", names.join(", ")),
                    }
                })?;
                Ok((self.meant(path, leads)?, 1))
            }
            None => Err(format!("`{path}`: no step before is called `{}`, and it is no root", path.root)),
        }
    }

    /// Where the first segment of `path` leads, when it names the entity that is meant.
    fn meant(&self, path: &Path, leads: Leads) -> Result<Leads, String> {
        match path.segments.first() {
            Some(first) => {
                let not = |target| format!("`{path}`: `{}` does not point to `{target}`", first.name);
                leads.narrowed(first, self.schema).map_err(not)
            }
            None => Ok(leads),
        }
    }

    /// Notes the attribute of an image that a job has to keep.
    fn note_image(&mut self, path: &Path) {
        let Some(attribute) = self.attribute_behind(path) else { return };
        let images = &mut self.program.images;
        let list = match path.root.as_str() {
            "before" => &mut images.before,
            "after" => &mut images.after,
            "change" => &mut images.change,
            "record" => &mut images.record,
            _ => return,
        };
        if let Err(place) = list.binary_search(&attribute) {
            list.insert(place, attribute);
        }
    }

    fn attribute_behind(&self, path: &Path) -> Option<AttributeId> {
        let entity = self.schema.entity(self.entity()?)?;
        entity.attribute(&path.segments.first()?.name).map(|attribute| attribute.id)
    }
}

fn one_of(path: &Path, first: Option<&str>, known: &[&str]) -> Result<(Leads, usize), String> {
    match first {
        Some(name) if known.contains(&name) => Ok((Leads::Value, 1)),
        _ => Err(format!("`{path}`: `{}` has {}", path.root, known.join(", "))),
    }
}
