//! One call as its guest sees it: what host functions read and write while the guest runs.
//!
//! The engine's host lies in a slot that the runner keeps, too, so that it comes back whatever happens to the guest
//! or to us (E15). It is taken out while it works: no lock is held across anybody's code.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use model::{
    Schema,
    grant::Grants,
    outside::{Outside, Placeholder},
    package::Script,
    step::{HostFault, Limits, LogLevel, StepContext, StepHost},
};
use parking_lot::Mutex;
use smol_str::SmolStr;

use crate::{
    cpu,
    fault::{LONGEST_TEXT, Stop, shortened},
    limits::Meter,
    wasi::{Random, Sleep, Streams},
};

/// Where the lent host lies.
pub type Slot = Arc<Mutex<Option<Box<dyn StepHost>>>>;

/// The verbs that a step asked for, by entity.
pub type Uses = Arc<[(SmolStr, Vec<SmolStr>)]>;

/// The state of one call.
pub struct Call {
    slot: Slot,
    facts: Option<Facts>,
    /// What it used up.
    pub meter: Meter,
    /// What it printed.
    pub streams: Streams,
    /// What it said before it died.
    pub last_words: Option<String>,
    /// Its random numbers.
    pub random: Random,
    /// How long it slept.
    pub sleep: Sleep,
    log_is_cut: bool,
    /// The secrets that it may send.
    placeholders: Vec<Placeholder>,
    /// The arguments of a program and what it printed; no step has them.
    program: Option<(&'static [&'static str], String)>,
}

/// What a guest may know.
pub struct Facts {
    /// The run.
    pub context: StepContext,
    /// The names of things.
    pub schema: Arc<Schema>,
    /// What it may do; `None` for a script, whose host checks that.
    pub uses: Option<Uses>,
    /// What the operator allows and sets.
    pub grants: Arc<Grants>,
    /// Whether it may talk to the outside.
    pub external: bool,
    /// The way there, where there is one.
    pub outside: Option<Arc<dyn Outside>>,
    /// The script, for the script runner.
    pub script: Option<Arc<Script>>,
}

impl Call {
    /// A call of a step.
    pub fn new(slot: Slot, facts: Facts, limits: Limits) -> Self {
        let seed = facts.context.seed;
        Self { facts: Some(facts), ..Self::bare(slot, limits, seed) }
    }

    /// A call of `describe`: it knows nothing and may do nothing.
    pub fn describing(limits: Limits) -> Self {
        Self::bare(Slot::default(), limits, 0)
    }

    fn bare(slot: Slot, limits: Limits, seed: u64) -> Self {
        Self {
            slot,
            facts: None,
            meter: Meter::new(limits),
            streams: Streams::default(),
            last_words: None,
            random: Random::new(seed),
            sleep: Sleep::default(),
            log_is_cut: false,
            placeholders: Vec::new(),
            program: None,
        }
    }

    /// A run of a program with these arguments: it knows nothing, and what it prints is kept.
    pub fn program(limits: Limits, arguments: &'static [&'static str]) -> Self {
        Self { program: Some((arguments, String::new())), ..Self::bare(Slot::default(), limits, 0) }
    }

    /// The arguments of a program.
    pub fn arguments(&self) -> Vec<String> {
        let arguments = self.program.as_ref().map(|(arguments, _)| *arguments).unwrap_or_default();
        arguments.iter().map(ToString::to_string).collect()
    }

    /// What a program printed.
    pub fn printed(self) -> String {
        self.program.map(|(_, printed)| printed).unwrap_or_default()
    }

    /// What the guest may know.
    pub fn facts(&self) -> Result<&Facts, Stop> {
        self.facts
            .as_ref()
            .ok_or_else(|| Stop::new(HostFault::CapabilityDenied, "`describe` called the host, which it may not"))
    }

    /// Lets the engine's host do something, in the host's time. A panic there ends the guest, not the thread.
    pub fn lend<T>(&mut self, act: impl FnOnce(&mut dyn StepHost) -> T) -> Result<T, Stop> {
        let since = cpu::thread_time();
        let Some(mut host) = self.slot.lock().take() else {
            return Err(Stop::new(HostFault::HostError, "the host of the call is not there"));
        };
        let done = catch_unwind(AssertUnwindSafe(|| act(&mut *host)));
        *self.slot.lock() = Some(host);
        self.meter.count_host_time(since);
        done.map_err(died)
    }

    /// Does something whose time is not the guest's. A panic there ends the guest, not the thread.
    pub fn in_host_time<T>(&mut self, act: impl FnOnce() -> T) -> Result<T, Stop> {
        let since = cpu::thread_time();
        let done = catch_unwind(AssertUnwindSafe(act));
        self.meter.count_host_time(since);
        done.map_err(died)
    }

    /// Where the engine's host lies.
    pub fn slot(&self) -> Slot {
        Arc::clone(&self.slot)
    }

    /// The secrets that the guest has placeholders for.
    pub fn placeholders(&self) -> &[Placeholder] {
        &self.placeholders
    }

    /// Remembers a placeholder that the guest was given.
    pub fn keep_placeholder(&mut self, placeholder: Placeholder) {
        if !self.placeholders.contains(&placeholder) {
            self.placeholders.push(placeholder);
        }
    }

    /// Whether nobody wants the result any more.
    pub fn is_cancelled(&self) -> bool {
        self.slot.lock().as_ref().is_some_and(|host| host.is_cancelled())
    }

    /// Lets the engine let go of what it must not hold while a guest computes. A `describe` has no engine behind it.
    pub fn breathe(&mut self) -> Result<(), Stop> {
        if self.facts.is_none() {
            return Ok(());
        }
        let breathed = self.lend(|host| host.breathe())?;
        breathed.map_err(|_| Stop::new(HostFault::Aborted, "its unit of work cannot go on"))
    }

    /// Keeps a line for the run log while there is room; then says once that there is none.
    pub fn log(&mut self, level: LogLevel, text: &str) -> Result<(), Stop> {
        if let Some((_, printed)) = &mut self.program
            && self.meter.log_room(text.len())
        {
            printed.push_str(text);
            printed.push('\n');
        }
        if self.facts.is_none() || self.log_is_cut {
            return Ok(());
        }
        if self.meter.log_room(text.len()) {
            return self.lend(|host| host.log(level, &shortened(text, LONGEST_TEXT)));
        }
        self.log_is_cut = true;
        let limit = crate::fault::bytes(self.meter.limits().log);
        self.lend(|host| host.log(LogLevel::Warn, &format!("the log is cut here: the step wrote more than {limit}")))
    }

    /// Keeps what the guest printed, line by line.
    pub fn print(&mut self, stream: crate::wasi::Stream, bytes: &[u8]) -> Result<(), Stop> {
        for (level, line) in self.streams.write(stream, bytes) {
            self.log(level, &line)?;
        }
        Ok(())
    }

    /// Keeps what was printed without an end of line.
    pub fn flush(&mut self) -> Result<(), Stop> {
        for (level, line) in self.streams.rest() {
            self.log(level, &line)?;
        }
        Ok(())
    }
}

fn died(panic: Box<dyn std::any::Any + Send>) -> Stop {
    Stop::new(HostFault::HostError, format!("the engine panicked: {}", panic_text(&*panic)))
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    shortened(&text.unwrap_or_else(|| "without a text".into()), LONGEST_TEXT)
}
