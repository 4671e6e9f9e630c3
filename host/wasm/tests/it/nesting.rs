//! Guests that call guests (E13): the engine does that when a step's verb starts a real-time process.

use std::any::Any;

use model::{
    AttributeId, Outcome, Record, RecordRef, Verb,
    query::{Page, Query},
    step::{HostRefusal, LogLevel, StepFailure, StepHost, StepRunner},
};
use wasm::{NESTING, stack_size};

use crate::world::*;

/// A host whose every verb runs another step first, and overflows a guest's stack on the way.
struct Nest {
    inside: Memory,
    level: usize,
    /// What the guests further in ended with, the outermost first.
    found: Vec<String>,
}

impl Nest {
    fn at(level: usize) -> Self {
        Self { inside: Memory::default(), level, found: Vec::new() }
    }
}

/// Runs a step that uses verbs at this level, and gives what it and those further in ended with.
fn descend(level: usize) -> Vec<String> {
    let mut returned = runner().run(&call("evil.bump", vec![field("task", FIRST)]), Box::new(Nest::at(level)));
    let host = returned.host.take().expect("the host always comes back");
    let nest = host.into_any().downcast::<Nest>().expect("it is the same host");
    let own = returned.result.err().map_or_else(|| "done".to_owned(), |failure| failure.code().to_owned());
    [vec![own], nest.found].concat()
}

impl StepHost for Nest {
    fn apply(&mut self, verb: Verb) -> Result<Outcome, HostRefusal> {
        if self.found.is_empty() {
            let overflow = runner().run(&call("evil.overflow", vec![field("amount", 0)]), Box::new(Memory::default()));
            let Err(StepFailure::Host { fault, .. }) = overflow.result else { panic!("it overflows") };
            self.found.push(fault.code().to_owned());
            self.found.extend(descend(self.level + 1));
        }
        self.inside.apply(verb)
    }

    fn retrieve(&mut self, target: RecordRef, wanted: Option<&[AttributeId]>) -> Result<Record, HostRefusal> {
        self.inside.retrieve(target, wanted)
    }

    fn query(&mut self, query: &Query) -> Result<Page, HostRefusal> {
        self.inside.query(query)
    }

    fn invoke(
        &mut self,
        name: &str,
        target: Option<RecordRef>,
        arguments: Vec<model::Field>,
    ) -> Result<Vec<model::Field>, HostRefusal> {
        self.inside.invoke(name, target, arguments)
    }

    fn log(&mut self, level: LogLevel, message: &str) {
        self.inside.log(level, message);
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn breathe(&mut self) -> Result<(), HostRefusal> {
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[test]
fn guests_nest_as_deep_as_is_allowed_and_overflow_at_each_level() {
    let thread = std::thread::Builder::new().stack_size(stack_size(NESTING));
    let found = thread.spawn(|| descend(0)).expect("a thread").join().expect("the stack is large enough");
    let mut expected = Vec::new();
    for _ in 0..NESTING {
        expected.extend(["done", "stack-overflow"]);
    }
    // The innermost that may run finds no room for another one, and neither does its verb: both are refused.
    expected.extend(["done", "host-limit", "host-limit"]);
    assert_eq!(found, expected);
}
