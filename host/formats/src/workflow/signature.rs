//! What a process shows to those that call it: read before the processes themselves, since two may call each other.

use model::{
    Argument, EntityId, ProcessName, TaskName,
    process::workflow::{Mode, Workflow},
};
use smol_str::SmolStr;

use crate::{
    argument,
    header::kind_of,
    names::Names,
    report::Report,
    tree::{Kind, Node},
};

/// A process as its callers see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Callable {
    /// Its name.
    pub name: ProcessName,
    /// Whether it is an action; else it is a workflow.
    pub action: bool,
    /// Whether it is active.
    pub active: bool,
    /// Whether other processes may start it.
    pub child: bool,
    /// Whether people may start it.
    pub on_demand: bool,
    /// Whether it may be a button in a flow.
    pub flow_step: bool,
    /// Whether it runs at once.
    pub real_time: bool,
    /// The entity whose records it runs on; absent: none.
    pub entity: Option<EntityId>,
    /// What it takes.
    pub inputs: Vec<Argument>,
    /// What it gives.
    pub outputs: Vec<Argument>,
    /// The task that its callers need.
    pub privilege: Option<TaskName>,
    /// Whether its own file has errors: who calls it is not reported too.
    pub broken: bool,
}

impl Callable {
    /// How others see this process.
    pub fn of(process: &Workflow, active: bool) -> Self {
        Self {
            name: process.header.name.clone(),
            action: process.action.is_some(),
            active,
            child: process.child,
            on_demand: process.on_demand,
            flow_step: process.action.as_ref().is_some_and(|action| action.flow_step),
            real_time: matches!(process.mode, Mode::RealTime { .. }),
            entity: process.entity,
            inputs: process.inputs.clone(),
            outputs: process.outputs.clone(),
            privilege: process.action.as_ref().and_then(|action| action.privilege.clone()),
            broken: false,
        }
    }
}

impl Callable {
    /// For what was checked when it was applied: whether it may be called by now is asked when it is.
    pub fn is_for_kept(&mut self) {
        self.active = true;
        self.child = true;
        self.on_demand = true;
        self.flow_step = true;
    }
}

/// What the file shows of a process, as far as it can be read; nothing where it has no name.
pub(crate) fn signature(node: &Node, names: &Names<'_>) -> Option<Callable> {
    let report = Report::new("", "");
    let text = |key: &str| node.get(key).and_then(Node::as_text);
    let is = |key: &str| matches!(node.get(key).map(|node| &node.kind), Some(Kind::Boolean(true)));
    let entity = text("entity").map(SmolStr::from);
    let known = entity.as_ref().and_then(|name| names.schema.named(name)).map(|entity| entity.id);
    let arguments = |key: &str| {
        let entries = node.get(key).and_then(Node::entries).unwrap_or_default();
        argument::convert_all(&report, entries, names)
    };
    let (inputs, outputs) = (arguments("inputs"), arguments("outputs"));
    let action = kind_of(node) == Some("action");
    Some(Callable {
        name: ProcessName::parse(text("name")?).ok()?,
        action,
        active: text("state").is_none_or(|state| state == "active"),
        child: is("child"),
        on_demand: is("on-demand"),
        flow_step: is("flow-step"),
        real_time: action || text("mode") == Some("real-time"),
        entity: known,
        inputs,
        outputs,
        privilege: text("privilege").and_then(TaskName::parse),
        broken: report.errors() > 0 || (known.is_none() && entity.as_deref() != Some("none")),
    })
}
