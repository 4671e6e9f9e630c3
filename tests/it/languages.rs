//! Plugins in every language with a template: made, built, run and examined by the real binary.
//!
//! What a language's tools build is kept with its sources below the target directory and built again only when they
//! change. Where a language is not installed it is skipped, and that is said; on a build machine it is a failure.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use tests::daemon;

#[test]
fn a_plugin_in_javascript_is_built_and_conforms() -> Result<()> {
    conforms("js", "node")
}

#[test]
fn a_plugin_in_python_is_built_and_conforms() -> Result<()> {
    conforms("python", "python3")
}

#[test]
fn a_plugin_in_c_is_built_and_conforms() -> Result<()> {
    conforms("c", "python3")
}

#[test]
fn the_bindings_for_c_are_those_of_the_contract() -> Result<()> {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
    let header = fs::read_to_string(sdk.join("c/plugin.h"))?;
    let contract = ["types", "host", "step"].map(|file| fs::read_to_string(sdk.join(format!("wit/v1/{file}.wit"))));
    let external = ["send", "placeholder", "basic"];
    for text in contract {
        for line in text?.lines().filter(|line| line.contains(": func(")) {
            let name = line.trim().split(':').next().unwrap_or_default().trim_start_matches('%').replace('-', "_");
            let there = header.contains(&format!("_{name}("));
            ensure!(
                there || external.contains(&name.as_str()),
                "sdk/c/plugin.h has no `{name}`: make the bindings anew"
            );
        }
    }
    Ok(())
}

/// Makes a plugin from the template, builds it unless that was done before, runs its examples and every case.
fn conforms(language: &str, program: &str) -> Result<()> {
    if Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        ensure!(
            std::env::var_os("CI").is_none(),
            "`{program}` is not installed, so plugins in {language} cannot be tested"
        );
        eprintln!("SKIPPED: plugins in {language} are not tested, because `{program}` is not installed");
        return Ok(());
    }
    let kept = kept().join(language);
    let fresh = tempfile::tempdir()?;
    let name = format!("hello-{language}");
    said(&stepwise(fresh.path(), &["plugin", "new", &name, "--lang", language])?)?;
    let (made, folder) = (fresh.path().join(&name), kept.join(&name));
    if !folder.join("plugin.wasm").is_file() || sources(&made)? != sources(&folder)? {
        let _ = fs::remove_dir_all(&kept);
        copy(&made, &folder)?;
        said(&stepwise(&kept, &["plugin", "build", &name])?)?;
    }
    let component = folder.join("plugin.wasm").display().to_string();
    let tested = said(&stepwise(&kept, &["plugin", "test", &component])?)?;
    ensure!(tested.contains("of 250 ms") && !tested.contains("FAILED"), "{tested}");
    let report = said(&stepwise(&kept, &["plugin", "conform", &component])?)?;
    ensure!(report.contains("0 failed"), "{report}");
    Ok(())
}

/// Beside what is built of guests in Rust.
fn kept() -> PathBuf {
    let binary = daemon::binary();
    binary.ancestors().nth(2).unwrap_or(binary).join("guests/languages")
}

fn stepwise(directory: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(daemon::binary());
    command.args(arguments).current_dir(directory).stdin(Stdio::null()).env("XDG_CACHE_HOME", kept().join("compiled"));
    command.output().context("the binary cannot be run")
}

fn said(output: &Output) -> Result<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    Ok(text(&output.stdout))
}

/// The files of a plugin with what they hold, without what its tools brought and made.
fn sources(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for directory in [folder.to_path_buf(), folder.join("wit")] {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry?.path();
            let name = path.strip_prefix(folder)?.display().to_string();
            if path.is_file() && !name.ends_with(".wasm") && name != "package-lock.json" {
                found.push((name, fs::read(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for (name, bytes) in sources(from)? {
        let file = to.join(name);
        fs::create_dir_all(file.parent().unwrap_or(to))?;
        fs::write(file, bytes)?;
    }
    Ok(())
}
