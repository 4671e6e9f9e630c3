//! Business process flows as they hold now, compiled: what starts on a new record, what an instance belongs to.

use std::{collections::HashMap, sync::Arc};

use model::{
    AttributeId, EntityId, ProcessId, ProcessName, RecordId, RecordRef, Schema,
    process::{
        DefinitionState,
        flow::{Flow, StagePlace},
    },
    schema::Entity,
};
use rules::condition::Condition;
use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;

use super::Surroundings;

/// A flow with its own entity.
pub struct FlowProcess {
    /// Its number.
    pub id: ProcessId,
    /// Its name.
    pub name: ProcessName,
    /// The solution that brought it.
    pub solution: SmolStr,
    /// Whether it may be started and moved; instances of one that may not are still shown (T13).
    pub active: bool,
    /// The version that holds; absent while it is not active.
    pub version: Option<u32>,
    /// The user who owns it.
    pub owner: RecordRef,
    /// What it says.
    pub flow: Flow,
    /// The entity of its instances.
    pub instance: EntityId,
    /// The attributes of its instances.
    pub(crate) columns: Columns,
    /// The conditions of each stage's branches.
    conditions: Vec<Vec<Condition>>,
    pub(crate) surroundings: Surroundings,
}

/// The attributes of an instance, by what they are for.
pub(crate) struct Columns {
    pub name: AttributeId,
    pub process: AttributeId,
    pub active_stage: AttributeId,
    pub stage_started: AttributeId,
    pub completed: AttributeId,
    pub duration: AttributeId,
    /// Absent where the flow was applied before there was one.
    pub stage_duration: Option<AttributeId>,
    pub path: AttributeId,
    pub last_change: AttributeId,
    /// The lookup to the record of each entity that the flow leads over.
    pub records: HashMap<EntityId, AttributeId>,
}

/// The key by which clients know a stage.
pub(crate) fn stage_id(flow: &ProcessName, stage: &str) -> Uuid {
    formats::identity("stage", &format_smolstr!("{flow}/{stage}"))
}

impl FlowProcess {
    /// The flow, ready to be asked; a sentence where it does not fit the schema.
    pub(crate) fn compile(
        (id, solution, version, owner): (ProcessId, SmolStr, Option<u32>, RecordRef),
        flow: Flow,
        schema: &Schema,
        surroundings: Surroundings,
    ) -> Result<Self, String> {
        let own =
            schema.named(flow.instance.as_str()).ok_or_else(|| format!("there is no entity `{}`", flow.instance))?;
        let columns = Columns::of(own, &flow, schema)?;
        let of_stage = |branches: &[(model::condition::Condition, _)]| {
            branches.iter().map(|(condition, _)| Condition::compile(condition)).collect::<Result<Vec<_>, _>>()
        };
        let conditions = flow.stages.iter().map(|stage| of_stage(&stage.branches)).collect::<Result<_, _>>()?;
        let (name, instance) = (flow.header.name.clone(), own.id);
        let active = version.is_some();
        Ok(Self { id, name, solution, active, version, owner, flow, instance, columns, conditions, surroundings })
    }

    /// How steps and imports see it; `kept`: for what was checked when it was applied.
    pub(crate) fn callable(&self, kept: bool) -> formats::Callable {
        formats::Callable::of_flow(&self.flow, self.instance, self.active || kept)
    }

    /// The row that it is seen as.
    pub fn row(&self) -> RecordRef {
        RecordRef::new(model::starter::PROCESS, RecordId(self.flow.header.id))
    }

    /// Whether it is active, as definitions say it.
    pub fn state(&self) -> DefinitionState {
        match (self.active, self.flow.header.state) {
            (true, _) => DefinitionState::Active,
            // It was switched off since.
            (false, DefinitionState::Active) => DefinitionState::Draft,
            (false, state) => state,
        }
    }

    /// The condition of a branch.
    pub(crate) fn condition(&self, stage: StagePlace, branch: usize) -> Option<&Condition> {
        self.conditions.get(stage.index())?.get(branch)
    }

    /// The key by which clients know a stage.
    pub fn stage_id(&self, stage: StagePlace) -> RecordId {
        let id = self.flow.stages.get(stage.index()).map(|stage| stage_id(&self.name, stage.id.as_str()));
        RecordId(id.unwrap_or_default())
    }

    /// The stage that a client names by its key, or a person by its id.
    pub fn stage(&self, named: &str) -> Option<StagePlace> {
        let key = Uuid::parse_str(named).ok();
        let is = |stage: &model::process::flow::Stage| match key {
            Some(key) => stage_id(&self.name, stage.id.as_str()) == key,
            None => stage.id.as_str() == named,
        };
        self.places().find(|place| self.flow.stages.get(place.index()).is_some_and(is))
    }

    /// Its stages in their order.
    pub fn places(&self) -> impl Iterator<Item = StagePlace> {
        (0u8..).take(self.flow.stages.len()).map(StagePlace)
    }
}

impl Columns {
    fn of(own: &Entity, flow: &Flow, schema: &Schema) -> Result<Self, String> {
        let column = |name: &str| {
            own.attribute(name).map(|found| found.id).ok_or_else(|| format!("`{}` has no `{name}`", own.name()))
        };
        let mut records = HashMap::new();
        for stage in &flow.stages {
            records.insert(stage.entity, column(&format!("bpf_{}id", schema.name_of(stage.entity)))?);
        }
        Ok(Self {
            name: column("name")?,
            process: column("processid")?,
            active_stage: column("activestageid")?,
            stage_started: column("activestagestartedon")?,
            completed: column("completedon")?,
            duration: column("duration")?,
            stage_duration: column("laststageduration").ok(),
            path: column("traversedpath")?,
            last_change: column("laststatuschange")?,
            records,
        })
    }
}

/// All flows, found by what is asked of them.
#[derive(Default)]
pub(crate) struct Flows {
    by_name: HashMap<ProcessName, Arc<FlowProcess>>,
    by_instance: HashMap<EntityId, Arc<FlowProcess>>,
    /// Those that lead over an entity, first those that begin on it.
    over: HashMap<EntityId, Vec<Arc<FlowProcess>>>,
}

impl Flows {
    pub fn new(flows: Vec<FlowProcess>) -> Self {
        let mut all = Self::default();
        let mut flows: Vec<_> = flows.into_iter().map(Arc::new).collect();
        flows.sort_by(|one, other| (one.flow.order, &one.name).cmp(&(other.flow.order, &other.name)));
        for flow in flows {
            for entity in flow.columns.records.keys() {
                all.over.entry(*entity).or_default().push(flow.clone());
            }
            all.by_instance.insert(flow.instance, flow.clone());
            all.by_name.insert(flow.name.clone(), flow);
        }
        all
    }

    pub fn named(&self, name: &str) -> Option<&Arc<FlowProcess>> {
        self.by_name.get(name)
    }

    pub fn of_instance(&self, entity: EntityId) -> Option<&Arc<FlowProcess>> {
        self.by_instance.get(&entity)
    }

    /// The flows whose instances may have a record of this entity, by order and name.
    pub fn over(&self, entity: EntityId) -> &[Arc<FlowProcess>] {
        self.over.get(&entity).map_or(&[], Vec::as_slice)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<FlowProcess>> {
        self.by_name.values()
    }
}
