//! What a role grants, as the canonical JSON that its record keeps: the keys of a role file, one way to write each.
//!
//! The engine writes it into the attribute `privileges`; whoever compiles roles reads it back. Entities are named and not
//! looked up: a name that no entity has grants nothing.

use model::{EntityName, Level, Levels, Privilege, RolePrivileges, TaskName};

use crate::{
    report::Report,
    tree::{self, Entry, Node},
};

/// The canonical JSON of `role`. A privilege at `none` is left out, and so is an entity without any.
pub fn privileges_to_json(role: &RolePrivileges) -> String {
    let entities = role.entities.iter().filter(|(_, levels)| !levels.is_none());
    let entities: Vec<String> =
        entities.map(|(entity, levels)| format!("\"{entity}\":{{{}}}", words(levels).join(","))).collect();
    let tasks: Vec<String> = role.tasks.iter().map(|task| format!("\"{task}\"")).collect();
    format!("{{\"privileges\":{{{}}},\"tasks\":[{}]}}", entities.join(","), tasks.join(","))
}

fn words(levels: &Levels) -> Vec<String> {
    let first = levels.get(Privilege::Create);
    if levels.iter().all(|(_, level)| level == first) {
        return vec![format!("\"all\":\"{}\"", first.word())];
    }
    let granted = levels.iter().filter(|(_, level)| *level != Level::None);
    granted.map(|(privilege, level)| format!("\"{}\":\"{}\"", privilege.word(), level.word())).collect()
}

/// What a role grants, from what its record keeps.
pub fn privileges_from_json(text: &str) -> Result<RolePrivileges, String> {
    let report = Report::new("the privileges of a role", text);
    let role = tree::parse(text, &report).and_then(|tree| {
        let entities = tree.get("privileges").and_then(Node::entries)?;
        let tasks = match &tree.get("tasks")?.kind {
            tree::Kind::List(items) => items,
            _ => return None,
        };
        Some(RolePrivileges {
            entities: entities.iter().map(entity).collect::<Option<_>>()?,
            tasks: tasks.iter().map(|task| TaskName::parse(task.as_text()?)).collect::<Option<_>>()?,
        })
    });
    role.ok_or_else(|| match report.problems().first() {
        Some(problem) => problem.message.clone(),
        None => "it is not what a role keeps".to_owned(),
    })
}

fn entity(entry: &Entry) -> Option<(EntityName, Levels)> {
    let said = entry.value.entries()?;
    let level = |key: &str| {
        let written = said.iter().find(|said| said.key == key).map(|said| Level::from_word(said.value.as_text()?));
        written.map_or(Some(None), |level| level.map(Some))
    };
    let mut levels = Levels::all(level("all")?.unwrap_or_default());
    for privilege in Privilege::ALL {
        if let Some(level) = level(privilege.word())? {
            levels.set(privilege, level);
        }
    }
    Some((EntityName::parse(&entry.key).ok()?, levels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_role_grants_comes_back_as_it_was_written() {
        let name = |text| EntityName::parse(text).expect("a name");
        let reader =
            Levels::default().with(Privilege::Read, Level::Organization).with(Privilege::AppendTo, Level::User);
        let role = RolePrivileges {
            entities: [(name("task"), Levels::all(Level::BusinessUnit)), (name("account"), reader)].into(),
            tasks: [TaskName::EXECUTE_WORKFLOW_JOB].into(),
        };
        let json = privileges_to_json(&role);
        assert_eq!(
            json,
            r#"{"privileges":{"account":{"read":"organization","append-to":"user"},"task":{"all":"business-unit"}},"tasks":["execute-workflow-job"]}"#
        );
        assert_eq!(privileges_from_json(&json), Ok(role));
        assert_eq!(privileges_from_json(r#"{"privileges":{},"tasks":[]}"#), Ok(RolePrivileges::default()));
        for wrong in ["", "[]", r#"{"privileges":{"a":{"read":"everywhere"}},"tasks":[]}"#, r#"{"privileges":{}}"#] {
            assert!(privileges_from_json(wrong).is_err(), "{wrong}");
        }
    }
}
