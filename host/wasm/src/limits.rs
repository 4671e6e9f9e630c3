//! What a call may use up, and what it has used up so far.
//!
//! Memory is summed over all memories of the component, and a refused request is remembered: the guest then breaks
//! off in its own way, and the reason must not get lost. Time is looked at when the ticker ticks and at each call to
//! the host; processor time spent in the host (a nested step, too) is not the guest's.

use std::time::{Duration, Instant};

use model::step::{HostFault, Limits, Usage};
use wasmtime::ResourceLimiter;

use crate::{cpu, fault::Stop};

/// Tables of functions are small; a guest that wants a larger one wants memory by another name.
const TABLE_ELEMENTS: usize = 20_000;

/// What a line of the log is at least, in bytes.
const LINE: usize = 32;

/// The account of one call.
pub struct Meter {
    limits: Limits,
    started: Instant,
    cpu_at_start: Duration,
    in_host: Duration,
    memory: usize,
    most_memory: usize,
    /// Whether memory was refused.
    pub memory_denied: bool,
    verb_calls: u32,
    http_calls: u32,
    log: usize,
}

impl Meter {
    /// An account that begins now, on this thread.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            cpu_at_start: cpu::thread_time(),
            in_host: Duration::ZERO,
            memory: 0,
            most_memory: 0,
            memory_denied: false,
            verb_calls: 0,
            http_calls: 0,
            log: 0,
        }
    }

    /// Stops a guest whose time is up.
    pub fn check_time(&self) -> Result<(), Stop> {
        if self.started.elapsed() > self.limits.wall {
            let text = format!("it ran longer than {:?}", self.limits.wall);
            return Err(Stop::new(HostFault::TimedOut, text));
        }
        if self.cpu() > self.limits.cpu {
            let text = format!("it computed longer than {:?}", self.limits.cpu);
            return Err(Stop::new(HostFault::TimedOut, text));
        }
        Ok(())
    }

    /// Counts one verb or query.
    pub fn verb(&mut self) -> Result<(), Stop> {
        self.check_time()?;
        self.verb_calls += 1;
        if self.verb_calls > self.limits.verb_calls {
            let text = format!("it called more than {} verbs", self.limits.verb_calls);
            return Err(Stop::new(HostFault::HostLimit, text));
        }
        Ok(())
    }

    /// Counts one request to another host.
    pub fn request(&mut self) -> Result<(), Stop> {
        self.check_time()?;
        self.http_calls += 1;
        if self.http_calls > self.limits.http_calls {
            let text = format!("it sent more than {} requests", self.limits.http_calls);
            return Err(Stop::new(HostFault::HostLimit, text));
        }
        Ok(())
    }

    /// What is left of its time on the wall.
    pub fn time_left(&self) -> Duration {
        self.limits.wall.saturating_sub(self.started.elapsed())
    }

    /// Does something in the host's time.
    pub fn count_host_time(&mut self, since: Duration) {
        self.in_host += cpu::thread_time().saturating_sub(since);
    }

    /// Whether there is still room for a line of so many bytes in the log. A line costs something however short it is.
    pub fn log_room(&mut self, bytes: usize) -> bool {
        self.log = self.log.saturating_add(bytes.max(LINE));
        self.log <= self.limits.log
    }

    /// The limits of this call.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What was used up.
    pub fn usage(&self) -> Usage {
        Usage {
            cpu: self.cpu(),
            memory: self.most_memory,
            verb_calls: self.verb_calls.min(self.limits.verb_calls),
            http_calls: self.http_calls.min(self.limits.http_calls),
        }
    }

    fn cpu(&self) -> Duration {
        cpu::thread_time().saturating_sub(self.cpu_at_start).saturating_sub(self.in_host)
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory.saturating_add(desired.saturating_sub(current));
        if wanted > self.limits.memory {
            self.memory_denied = true;
            return Ok(false);
        }
        self.memory = wanted;
        self.most_memory = self.most_memory.max(wanted);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_denied = true;
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired <= TABLE_ELEMENTS;
        self.memory_denied |= !granted;
        Ok(granted)
    }

    fn instances(&self) -> usize {
        crate::machine::INSTANCES
    }

    fn tables(&self) -> usize {
        crate::machine::TABLES
    }

    fn memories(&self) -> usize {
        crate::machine::MEMORIES
    }
}
