//! `stepwise plugin test`: the examples of a component or a script, run in the sandbox, each with its cost.

use std::path::PathBuf;

use clap::Args;
use conform::Cost;
use serde_json::json;

use super::{conform::kit, own};
use crate::{
    cli::Connection,
    output::say,
    trouble::{Exit, Trouble},
};

/// Which one.
#[derive(Debug, Args)]
pub struct Test {
    /// A folder, a component, or a script
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The solution whose entities it works on
    #[arg(long, value_name = "DIR")]
    solution: Option<PathBuf>,
}

impl Test {
    /// Runs the tests of its language, where it has some, and then its examples.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let own = own::tests(&self.path)?;
        for passed in &own {
            let (place, tests, took) = (passed.place, passed.tests, passed.took.as_secs_f64());
            say(&format!("{place}: {tests} passed in {took:.2} s"));
        }
        let bench = kit(&self.path, None, self.solution.as_deref(), &[])?;
        let costs = bench.costs();
        if costs.is_empty() {
            return Err(Trouble::failed("it cannot be called")
                .hint(format!("stepwise plugin conform {} says why", self.path.display())));
        }
        let failed = costs.iter().filter(|cost| cost.failure.is_some()).count();
        let told: Vec<_> = costs.iter().map(as_json).collect();
        let tests: Vec<_> = own.iter().map(|passed| json!({ "place": passed.place, "passed": passed.tests })).collect();
        let headings = ["EXAMPLE", "RESULT", "CPU", "MEMORY", "VERBS", "REQUESTS"];
        connection.output.rows(
            &headings,
            costs.iter().map(row).collect(),
            &json!({ "tests": tests, "examples": told }),
        )?;
        for cost in &costs {
            if let Some(why) = &cost.failure {
                say(&format!("{}: {why}", cost.call));
            }
        }
        match failed {
            0 => Ok(()),
            failed => Err(Trouble::new(Exit::Failed, format!("{failed} of {} examples failed", costs.len()))),
        }
    }
}

fn row(cost: &Cost) -> Vec<String> {
    let (usage, limits) = (&cost.usage, &cost.limits);
    vec![
        cost.call.clone(),
        if cost.failure.is_none() { "ok" } else { "FAILED" }.to_owned(),
        format!("{:.1} of {} ms", usage.cpu.as_secs_f64() * 1e3, limits.cpu.as_millis()),
        format!("{:.1} of {} MiB", usage.memory as f64 / f64::from(1 << 20), limits.memory >> 20),
        format!("{} of {}", usage.verb_calls, limits.verb_calls),
        format!("{} of {}", usage.http_calls, limits.http_calls),
    ]
}

fn as_json(cost: &Cost) -> serde_json::Value {
    json!({
        "example": cost.call,
        "failure": cost.failure,
        "cpuMicroseconds": u64::try_from(cost.usage.cpu.as_micros()).unwrap_or(u64::MAX),
        "memory": cost.usage.memory,
        "verbCalls": cost.usage.verb_calls,
        "httpCalls": cost.usage.http_calls,
    })
}
