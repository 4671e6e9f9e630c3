//! What a process shows to those that call it: read before the processes themselves, since two may call each other.

use model::{
    Argument, EntityId, ProcessName, StageId, TaskName,
    process::{
        flow::Flow,
        workflow::{Mode, Workflow},
    },
};
use smol_str::SmolStr;
use uuid::Uuid;

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
    /// What it is where it is a business process flow: that is started and moved, never called.
    pub flow: Option<CalledFlow>,
}

/// A business process flow as steps and imports see it.
#[derive(Clone, Debug, PartialEq)]
pub struct CalledFlow {
    /// What `processid` of a new record says that is to get it.
    pub id: Uuid,
    /// The entity of its instances.
    pub instance: EntityId,
    /// Its stages, each with the entity of its record.
    pub stages: Vec<(StageId, EntityId)>,
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
            flow: None,
        }
    }

    /// How others see this flow, whose instances are records of `instance`.
    pub fn of_flow(flow: &Flow, instance: EntityId, active: bool) -> Self {
        let stages = flow.stages.iter().map(|stage| (stage.id.clone(), stage.entity)).collect();
        let called = CalledFlow { id: flow.header.id, instance, stages };
        Self::flow(flow.header.name.clone(), active, Some(flow.entity), Some(called))
    }

    /// A flow; what is absent could not be read.
    pub(crate) fn flow(name: ProcessName, active: bool, entity: Option<EntityId>, flow: Option<CalledFlow>) -> Self {
        let broken = entity.is_none() || flow.is_none();
        let flow = flow.unwrap_or(CalledFlow { id: Uuid::nil(), instance: EntityId(0), stages: Vec::new() });
        Self {
            name,
            action: false,
            active,
            child: false,
            on_demand: false,
            flow_step: false,
            real_time: false,
            entity,
            inputs: Vec::new(),
            outputs: Vec::new(),
            privilege: None,
            broken,
            flow: Some(flow),
        }
    }

    /// Whether it is a workflow or an action.
    pub fn is_called(&self) -> bool {
        self.flow.is_none()
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
    let (action, task_flow) = (kind_of(node) == Some("action"), kind_of(node) == Some("task-flow"));
    Some(Callable {
        name: ProcessName::parse(text("name")?).ok()?,
        action,
        active: text("state").is_none_or(|state| state == "active"),
        child: is("child"),
        on_demand: is("on-demand"),
        flow_step: is("flow-step"),
        real_time: action || task_flow || text("mode") == Some("real-time"),
        entity: known,
        inputs,
        outputs,
        privilege: text("privilege").and_then(TaskName::parse),
        broken: report.errors() > 0 || (known.is_none() && entity.as_deref() != Some("none")),
        flow: None,
    })
}
