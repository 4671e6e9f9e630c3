//! The figures of Stepwise: every workload in one run, with the ceiling of the machine beside it.
//!
//! `cargo xtask bench [NAME ...] [--json FILE] [--quick]` runs it in release. Machines drift, so a figure means nothing without
//! the ceiling that was measured in the same run: the same rows, in the same key order, through redb alone. Nothing
//! here fails because it is slow; it fails when a workload does not run.

#[path = "figures/access.rs"]
mod access;
#[path = "figures/calls.rs"]
mod calls;
#[path = "figures/flows.rs"]
mod flows;
#[path = "figures/options.rs"]
mod options;
#[path = "figures/plugins.rs"]
mod plugins;
#[path = "figures/poison.rs"]
mod poison;
#[path = "figures/realtime.rs"]
mod realtime;
#[path = "figures/report.rs"]
mod report;
#[path = "figures/waits.rs"]
mod waits;
#[path = "figures/workflows.rs"]
mod workflows;
#[path = "figures/world.rs"]
mod world;
#[path = "figures/writers.rs"]
mod writers;

use std::io::Write as _;

use anyhow::{Context, Result};

use crate::{options::Options, report::Report};

/// A workload: its name, what it measures, how.
struct Workload {
    name: &'static str,
    about: &'static str,
    run: fn(&Options, &mut Report) -> Result<()>,
}

const WORKLOADS: [Workload; 12] = [
    Workload { name: "writers", about: "creates by 1 and by 64 writers at a time", run: writers::run },
    Workload {
        name: "access",
        about: "what a query of who sees little costs, and what a check adds",
        run: access::run,
    },
    Workload { name: "P6", about: "one call of a custom step; one expression", run: calls::run },
    Workload { name: "R5", about: "workflows beside custom steps that attack", run: poison::run },
    Workload { name: "P10", about: "installing plugins, and a start with fifty of them", run: plugins::run },
    Workload {
        name: "P7",
        about: "parked waits: memory, bytes, a write that wakes one; P9, a restart with them",
        run: waits::parked,
    },
    Workload {
        name: "F1",
        about: "what a user sees of ten flows on a record; Next Stage beside an update",
        run: flows::run,
    },
    Workload { name: "P8", about: "timers that are due in one second", run: waits::timers },
    Workload { name: "P5", about: "what a real-time workflow adds to the write that it runs in", run: realtime::run },
    Workload { name: "P3", about: "the workflows of P1, one after the other", run: workflows::alone },
    Workload { name: "P2", about: "the workflows of P1, each step its own commit", run: workflows::unfused },
    Workload { name: "P1", about: "durable workflows of three record steps", run: workflows::run },
];

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1), &WORKLOADS.map(|workload| workload.name))?;
    let mut report = Report::default();
    for workload in WORKLOADS.iter().filter(|workload| options.wants(workload.name)) {
        eprintln!("{}: {}", workload.name, workload.about);
        (workload.run)(&options, &mut report).with_context(|| format!("{} did not run", workload.name))?;
    }
    std::io::stdout().write_all(report.table().as_bytes())?;
    if let Some(file) = &options.json {
        std::fs::write(file, report.json()).with_context(|| format!("`{}` cannot be written", file.display()))?;
    }
    Ok(())
}
