//! Stages of flows as the entity set `processstages` (E9): rows over what solutions defined, so that clients can bind the
//! active stage of an instance by its key.

use model::{
    Caller, Outcome, Record, RecordId, RecordRef, Refusal, Value, Values, Verb, Version, process::flow::StagePlace,
    starter,
};
use store::Reader;

use super::Rows;
use crate::{Failure, FlowProcess, catalogue::Catalogue, query::Candidates, unit::Unit};

/// The stages.
pub(super) struct Stages;

impl Rows for Stages {
    fn get(&self, catalogue: &Catalogue, _: &dyn Reader, id: RecordId) -> Result<Option<Record>, Failure> {
        Ok(all(catalogue).find(|record| record.id == id))
    }

    fn scan<'a>(&self, catalogue: &'a Catalogue, _: &'a dyn Reader) -> Result<Candidates<'a>, Failure> {
        Ok(Box::new(all(catalogue).map(Ok)))
    }

    fn apply(&self, unit: &mut Unit, _caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        let entity = unit.catalogue.schema.name_of(starter::STAGE);
        let why = "stages come from the flows of a solution: change those".into();
        Err(Refusal::NotPossible { verb: verb.word().into(), entity, why }.into())
    }
}

fn all(catalogue: &Catalogue) -> impl Iterator<Item = Record> + '_ {
    catalogue.flows().flat_map(move |flow| flow.places().filter_map(move |place| record(catalogue, flow, place)))
}

fn record(catalogue: &Catalogue, flow: &FlowProcess, place: StagePlace) -> Option<Record> {
    let own = catalogue.schema.entity(starter::STAGE)?;
    let stage = flow.flow.stages.get(place.index())?;
    let process = RecordRef::new(starter::PROCESS, RecordId(flow.flow.header.id));
    let columns = [
        ("stagename", Value::text(stage.title.as_str())),
        ("stagecategory", stage.category.map_or(Value::Null, Value::Choice)),
        ("primaryentitytypecode", Value::Text(catalogue.schema.name_of(stage.entity))),
        ("processid", process.into()),
    ];
    let named = columns.into_iter().filter_map(|(name, value)| Some((own.attribute(name)?.id, value)));
    let states = [(starter::STATE, Value::Whole(0)), (starter::STATUS, Value::Whole(1))];
    let values: Values = named.chain(states).collect();
    Some(Record { entity: starter::STAGE, id: flow.stage_id(place), version: Version(1), values })
}
