//! `stepwise plugin`: `new` and `build` are here, the life of an installed one in `install` and `manage`.

mod install;
mod manage;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Subcommand;
use serde_json::Value as Json;

use super::Connection;
use crate::{
    client::Client,
    output::say,
    trouble::{Exit, Trouble},
};

/// Plugins: libraries of custom steps.
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// Make a crate with one custom step and its test
    New {
        /// The library's name, which is also the folder: lower case, digits and `-`
        name: String,
        /// The folder of the SDK; found by itself below a checkout of Stepwise
        #[arg(long, value_name = "DIR")]
        sdk: Option<PathBuf>,
    },
    /// Build the crate to a component
    Build {
        /// The crate's folder
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Install a component, or the one that a crate's folder builds: says what it asks for, and asks
    Install(install::Install),
    /// Install a newer version: says what is different, checks every process that uses it, and asks
    Upgrade(install::Upgrade),
    #[command(flatten)]
    Manage(manage::Manage),
}

const TARGET: &str = "wasm32-wasip2";
const MANIFEST: &str = include_str!("../../../../sdk/templates/rust/Cargo.toml.in");
const SOURCE: &str = include_str!("../../../../sdk/templates/rust/lib.rs.in");

impl Plugin {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        match self {
            Self::New { name, sdk } => new(name, sdk.as_deref()),
            Self::Build { dir } => {
                let component = build(dir)?;
                connection
                    .output
                    .text(&component.display().to_string(), &serde_json::json!({"component": component}))?;
                say(&format!("next: stepwise plugin install {}", dir.display()));
                Ok(())
            }
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
    client.send("/api/v1/plugins?grant=asked", "application/wasm", &bytes)
}

/// `complaints 0.1.0: complaints.classify`
pub fn installed(answer: &Json) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let steps: Vec<&str> = answer["steps"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    format!("{} {}: {}", text("library"), text("version"), steps.join(", "))
}

fn new(name: &str, sdk: Option<&Path>) -> Result<(), Trouble> {
    if model::ProcessName::parse(name).is_err() {
        return Err(Trouble::new(Exit::Usage, format!("`{name}` is no name of a library: lower case, digits and `-`")));
    }
    let dir = Path::new(name);
    if dir.exists() {
        return Err(Trouble::new(Exit::Conflict, format!("`{name}` is there already")));
    }
    let fill = |text: &str| {
        text.replace("{{name}}", name)
            .replace("{{crate}}", &name.replace('-', "_"))
            .replace("{{sdk}}", &dependency(sdk))
    };
    fs::create_dir_all(dir.join("src"))?;
    fs::write(dir.join("Cargo.toml"), fill(MANIFEST))?;
    fs::write(dir.join("src/lib.rs"), fill(SOURCE))?;
    say(&format!("made {name}/ with one step and its test\nnext: cd {name} && cargo test && stepwise plugin build"));
    Ok(())
}

/// The SDK is not published yet: the crate points to a checkout where there is one.
fn dependency(sdk: Option<&Path>) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let beside = || here.ancestors().map(|dir| dir.join("sdk/rust")).find(|dir| dir.join("Cargo.toml").is_file());
    match sdk.map(Path::to_path_buf).or_else(beside) {
        Some(dir) => format!("{{ path = {:?} }}", fs::canonicalize(&dir).unwrap_or(dir).display().to_string()),
        None => "\"0.1\"".to_owned(),
    }
}

/// Builds the crate in `dir` and gives the component that cargo says it made.
fn build(dir: &Path) -> Result<PathBuf, Trouble> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    let output = cargo.current_dir(dir).stderr(std::process::Stdio::inherit()).output();
    let output = output.map_err(|error| Trouble::failed(format!("cargo cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(Trouble::failed(format!("the crate in {} does not build", dir.display()))
            .hint(format!("is the target there? rustup target add {TARGET}")));
    }
    let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let mut made = messages.filter_map(|message: Json| {
        let files = message["filenames"].as_array()?.iter().filter_map(Json::as_str);
        files.map(PathBuf::from).find(|file| file.extension().is_some_and(|ending| ending == "wasm"))
    });
    made.next_back().ok_or_else(|| {
        Trouble::failed(format!("the crate in {} makes no component", dir.display()))
            .hint("it needs `crate-type = [\"cdylib\"]` under `[lib]`")
    })
}
