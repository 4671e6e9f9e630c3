//! Whether what is there can still be read once the custom steps are others: every process, action, task flow and flow that
//! names a step of the library is read again by them, as when it was applied.
//!
//! What could not be read before is nobody's fault now. A draft that would not be right any more is told and keeps nobody
//! from anything: it runs nowhere.

use std::sync::Arc;

use formats::Callable;
use model::{process::DefinitionState, refusal::Problem};
use store::{
    Reader,
    definitions::{self, Definition, Kind},
};

use crate::{Catalogue, Failure, catalogue::Directory, deploy::problem, load};

/// What would no longer be right with these steps, of what names a step of `library`.
pub(super) fn read_again(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    library: &str,
    steps: &Directory,
) -> Result<Vec<Problem>, Failure> {
    let callables = catalogue.callables(true);
    let name = format!("\"{library}.");
    let mut problems = Vec::new();
    for kind in [Kind::Workflow, Kind::Flow] {
        for definition in definitions::all(reader, kind)? {
            let canonical = load::content(reader, &definition)?;
            // It is JSON: the name of a step stands in quotes.
            if !canonical.windows(name.len()).any(|text| text == name.as_bytes()) {
                continue;
            }
            let read = Again { catalogue, callables: &callables, definition: &definition, canonical };
            let wrong = read.wrong(kind, steps);
            if !wrong.is_empty() && read.wrong(kind, &catalogue.steps).is_empty() {
                problems.extend(wrong.into_iter().map(|wrong| read.told(kind, wrong)));
            }
        }
    }
    Ok(problems)
}

struct Again<'r> {
    catalogue: &'r Catalogue,
    callables: &'r [Callable],
    definition: &'r Definition,
    canonical: Arc<[u8]>,
}

impl Again<'_> {
    /// What is wrong with it by these steps.
    fn wrong(&self, kind: Kind, steps: &Directory) -> Vec<Problem> {
        let (schema, callables) = (&self.catalogue.schema, self.callables);
        let around = self.catalogue.surroundings_of(&self.definition.solution);
        let zone = around.time_zone.clone();
        let read = match kind {
            Kind::Flow => {
                let at = (around.prefix.as_str(), zone);
                formats::flow_from_json(&self.canonical, schema, steps, callables, at).map(drop)
            }
            _ => formats::workflow_in_zone(&self.canonical, schema, steps, callables, zone).map(drop),
        };
        read.err().unwrap_or_default().into_iter().filter(|problem| !problem.warning).collect()
    }

    fn told(&self, kind: Kind, wrong: Problem) -> Problem {
        let (name, solution) = (&self.definition.name, &self.definition.solution);
        let process = self.catalogue.process(name);
        let is_draft =
            kind == Kind::Workflow && process.is_some_and(|process| process.state != DefinitionState::Active);
        let (folder, what) = match (kind, is_draft) {
            (Kind::Flow, _) => ("flows", "flow"),
            (_, true) => ("processes", "draft"),
            (_, false) => ("processes", "process"),
        };
        let message = format!("this breaks a {what} of solution `{solution}`: {}", wrong.message);
        Problem { hint: wrong.hint, warning: is_draft, ..problem(&format!("{folder}/{name}.yaml"), message) }
    }
}
