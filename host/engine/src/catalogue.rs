//! What holds now: entities, processes with what starts them, custom steps. Read by every unit, swapped as a whole.
//!
//! Built by `deploy` from the store's definitions; nothing in it changes afterwards. Older activations, which only running
//! jobs need, are loaded when one of them asks.

pub(crate) mod flows;
mod steps;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use model::{
    ActivationId, AttributeId, EntityId, ProcessId, ProcessName, RecordRef, Schema, Timestamp,
    process::{
        DefinitionState,
        workflow::{Mode, Workflow},
    },
};
use rules::{schedule::Schedule, task_flow::Pages, trigger::Trigger, workflow::Program};
use script::{Calendar, Environment};
use smol_str::SmolStr;
use store::records::Indexes;

pub(crate) use self::steps::{Pins, digest};
pub use self::{
    flows::FlowProcess,
    steps::{Directory, Step},
};
use crate::packages::Standing;

/// What holds now.
pub struct Catalogue {
    /// All entities.
    pub schema: Arc<Schema>,
    /// The custom steps that are installed.
    pub steps: Directory,
    /// How their packages stand: what is granted, what rests in quarantine.
    pub(crate) standing: Standing,
    /// What each solution says of time.
    pub(crate) surroundings: HashMap<SmolStr, Surroundings>,
    /// What holds where a solution says nothing.
    pub(crate) organisation: Surroundings,
    processes: HashMap<ProcessName, Arc<Process>>,
    by_id: HashMap<ProcessId, Arc<Process>>,
    /// Processes that start by themselves in the background, by their entity.
    starting: HashMap<EntityId, Vec<Arc<Process>>>,
    /// Those that run in real-time, by their entity, in the order in which they run.
    real_time: HashMap<EntityId, Vec<Arc<Process>>>,
    /// Those that start by the clock, by number.
    scheduled: Vec<Arc<Process>>,
    /// Business process flows.
    flows: flows::Flows,
    /// Which entries the records of each entity have.
    indexes: HashMap<EntityId, Indexes>,
    /// Indexes and keys that do not hold all records yet (E10).
    building: Building,
    /// What users may do, compiled as they are asked for.
    pub(crate) profiles: crate::access::Profiles,
}

/// A process: its definition as it holds now, and the activation that new runs get.
pub struct Process {
    /// Its number.
    pub id: ProcessId,
    /// Its name.
    pub name: ProcessName,
    /// What clients call it where it is an action: `cmp_escalatecomplaint`.
    pub api_name: SmolStr,
    /// What people call it.
    pub title: SmolStr,
    /// The solution that brought it.
    pub solution: SmolStr,
    /// Whether it runs.
    pub state: DefinitionState,
    /// The user who owns it.
    pub owner: RecordRef,
    /// What it says.
    pub workflow: Arc<Workflow>,
    /// What new runs get; absent while it is a draft or a template.
    pub(crate) activation: Option<Arc<Activation>>,
    /// What starts it by itself.
    pub(crate) trigger: Option<Trigger>,
    /// When it starts by the clock.
    pub(crate) schedule: Option<Schedule>,
}

impl Process {
    /// How those that call it see it; `kept`: for what was checked when it was applied.
    pub(crate) fn callable(&self, kept: bool) -> formats::Callable {
        let mut callable = formats::Callable::of(&self.workflow, self.activation.is_some());
        if kept {
            callable.is_for_kept();
        }
        callable
    }

    /// The version that new runs get; none while it is a draft or a template.
    pub fn version(&self) -> Option<u32> {
        self.activation.as_ref().map(|active| active.id.version)
    }

    /// Whether it is an action.
    pub fn is_action(&self) -> bool {
        self.workflow.action.is_some()
    }

    /// Where it stands among those that run in real-time at one event.
    fn rank(&self) -> i32 {
        match self.workflow.mode {
            Mode::RealTime { rank, .. } => rank,
            Mode::Background => 0,
        }
    }
}

