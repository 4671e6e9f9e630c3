//! Commands that need no daemon, as a build machine runs them: check a solution, run its pages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::{daemon::binary, guests};

/// A copy of the example beside its plugin.
struct Example {
    directory: tempfile::TempDir,
}

impl Example {
    fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/complaints");
        copy(&source, &directory.path().join("complaints"))?;
        fs::write(directory.path().join("complaints.wasm"), guests::complaints())?;
        Ok(Self { directory })
    }

    fn file(&self, path: &str) -> PathBuf {
        self.directory.path().join("complaints").join(path)
    }

    /// Runs `stepwise process ARGUMENTS` with the plugin in the directory of the example; the exit code, results, talk.
    fn process(&self, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
        let mut command = Command::new(binary());
        command.arg("process").args(arguments).args(["--plugin", "complaints.wasm"]);
        command.current_dir(self.directory.path()).env("NO_COLOR", "1").env_remove("STEPWISE_SERVER");
        let output = command.stdin(Stdio::null()).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

#[test]
fn a_solution_is_checked_without_a_daemon() -> Result<()> {
    let example = Example::new()?;
    let (status, told, talk) = example.process(&["check", "complaints"])?;
    ensure!(status == Some(0) && told.starts_with("complaints ") && told.contains("part(s) checked"), "{told}{talk}");
    let file = example.file("processes/handle-complaint.yaml");
    let text = fs::read_to_string(&file)?;
    fs::write(&file, text.replace("record.product", "record.produkt"))?;
    let (status, _, talk) = example.process(&["check", "complaints"])?;
    ensure!(status == Some(1), "{talk}");
    ensure!(
        talk.contains("--> processes/handle-complaint.yaml:") && talk.contains("did you mean `product`?"),
        "{talk}"
    );
    ensure!(talk.contains("1 problem(s) found"), "{talk}");
    Ok(())
}

#[test]
fn the_pages_of_a_solution_are_run_without_a_daemon() -> Result<()> {
    let example = Example::new()?;
    let (status, told, talk) = example.process(&["test", "complaints"])?;
    ensure!(status == Some(0) && told.contains(" 0 failed"), "{told}{talk}");
    let page = "complaints/cases/a_severe_complaint_is_escalated.md";
    let file = example.file("cases/a_severe_complaint_is_escalated.md");
    let right = fs::read_to_string(&file)?;
    fs::write(&file, right.replace("dueon: 2026-01-17, ownerid", "dueon: 2026-01-18, ownerid"))?;
    let (status, told, _) = example.process(&["test", page])?;
    ensure!(status == Some(1) && told.contains(&format!("FAILED  {page}")), "{told}");
    ensure!(told.contains("-   complaint/c1  severity: high, dueon: 2026-01-18"), "{told}");
    ensure!(told.contains("+   complaint/c1  severity: high, dueon: 2026-01-17"), "{told}");
    let (_, told, _) = example.process(&["test", page, "--output", "json"])?;
    let told: Value = serde_json::from_str(&told)?;
    assert_eq!((&told["passed"], &told["failed"], &told["pages"][0]["passed"]), (&json!(0), &json!(1), &json!(false)));
    let (status, ..) = example.process(&["test", page, "--update"])?;
    assert_eq!((status, fs::read_to_string(&file)?), (Some(0), right), "what came out is written into the page");
    let (status, _, talk) = example.process(&["test", "complaints/scripts"])?;
    ensure!(status == Some(4) && talk.contains("has no pages to run"), "{talk}");
    Ok(())
}
