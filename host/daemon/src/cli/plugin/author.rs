//! What an author of plugins does, without a daemon: `stepwise plugin new|build|test|conform|doctor`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;

use super::{
    build, conform, doctor,
    language::{Language, World},
    new, test,
};
use crate::{
    cli::{Connection, script::seen},
    output::say,
    trouble::Trouble,
};

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
        /// A folder with the SDK for Rust that you work on; else the one of this version lies in the folder
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
        /// Build again whenever a source changes, until somebody ends it; `stepwise dev` takes each build over by itself
        #[arg(long)]
        watch: bool,
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
            Self::Build { dir, world, watch: true } => watch(dir, *world, connection),
            Self::Build { dir, world, watch: false } => {
                built(dir, *world, connection)?;
                say(&format!("next: stepwise plugin test {0}; stepwise plugin conform {0}", dir.display()));
                Ok(())
            }
            Self::Test(test) => test.run(connection),
            Self::Conform(conform) => conform.run(connection),
            Self::Doctor { lang } => doctor::doctor(*lang, connection),
        }
    }
}

fn built(dir: &Path, world: World, connection: &Connection) -> Result<(), Trouble> {
    let component = build::build(dir, world)?;
    connection.output.text(&component.display().to_string(), &serde_json::json!({ "component": component }))
}

/// What an author edits, in any language.
const SOURCES: [&str; 7] = ["rs", "toml", "js", "py", "c", "h", "wit"];

/// How long it rests between two looks at the sources.
const REST: Duration = Duration::from_millis(250);

/// Builds the folder each time that a source has changed; a build that fails is told and waits for the next.
fn watch(dir: &Path, world: World, connection: &Connection) -> Result<(), Trouble> {
    if Language::of(dir).is_none() {
        return built(dir, world, connection);
    }
    let mut known = None;
    loop {
        let sources = seen(dir, &SOURCES);
        if known.as_ref() != Some(&sources) {
            known = Some(sources);
            if let Err(trouble) = built(dir, world, connection) {
                trouble.print();
            }
            say("watching; Ctrl+C ends it");
        }
        std::thread::park_timeout(REST);
    }
}
