//! `kind: task-flow` (formats 8): pages that one person fills in, and steps that run with all that he typed.
//!
//! Its steps are those of a process that runs within the unit of work of who finishes it; what stands on the pages, and
//! where each leads, is read by `pages`.

use model::{
    EntityName,
    expression::NamedRecord,
    process::{
        Retention,
        task_flow::TaskFlow,
        workflow::{Mode, RunAs, Scope as Reach, Start, Workflow},
    },
};
use smol_str::SmolStr;

use super::{entity, header, loops, owner, pages, scope_of, steps};
use crate::{
    fields::{Fields, Keys},
    keys_with_header,
    names::Names,
    report::Report,
    tree::Node,
};

const TASK_FLOW: Keys = Keys {
    what: "a task flow",
    known: keys_with_header!["state", "entity", "owner", "roles", "pages", "finish"],
    later: &["renamed-from"],
};

/// The task flow that `node` defines.
pub(super) fn convert<'a>(report: &Report<'_>, node: &Node, names: &'a Names<'a>) -> Option<Workflow> {
    let errors = report.errors();
    let fields = Fields::open(report, node, node.place, &TASK_FLOW)?;
    let header = header(&fields, "task-flow");
    let of = entity(&fields, names);
    let owner = owner(&fields, names);
    let roles = roles(&fields, names);
    let pages = of.and_then(|of| pages::convert(&fields, of, names));
    let mode = Mode::RealTime { run_as: RunAs::Caller, rank: 1 };
    let own = loops::Own { entity: of.map(|of| of.id), mode: Some(mode), start: Start::default() };
    let nothing = Vec::new();
    let scope = scope_of(names, of, false, [&nothing, &nothing, &nothing]);
    let steps = steps::convert_at(&fields, "finish", &scope, &own, of);
    if let Some(pages) = &pages
        && !pages.iter().any(model::process::task_flow::Page::takes_values)
        && fields.get("finish").is_none()
    {
        let hint =
            Some("a page has an `attribute` that is not `read-only`, or there are steps under `finish`".to_owned());
        report.warn(fields.place_of("pages"), "this task flow changes nothing", hint);
    }
    if report.errors() > errors {
        return None;
    }
    Some(Workflow {
        header: header?,
        action: None,
        task_flow: Some(TaskFlow { roles, pages: pages? }),
        entity: of.map(|of| of.id),
        mode,
        owner,
        scope: Reach::Organization,
        start: Start::default(),
        on_demand: false,
        child: false,
        in_order_by: None,
        variables: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        retention: Retention::default(),
        steps,
    })
}

/// The roles that may use it; nobody but administrators where there is none.
fn roles(fields: &Fields<'_>, names: &Names<'_>) -> Vec<SmolStr> {
    let report = fields.report;
    fields.need("roles");
    let nodes = fields.list("roles");
    if nodes.is_empty() && fields.get("roles").is_some() {
        let hint = Some("name at least one role, as in `[Customer Service Representative]`".to_owned());
        report.warn(fields.place_of("roles"), "only administrators and customizers will use this task flow", hint);
    }
    let read = nodes.iter().filter_map(|node| {
        let name = SmolStr::from(crate::fields::text(report, node, "roles")?);
        if let Ok(role) = EntityName::parse("role") {
            names.mention(report, &NamedRecord::Named { entity: role, name: name.clone() }, node.place);
        }
        Some(name)
    });
    read.collect()
}
