//! How long records stay in each stage of a flow, and where they end: read from the journal of its instances (E26).
//!
//! It looks at the newest instances, so many at most, and at the entries of each; what is older than the journal's
//! retention is counted by where the instance stands. Only what the caller may read is counted.

use std::sync::Arc;

use model::{
    Caller, Privilege, ProcessName, Record, RecordRef, Refusal, Timestamp, Value, process::flow::InstanceState, starter,
};
use smol_str::{SmolStr, ToSmolStr};
use store::{
    journal::{self, Entry},
    records,
};

use super::{instance::standing, record_at};
use crate::{Engine, Failure, FlowProcess};

/// Instances that a report looks at.
pub(super) const MOST_INSTANCES: usize = 5_000;
/// Entries of the journal that it looks at.
const MOST_ENTRIES: usize = 50_000;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What became of the instances of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowReport {
    /// The flow.
    pub process: SmolStr,
    /// How many instances were counted.
    pub instances: u64,
    /// Of these, how many go on, are finished, were abandoned.
    pub states: [u64; 3],
    /// Seconds from start to end of those that are finished, on average.
    pub finished_after: Option<u64>,
    /// Its stages in their order, and behind them those that it has no more.
    pub stages: Vec<StageFigures>,
    /// Whether that is all there is; else it is the newest.
    pub complete: bool,
}

/// What happened in one stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageFigures {
    /// Its id; of one that the flow has no more, the key.
    pub id: SmolStr,
    /// What people call it.
    pub title: SmolStr,
    /// How often it was entered.
    pub entered: u64,
    /// How many stand there and go on.
    pub standing: u64,
    /// How many were finished there, and how many abandoned.
    pub ended: [u64; 2],
    /// How often it was left, for another stage or by an end; stays of which the journal has the beginning.
    pub stays: u64,
    /// The sum of these stays in seconds, and the longest.
    pub seconds: u64,
    /// The longest of them.
    pub longest: u64,
}

impl StageFigures {
    /// How long a stay is on average, in seconds.
    pub fn average(&self) -> Option<u64> {
        self.seconds.checked_div(self.stays)
    }
}

impl Engine {
    /// What became of the flow's instances that were made since `since`, as far as the caller may read them and their
    /// records.
    pub fn flow_report(
        &self,
        caller: &Caller,
        name: &ProcessName,
        since: Option<Timestamp>,
    ) -> Result<FlowReport, Failure> {
        self.check_reads_process(caller, name)?;
        let (catalogue, snapshot) = self.state()?;
        let process = catalogue.flow(name.as_str()).cloned();
        let process = process.ok_or_else(|| Refusal::UnknownProcess(name.as_str().into()))?;
        let own = catalogue.schema.known(process.instance)?;
        let about = catalogue.schema.known(process.flow.entity)?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        who.check_any(own, Privilege::Read)?;
        who.check_any(about, Privilege::Read)?;
        let (sees_all, reads_all) = (who.has_all(own, Privilege::Read), who.has_all(about, Privilege::Read));
        let mut report = Tally::new(&process);
        let (mut looked, mut entries) = (0, 0);
        for instance in records::newest(&snapshot, process.instance)? {
            let instance = instance?;
            if since.is_some_and(|since| made_on(&instance).is_some_and(|made| made < since)) {
                break;
            }
            if looked == MOST_INSTANCES || entries >= MOST_ENTRIES {
                report.report.complete = false;
                break;
            }
            looked += 1;
            if !sees_all && !who.sees(&catalogue, &snapshot, own, &instance)? {
                continue;
            }
            let record = record_at(&process, &instance, about.id).filter(|_| !reads_all);
            if let Some(record) = record.map(|record| records::get(&snapshot, record)).transpose()?.flatten()
                && !who.sees(&catalogue, &snapshot, about, &record)?
            {
                continue;
            }
            let history = journal::of_record(&snapshot, instance.reference(), None)?;
            let mut history: Vec<Entry> = history.collect::<Result<_, _>>()?;
            history.reverse();
            entries += history.len();
            report.count(&instance, &history);
        }
        Ok(report.done())
    }
}

fn made_on(instance: &Record) -> Option<Timestamp> {
    match instance.get(starter::CREATED_ON) {
        Value::DateTime(made) => Some(*made),
        _ => None,
    }
}

/// The figures while they are counted.
struct Tally {
    process: Arc<FlowProcess>,
    report: FlowReport,
    finished: u64,
}