/// The immutable copy of a definition that runs use (processes 1.2), with the custom steps pinned by digest.
pub(crate) struct Activation {
    pub id: ActivationId,
    pub program: Program,
    /// The pages, where it is a task flow.
    pub pages: Option<Pages>,
    pub pins: Pins,
    pub surroundings: Surroundings,
}

/// What a solution says of time.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub time_zone: jiff::tz::TimeZone,
    /// The zone's IANA name.
    pub zone: SmolStr,
    pub calendar: Arc<Calendar>,
    /// The calendar as custom steps are told.
    pub days: SmolStr,
    pub public_url: SmolStr,
    /// What stands before the names that clients know.
    pub prefix: SmolStr,
}

/// Indexes and keys that are being built: written by everybody, used by nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Building {
    pub attributes: HashSet<(EntityId, AttributeId)>,
    pub keys: HashSet<(EntityId, u16)>,
    /// Whether there is something left to do.
    pub unfinished: bool,
}

static NO_INDEXES: Indexes = Indexes { attributes: Vec::new(), keys: Vec::new() };

impl Catalogue {
    /// A catalogue of these.
    pub(crate) fn new(
        schema: Schema,
        (steps, standing): (Directory, Standing),
        (organisation, surroundings): (Surroundings, HashMap<SmolStr, Surroundings>),
        (processes, flows): (Vec<Process>, Vec<FlowProcess>),
        building: Building,
    ) -> Self {
        let indexes = schema.entities().map(|entity| (entity.id, Indexes::of(entity))).collect();
        let mut processes: Vec<Arc<Process>> = processes.into_iter().map(Arc::new).collect();
        // The order in which the jobs of one event are made: by number, that of the first apply.
        processes.sort_by_key(|process| process.id);
        let mut starting: HashMap<EntityId, Vec<Arc<Process>>> = HashMap::new();
        let mut real_time: HashMap<EntityId, Vec<Arc<Process>>> = HashMap::new();
        for process in &processes {
            if let Some(entity) = process.trigger.as_ref().and_then(|trigger| trigger.entity) {
                let map = if process.workflow.mode.is_real_time() { &mut real_time } else { &mut starting };
                map.entry(entity).or_default().push(process.clone());
            }
        }
        for processes in real_time.values_mut() {
            processes.sort_by(|one, other| (one.rank(), &one.name).cmp(&(other.rank(), &other.name)));
        }
        let scheduled = processes.iter().filter(|process| process.schedule.is_some()).cloned().collect();
        Self {
            profiles: crate::access::Profiles::new(&schema),
            schema: Arc::new(schema),
            steps,
            standing,
            organisation,
            surroundings,
            by_id: processes.iter().map(|process| (process.id, process.clone())).collect(),
            processes: processes.into_iter().map(|process| (process.name.clone(), process)).collect(),
            starting,
            real_time,
            scheduled,
            flows: flows::Flows::new(flows),
            indexes,
            building,
        }
    }

    /// What the solution says of time.
    pub(crate) fn surroundings_of(&self, solution: &str) -> &Surroundings {
        self.surroundings.get(solution).unwrap_or(&self.organisation)
    }

    /// The process of this name.
    pub fn process(&self, name: &str) -> Option<&Arc<Process>> {
        self.processes.get(name)
    }

    /// The process with this number.
    pub fn process_by_id(&self, id: ProcessId) -> Option<&Arc<Process>> {
        self.by_id.get(&id)
    }

    /// The number of the process of this name.
    pub fn process_named(&self, name: &str) -> Option<ProcessId> {
        self.process(name).map(|process| process.id)
    }

    /// The row as which the process or flow of this name is seen.
    pub(crate) fn row_of_process(&self, name: &str) -> Option<RecordRef> {
        let process = self
            .process(name)
            .map(|process| RecordRef::new(model::starter::PROCESS, model::RecordId(process.workflow.header.id)));
        process.or_else(|| self.flow(name).map(|flow| flow.row()))
    }

    /// The name of a process; its number where it is gone.
    pub fn process_name(&self, id: ProcessId) -> SmolStr {
        self.process_by_id(id)
            .map_or_else(|| smol_str::format_smolstr!("#{id}"), |process| process.name.as_str().into())
    }

