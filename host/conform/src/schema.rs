//! The entities that calls work on: those of the starter organisation, those of a solution, and a plain one for every
//! other name that a manifest has.

use std::{collections::HashMap, sync::Arc};

use formats::{Base, Definitions, SourceFile, Steps, numbering::Numbers};
use model::{EntityName, Schema, StepName, package::Manifest, package::StepDefinition};

/// No custom step is known.
struct NoSteps;

impl Steps for NoSteps {
    fn step(&self, _: &StepName, _: Option<&semver::VersionReq>) -> Option<&StepDefinition> {
        None
    }

    fn names(&self) -> Vec<StepName> {
        Vec::new()
    }
}

/// Every store has the members of teams, beside the starter organisation.
const MEMBERS: (&str, &str) = (
    "entities/teammembership.yaml",
    "kind: entity\nname: teammembership\nownership: organization\nprimary: name\nattributes:\n  name: { type: text }\n  \
     systemuserid: { type: lookup, to: systemuser }\n  teamid: { type: lookup, to: team }\n",
);

/// The schema of the starter organisation and these files of a solution; what is wrong with them otherwise.
pub fn schema(files: &[SourceFile]) -> Result<Arc<Schema>, Vec<String>> {
    let definitions: Definitions = formats::starter();
    let numbers: Numbers = formats::numbering::extend(&HashMap::new(), &definitions.whole_entities());
    let base = Base {
        numbers: &numbers,
        definitions: &definitions,
        steps: &NoSteps,
        processes: &[],
        security: &[],
        time_zone: jiff::tz::TimeZone::UTC,
        flow_limits: model::process::flow::FlowLimits::default(),
        script_limits: model::step::Limits::OF_SCRIPTS,
    };
    let wanted = |file: &&SourceFile| {
        file.path == "solution.yaml" || file.path.starts_with("entities/") || file.path.starts_with("choices/")
    };
    let mut kept: Vec<SourceFile> = files.iter().filter(wanted).cloned().collect();
    if !kept.iter().any(|file| file.path == "solution.yaml") {
        kept.push(SourceFile::new("solution.yaml", "kind: solution\nname: conformance\nversion: 1.0.0\nprefix: cnf\n"));
    }
    if !kept.iter().any(|file| file.path == MEMBERS.0) {
        kept.push(SourceFile::new(MEMBERS.0, MEMBERS.1));
    }
    let read = formats::read(&kept, &base);
    let solution = read.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(Arc::new(solution.schema))
}

/// Files that define what a manifest names and the schema does not have: an entity with a name and nothing else.
pub fn lacking(manifest: &Manifest, schema: &Schema) -> Vec<SourceFile> {
    let named = manifest.steps.iter().flat_map(|step| {
        let used = step.uses.iter().map(|(entity, _)| entity.to_string());
        let arguments = step.inputs.iter().chain(&step.outputs);
        used.chain(arguments.flat_map(|argument| argument.kind.to.iter().map(ToString::to_string)))
    });
    let mut names: Vec<String> = named.filter(|name| name != "any" && name != "actions").collect();
    names.sort();
    names.dedup();
    let unknown = names.into_iter().filter(|name| EntityName::parse(name).is_ok() && schema.named(name).is_none());
    let file = |name: String| {
        let text = format!(
            "kind: entity\nname: {name}\nownership: user-or-team\nprimary: name\nattributes:\n  name: {{ type: text }}\n"
        );
        SourceFile::new(format!("entities/{name}.yaml"), text)
    };
    unknown.map(file).collect()
}
