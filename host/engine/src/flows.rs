//! Business process flows at work (processes 5, T1 to T20): instances on records, their moves, what users see.
//!
//! `rules::flow` decides; here the facts for it are read and what follows is staged, in the unit of whoever asks. An
//! instance is a record of the flow's own entity: whatever writes such a record comes through `verbs`.

mod around;
mod bind;
mod explain;
mod go;
mod instance;
mod message;
mod migrate;
mod order;
mod report;
mod start;
mod verbs;
mod view;

use std::sync::Arc;

use model::{Caller, ProcessName, Record, RecordRef, Refusal, Values, process::flow::InstanceState, refusal::FlowCode};
use rules::flow::Move;

pub(crate) use self::{
    around::holds,
    message::{is_question, message},
    migrate::stranded,
    order::{Ask, order},
    start::on_create,
    verbs::apply,
    view::forget,
};
pub use self::{
    explain::FlowWhy,
    instance::{InstanceView, StageView},
    migrate::{FlowMigrated, FlowMigration, FlowMove},
    report::{FlowReport, StageFigures},
    view::{Choice, Sight as FlowSight},
};
use crate::{Engine, Failure, FlowProcess, unit::Unit};

/// Which record a move to a stage of another entity takes along.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Next {
    /// The one that the instance has of that entity.
    #[default]
    Known,
    /// This one, tied to a record of an earlier stage.
    Record(RecordRef),
    /// A new one with these values, tied by the lookup of the stage.
    Create(Values),
}

/// A move of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Going {
    /// What is wanted.
    pub wanted: Move,
    /// The record of the next stage, where it is about another one.
    pub next: Next,
}

impl Engine {
    /// What a view of the record would show the caller; writes nothing.
    pub fn flow_on(&self, caller: &Caller, record: RecordRef) -> Result<FlowSight, Failure> {
        self.now(|unit| view::look(unit, caller, record, false))
    }

    /// The caller opens the record: what he is shown is pinned for him. A store that cannot write answers all the same
    /// (E28).
    pub fn view_flow(&self, caller: &Caller, record: RecordRef) -> Result<FlowSight, Failure> {
        match self.now(|unit| view::look(unit, caller, record, true)) {
            Err(failure) if failure.is_refused() => Err(failure),
            Err(_) => self.flow_on(caller, record),
            seen => seen,
        }
    }

    /// The same without what one could switch to: what a form asks when it opens. Where the caller is pinned, this costs two
    /// reads beside the record.
    pub fn shown_flow(&self, caller: &Caller, record: RecordRef) -> Result<FlowSight, Failure> {
        let shown = |view| {
            self.now(move |unit| {
                let view::Resolved { shown, pinned, .. } = view::resolve(unit, caller, record, view)?;
                Ok(FlowSight { shown, pinned, started: Vec::new(), startable: Vec::new() })
            })
        };
        match shown(true) {
            Err(failure) if failure.is_refused() => Err(failure),
            Err(_) => shown(false),
            seen => seen,
        }
    }

    /// Switch Process: shows the caller this flow from now on, and starts it where it never was (T10, T11).
    pub fn switch_flow(&self, caller: &Caller, record: RecordRef, flow: &ProcessName) -> Result<FlowSight, Failure> {
        self.now(|unit| view::switch(unit, caller, record, flow))
    }

    /// Starts a flow on the record, on this stage or its first; pins nobody (T19).
    pub fn start_flow(
        &self,
        caller: &Caller,
        record: RecordRef,
        flow: &ProcessName,
        stage: Option<&str>,
    ) -> Result<InstanceView, Failure> {
        self.now(|unit| {
            let process = named(unit, flow)?;
            let instance = start::start(unit, caller, &process, record, stage)?;
            instance::shown(unit, caller, &process, instance)
        })
    }

    /// An instance with its path and what stands against going on.
    pub fn flow_instance(&self, caller: &Caller, instance: RecordRef) -> Result<InstanceView, Failure> {
        self.now(|unit| {
            let process = of_instance(unit, instance)?;
            instance::shown(unit, caller, &process, instance)
        })
    }

    /// Moves an instance; `expected` is the version that it must have.
    pub fn move_flow(
        &self,
        caller: &Caller,
        instance: RecordRef,
        expected: Option<model::Version>,
        going: &Going,
    ) -> Result<InstanceView, Failure> {
        self.now(|unit| {
            let process = of_instance(unit, instance)?;
            go::go(unit, caller, &process, (instance, expected), going)?;
            instance::shown(unit, caller, &process, instance)
        })
    }

    /// The instance with this id, of whatever flow.
    pub fn find_flow_instance(&self, id: model::RecordId) -> Result<Option<RecordRef>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        for process in catalogue.flows() {
            let instance = RecordRef::new(process.instance, id);
            if store::records::get(&snapshot, instance)?.is_some() {
                return Ok(Some(instance));
            }
        }
        Ok(None)
    }
}

/// The word for how an instance stands.
fn word(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Active => "active",
        InstanceState::Finished => "finished",
        InstanceState::Aborted => "aborted",
    }
}

/// The flow of this name.
fn named(unit: &Unit, name: &ProcessName) -> Result<Arc<FlowProcess>, Failure> {
    let found = unit.catalogue.flow(name.as_str()).cloned();
    found.ok_or_else(|| Refusal::UnknownProcess(name.as_str().into()).into())
}

/// The flow that the instance is of.
fn of_instance(unit: &Unit, instance: RecordRef) -> Result<Arc<FlowProcess>, Failure> {
    let found = unit.catalogue.flow_of(instance.entity).cloned();
    let why = || Refusal::NotPossible {
        verb: "move".into(),
        entity: unit.catalogue.schema.name_of(instance.entity),
        why: "its records are no instances of a flow".into(),
    };
    found.ok_or_else(|| why().into())
}

/// A move that is not made.
fn no(process: &FlowProcess, code: FlowCode, why: impl Into<smol_str::SmolStr>) -> Failure {
    Refusal::Flow { code, flow: process.name.as_str().into(), why: why.into() }.into()
}

/// The record of the instance's entity that an instance has, if it has one.
fn record_at(process: &FlowProcess, instance: &Record, entity: model::EntityId) -> Option<RecordRef> {
    instance.get(*process.columns.records.get(&entity)?).as_reference()
}

/// All the records that an instance has.
fn records_of(process: &FlowProcess, instance: &Record) -> Vec<RecordRef> {
    process.columns.records.values().filter_map(|lookup| instance.get(*lookup).as_reference()).collect()
}
