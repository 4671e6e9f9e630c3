//! `stepwise plugin doctor`: what this machine lacks to build plugins, each with the one command that mends it.

use std::process::{Command, Stdio};

use serde_json::json;

use super::language::Language;
use crate::{
    cli::Connection,
    trouble::{Exit, Trouble},
};

/// Something that a language's build needs.
struct Need {
    language: Language,
    what: &'static str,
    /// Asks for it.
    ask: &'static [&'static str],
    /// The answer has this in it; empty: any answer does.
    answer: &'static str,
    /// How to get it.
    mend: &'static str,
}

const PYTHON: &str = "install Python 3.10 or newer with its module venv (Debian: apt install python3-venv)";

const NEEDS: [Need; 6] = [
    Need {
        language: Language::Rust,
        what: "cargo",
        ask: &["cargo", "--version"],
        answer: "cargo",
        mend: "install Rust from https://rustup.rs",
    },
    Need {
        language: Language::Rust,
        what: "the target wasm32-wasip2",
        ask: &["rustc", "--print", "target-libdir", "--target", "wasm32-wasip2"],
        answer: "wasm32-wasip2",
        mend: "rustup target add wasm32-wasip2",
    },
    Need {
        language: Language::Js,
        what: "node 18 or newer",
        ask: &["node", "--eval", "process.stdout.write(+process.versions.node.split('.')[0] >= 18 ? 'new' : 'old')"],
        answer: "new",
        mend: "install Node.js 18 or newer from https://nodejs.org",
    },
    Need {
        language: Language::Js,
        what: "npm",
        ask: &["npm", "--version"],
        answer: "",
        mend: "install npm, which comes with Node.js",
    },
    Need {
        language: Language::Python,
        what: "python 3.10 or newer with venv",
        ask: &["python3", "-c", "import sys, venv, ensurepip; print('new' if sys.version_info >= (3, 10) else 'old')"],
        answer: "new",
        mend: PYTHON,
    },
    Need {
        language: Language::C,
        what: "python 3.10 or newer with venv, which brings the compiler",
        ask: &["python3", "-c", "import sys, venv, ensurepip; print('new' if sys.version_info >= (3, 10) else 'old')"],
        answer: "new",
        mend: PYTHON,
    },
];

/// Looks for everything and tells it.
pub fn doctor(language: Option<Language>, connection: &Connection) -> Result<(), Trouble> {
    let asked = NEEDS.iter().filter(|need| language.is_none_or(|language| language == need.language));
    let found: Vec<(&Need, bool)> = asked.map(|need| (need, is_there(need))).collect();
    let rows = found.iter().map(|(need, there)| {
        let state = if *there { "ok".to_owned() } else { format!("missing: {}", need.mend) };
        vec![need.language.title().to_owned(), need.what.to_owned(), state]
    });
    let told = found.iter().map(|(need, there)| {
        let mend = (!there).then_some(need.mend);
        json!({ "language": need.language.title(), "need": need.what, "there": there, "mend": mend })
    });
    let told = json!({ "needs": told.collect::<Vec<_>>() });
    connection.output.rows(&["LANGUAGE", "NEEDS", "STATE"], rows.collect(), &told)?;
    let missing: Vec<&str> = found.iter().filter(|(_, there)| !there).map(|(need, _)| need.what).collect();
    match missing.as_slice() {
        [] => Ok(()),
        // Without a language in particular it is no failure that this machine has not all of them.
        _ if language.is_none() => Ok(()),
        missing => Err(Trouble::new(Exit::Failed, format!("missing: {}", missing.join(", ")))),
    }
}

/// Whether a language has what contains these words; what nobody asks for is there.
pub fn there(language: Language, words: &str) -> bool {
    NEEDS.iter().filter(|need| need.language == language && need.what.contains(words)).all(is_there)
}

fn is_there(need: &Need) -> bool {
    let Some((program, arguments)) = need.ask.split_first() else { return true };
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let Ok(output) = output else { return false };
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    // The compiler tells the folder of a target that is not installed, too.
    let folder = said.contains("rustlib").then(|| std::path::Path::new(&said).is_dir());
    output.status.success() && said.contains(need.answer) && folder.unwrap_or(true)
}
