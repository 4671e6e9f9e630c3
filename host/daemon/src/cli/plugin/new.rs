//! `stepwise plugin new`: a folder that builds, tests and conforms at once.

use std::{fs, path::Path};

use super::language::{Language, WIT};
use crate::{
    output::say,
    trouble::{Exit, Trouble},
};

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../../../../sdk/", $path))
    };
}

const RUST: [(&str, &str); 2] =
    [("Cargo.toml", template!("templates/rust/Cargo.toml.in")), ("src/lib.rs", template!("templates/rust/lib.rs.in"))];

const JS: [(&str, &str); 3] = [
    ("package.json", template!("templates/js/package.json.in")),
    ("steps.js", template!("templates/js/steps.js.in")),
    (".gitignore", "node_modules/\n*.wasm\n"),
];

const PYTHON: [(&str, &str); 3] = [
    ("requirements.txt", template!("templates/python/requirements.txt.in")),
    ("steps.py", template!("templates/python/steps.py.in")),
    (".gitignore", ".venv/\n__pycache__/\n*.wasm\n"),
];

const C: [(&str, &str); 3] = [
    ("requirements.txt", template!("templates/c/requirements.txt.in")),
    ("steps.c", template!("templates/c/steps.c.in")),
    (".gitignore", ".venv/\n*.wasm\n"),
];

/// What helps to write steps in a language, beside the steps themselves.
fn helpers(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        // In Rust it is a crate.
        Language::Rust => &[],
        Language::Js => &[("stepwise.js", template!("js/stepwise.js"))],
        Language::Python => &[("stepwise.py", template!("python/stepwise.py"))],
        Language::C => &[
            ("stepwise.h", template!("c/stepwise.h")),
            ("plugin.h", template!("c/plugin.h")),
            ("plugin.c", template!("c/plugin.c")),
        ],
    }
}

/// Puts what helps, and the contract, into the folder where they are missing; what is there stays as it is.
pub fn complete(dir: &Path, language: Language) -> Result<(), Trouble> {
    // In C the contract is in the bindings, in Rust in the SDK.
    let contract = matches!(language, Language::Js | Language::Python);
    let wit = WIT.iter().filter(|_| contract).map(|(file, text)| (Path::new("wit").join(file), *text));
    let helpers = helpers(language).iter().map(|(file, text)| (Path::new(file).to_path_buf(), *text));
    for (file, text) in wit.chain(helpers).filter(|(file, _)| !dir.join(file).is_file()) {
        write(&dir.join(file), text)?;
    }
    Ok(())
}

/// Makes the folder.
pub fn new(name: &str, language: Language, sdk: Option<&Path>) -> Result<(), Trouble> {
    if model::ProcessName::parse(name).is_err() {
        return Err(Trouble::new(Exit::Usage, format!("`{name}` is no name of a library: lower case, digits and `-`")));
    }
    let dir = Path::new(name);
    if dir.exists() {
        return Err(Trouble::new(Exit::Conflict, format!("`{name}` is there already")));
    }
    let files: &[(&str, &str)] = match language {
        Language::Rust => &RUST,
        Language::Js => &JS,
        Language::Python => &PYTHON,
        Language::C => &C,
    };
    let dependency = dependency(sdk);
    for (path, text) in files {
        let text = text.replace("{{name}}", name).replace("{{crate}}", &name.replace('-', "_"));
        write(&dir.join(path), &text.replace("{{sdk}}", &dependency))?;
    }
    complete(dir, language)?;
    say(&format!(
        "made {name}/ with one step in {}\nnext: stepwise plugin test {name}; stepwise plugin conform {name}",
        language.title()
    ));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    Ok(fs::write(path, text)?)
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
