//! A file that somebody wrote, in canonical form: the keys in their order, defaults left out, comments above their key
//! (formats 1). And the ids that steps get which have none, and a copy under another name.

use std::collections::HashSet;

use smol_str::{SmolStr, format_smolstr};

use super::{Comments, of};
use crate::{
    report::Report,
    tree::{self, Entry, Kind, Node, Place},
};

/// Lists of steps stand under these keys.
const LISTS: [&str; 4] = ["steps", "then", "otherwise", "on-error"];
/// Keys of a step that do not say what it does.
const ASIDE: [&str; 5] = ["id", "title", "description", "retry", "on-error"];

/// `text` in canonical form, whose canonical JSON is `canonical`; a sentence where that would lose something.
pub fn formatted(text: &str, canonical: &[u8]) -> Result<String, String> {
    let (source, ordered) = trees(text, canonical)?;
    written(text, &source, placed(&ordered, &source))
}

/// The same, with an id for each step that has none.
pub fn with_ids(text: &str, canonical: &[u8]) -> Result<String, String> {
    let (source, ordered) = trees(text, canonical)?;
    let mut tree = placed(&ordered, &source);
    let mut taken = HashSet::new();
    ids(&tree, &mut taken);
    number(&mut tree, false, &mut taken);
    written(text, &source, tree)
}

/// A process under another name, as a draft; nothing if `canonical` is no JSON.
pub fn copied(canonical: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(canonical).ok()?;
    let mut node = tree::parse(text, &Report::new("definition", text))?;
    let Kind::Map(entries) = &mut node.kind else { return None };
    // The copy is a definition of its own, and called by its own name.
    entries.retain(|entry| !["id", "title", "state"].contains(&entry.key.as_str()));
    let text = |text: &str| Node { id: 0, place: Place::START, kind: Kind::Text(text.into()) };
    for entry in entries.iter_mut().filter(|entry| entry.key == "name") {
        entry.value = text(name);
    }
    let behind = entries.iter().position(|entry| entry.key == "description" || entry.key == "name")? + 1;
    entries.insert(behind, Entry { key: "state".into(), place: Place::START, value: text("draft") });
    Some(of(&node, &mut Comments::default()))
}

fn trees(text: &str, canonical: &[u8]) -> Result<(Node, Node), String> {
    let read = |text: &str| tree::parse(text, &Report::new("definition", text)).ok_or("it cannot be read".to_owned());
    let canonical = std::str::from_utf8(canonical).map_err(|error| error.to_string())?;
    Ok((read(text)?, read(canonical)?))
}

/// The tree of the canonical form with the places of the text that it came from.
fn placed(ordered: &Node, source: &Node) -> Node {
    let kind = match (&ordered.kind, &source.kind) {
        (Kind::List(ordered), Kind::List(items)) => {
            Kind::List(ordered.iter().zip(items).map(|(ordered, item)| placed(ordered, item)).collect())
        }
        (Kind::Map(ordered), Kind::Map(entries)) => {
            let entry = |entry: &Entry| {
                let written = entries.iter().find(|written| written.key == entry.key)?;
                let value = placed(&entry.value, &written.value);
                Some(Entry { key: entry.key.clone(), place: written.place, value })
            };
            Kind::Map(ordered.iter().filter_map(entry).collect())
        }
        (kind, _) => kind.clone(),
    };
    Node { id: source.id, place: source.place, kind }
}

fn written(text: &str, source: &Node, tree: Node) -> Result<String, String> {
    let shown = of(&tree, &mut Comments::of(text, source, &tree));
    let again = tree::parse(&shown, &Report::new("definition", &shown));
    if again.is_none_or(|again| !same(&again, &tree)) {
        return Err("its canonical form would mean something else".to_owned());
    }
    match Comments::count(&shown) == Comments::count(text) {
        true => Ok(shown),
        false => Err("a comment stands where the canonical form has no place for it".to_owned()),
    }
}

