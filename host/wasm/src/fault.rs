//! Why a call ended without an answer: what the host found, in one place.
//!
//! A guest cannot forge any of this: its own errors are another type. Texts that come from a guest are cut, so that
//! no failure is larger than a reader can use.

use std::fmt;

use model::step::HostFault;
use wasmtime::Trap;

use crate::call::Call;

/// The longest text of a failure, in characters.
pub const LONGEST_TEXT: usize = 4_000;

/// A reason to stop a guest, found inside a host function or by the ticker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What was found.
    pub fault: HostFault,
    /// In words.
    pub text: String,
}

impl Stop {
    /// A reason.
    pub fn new(fault: HostFault, text: impl Into<String>) -> Self {
        Self { fault, text: text.into() }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Stop {}

/// What the error of an ended call means.
pub fn of(error: &wasmtime::Error, call: &Call) -> Stop {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stop.clone();
    }
    if call.meter.memory_denied {
        return Stop::new(HostFault::MemoryLimit, format!("it wanted more than {}", bytes(call.meter.limits().memory)));
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => of_trap(*trap, call),
        None if error.to_string().contains("fuel allocated for hostcalls") => {
            Stop::new(HostFault::HostLimit, "it handed over more at once than any limit allows")
        }
        // What is no trap comes from reading the guest's answer.
        None => Stop::new(HostFault::OutputInvalid, format!("its answer breaks the contract: {}", root_cause(error))),
    }
}

/// What it means that no instance could be made.
pub fn of_start(error: &wasmtime::Error, call: &Call) -> Stop {
    let by_guest = error.is::<Stop>() || error.is::<Trap>() || call.meter.memory_denied;
    if by_guest {
        return of(error, call);
    }
    Stop::new(HostFault::HostError, format!("no instance of it can be made: {}", root_cause(error)))
}

fn of_trap(trap: Trap, call: &Call) -> Stop {
    match trap {
        Trap::StackOverflow => Stop::new(HostFault::StackOverflow, "it called itself too deeply"),
        Trap::Interrupt => Stop::new(HostFault::TimedOut, "it was interrupted"),
        Trap::InvalidChar
        | Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer => {
            Stop::new(HostFault::OutputInvalid, format!("what it handed over breaks the contract: {}", plain(trap)))
        }
        _ => Stop::new(HostFault::Trap, last_words(call).unwrap_or_else(|| format!("it trapped: {}", plain(trap)))),
    }
}

fn plain(trap: Trap) -> String {
    trap.to_string().trim_start_matches("wasm trap: ").to_owned()
}

/// The panic text, from the contract or else from the end of the standard error stream.
fn last_words(call: &Call) -> Option<String> {
    let said = call.last_words.clone();
    let printed = || Some(call.streams.last_error_lines()).filter(|text| !text.is_empty());
    said.or_else(printed).map(|text| shortened(&text, LONGEST_TEXT))
}

fn root_cause(error: &wasmtime::Error) -> String {
    shortened(&error.root_cause().to_string(), LONGEST_TEXT)
}

/// The text, cut to so many characters.
pub fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// A size as people read it.
pub fn bytes(count: usize) -> String {
    match count {
        count if count >= 1 << 20 && count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        count if count >= 1 << 10 && count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        count => format!("{count} bytes"),
    }
}
