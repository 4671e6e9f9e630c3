//! What an author of plugins does, without a daemon: `stepwise plugin new|build|test|conform|doctor`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{
    build, conform, doctor,
    language::{Language, World},
    new, test,
};
use crate::{cli::Connection, output::say, trouble::Trouble};

/// From an empty folder to a component that conforms.
#[derive(Debug, Subcommand)]
pub enum Author {
    /// Make a folder with one custom step, its example and its test
    New {
        /// The library's name, which is also the folder: lower case, digits and `-`
        name: String,
        /// In which language
        #[arg(long, default_value = "rust")]
        lang: Language,
        /// The folder of the SDK for Rust; found by itself below a checkout of Stepwise
        #[arg(long, value_name = "DIR")]
        sdk: Option<PathBuf>,
    },
    /// Build the folder to a component, whatever language it is in
    Build {
        /// The folder
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// What the component may import
        #[arg(long, default_value = "plugin")]
        world: World,
    },
    /// Run the examples of a component in the sandbox, and tell what each costs and what it may cost
    Test(test::Test),
    /// Examine a component or a script: does it do what every custom step must do?
    Conform(conform::Conform),
    /// Say what is missing on this machine to build plugins, and the one command that mends it
    Doctor {
        /// For which language; all of them if absent
        #[arg(long)]
        lang: Option<Language>,
    },
}

impl Author {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        match self {
            Self::New { name, lang, sdk } => new::new(name, *lang, sdk.as_deref()),
            Self::Build { dir, world } => {
                let component = build::build(dir, *world)?;
                let told = serde_json::json!({ "component": component });
                connection.output.text(&component.display().to_string(), &told)?;
                say(&format!("next: stepwise plugin test {0}; stepwise plugin conform {0}", dir.display()));
                Ok(())
            }
            Self::Test(test) => test.run(connection),
            Self::Conform(conform) => conform.run(connection),
            Self::Doctor { lang } => doctor::doctor(*lang, connection),
        }
    }
}
