//! Instances whose stages another version of their flow has no more, or calls otherwise: what becomes of them, told before
//! and written down, a slice a commit.
//!
//! Instances follow the flow that holds: one that stands on a stage that is gone is taken to stand at the last one gone
//! through that is still there. A map says that a stage has become another one. What is written is where they stand then;
//! that is no move: nobody's view changes, and nothing starts by it.

use std::collections::HashMap;

use model::{
    Caller, Message, Privilege, ProcessName, Record, RecordId, RecordRef, Refusal, StageId, Value, Version,
    process::flow::{InstanceState, StagePlace},
    starter,
};
use rules::flow::{Standing, restore};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use store::{Reader, definitions, journal, records};

use super::{instance, named};
use crate::{Engine, Failure, FlowProcess, access, activation, catalogue::flows::stage_id, switch, unit::Unit, verb};

/// Instances that one unit of work looks at.
const SLICE: usize = 200;

/// What is to be done with the instances of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowMigration {
    /// The flow.
    pub process: ProcessName,
    /// Stages that have become others: old, new.
    pub map: Vec<(StageId, StageId)>,
}

/// Instances of a slice that fare alike.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowMove {
    /// The stage where they stand by their rows; the key where no version that is kept knows it.
    pub from: SmolStr,
    /// The stage where they stand then.
    pub to: SmolStr,
    /// How they stand: `active`, `finished`, `aborted`.
    pub state: &'static str,
    /// Why: `same`, `mapped`, `gone` (to the last stage gone through), `path` (only the stages gone through change).
    pub because: &'static str,
    /// How many.
    pub instances: u64,
}

/// What became of a slice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowMigrated {
    /// The instances, by how they fare.
    pub moves: Vec<FlowMove>,
    /// What to give as `cursor` to go on; absent when all were looked at.
    pub next: Option<SmolStr>,
}

impl Engine {
    /// Looks at a slice of the instances from `cursor` on, and writes where they stand then unless it is a `preview`.
    pub fn migrate_flow(
        &self,
        caller: &Caller,
        migration: &FlowMigration,
        preview: bool,
        cursor: Option<&str>,
    ) -> Result<FlowMigrated, Failure> {
        self.check_reads_process(caller, &migration.process)?;
        let after = cursor.map(position).transpose()?;
        self.now(|unit| {
            let process = named(unit, &migration.process)?;
            let own = unit.entity(process.instance)?;
            access::check_any(unit, caller, &own, Privilege::Read)?;
            if !preview {
                switch::check_may(unit, caller, Privilege::Write, Some(process.row()))?;
                unit.who(caller)?.check_all(&own, Privilege::Write)?;
            }
            let stages = Stages::of(unit, &process, migration)?;
            let rows = unit.overlay.unvalidated();
            let slice = records::all(&rows, process.instance, after)?.take(SLICE);
            let ids: Vec<RecordId> = slice.map(|row| row.map(|row| row.id)).collect::<Result<_, _>>()?;
            let mut told: Vec<FlowMove> = Vec::new();
            for id in &ids {
                let Some(row) = unit.record(RecordRef::new(process.instance, *id))? else { continue };
                let (fares, then) = stages.fare(&process, &row);
                if !preview && fares.because != "same" {
                    write(unit, caller, &process, &row, &then)?;
                }
                match told.iter_mut().find(|known| FlowMove { instances: 1, ..(*known).clone() } == fares) {
                    Some(known) => known.instances += 1,
                    None => told.push(fares),
                }
            }
            let next = ids.last().filter(|_| ids.len() == SLICE).map(|last| last.0.to_smolstr());
            Ok(FlowMigrated { moves: told, next })
        })
    }
}

fn position(cursor: &str) -> Result<RecordId, Failure> {
    let wrong = || Refusal::Unreadable { what: "`cursor`".into(), why: "it is none that was given here".into() };
    Ok(cursor.parse().map(RecordId).map_err(|_| wrong())?)
}

/// The stages that instances may name: what each key is called, and what has become of it.
struct Stages {
    /// Of all versions that are kept.
    names: HashMap<RecordId, StageId>,
    map: HashMap<StageId, StageId>,
}

impl Stages {
    fn of(unit: &Unit, process: &FlowProcess, migration: &FlowMigration) -> Result<Self, Failure> {
        let key = |id: &StageId| RecordId(stage_id(&process.name, id.as_str()));
        let mut names: HashMap<RecordId, StageId> = HashMap::new();
        for id in kept_stages(&unit.overlay.unvalidated(), process)? {
            names.insert(key(&id), id);
        }
        for (old, new) in &migration.map {
            if process.flow.stages.iter().all(|stage| stage.id != *new) {
                let why = format_smolstr!("`{}` has no stage `{new}` to go to", process.name);
                return Err(Refusal::Unreadable { what: "`map`".into(), why }.into());
            }
            names.insert(key(old), old.clone());
        }
        Ok(Self { names, map: migration.map.iter().cloned().collect() })
    }