impl Tally {
    fn new(process: &Arc<FlowProcess>) -> Self {
        let stages = process.flow.stages.iter().map(|stage| StageFigures {
            id: stage.id.as_str().into(),
            title: stage.title.as_str().into(),
            ..StageFigures::default()
        });
        let report = FlowReport {
            process: process.name.as_str().into(),
            instances: 0,
            states: [0; 3],
            finished_after: None,
            stages: stages.collect(),
            complete: true,
        };
        Self { process: process.clone(), report, finished: 0 }
    }

    fn done(mut self) -> FlowReport {
        self.report.finished_after = self.finished.checked_div(self.report.states[1]);
        self.report
    }

    /// The stage of a value of `activestageid`.
    fn stage(&mut self, key: RecordRef) -> &mut StageFigures {
        let key = key.id.to_smolstr();
        let place = self.process.stage(&key).map(|place| place.index());
        let place = place.or_else(|| self.report.stages.iter().position(|stage| stage.id == key));
        let place = place.unwrap_or_else(|| {
            let title = "a stage that is gone".into();
            self.report.stages.push(StageFigures { id: key, title, ..StageFigures::default() });
            self.report.stages.len() - 1
        });
        &mut self.report.stages[place]
    }

    /// One instance, by the entries of its journal, the oldest first.
    fn count(&mut self, instance: &Record, history: &[Entry]) {
        let process = self.process.clone();
        let (columns, stands) = (&process.columns, standing(&process, instance));
        self.report.instances += 1;
        self.report.states[state_place(stands.state)] += 1;
        // Where it stands and since when, as far as the entries that are there tell.
        let mut at: Option<(RecordRef, Option<Timestamp>)> = None;
        let mut begun: Option<Timestamp> = None;
        for entry in history {
            let change = |wanted| entry.changes.iter().find(|(attribute, ..)| *attribute == wanted);
            if entry.message == model::Message::Create {
                begun = Some(entry.at);
            }
            if let Some((_, before, after)) = change(columns.active_stage) {
                let before = before.as_reference().or(at.map(|(stage, _)| stage));
                if let Some(stage) = before {
                    self.stay(stage, at.and_then(|(_, since)| since), entry.at);
                }
                at = after.as_reference().map(|stage| (stage, Some(entry.at)));
                at.into_iter().for_each(|(stage, _)| self.stage(stage).entered += 1);
            }
            let Some(status) = change(starter::STATUS).and_then(|(_, _, after)| status(after)) else { continue };
            let Some((stage, since)) = at.or_else(|| standing_at(&process, instance)) else { continue };
            match status {
                InstanceState::Active if entry.message != model::Message::Create => at = Some((stage, Some(entry.at))),
                InstanceState::Active => {}
                ended => {
                    self.stay(stage, since, entry.at);
                    self.stage(stage).ended[state_place(ended) - 1] += 1;
                    at = Some((stage, None));
                    if let (InstanceState::Finished, InstanceState::Finished, Some(begun)) =
                        (ended, stands.state, begun)
                    {
                        self.finished += seconds(begun, entry.at);
                    }
                }
            }
        }
        if stands.state == InstanceState::Active
            && let Some((stage, _)) = standing_at(&process, instance)
        {
            self.stage(stage).standing += 1;
        }
    }

    fn stay(&mut self, stage: RecordRef, since: Option<Timestamp>, until: Timestamp) {
        let Some(since) = since else { return };
        let spent = seconds(since, until);
        let figures = self.stage(stage);
        figures.stays += 1;
        figures.seconds += spent;
        figures.longest = figures.longest.max(spent);
    }
}

fn standing_at(process: &FlowProcess, instance: &Record) -> Option<(RecordRef, Option<Timestamp>)> {
    Some((instance.get(process.columns.active_stage).as_reference()?, None))
}

fn status(value: &Value) -> Option<InstanceState> {
    match value {
        Value::Whole(status) => InstanceState::of_status(i32::try_from(*status).ok()?),
        Value::Choice(status) => InstanceState::of_status(*status),
        _ => None,
    }
}

fn state_place(state: InstanceState) -> usize {
    match state {
        InstanceState::Active => 0,
        InstanceState::Finished => 1,
        InstanceState::Aborted => 2,
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    ((to.as_micros() - from.as_micros()) / MICROS_PER_SECOND).unsigned_abs()
}
