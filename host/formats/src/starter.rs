//! The starter organisation: the entities that every store has from the start, as files like anybody's.
//!
//! They are embedded and read by the same conversions as solutions are. Only they may have a lookup to any entity.
//! Their entity numbers are fixed in `model::starter`.

mod roles;

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use model::{
    EntityName,
    entity::{AttributeDefinition, ChoiceDefinition},
};
use smol_str::SmolStr;

use crate::{
    choice,
    definitions::Definitions,
    entity::{self, EntityFile},
    known::Known,
    report::Report,
    tree,
};

pub use roles::{ADMINISTRATOR, CUSTOMIZER, DefaultRole, default_roles};

/// The name under which starter definitions note where they come from.
pub const SOLUTION: &str = "starter";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$((concat!("entities/", $name, ".yaml"), include_str!(concat!("../starter/entities/", $name, ".yaml")))),*]
    };
}

const FILES: [(&str, &str); 19] = files![
    "systemuser",
    "team",
    "businessunit",
    "role",
    "systemuserroles",
    "teamroles",
    "queue",
    "queueitem",
    "account",
    "contact",
    "incident",
    "task",
    "email",
    "appointment",
    "phonecall",
    "workflow",
    "audit",
    "privilege",
    "processstage",
];

/// The choices that every store has.
const CHOICES: [(&str, &str); 1] =
    [("choices/stage-category.yaml", include_str!("../starter/choices/stage-category.yaml"))];

static ACTIVITY: LazyLock<Vec<AttributeDefinition>> = LazyLock::new(|| {
    let report = Report::new("starter/activity.yaml", include_str!("../starter/activity.yaml"));
    let tree = tree::parse(report.text, &report).expect("the file is embedded, a test reads it");
    let known = Known::new([], TimeZone::UTC).for_starter();
    let any = EntityName::parse("activity").expect("a name in the alphabet of names");
    let entries = tree.get("attributes").and_then(|attributes| attributes.entries()).unwrap_or_default();
    entity::attributes(&report, entries, &known, &any)
});

/// The attributes that every activity has.
pub(crate) fn activity_attributes() -> Vec<AttributeDefinition> {
    ACTIVITY.clone()
}

/// The definitions of the starter organisation.
pub fn starter() -> Definitions {
    let reports = FILES.map(|(path, text)| Report::new(path, text));
    let choices = choices();
    let mut known = Known::new(&choices, TimeZone::UTC).for_starter();
    known.add_entities(reports.iter().filter_map(|report| Some(crate::header::parts(&report.file)?.1.into())));
    let mut definitions = Definitions::default();
    for report in &reports {
        let tree = tree::parse(report.text, report);
        let file = tree.and_then(|tree| entity::convert(report, &tree, &known, &SmolStr::new_static(SOLUTION)));
        if let Some(file @ EntityFile::Whole(_)) = file {
            definitions.put(file);
        }
    }
    drop(known);
    choices.into_iter().for_each(|choice| definitions.put_choice(choice));
    definitions
}

fn choices() -> Vec<ChoiceDefinition> {
    let read = CHOICES.iter().filter_map(|(path, text)| {
        let report = Report::new(*path, text);
        choice::convert(&report, &tree::parse(text, &report)?, &SmolStr::new_static(SOLUTION))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::numbering;

    #[test]
    fn the_starter_files_have_no_errors_and_make_a_schema() {
        for (path, text) in FILES {
            let report = Report::new(path, text);
            let choices = choices();
            assert_eq!(choices.len(), CHOICES.len());
            let mut known = Known::new(&choices, TimeZone::UTC).for_starter();
            known.add_entities(FILES.map(|(path, _)| SmolStr::from(crate::header::parts(path).expect("a path").1)));
            let tree = tree::parse(text, &report).expect("a tree");
            let file = entity::convert(&report, &tree, &known, &SmolStr::new_static(SOLUTION));
            if let Some(EntityFile::Whole(entity)) = &file {
                entity::check(&report, &tree, entity);
            }
            assert_eq!(report.problems(), [], "{path}");
            assert!(file.is_some(), "{path}");
        }
        let definitions = starter();
        let numbers = numbering::extend(&HashMap::new(), &definitions.whole_entities());
        let schema = definitions.schema(&numbers).expect("a schema");
        let task = schema.named("task").expect("tasks");
        assert_eq!(task.id, model::EntityId(8));
        let regarding = task.attribute("regardingobjectid").expect("regarding");
        assert!(regarding.targets.is_none(), "regarding points to any entity");
        assert_eq!(task.status_named("not_started").map(|(state, status)| (state.value, status.value)), Some((0, 2)));
    }
}
