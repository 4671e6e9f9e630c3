//! `context`: who calls, about what.

use model::{Image, RecordRef, Schema, process::workflow::Stage};

use crate::{
    abi::v1::{self, context, types},
    call::{Call, Facts},
    inspect,
};

impl context::Host for Call {
    fn user(&mut self) -> wasmtime::Result<types::Reference> {
        Ok(reference(self.facts()?, |facts| facts.context.user))
    }

    fn initiating_user(&mut self) -> wasmtime::Result<types::Reference> {
        Ok(reference(self.facts()?, |facts| facts.context.initiating_user))
    }

    fn business_unit(&mut self) -> wasmtime::Result<Option<types::Reference>> {
        let facts = self.facts()?;
        Ok(facts.context.business_unit.map(|unit| v1::reference_to_wire(unit, &facts.schema)))
    }

    fn record(&mut self) -> wasmtime::Result<Option<types::Reference>> {
        let facts = self.facts()?;
        Ok(facts.context.record.map(|record| v1::reference_to_wire(record, &facts.schema)))
    }

    fn message(&mut self) -> wasmtime::Result<String> {
        let context = &self.facts()?.context;
        Ok(context.action.as_deref().unwrap_or(context.message.word()).to_owned())
    }

    fn pre_image(&mut self) -> wasmtime::Result<Vec<types::Field>> {
        let facts = self.facts()?;
        Ok(image(&facts.context.before, facts.context.record, &facts.schema))
    }

    fn post_image(&mut self) -> wasmtime::Result<Vec<types::Field>> {
        let facts = self.facts()?;
        Ok(image(&facts.context.after, facts.context.record, &facts.schema))
    }

    fn depth(&mut self) -> wasmtime::Result<u32> {
        Ok(self.facts()?.context.depth.into())
    }

    fn correlation(&mut self) -> wasmtime::Result<types::Guid> {
        Ok(v1::guid_to_wire(self.facts()?.context.correlation.0))
    }

    fn mode(&mut self) -> wasmtime::Result<context::RunMode> {
        Ok(match self.facts()?.context.background {
            true => context::RunMode::Background,
            false => context::RunMode::RealTime,
        })
    }

    fn stage(&mut self) -> wasmtime::Result<context::EventStage> {
        Ok(match self.facts()?.context.stage {
            None => context::EventStage::None,
            Some(Stage::Before) => context::EventStage::Before,
            Some(Stage::After) => context::EventStage::After,
        })
    }

    fn attempt(&mut self) -> wasmtime::Result<u32> {
        Ok(self.facts()?.context.attempt)
    }

    fn idempotency_key(&mut self) -> wasmtime::Result<String> {
        Ok(self.facts()?.context.idempotency_key.to_string())
    }

    fn deadline(&mut self) -> wasmtime::Result<i64> {
        let wall = i64::try_from(self.meter.limits().wall.as_micros()).unwrap_or(i64::MAX);
        Ok(self.facts()?.context.now.plus_micros(wall).as_micros())
    }

    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        self.facts()?;
        Ok(self.is_cancelled())
    }

    fn attribute(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let context = &self.facts()?.context;
        Ok(match name.as_str() {
            "calendar" => Some(context.calendar.to_string()),
            "public-url" => Some(context.public_url.to_string()),
            "contract" => Some(inspect::SPOKEN_WORDS.to_owned()),
            "host" => Some(concat!("stepwise ", env!("CARGO_PKG_VERSION")).to_owned()),
            "mode" => Some(if context.background { "background" } else { "real-time" }.to_owned()),
            "stage" => Some(
                match context.stage {
                    None => "none",
                    Some(Stage::Before) => "before",
                    Some(Stage::After) => "after",
                }
                .to_owned(),
            ),
            _ => None,
        })
    }
}

fn reference(facts: &Facts, which: impl FnOnce(&Facts) -> RecordRef) -> types::Reference {
    v1::reference_to_wire(which(facts), &facts.schema)
}

/// An image by names; attributes that are gone meanwhile are left out.
fn image(image: &Image, record: Option<RecordRef>, schema: &Schema) -> Vec<types::Field> {
    let Some(entity) = record.and_then(|record| schema.entity(record.entity)) else { return Vec::new() };
    let fields = image.iter().filter_map(|(attribute, value)| {
        let name = entity.attribute_by_id(attribute)?.name().to_string();
        Some(types::Field { name, value: v1::value_to_wire(value, schema) })
    });
    fields.collect()
}
