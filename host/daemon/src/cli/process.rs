//! `stepwise process run NAME --record ENTITY/ID`

use clap::Subcommand;
use serde_json::json;

use super::{Connection, job::escaped};
use crate::{
    client::Client,
    output::{Output, say},
    trouble::Trouble,
};

/// Processes.
#[derive(Debug, Subcommand)]
pub enum Process {
    /// Run a process on a record
    Run {
        /// The process
        name: String,
        /// The record: ENTITY/ID
        #[arg(long)]
        record: String,
    },
}

impl Process {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let Self::Run { name, record } = self;
        let client = Client::new(connection)?;
        let path = format!("/api/v1/processes/{}/run", escaped(name));
        let answer = client.post(&path, &json!({"record": record}))?;
        let job = answer["job"].as_str().unwrap_or_default();
        connection.output.text(job, &answer)?;
        if connection.output == Output::Table {
            say(&format!("next: stepwise job watch {job}"));
        }
        Ok(())
    }
}