    /// What becomes of one instance, and how it stands then.
    fn fare(&self, process: &FlowProcess, row: &Record) -> (FlowMove, Standing) {
        let columns = &process.columns;
        let state = instance::standing(process, row).state;
        let active = row.get(columns.active_stage).as_reference().map(|stage| stage.id);
        let keys: Vec<RecordId> = match row.get(columns.path) {
            Value::Text(path) => path.split(',').filter_map(|key| key.trim().parse().ok().map(RecordId)).collect(),
            _ => Vec::new(),
        };
        let known = |key: &RecordId| self.names.get(key).cloned();
        let become_ = |id: StageId| self.map.get(&id).cloned().unwrap_or(id);
        let path: Vec<StageId> = keys.iter().filter_map(known).map(become_).collect();
        let was = active.and_then(|key| known(&key));
        let at = was.clone().map(become_);
        let then = restore(&process.flow, state, &path, at.as_ref());
        let id = |place: StagePlace| process.flow.stages.get(place.index()).map(|stage| stage.id.clone());
        let to = id(then.active());
        let because = match (&was, &to) {
            (Some(was), Some(to)) if was == to => match keys == path_of(process, &then) {
                true => "same",
                false => "path",
            },
            (Some(_), Some(to)) if at.as_ref() == Some(to) => "mapped",
            _ => "gone",
        };
        let from = was.map(|was| was.as_str().into());
        let from = from.or_else(|| active.map(|key| key.0.to_smolstr())).unwrap_or_default();
        let to = to.map(|to| SmolStr::from(to.as_str())).unwrap_or_default();
        (FlowMove { from, to, state: super::word(state), because, instances: 1 }, then)
    }
}

fn path_of(process: &FlowProcess, standing: &Standing) -> Vec<RecordId> {
    standing.traversed().iter().map(|place| process.stage_id(*place)).collect()
}

/// The stages of the flow in all versions that are kept.
fn kept_stages(reader: &dyn Reader, process: &FlowProcess) -> Result<Vec<StageId>, Failure> {
    let mut all: Vec<StageId> = process.flow.stages.iter().map(|stage| stage.id.clone()).collect();
    for kept in definitions::activations(reader, process.id)? {
        let kept = activation::read(reader, process.name.as_str(), kept.content)?;
        let said: serde_json::Value = serde_json::from_slice(&kept.canonical).unwrap_or_default();
        let ids = said["stages"].as_array().into_iter().flatten().filter_map(|stage| stage["id"].as_str());
        all.extend(ids.filter_map(|id| StageId::parse(id).ok()));
    }
    Ok(all)
}

/// Writes where the instance stands, and notes who had it written.
fn write(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    before: &Record,
    then: &Standing,
) -> Result<(), Failure> {
    let columns = &process.columns;
    let path: Vec<String> = path_of(process, then).iter().map(|key| key.0.to_string()).collect();
    let stage = RecordRef::new(starter::STAGE, process.stage_id(then.active()));
    let mut after = Record { version: before.version.next(), ..before.clone() };
    after.values.store(columns.active_stage, stage.into());
    after.values.store(columns.path, Value::text(path.join(",")));
    let changes = [columns.active_stage, columns.path].into_iter();
    let changes = changes.map(|column| (column, before.get(column).clone(), after.get(column).clone()));
    let changes: Vec<_> = changes.filter(|(_, before, after)| before != after).collect();
    verb::replace(unit, before, &after)?;
    let entry = journal::Entry {
        id: unit.parts.ids.id(unit.now),
        record: before.reference(),
        at: unit.now,
        message: Message::Update,
        caller: *caller,
        through: None,
        version: Version(after.version.0),
        changes,
    };
    journal::append(&mut unit.overlay, &entry);
    Ok(())
}

/// How many instances go on at a stage that `next` has no more, for the plan of an apply: stage and count, so many at most
/// for each.
pub(crate) fn stranded(
    reader: &dyn Reader,
    process: &FlowProcess,
    next: &model::process::flow::Flow,
    most: usize,
) -> Result<Vec<(StageId, usize)>, Failure> {
    let mut found = Vec::new();
    let gone = process.flow.stages.iter().filter(|stage| next.stages.iter().all(|other| other.id != stage.id));
    for stage in gone {
        let key = RecordRef::new(starter::STAGE, RecordId(stage_id(&process.name, stage.id.as_str())));
        let column = process.columns.active_stage;
        let ids = records::with_value(reader, process.instance, column, &key.into(), most)?;
        let mut count = 0;
        for id in ids {
            let row = records::get(reader, RecordRef::new(process.instance, id))?;
            let is_active = |row: &Record| instance::standing(process, row).state == InstanceState::Active;
            count += usize::from(row.as_ref().is_some_and(is_active));
        }
        if count > 0 {
            found.push((stage.id.clone(), count));
        }
    }
    Ok(found)
}
