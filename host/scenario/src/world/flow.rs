//! Flows of a record, as a page asks for them.

use engine::{FlowSight, Going, InstanceView, Next};
use model::{ProcessName, RecordRef, Refusal, process::flow::InstanceState};
use rules::flow::Move;
use smol_str::SmolStr;

use super::{
    World,
    port::{no, refused},
    value,
};
use crate::port::{FlowAsk, FlowMove, Given, No, Target};

impl World {
    pub(super) fn ask_flow(&mut self, record: &Target, asked: &FlowAsk) -> Result<Vec<String>, No> {
        let (caller, target) = (self.caller(), self.record(record)?);
        let engine = self.engine();
        match asked {
            FlowAsk::Look => engine.flow_on(&caller, target).map(|sight| told(&sight)).map_err(no),
            FlowAsk::View => engine.view_flow(&caller, target).map(|sight| told(&sight)).map_err(no),
            FlowAsk::Switch(flow) => {
                let sight = engine.switch_flow(&caller, target, &process(flow)?).map_err(no)?;
                Ok(told(&sight))
            }
            FlowAsk::Start { process: flow, stage } => {
                let started = engine.start_flow(&caller, target, &process(flow)?, stage.as_deref()).map_err(no)?;
                Ok(vec![path(&started)])
            }
            FlowAsk::Move(wanted) => self.move_flow(target, wanted),
        }
    }

    fn move_flow(&mut self, record: RecordRef, asked: &FlowMove) -> Result<Vec<String>, No> {
        let caller = self.caller();
        let sight = self.engine().flow_on(&caller, record).map_err(no)?;
        let instance = match &asked.process {
            None => sight.shown.as_ref().map(|shown| shown.instance),
            Some(wanted) => sight.started.iter().find(|one| one.process == *wanted).and_then(|one| one.instance),
        };
        let Some(instance) = instance else {
            return Err(refused(&Refusal::NotFound {
                entity: asked.process.clone().unwrap_or_else(|| "flow".into()),
                record: "on this record for this user".into(),
            }));
        };
        let view = self.engine().flow_instance(&caller, instance).map_err(no)?;
        let going = Going { wanted: self.wanted(&view, asked)?, next: self.next(&view, asked)? };
        let moved = self.engine().move_flow(&caller, instance, None, &going).map_err(no)?;
        Ok(vec![path(&moved)])
    }

    fn wanted(&self, view: &InstanceView, asked: &FlowMove) -> Result<Move, No> {
        Ok(match asked.wanted.as_str() {
            "next" => Move::Next,
            "back" => Move::Back,
            "finish" => Move::Finish,
            "abandon" => Move::Abandon,
            "reactivate" => Move::Reactivate,
            _ => {
                let stage = asked.stage.as_deref().unwrap_or_default();
                let catalogue = self.engine().catalogue();
                let flow = catalogue.flow(&view.process);
                let place = flow.and_then(|flow| flow.stage(stage));
                Move::SetStage(place.ok_or_else(|| No::new("page", format!("there is no stage `{stage}`")))?)
            }
        })
    }

    fn next(&mut self, view: &InstanceView, asked: &FlowMove) -> Result<Next, No> {
        if let Some(to) = &asked.to {
            return Ok(Next::Record(self.record(to)?));
        }
        let Some(values) = &asked.create else { return Ok(Next::Known) };
        let Some(entity) = view.candidate_entity else { return Ok(Next::Known) };
        let name = self.engine().schema().name_of(entity);
        Ok(Next::Create(self.flow_values(&name, values)?))
    }

    fn flow_values(&self, entity: &str, values: &[(SmolStr, Given)]) -> Result<model::Values, No> {
        let schema = self.engine().schema();
        let entity = self.entity(entity)?;
        let mut made = model::Values::new();
        for (name, given) in values {
            let attribute = super::port::attribute(&entity, name)?;
            made.insert(attribute.id, value::value(&schema, &entity, attribute, given));
        }
        Ok(made)
    }
}

fn process(name: &str) -> Result<ProcessName, No> {
    ProcessName::parse(name).map_err(|_| refused(&Refusal::UnknownProcess(name.into())))
}

fn told(sight: &FlowSight) -> Vec<String> {
    let mut lines = match &sight.shown {
        None => vec!["no flow".to_owned()],
        Some(shown) => vec![path(shown) + if sight.pinned { ", pinned" } else { "" }],
    };
    let names = |choices: &[engine::Choice]| {
        choices.iter().map(|choice| choice.process.as_str()).collect::<Vec<_>>().join(", ")
    };
    if sight.started.len() > 1 {
        lines.push(format!("started: {}", names(&sight.started)));
    }
    if !sight.startable.is_empty() {
        lines.push(format!("can be started: {}", names(&sight.startable)));
    }
    lines
}

/// `selling: qualify > [develop] > close`
fn path(view: &InstanceView) -> String {
    let stages = view.path.iter().enumerate().map(|(place, stage)| match place == view.active {
        true => format!("[{}]", stage.id),
        false => stage.id.to_string(),
    });
    let mut line = format!("{}: {}", view.process, stages.collect::<Vec<_>>().join(" > "));
    match view.state {
        InstanceState::Active => {}
        InstanceState::Finished => line.push_str(", finished"),
        InstanceState::Aborted => line.push_str(", abandoned"),
    }
    if !view.process_active {
        line.push_str(", the flow is not active");
    }
    if !view.gate.is_empty() {
        line.push_str(&format!(", needs {}", view.gate.join(", ")));
    }
    line
}
