//! `stepwise plugin build`: a folder to a component, by the tools of its language.
//!
//! What a tool of npm or PyPI is needed for is installed into the folder itself, once. C is compiled to a module, which
//! becomes a component here.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value as Json;

use super::{
    doctor::there,
    language::{Language, WIT, World},
    new,
};
use crate::{
    output::say,
    trouble::{Exit, Trouble},
};

const TARGET: &str = "wasm32-wasip2";

/// Where a component is built to, in every language but Rust.
const COMPONENT: &str = "plugin.wasm";

/// Builds the folder and gives the component.
pub fn build(dir: &Path, world: World) -> Result<PathBuf, Trouble> {
    let Some(language) = Language::of(dir) else {
        let marks = Language::ALL.map(Language::mark).join("`, `");
        let message = format!("{} is no plugin: it has none of `{marks}`", dir.display());
        return Err(Trouble::new(Exit::NotFound, message).hint("stepwise plugin new NAME --lang rust|js|python|c"));
    };
    new::complete(dir, language)?;
    match language {
        Language::Rust => rust(dir),
        Language::Js => js(dir, world),
        Language::Python => python(dir, world),
        Language::C => c(dir, world),
    }
}

/// The component that cargo says it made.
fn rust(dir: &Path) -> Result<PathBuf, Trouble> {
    let made = cargo(dir, &["build", "--release"], false)?;
    made.into_iter().next_back().ok_or_else(|| {
        Trouble::failed(format!("the crate in {} makes no component", dir.display()))
            .hint("it needs `crate-type = [\"cdylib\"]` under `[lib]`")
    })
}

/// Has cargo build for the sandbox, its progress shown, and gives the components that it says it made: those of tests,
/// or the others.
pub fn cargo(dir: &Path, arguments: &[&str], tests: bool) -> Result<Vec<PathBuf>, Trouble> {
    let doctor = "is everything there? stepwise plugin doctor --lang rust";
    if !there(Language::Rust, TARGET) {
        let message = format!("the target {TARGET} of Rust is not installed");
        return Err(Trouble::failed(message).hint(format!("rustup target add {TARGET}")));
    }
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).args(["--target", TARGET, "--message-format", "json-render-diagnostics"]);
    let output = cargo.current_dir(dir).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| Trouble::failed(format!("cargo cannot be started: {error}")).hint(doctor))?;
    if !output.status.success() {
        return Err(Trouble::failed(format!("the crate in {} does not build", dir.display())).hint(doctor));
    }
    let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let wanted = messages.filter(|message: &Json| message["profile"]["test"].as_bool() == Some(tests));
    let made = wanted.filter_map(|message| {
        let files = message["filenames"].as_array()?.iter().filter_map(Json::as_str);
        files.map(PathBuf::from).find(|file| file.extension().is_some_and(|ending| ending == "wasm"))
    });
    Ok(made.collect())
}

