//! Acting: units of work, verbs, jobs, queries, deployment.
//!
//! The shell around the pure core: it reads what `rules` asks for, does what `rules` commands, and commits it through
//! `store`. Synchronous, and it owns no threads: its owner loops `serve_one`, `run_one` and, with a store in memory,
//! `pump` (E12). It knows neither HTTP nor what is behind a `StepRunner`.

mod access;
mod act;
mod activation;
mod audit;
mod background;
mod catalogue;
mod clock;
mod commands;
mod deploy;
mod drive;
mod error;
mod explain;
mod export;
mod flows;
mod house;
mod ids;
mod import;
mod interactive;
mod jobs;
mod keys;
mod load;
mod members;
mod messages;
mod migrate;
mod open;
mod organisation;
mod outbox;
mod outside;
mod packages;
mod query;
mod realtime;
mod resolve;
mod retention;
mod rows;
mod schedule;
mod scripts;
mod security;
mod settings;
mod settle;
mod several;
pub mod signin;
mod switch;
mod task_flows;
#[cfg(test)]
mod tests;
mod trial;
mod unit;
mod verb;
mod versions;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use arc_swap::ArcSwap;
use model::{ActivationId, Schema, step::StepRunner};
use parking_lot::{Mutex, RwLock};
use store::{Overlay, Store};

pub use rules::flow::Move as FlowMove;

pub use crate::{
    access::{Explained, Explanation, Reason, Source},
    background::{Figures, Progress},
    catalogue::{Catalogue, Directory, FlowProcess, Process, Step},
    clock::{Clock, ManualClock, SystemClock},
    deploy::{Action, ApplyOptions, Change, Plan, is_component},
    error::{Error, Failure},
    explain::{Check, Event, Started, Why},
    export::Formatted,
    flows::{
        Choice, FlowMigrated, FlowMigration, FlowMove as MovedInstances, FlowReport, FlowSight, FlowWhy, Going,
        InstanceView, Next, StageFigures, StageView,
    },
    ids::{CountingIds, Ids, RandomIds},
    import::Imported,
    interactive::Work,
    jobs::{JobPage, Ordered, StandsAt, Waits},
    load::starter,
    migrate::{Migrated, Migration, Outcome as MigrationOutcome},
    open::{administrator, root_unit},
    outbox::{Carried, MailPage, MailState, OutboxMail},
    packages::{
        CallFigures, Compiles, Demand, Given, Inspected, InstalledPlugin, Missing, NewPlugin, Origin, PluginOrigin,
        PluginSettings, PluginState, Resting, RolledBack, Signed, Trust, TrustedKey, Uninstalled,
    },
    rows::privileges::privilege_id,
    schedule::Scheduled,
    scripts::{CheckedScript, ScriptState, TestedExample},
    security::Move,
    settings::{Budget, Quarantine, Seal, Settings},
    signin::{Need, Scopes, SignedIn, Way},
    task_flows::{
        FieldView, Given as TypedValues, ItemView, Other, PageView, SessionBrief, SessionView, TaskFlowChoice,
    },
    trial::{Beyond, Mail, Trial, Within, Would},
    versions::{Version, Written},
};
use crate::{background::queue::Queue, catalogue::Activation, interactive::Desk, unit::Unit};

/// How many jobs there are in each state, in the order of `JobState::WORDS`.
pub type JobCounts = [u64; model::job::JobState::WORDS.len()];
pub use rules::delivery::Policy as MailPolicy;

/// What an engine is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
    /// New identities and secrets.
    pub ids: Arc<dyn Ids>,
    /// What runs custom steps.
    pub runner: Arc<dyn StepRunner>,
    /// Its figures.
    pub settings: Settings,
}

/// The engine.
pub struct Engine {
    parts: Arc<Parts>,
    catalogue: ArcSwap<Catalogue>,
    /// Held for writing while the store gets a new catalogue and memory too: no unit begins between the two.
    swapping: RwLock<()>,
    /// One deployment at a time.
    deploying: Mutex<()>,
    /// One slice of what is being built at a time.
    building: Mutex<()>,
    /// Activations that only running jobs still need.
    older: Mutex<HashMap<ActivationId, Arc<Activation>>>,
    desk: Desk,
    queue: Queue,
    sweeps: retention::Sweeps,
    /// Sign-ins and refusals on their way to the store.
    notes: audit::Notes,
    signin: signin::SignIn,
    outbox: outbox::Outbox,
    outside: outside::Outside,
    me: Weak<Engine>,
}

impl Engine {
    /// What holds now: schema, processes, custom steps. A unit keeps the one that it began with.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// The entities that hold now.
    pub fn schema(&self) -> Arc<Schema> {
        self.catalogue.load().schema.clone()
    }

    /// The clock that the engine goes by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    /// Where the engine gets identities from.
    pub fn ids(&self) -> &dyn Ids {
        &*self.parts.ids
    }

    /// The figures by which it works.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// Begins a unit of work on the newest state, with the catalogue of that state.
    fn begin(&self) -> Result<Unit, Failure> {
        let _not_swapping = self.swapping.read();
        let catalogue = self.catalogue.load_full();
        let overlay = Overlay::new(self.parts.store.snapshot()?);
        store::definitions::watch_schema(&overlay);
        Ok(Unit::new(self.parts.clone(), catalogue, overlay))
    }
}