    /// The action of this name, or that clients know by it.
    pub fn action(&self, name: &str) -> Option<&Arc<Process>> {
        let by_name = self.process(name).filter(|process| process.is_action());
        by_name.or_else(|| self.actions().find(|process| process.api_name == name))
    }

    /// The actions that can be called, in no order; `workflow` has the entity, the inputs and the outputs of each.
    pub fn actions(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.processes().filter(|process| process.is_action() && process.activation.is_some())
    }

    /// The task flow of this name.
    pub fn task_flow(&self, name: &str) -> Option<&Arc<Process>> {
        self.process(name).filter(|process| process.workflow.task_flow.is_some())
    }

    /// The task flows on records of `entity`, in no order.
    pub fn task_flows(&self, entity: EntityId) -> impl Iterator<Item = &Arc<Process>> {
        self.processes()
            .filter(move |process| process.workflow.task_flow.is_some() && process.workflow.entity == Some(entity))
    }

    /// The flow of this name.
    pub fn flow(&self, name: &str) -> Option<&Arc<FlowProcess>> {
        self.flows.named(name)
    }

    /// The flow whose instances the records of `entity` are.
    pub fn flow_of(&self, entity: EntityId) -> Option<&Arc<FlowProcess>> {
        self.flows.of_instance(entity)
    }

    /// The flows whose instances may have a record of `entity`, by order and name.
    pub fn flows_over(&self, entity: EntityId) -> &[Arc<FlowProcess>] {
        self.flows.over(entity)
    }

    /// All flows, in no order.
    pub fn flows(&self) -> impl Iterator<Item = &Arc<FlowProcess>> {
        self.flows.all()
    }

    /// What processes may call, start or move; `kept`: for what was checked when it was applied.
    pub(crate) fn callables(&self, kept: bool) -> Vec<formats::Callable> {
        let flows = self.flows().map(|flow| flow.callable(kept));
        self.processes().map(|process| process.callable(kept)).chain(flows).collect()
    }

    /// The flows as imports see them.
    pub fn known_flows(&self) -> Vec<formats::Callable> {
        self.flows().map(|flow| flow.callable(false)).collect()
    }

    /// All processes, in no order.
    pub fn processes(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.processes.values()
    }

    /// The processes that run in real-time when a record of `entity` changes, by rank and then by name (processes 2).
    pub(crate) fn real_time(&self, entity: EntityId) -> &[Arc<Process>] {
        self.real_time.get(&entity).map_or(&[], Vec::as_slice)
    }

    /// The active processes that start by the clock, in the order of their numbers.
    pub(crate) fn scheduled(&self) -> &[Arc<Process>] {
        &self.scheduled
    }

    /// The background processes that may start by a change of a record of `entity`, in the order of their numbers.
    pub(crate) fn starting(&self, entity: EntityId) -> &[Arc<Process>] {
        self.starting.get(&entity).map_or(&[], Vec::as_slice)
    }

    /// The entries that a record of `entity` has.
    pub(crate) fn indexes(&self, entity: EntityId) -> &Indexes {
        self.indexes.get(&entity).unwrap_or(&NO_INDEXES)
    }

    /// Whether a query may use an index over `attribute`.
    pub(crate) fn is_indexed(&self, entity: EntityId, attribute: AttributeId) -> bool {
        self.indexes(entity).attributes.contains(&attribute) && !self.building.attributes.contains(&(entity, attribute))
    }

    /// Whether an index or key is to be built.
    pub(crate) fn is_building(&self) -> bool {
        self.building.unfinished
    }

    /// Whether a query may use this key.
    pub(crate) fn is_key_built(&self, entity: EntityId, key: u16) -> bool {
        !self.building.keys.contains(&(entity, key))
    }
}

impl Surroundings {
    /// What functions may know at `now`.
    pub fn at(&self, now: Timestamp) -> Environment {
        Environment {
            now,
            time_zone: self.time_zone.clone(),
            calendar: self.calendar.clone(),
            public_url: self.public_url.clone(),
        }
    }
}
