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
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    let output = cargo.current_dir(dir).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| Trouble::failed(format!("cargo cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(Trouble::failed(format!("the crate in {} does not build", dir.display()))
            .hint("is everything there? stepwise plugin doctor --lang rust"));
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
    options.extend(["-Wl,--no-entry", "-Wall", "-Wno-unused-function", "-o", "module.wasm"]);
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

/// Runs what tests the language itself knows, where the folder has some; gives what is said when they fail.
pub fn own_tests(dir: &Path) -> Result<(), Trouble> {
    let Some(language) = Language::of(dir) else { return Ok(()) };
    new::complete(dir, language)?;
    let named = |begin: &str, end: &str| {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.any(|name| name.starts_with(begin) && name.ends_with(end))
    };
    match language {
        Language::Rust => tried(dir, language, "cargo", &["test", "--quiet"], FAILS),
        Language::Js if named("", ".test.js") => tried(dir, language, "node", &["--test"], FAILS),
        Language::Python if named("test_", ".py") => {
            tried(dir, language, "python3", &["-m", "unittest", "--quiet"], FAILS)
        }
        Language::C if dir.join("tests").is_dir() => native(dir),
        _ => Ok(()),
    }
}

/// Compiles each file of `tests` for this machine, with the sources that are no part of the bindings, and runs it.
fn native(dir: &Path) -> Result<(), Trouble> {
    let python = environment(dir, Language::C, "python")?;
    let rules = sources(dir, &["steps.c", "plugin.c"])?;
    for test in sources(&dir.join("tests"), &[])? {
        let test = format!("tests/{test}");
        let mut options = vec!["-m", "ziglang", "cc", "-Wall", "-o", "tests/run", &test];
        options.extend(rules.iter().map(String::as_str));
        run(dir, Language::C, &python, &options)?;
        tried(dir, Language::C, &inside(dir, "tests/run")?, &[], FAILS)?;
    }
    Ok(())
}

/// The sources in C of a folder, but for these, in order.
fn sources(dir: &Path, without: &[&str]) -> Result<Vec<String>, Trouble> {
    let names = fs::read_dir(dir)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut sources: Vec<String> =
        names.filter(|name| name.ends_with(".c") && !without.contains(&name.as_str())).collect();
    sources.sort();
    Ok(sources)
}

/// The folder's own environment of Python with what its `requirements.txt` lists; gives a program of it.
fn environment(dir: &Path, language: Language, program: &str) -> Result<String, Trouble> {
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
fn inside(dir: &Path, program: &str) -> Result<String, Trouble> {
    Ok(fs::canonicalize(dir)?.join(program).display().to_string())
}

/// What is said of a folder whose own tests fail.
const FAILS: &str = "does not pass its own tests";

/// Runs a tool in the folder; what it says is only shown when it fails.
fn run(dir: &Path, language: Language, program: &str, arguments: &[&str]) -> Result<(), Trouble> {
    tried(dir, language, program, arguments, "does not build")
}

fn tried(dir: &Path, language: Language, program: &str, arguments: &[&str], fails: &str) -> Result<(), Trouble> {
    let lang = language.title().to_lowercase().replace("javascript", "js");
    let hint = format!("is everything there? stepwise plugin doctor --lang {lang}");
    let output = Command::new(program).args(arguments).current_dir(dir).stdin(Stdio::null()).output();
    let output =
        output.map_err(|error| Trouble::failed(format!("{program} cannot be started: {error}")).hint(&hint))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    Err(Trouble::failed(format!("{} {fails}\n{}", dir.display(), said.trim())).hint(hint))
}