/// Whether two trees say the same, wherever their parts stand.
fn same(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::List(one), Kind::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Kind::Map(one), Kind::Map(other)) => {
            let entry = |(one, other): (&Entry, &Entry)| one.key == other.key && same(&one.value, &other.value);
            one.len() == other.len() && one.iter().zip(other).all(entry)
        }
        (one, other) => one == other,
    }
}

fn ids(node: &Node, taken: &mut HashSet<SmolStr>) {
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| ids(item, taken)),
        Kind::Map(entries) => {
            for entry in entries {
                match entry.value.as_text() {
                    Some(id) if entry.key == "id" => drop(taken.insert(id.into())),
                    _ => ids(&entry.value, taken),
                }
            }
        }
        _ => {}
    }
}

/// Gives ids to the steps in `node`, which is a list of steps itself where `steps` says so.
fn number(node: &mut Node, steps: bool, taken: &mut HashSet<SmolStr>) {
    match &mut node.kind {
        Kind::List(items) => {
            for item in items {
                number(item, false, taken);
                if steps {
                    identify(item, taken);
                }
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                number(&mut entry.value, LISTS.contains(&entry.key.as_str()), taken);
            }
        }
        _ => {}
    }
}

/// `update_1`: what the step does, and the first number that is free.
fn identify(step: &mut Node, taken: &mut HashSet<SmolStr>) {
    let place = super::first_of(step);
    let Kind::Map(entries) = &mut step.kind else { return };
    let is_kind = |entry: &&Entry| !ASIDE.contains(&entry.key.as_str());
    let Some(kind) = entries.iter().find(is_kind).filter(|_| entries.iter().all(|entry| entry.key != "id")) else {
        return;
    };
    let word = kind.key.replace('-', "_");
    let id = (1..).map(|number| format_smolstr!("{word}_{number}")).find(|id| !taken.contains(id));
    let Some(id) = id else { return };
    taken.insert(id.clone());
    let value = Node { id: 0, place, kind: Kind::Text(id) };
    // Where the step began, so that a comment above stays above.
    entries.insert(0, Entry { key: "id".into(), place, value });
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "# What it is
kind: workflow   # for repairs
name: \"remind\"
steps:
    # The first
    - update: record
      set:
        remark: |
          # no comment
          second line
        title: 'It''s # none'  # the title
    - { stop: succeeded }   # done
# the entity
entity: repair
# the end
";
    const CANONICAL: &str = r##"{"kind":"workflow","name":"remind","entity":"repair","steps":[{"update":"record","set":{"remark":"# no comment\nsecond line\n","title":"It's # none"}},{"stop":"succeeded"}]}"##;

    #[test]
    fn comments_stay_above_what_they_are_about() {
        let shown = formatted(WRITTEN, CANONICAL.as_bytes()).expect("it can be written");
        let expected = "# What it is
# for repairs
kind: workflow
name: remind
# the entity
entity: repair
steps:
  # The first
  - update: record
    set:
      remark: |
        # no comment
        second line
      # the title
      title: \"It's # none\"
  # done
  - { stop: succeeded }
# the end
";
        assert_eq!(shown, expected);
        assert_eq!(formatted(&shown, CANONICAL.as_bytes()).as_deref(), Ok(expected), "once is enough");
    }

    #[test]
    fn steps_without_an_id_get_one() {
        let shown = with_ids(WRITTEN, CANONICAL.as_bytes()).expect("it can be written");
        assert!(shown.contains("  # The first\n  - id: update_1\n    update: record\n"), "{shown}");
        assert!(shown.contains("  # done\n  - { id: stop_1, stop: succeeded }\n"), "{shown}");
    }

    #[test]
    fn a_copy_is_a_draft_of_another_name() {
        let copy =
            copied(br#"{"kind":"workflow","name":"a","id":"x","title":"A","state":"template","entity":"task"}"#, "b");
        assert_eq!(copy.as_deref(), Some("kind: workflow\nname: b\nstate: draft\nentity: task\n"));
    }
}