fn js(dir: &Path, world: World) -> Result<PathBuf, Trouble> {
    let tool = "node_modules/.bin/componentize-qjs";
    if !dir.join(tool).exists() {
        let how = if dir.join("package-lock.json").is_file() { "ci" } else { "install" };
        say(&format!("installing componentize-qjs into {}/node_modules", dir.display()));
        run(dir, Language::Js, "npm", &[how, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"])?;
    }
    let options = ["--wit", "wit", "--world", world.name(), "--js", "steps.js", "--sync", "--opt-size"];
    run(dir, Language::Js, &inside(dir, tool)?, &[&options[..], &["--output", COMPONENT]].concat())?;
    Ok(dir.join(COMPONENT))
}

fn python(dir: &Path, world: World) -> Result<PathBuf, Trouble> {
    let tool = environment(dir, Language::Python, "componentize-py")?;
    let options = ["--quiet", "-d", "wit", "-w", world.name(), "componentize", "steps", "-o", COMPONENT];
    run(dir, Language::Python, &tool, &options)?;
    Ok(dir.join(COMPONENT))
}

fn c(dir: &Path, world: World) -> Result<PathBuf, Trouble> {
    if world == World::ExternalPlugin {
        let message = "the bindings for C are those of the world `plugin`: a step in C cannot send requests";
        return Err(Trouble::new(Exit::Usage, message).hint("write the external step in Rust, JavaScript or Python"));
    }
    let python = environment(dir, Language::C, "python")?;
    let sources = sources(dir, &[])?;
    let mut options = vec!["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-mexec-model=reactor", "-Os", "-s"];
    // The compiler's own stack has 16 MiB, a quarter of what a call may have.
    options.extend([
        "-Wl,--no-entry",
        "-Wl,-z,stack-size=524288",
        "-Wall",
        "-Wno-unused-function",
        "-o",
        "module.wasm",
    ]);
    options.extend(sources.iter().map(String::as_str));
    run(dir, Language::C, &python, &options)?;
    let module = fs::read(dir.join("module.wasm"))?;
    fs::remove_file(dir.join("module.wasm"))?;
    let text = WIT.map(|(_, text)| text).concat();
    let component = wasm::component_of(&module, &text, world.name())
        .map_err(|why| Trouble::failed(format!("what {} compiles to makes no component: {why}", dir.display())))?;
    fs::write(dir.join(COMPONENT), component)?;
    Ok(dir.join(COMPONENT))
}

/// The sources in C of a folder, but for these, in order.
pub fn sources(dir: &Path, without: &[&str]) -> Result<Vec<String>, Trouble> {
    let names = fs::read_dir(dir)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut sources: Vec<String> =
        names.filter(|name| name.ends_with(".c") && !without.contains(&name.as_str())).collect();
    sources.sort();
    Ok(sources)
}

/// The folder's own environment of Python with what its `requirements.txt` lists; gives a program of it.
pub fn environment(dir: &Path, language: Language, program: &str) -> Result<String, Trouble> {
    let done = dir.join(".venv/installed");
    let wanted = fs::read(dir.join("requirements.txt"))?;
    if fs::read(&done).ok().as_ref() != Some(&wanted) {
        let packages = String::from_utf8_lossy(&wanted).split_whitespace().collect::<Vec<_>>().join(", ");
        say(&format!("installing {packages} into {}/.venv", dir.display()));
        run(dir, language, "python3", &["-m", "venv", ".venv"])?;
        let pip = inside(dir, ".venv/bin/pip")?;
        run(dir, language, &pip, &["install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"])?;
        fs::write(done, wanted)?;
    }
    inside(dir, &format!(".venv/bin/{program}"))
}

/// A program of the folder, by a path that holds wherever it is started; links in it are not followed.
pub fn inside(dir: &Path, program: &str) -> Result<String, Trouble> {
    Ok(fs::canonicalize(dir)?.join(program).display().to_string())
}

/// Runs a tool in the folder; what it says is only shown when it fails.
pub fn run(dir: &Path, language: Language, program: &str, arguments: &[&str]) -> Result<(), Trouble> {
    tried(dir, language, program, arguments, "does not build").map(drop)
}

/// Runs a tool in the folder and gives what it said; that is shown when it fails.
pub fn tried(
    dir: &Path,
    language: Language,
    program: &str,
    arguments: &[&str],
    fails: &str,
) -> Result<String, Trouble> {
    let lang = language.title().to_lowercase().replace("javascript", "js");
    let hint = format!("is everything there? stepwise plugin doctor --lang {lang}");
    let output = Command::new(program).args(arguments).current_dir(dir).stdin(Stdio::null()).output();
    let output =
        output.map_err(|error| Trouble::failed(format!("{program} cannot be started: {error}")).hint(&hint))?;
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    if output.status.success() {
        return Ok(said.into_owned());
    }
    Err(Trouble::failed(format!("{} {fails}\n{}", dir.display(), said.trim())).hint(hint))
}
