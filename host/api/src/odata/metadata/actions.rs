//! The actions of processes in CSDL: what each takes, and the type of what it answers.

use std::{fmt::Write, sync::Arc};

use engine::{Catalogue, Process};
use model::{Argument, ValueType};

use super::edm;

/// The types and actions, and what the entity container says of those without a record.
pub(super) fn of(catalogue: &Catalogue) -> (String, String) {
    let mut actions: Vec<&Arc<Process>> = catalogue.actions().collect();
    actions.sort_by(|one, other| one.api_name.cmp(&other.api_name));
    let (mut types, mut imports) = (String::new(), String::new());
    for process in actions {
        let (name, workflow) = (&process.api_name, &process.workflow);
        let entity = workflow.entity.map(|entity| catalogue.schema.name_of(entity));
        let bound = if entity.is_some() { " IsBound=\"true\"" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(types, "<Action Name=\"{name}\"{bound}>");
        if let Some(entity) = &entity {
            let _ = write!(types, "<Parameter Name=\"entity\" Type=\"mscrm.{entity}\" Nullable=\"false\"/>");
        } else {
            let _ = writeln!(imports, "<ActionImport Name=\"{name}\" Action=\"mscrm.{name}\"/>");
        }
        workflow.inputs.iter().for_each(|input| types.push_str(&declared("Parameter", input)));
        if workflow.outputs.is_empty() {
            types.push_str("</Action>\n");
            continue;
        }
        let outputs: String = workflow.outputs.iter().map(|output| declared("Property", output)).collect();
        let _ = writeln!(types, "<ReturnType Type=\"mscrm.{name}Response\" Nullable=\"false\"/></Action>");
        let _ = writeln!(types, "<ComplexType Name=\"{name}Response\">{outputs}</ComplexType>");
    }
    (types, imports)
}

fn declared(element: &str, argument: &Argument) -> String {
    let required = argument.required && argument.default.is_null();
    let nullable = if required { " Nullable=\"false\"" } else { "" };
    let kind = match (argument.kind.value_type, argument.kind.to.as_slice()) {
        (ValueType::Reference, [only]) => format!("mscrm.{only}"),
        (kind, _) => edm(kind).to_owned(),
    };
    format!("<{element} Name=\"{}\" Type=\"{kind}\"{nullable}/>", argument.name)
}
