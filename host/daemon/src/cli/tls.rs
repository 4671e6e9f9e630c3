//! `stepwise tls dev-ca`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::Connection;
use crate::{output::say, tls::dev, trouble::Trouble};

/// Certificates for trying things over TLS.
#[derive(Debug, Subcommand)]
pub enum Tls {
    /// Make an authority and a certificate for this machine, or say where they are; `stepwise dev --tls` uses them
    DevCa {
        /// Copy the authority's certificate to this file, for clients to trust
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
        /// Make new ones, though there are some
        #[arg(long)]
        renew: bool,
    },
}

impl Tls {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let Self::DevCa { export, renew } = self;
        let data_dir = connection.data_dir.as_deref().unwrap_or(Path::new("./stepwise-data"));
        crate::assemble::make_private(data_dir)?;
        let files = dev::files(data_dir, *renew)?;
        let authority = dev::authority(data_dir);
        let shown = match export {
            Some(file) => {
                std::fs::copy(&authority, file)?;
                file
            }
            None => &authority,
        };
        let told = json!({"ca": shown, "certificate": files.certificate, "key": files.key});
        connection.output.text(&shown.display().to_string(), &told)?;
        say("it counts for localhost, 127.0.0.1 and ::1 only, and its own key is gone");
        say("next: stepwise dev --tls");
        Ok(())
    }
}
