//! The languages that a plugin can be written in: how a folder of each is told, and what its build needs.

use std::path::Path;

use clap::ValueEnum;

/// A language with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust, with the SDK
    Rust,
    /// JavaScript, by `componentize-qjs`
    Js,
    /// Python, by `componentize-py`
    Python,
    /// C, by the compiler of `ziglang`
    C,
}

/// What a component may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum World {
    /// Records, context, log
    Plugin,
    /// And HTTP and secrets
    ExternalPlugin,
}

impl World {
    /// Its name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::ExternalPlugin => "external-plugin",
        }
    }
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::Rust, Self::Js, Self::Python, Self::C];

    /// The file that every plugin of the language has.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Js => "steps.js",
            Self::Python => "steps.py",
            Self::C => "steps.c",
        }
    }

    /// The language of a folder.
    pub fn of(dir: &Path) -> Option<Self> {
        Self::ALL.into_iter().find(|language| dir.join(language.mark()).is_file())
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        }
    }
}

/// The contract, for the tools that want it as files.
pub const WIT: [(&str, &str); 4] = [
    ("world.wit", include_str!("../../../../../sdk/wit/v1/world.wit")),
    ("types.wit", include_str!("../../../../../sdk/wit/v1/types.wit")),
    ("host.wit", include_str!("../../../../../sdk/wit/v1/host.wit")),
    ("step.wit", include_str!("../../../../../sdk/wit/v1/step.wit")),
];
