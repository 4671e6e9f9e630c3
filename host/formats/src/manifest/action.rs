//! A script that is an action: the definition of `kind: action` that its manifest stands for.
//!
//! The rest of the house then knows one sort of action only. What is wrong with a part is reported where the script has it.

use smol_str::SmolStr;

use crate::tree::{Entry, Kind, Node, Place};

/// The keys of a manifest that an action has, too.
const SHARED: [&str; 6] = ["title", "description", "privilege", "inputs", "outputs", "entity"];

/// The step that the manifest in `tree` names under `action`, and the action's name.
pub(crate) fn named(tree: &Node) -> Option<(SmolStr, SmolStr)> {
    let written = tree.get("action")?.as_written()?;
    // One that says two things at once is reported, and is nothing.
    if tree.get("step").is_some() || tree.get("condition").is_some() {
        return None;
    }
    let step = super::name_of_action(&written)?;
    let (_, name) = step.as_str().split_once('.')?;
    Some((step.as_str().into(), name.into()))
}

/// The definition of the action; nothing where the manifest is another one's.
pub(crate) fn definition(tree: &Node) -> Option<Node> {
    let (step, name) = named(tree)?;
    let place = tree.get("action")?.place;
    let mut numbers = Numbers(highest(tree));
    let mut entries =
        vec![numbers.entry("kind", place, Kind::Text("action".into())), numbers.entry("name", place, Kind::Text(name))];
    let shared = tree.entries()?.iter().filter(|entry| SHARED.contains(&entry.key.as_str()));
    entries.extend(shared.cloned());
    if tree.get("entity").is_none_or(Node::is_null) {
        entries.retain(|entry| entry.key != "entity");
        entries.push(numbers.entry("entity", place, Kind::Text("none".into())));
    }
    entries.push(numbers.entry("script", place, Kind::Text(step)));
    Some(Node { id: tree.id, place: tree.place, kind: Kind::Map(entries) })
}

/// Numbers of nodes that no node of the file has.
struct Numbers(u32);

impl Numbers {
    fn entry(&mut self, key: &'static str, place: Place, kind: Kind) -> Entry {
        self.0 = self.0.saturating_add(1);
        Entry { key: key.into(), place, value: Node { id: self.0, place, kind } }
    }
}

fn highest(node: &Node) -> u32 {
    let inside = match &node.kind {
        Kind::List(items) => items.iter().map(highest).max(),
        Kind::Map(entries) => entries.iter().map(|entry| highest(&entry.value)).max(),
        _ => None,
    };
    inside.unwrap_or(0).max(node.id)
}
