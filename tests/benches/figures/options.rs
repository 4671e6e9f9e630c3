//! What the command line of the bench says.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// Which workloads, how long, and where the figures go.
#[derive(Debug)]
pub struct Options {
    names: Vec<String>,
    /// A file for the figures as JSON.
    pub json: Option<PathBuf>,
    /// So little work that it only shows that everything runs.
    pub quick: bool,
}

impl Options {
    /// Reads the arguments; `known` are the names of workloads. Without cargo's `--bench` this is a test: everything
    /// runs for a moment, and the arguments are those of test runners, which mean nothing here.
    pub fn read(arguments: impl Iterator<Item = String>, known: &[&str]) -> Result<Self> {
        let mut options = Self { names: Vec::new(), json: None, quick: false };
        let arguments: Vec<String> = arguments.collect();
        if !arguments.iter().any(|argument| argument == "--bench") {
            return Ok(Self { quick: true, ..options });
        }
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => {}
                "--quick" => options.quick = true,
                "--json" => options.json = Some(arguments.next().context("--json needs a file")?.into()),
                name if known.contains(&name) => options.names.push(argument),
                other => bail!("there is no workload `{other}`; there are {}", known.join(", ")),
            }
        }
        Ok(options)
    }

    /// Whether this workload is to run.
    pub fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }

    /// A number of repetitions: `whole`, or a hundredth of it when it is only to be shown that it runs.
    pub fn times(&self, whole: usize) -> usize {
        if self.quick { (whole / 100).max(8) } else { whole }
    }
}
