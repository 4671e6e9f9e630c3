//! What is examined: a component as bytes, or a script as text.

use std::sync::Arc;

use formats::SourceFile;
use model::{
    Schema,
    package::{Code, Manifest},
};
use wasm::{Examination, Runner};

/// What is examined.
#[derive(Clone, Debug)]
pub enum Source {
    /// A component.
    Component(Arc<[u8]>),
    /// A script: its file's name and its text.
    Script(String, String),
}

/// What is examined, with all that can be told of it before it is called.
pub struct Subject {
    /// Where it came from.
    pub source: Source,
    /// What was found in a component.
    pub examination: Examination,
    /// Why a script is none.
    pub problems: Vec<String>,
    /// How it is called and what it says of itself, where it can be called.
    pub callable: Option<(Code, Manifest)>,
}

impl Subject {
    /// Looks at it and makes it ready.
    pub fn new(source: Source, runner: &Runner, schema: &Schema) -> Self {
        match &source {
            Source::Component(bytes) => {
                let examination = runner.examine(bytes);
                let callable = examination.installed.clone();
                let callable = callable.map(|installed| (Code::Component(installed.digest), installed.manifest));
                Self { source, examination, problems: Vec::new(), callable }
            }
            Source::Script(file, text) => {
                let read = read_script(file, text, schema);
                let (callable, problems) = match read {
                    Ok(callable) => (Some(callable), Vec::new()),
                    Err(problems) => (None, problems),
                };
                Self { source, examination: Examination::default(), problems, callable }
            }
        }
    }

    /// Forgets the steps that are not among these; without any, keeps all.
    pub fn keep_only(&mut self, steps: &[String]) {
        if steps.is_empty() {
            return;
        }
        let read = self.examination.manifest.iter_mut().filter_map(|read| read.as_mut().ok());
        for manifest in read.chain(self.callable.iter_mut().map(|(_, manifest)| manifest)) {
            manifest.steps.retain(|step| steps.iter().any(|name| name == step.name.as_str()));
        }
    }

    /// Whether it is a script.
    pub fn is_script(&self) -> bool {
        matches!(self.source, Source::Script(..))
    }
}

/// A script as it is called, or what is wrong with it: `file:line:column: sentence`.
pub fn read_script(file: &str, text: &str, schema: &Schema) -> Result<(Code, Manifest), Vec<String>> {
    let read = formats::read_script(&SourceFile::new(file, text), schema);
    let (script, manifest) = read.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok((Code::Script(Arc::new(script)), manifest))
}
