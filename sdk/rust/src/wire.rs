//! The wire: bindings made from `wit/v1`, and the real host behind them.
//!
//! Hidden from authors: `export!` and `Context` are their way here. On a native target the imports do not
//! exist, so nothing but wasm builds and the generated types may touch them.

use crate::{context::Host, failure::Failure, step::Call};

#[expect(missing_docs, reason = "generated from the contract")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit/v1",
        world: "external-plugin",
        pub_export_macro: true,
        default_bindings_module: "stepwise_sdk::wire::bindings",
        additional_derives: [PartialEq, Clone],
    });
}

pub use bindings::exports::stepwise::plugin::step::{Guest, StepError};
use bindings::stepwise::plugin::{clock, config, context, http, log, random, records, secrets, types};

/// The `execute` of a guest.
pub type Execute = fn(String, Vec<types::Field>) -> Result<Vec<types::Field>, StepError>;

/// Finds the step by its name and runs it against the real host.
pub fn execute(
    step: &str,
    inputs: Vec<types::Field>,
    library: &[(&str, Call)],
) -> Result<Vec<types::Field>, StepError> {
    speak_before_dying();
    let call = library.iter().find(|(name, _)| *name == step).map(|(_, call)| *call);
    match call {
        Some(call) => call(&crate::Context::new(&Wire), inputs).map_err(|failure| on_the_wire(*failure.0)),
        None => {
            Err(on_the_wire(*Failure::invalid_input("unknown-step", format!("this library has no step `{step}`")).0))
        }
    }
}

/// A panic ends in a trap that says nothing, so its text goes to the host first.
pub fn speak_before_dying() {
    std::panic::set_hook(Box::new(|panic| log::last_words(&panic.to_string())));
}

fn on_the_wire(failure: crate::failure::Parts) -> StepError {
    StepError {
        kind: failure.kind,
        code: failure.code,
        message: failure.message,
        retry_after_ms: failure.retry_after_ms,
        details: failure.details,
    }
}

/// The host on the other side of the contract.
pub struct Wire;

impl Host for Wire {
    fn create(&self, entity: &str, attributes: &[types::Field]) -> Result<types::Reference, records::VerbError> {
        records::create(entity, attributes)
    }
    fn retrieve(&self, target: &types::Reference, attributes: &[String]) -> Result<types::Record, records::VerbError> {
        records::retrieve(target, attributes)
    }
    fn update(
        &self,
        target: &types::Reference,
        expected: Option<u64>,
        changes: &[types::Field],
    ) -> Result<u64, records::VerbError> {
        records::update(target, expected, changes)
    }
    fn delete(&self, target: &types::Reference, expected: Option<u64>) -> Result<(), records::VerbError> {
        records::delete(target, expected)
    }
    fn assign(&self, target: &types::Reference, owner: &types::Reference) -> Result<u64, records::VerbError> {
        records::assign(target, owner)
    }
    fn set_status(&self, target: &types::Reference, status: &str) -> Result<u64, records::VerbError> {
        records::set_status(target, status)
    }
    fn share(
        &self,
        target: &types::Reference,
        with: &types::Reference,
        rights: &[String],
    ) -> Result<(), records::VerbError> {
        records::share(target, with, rights)
    }
    fn unshare(&self, target: &types::Reference, with: &types::Reference) -> Result<(), records::VerbError> {
        records::unshare(target, with)
    }
    fn query(&self, query: &types::Query) -> Result<records::Page, records::VerbError> {
        records::query(query)
    }
    fn describe_entity(&self, entity: &str) -> Result<String, records::VerbError> {
        records::describe_entity(entity)
    }
    fn invoke(
        &self,
        name: &str,
        target: Option<&types::Reference>,
        arguments: &[types::Field],
    ) -> Result<Vec<types::Field>, records::VerbError> {
        records::invoke(name, target, arguments)
    }
    fn log(&self, level: log::Level, message: &str, fields: &[(String, String)]) {
        log::write(level, message, fields);
    }
    fn now(&self) -> i64 {
        clock::now()
    }
    fn time_zone(&self) -> String {
        clock::time_zone()
    }
    fn random(&self) -> u64 {
        random::next()
    }
    fn config(&self, key: &str) -> Option<String> {
        config::get(key)
    }
    fn user(&self) -> types::Reference {
        context::user()
    }
    fn initiating_user(&self) -> types::Reference {
        context::initiating_user()
    }
    fn business_unit(&self) -> Option<types::Reference> {
        context::business_unit()
    }
    fn record(&self) -> Option<types::Reference> {
        context::record()
    }
    fn message(&self) -> String {
        context::message()
    }
    fn pre_image(&self) -> Vec<types::Field> {
        context::pre_image()
    }
    fn post_image(&self) -> Vec<types::Field> {
        context::post_image()
    }
    fn depth(&self) -> u32 {
        context::depth()
    }
    fn correlation(&self) -> types::Guid {
        context::correlation()
    }
    fn mode(&self) -> context::RunMode {
        context::mode()
    }
    fn stage(&self) -> context::EventStage {
        context::stage()
    }
    fn attempt(&self) -> u32 {
        context::attempt()
    }
    fn idempotency_key(&self) -> String {
        context::idempotency_key()
    }
    fn deadline(&self) -> i64 {
        context::deadline()
    }
    fn is_cancelled(&self) -> bool {
        context::cancelled()
    }
    fn attribute(&self, name: &str) -> Option<String> {
        context::attribute(name)
    }
    fn send(&self, request: &http::Request) -> Result<http::Response, http::HttpError> {
        http::send(request)
    }
    fn placeholder(&self, name: &str) -> Option<String> {
        secrets::placeholder(name)
    }
    fn basic(&self, user: &str, name: &str) -> Option<String> {
        secrets::basic(user, name)
    }
}
