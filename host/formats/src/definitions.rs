//! The entities and choices of a store, each as its solution defines it, and the schema that they make together.

use std::sync::Arc;

use model::{
    EntityName, Schema,
    entity::{ChoiceDefinition, EntityDefinition},
    refusal::Problem,
    schema::SchemaProblem,
};
use smol_str::SmolStr;

use crate::{
    choice,
    entity::{self, EntityFile, Extension},
    header::kind_of,
    known::Known,
    numbering::Numbers,
    report::Report,
    tree::{self, Node},
};

/// Entities and choices as their files define them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Definitions {
    /// The entities.
    pub entities: Vec<EntityDefinition>,
    /// What solutions add to entities of others.
    pub extensions: Vec<Extension>,
    /// The choices.
    pub choices: Vec<ChoiceDefinition>,
}

/// A definition as the store keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The solution that brought it.
    pub solution: SmolStr,
    /// Its canonical JSON.
    pub canonical: Arc<[u8]>,
}

impl Definitions {
    /// The entities with what extensions add to them.
    pub fn whole_entities(&self) -> Vec<EntityDefinition> {
        let mut entities = self.entities.clone();
        for extension in &self.extensions {
            let Some(entity) = entities.iter_mut().find(|entity| entity.name == extension.entity) else { continue };
            entity.attributes.extend(extension.attributes.iter().cloned());
            entity.keys.extend(extension.keys.iter().cloned());
        }
        entities
    }

    /// The schema that they make with these numbers.
    pub fn schema(&self, numbers: &Numbers) -> Result<Schema, SchemaProblem> {
        Schema::build(self.whole_entities(), self.choices.iter().cloned(), numbers)
    }

    /// The entity as its own solution defines it.
    pub fn entity(&self, name: &EntityName) -> Option<&EntityDefinition> {
        self.entities.iter().find(|entity| entity.name == *name)
    }

    /// Puts a definition in, in place of the one of the same name that came before.
    pub fn put(&mut self, file: EntityFile) {
        match file {
            EntityFile::Whole(entity) => {
                self.entities.retain(|old| old.name != entity.name);
                self.entities.push(entity);
            }
            EntityFile::Extension(extension) => {
                self.extensions.retain(|old| old.entity != extension.entity || old.solution != extension.solution);
                self.extensions.push(extension);
            }
        }
    }

    /// The same for a choice.
    pub fn put_choice(&mut self, choice: ChoiceDefinition) {
        self.choices.retain(|old| old.name != choice.name);
        self.choices.push(choice);
    }

    /// Reads back what the store keeps: the canonical JSON of entities and choices, in any order. `beside` is what they
    /// may name without being kept: the starter organisation.
    pub fn load<'k>(kept: impl IntoIterator<Item = &'k Kept>, beside: &Definitions) -> Result<Self, Vec<Problem>> {
        let kept: Vec<_> = kept.into_iter().collect();
        let texts: Vec<_> = kept.iter().map(|kept| String::from_utf8_lossy(&kept.canonical)).collect();
        let files: Vec<File<'_>> = kept.iter().zip(&texts).map(|(kept, text)| File::open(kept, text)).collect();
        let mut definitions = Self::default();
        for file in files.iter().filter(|file| file.is("choice")) {
            let Some(tree) = &file.tree else { continue };
            definitions.choices.extend(choice::convert(&file.report, tree, file.solution));
        }
        let mut known =
            Known::new(beside.choices.iter().chain(&definitions.choices), jiff::tz::TimeZone::UTC).for_starter();
        known.add_entities(beside.entities.iter().map(|entity| entity.name.as_str().into()));
        known.add_entities(files.iter().filter(|file| file.is("entity")).filter_map(File::name));
        let mut entities = Vec::new();
        for file in files.iter().filter(|file| file.is("entity")) {
            let Some(tree) = &file.tree else { continue };
            entities.extend(entity::convert(&file.report, tree, &known, file.solution));
        }
        drop(known);
        entities.into_iter().for_each(|entity| definitions.put(entity));
        let problems: Vec<_> = files.into_iter().flat_map(|file| file.report.problems()).collect();
        if problems.iter().any(|problem| !problem.warning) { Err(problems) } else { Ok(definitions) }
    }
}

struct File<'k> {
    solution: &'k SmolStr,
    report: Report<'k>,
    tree: Option<Node>,
}

impl<'k> File<'k> {
    fn open(kept: &'k Kept, text: &'k str) -> Self {
        let report = Report::new("a kept definition", text);
        let tree = tree::parse(text, &report);
        Self { solution: &kept.solution, report, tree }
    }

    fn is(&self, kind: &str) -> bool {
        self.tree.as_ref().is_some_and(|tree| kind_of(tree) == Some(kind))
    }

    fn name(&self) -> Option<SmolStr> {
        self.tree.as_ref()?.get("name")?.as_written()
    }
}
