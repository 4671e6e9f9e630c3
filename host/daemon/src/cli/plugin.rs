//! `stepwise plugin`: what an author does is in `author`, the life of an installed one in `install` and `manage`.

mod author;
mod build;
mod conform;
mod doctor;
mod install;
mod language;
mod manage;
mod new;
mod own;
mod source;
mod test;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::Value as Json;

use super::Connection;
use crate::{
    client::Client,
    trouble::{Exit, Trouble},
};

/// Plugins: libraries of custom steps.
#[derive(Debug, Subcommand)]
pub enum Plugin {
    #[command(flatten)]
    Author(author::Author),
    /// Install a component from a file, a plugin's folder, a folder of components, an address or a registry: says what it
    /// asks for, and asks
    Install(install::Install),
    /// Install a newer version: says what is different, checks every process that uses it, and asks
    Upgrade(install::Upgrade),
    #[command(flatten)]
    Manage(manage::Manage),
}

impl Plugin {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        match self {
            Self::Author(author) => author.run(connection),
            Self::Install(install) => install.run(connection),
            Self::Upgrade(upgrade) => upgrade.run(connection),
            Self::Manage(manage) => manage.run(connection),
        }
    }
}

/// Sends a component and grants what it asks for.
pub fn install(client: &Client, component: &Path) -> Result<Json, Trouble> {
    let bytes = fs::read(component)
        .map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", component.display())))?;
    client.send("/api/v1/plugins?grant=asked&replace=true", "application/wasm", &bytes)
}

/// `complaints 0.1.0: complaints.classify`
pub fn installed(answer: &Json) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let steps: Vec<&str> = answer["steps"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    format!("{} {}: {}", text("library"), text("version"), steps.join(", "))
}

/// The component that a plugin's folder builds to.
fn build(dir: &Path) -> Result<PathBuf, Trouble> {
    build::build(dir, language::World::Plugin)
}
