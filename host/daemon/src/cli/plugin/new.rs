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

const RUST: [(&str, &str); 3] = [
    ("Cargo.toml", template!("templates/rust/Cargo.toml.in")),
    ("src/lib.rs", template!("templates/rust/lib.rs.in")),
    (".gitignore", "target/\n"),
];

/// The SDK for Rust, as it comes with this binary: it is not published, so it lies in the plugin's own folder.
const SDK: [(&str, &str); 21] = [
    ("sdk/rust/Cargo.toml", template!("templates/rust/sdk.toml.in")),
    ("sdk/rust/src/lib.rs", template!("rust/src/lib.rs")),
    ("sdk/rust/src/argument.rs", template!("rust/src/argument.rs")),
    ("sdk/rust/src/context.rs", template!("rust/src/context.rs")),
    ("sdk/rust/src/example.rs", template!("rust/src/example.rs")),
    ("sdk/rust/src/failure.rs", template!("rust/src/failure.rs")),
    ("sdk/rust/src/http.rs", template!("rust/src/http.rs")),
    ("sdk/rust/src/manifest.rs", template!("rust/src/manifest.rs")),
    ("sdk/rust/src/query.rs", template!("rust/src/query.rs")),
    ("sdk/rust/src/step.rs", template!("rust/src/step.rs")),
    ("sdk/rust/src/testing.rs", template!("rust/src/testing.rs")),
    ("sdk/rust/src/value.rs", template!("rust/src/value.rs")),
    ("sdk/rust/src/wire.rs", template!("rust/src/wire.rs")),
    ("sdk/rust/wit/v1/world.wit", template!("wit/v1/world.wit")),
    ("sdk/rust/wit/v1/types.wit", template!("wit/v1/types.wit")),
    ("sdk/rust/wit/v1/host.wit", template!("wit/v1/host.wit")),
    ("sdk/rust/wit/v1/step.wit", template!("wit/v1/step.wit")),
    ("sdk/derive/Cargo.toml", template!("templates/rust/derive.toml.in")),
    ("sdk/derive/src/lib.rs", template!("derive/src/lib.rs")),
    ("sdk/derive/src/argument.rs", template!("derive/src/argument.rs")),
    ("sdk/derive/src/choice.rs", template!("derive/src/choice.rs")),
];

/// How a crate names the SDK that lies in its folder.
const OWN_SDK: &str = "{ path = \"sdk/rust\" }";

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
        Language::Rust => &SDK,
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
    // A crate may name a checkout of the SDK instead, and then needs none of its own.
    if language == Language::Rust && !fs::read_to_string(dir.join("Cargo.toml"))?.contains("\"sdk/rust\"") {
        return Ok(());
    }
    // In C the contract is in the bindings, in Rust in the SDK.
    let contract = matches!(language, Language::Js | Language::Python);
    let wit = WIT.iter().filter(|_| contract).map(|(file, text)| (Path::new("wit").join(file), *text));
    let helpers = helpers(language).iter().map(|(file, text)| (Path::new(file).to_path_buf(), *text));
    for (file, text) in wit.chain(helpers).filter(|(file, _)| !dir.join(file).is_file()) {
        write(&dir.join(file), &text.replace("{{version}}", env!("CARGO_PKG_VERSION")))?;
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

/// The SDK in the folder itself, or a checkout that somebody works on.
fn dependency(sdk: Option<&Path>) -> String {
    sdk.map_or_else(
        || OWN_SDK.to_owned(),
        |dir| {
            let dir = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_path_buf());
            format!("{{ path = {:?} }}", dir.display().to_string())
        },
    )
}
