//! The entity whose records are a flow's instances (processes 5.3): written as a file, and read like any other, so that
//! clients, workflows and roles meet nothing special in it.

use std::fmt::Write as _;

use model::{EntityName, ProcessName};
use smol_str::SmolStr;

use crate::{
    entity::{self, EntityFile},
    known::Known,
    report::Report,
    source::Sourced,
    tree::{self, Node},
};

/// The name of the own entity of the flow `name`, in a solution with this prefix.
pub(crate) fn instance_name(prefix: &str, name: &ProcessName) -> Option<EntityName> {
    EntityName::parse(&format!("{prefix}_{}", name.as_str().replace('-', ""))).ok()
}

/// The definition of the own entity of the flow that `node` defines, as far as the flow can be read: nothing where it has
/// no name or no entity that is known. Its source is the flow's file.
pub(crate) fn entity_of(
    report: &Report<'_>,
    node: &Node,
    prefix: &str,
    known: &Known<'_>,
    solution: &SmolStr,
) -> Option<Sourced<EntityFile>> {
    let text = |key: &str| node.get(key).and_then(Node::as_text);
    let name = ProcessName::parse(text("name")?).ok()?;
    let own = instance_name(prefix, &name)?;
    let title = text("title").unwrap_or(name.as_str());
    let silent = Report::new("", "");
    let led_over = entities(node, text("entity")?);
    let led_over = led_over.iter().filter_map(|name| EntityName::parse(name).ok());
    let lookups: Vec<EntityName> = led_over.filter(|name| known.entity(&silent, name, tree::Place::START)).collect();
    let file = written(&own, title, &lookups);
    let own = Report::new(report.file.clone(), &file);
    let tree = tree::parse(&file, &own)?;
    let entity = entity::convert(&own, &tree, known, solution)?;
    Some(Sourced::new(entity, &own, &tree))
}

/// The entities that the stages name, that of the first stage first, each once.
fn entities(node: &Node, first: &str) -> Vec<SmolStr> {
    let mut all = vec![SmolStr::from(first)];
    let stages = match node.get("stages").map(|stages| &stages.kind) {
        Some(tree::Kind::List(stages)) => stages.as_slice(),
        _ => &[],
    };
    for name in stages.iter().filter_map(|stage| stage.get("entity")?.as_text()) {
        if !all.iter().any(|known| known == name) {
            all.push(name.into());
        }
    }
    all
}

fn written(own: &EntityName, title: &str, lookups: &[EntityName]) -> String {
    let mut file = format!(
        "kind: entity\nname: {own}\ntitle: {title:?}\nownership: organization\nprimary: name\nattributes:\n  \
         name: {{ title: Name, type: text, max-length: 200 }}\n  \
         processid: {{ title: Process, type: lookup, to: workflow, read-only: true }}\n  \
         activestageid: {{ title: Active stage, type: lookup, to: processstage }}\n  \
         activestagestartedon: {{ title: Active stage started on, type: date-time, read-only: true }}\n  \
         completedon: {{ title: Completed on, type: date-time, read-only: true }}\n  \
         duration: {{ title: Duration, type: whole, read-only: true }}\n  \
         laststageduration: {{ title: Seconds in the stage before, type: whole, read-only: true }}\n  \
         laststatuschange: {{ title: Last change of status, type: guid, read-only: true }}\n  \
         traversedpath: {{ title: Traversed path, type: text, max-length: 2250 }}\n"
    );
    for entity in lookups {
        let _ = writeln!(file, "  bpf_{entity}id: {{ type: lookup, to: {entity}, on-delete: cascade, indexed: true }}");
    }
    file.push_str(
        "states:\n  active: { value: 0, title: Active, statuses: { active: { value: 1, title: Active } } }\n  \
         inactive:\n    value: 1\n    title: Inactive\n    statuses:\n      \
         finished: { value: 2, title: Finished }\n      aborted: { value: 3, title: Aborted }\n",
    );
    file
}
