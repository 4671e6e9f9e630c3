//! Plugins and a script as they were when each version of the contract was released: they load, run and conform for ever.
//!
//! `sdk/wit/README.md` says what they are; the guest that misbehaves on purpose is looked at by `host/wasm/tests/it/released.rs`.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use conform::{Expectations, Form, Kit, Level, Report, Source};

/// What is frozen with the first release, by what it was written in.
const FROZEN: [(&str, &str); 5] = [
    ("complaints.wasm", "Rust"),
    ("deadline.rhai", "a script"),
    ("http.wasm", "Rust, external"),
    ("iban.wasm", "C"),
    ("postcode.wasm", "JavaScript"),
];

/// A release and the file in it.
fn frozen() -> Result<Vec<(String, PathBuf)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../sdk/wit/released");
    let mut found = Vec::new();
    for release in fs::read_dir(folder)? {
        let release = release?;
        for file in fs::read_dir(release.path())? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name != "evil.wasm" && !name.ends_with(".wit") {
                found.push((format!("{}/{name}", release.file_name().to_string_lossy()), path));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[test]
fn what_was_released_still_conforms() -> Result<()> {
    let frozen = frozen()?;
    let names: BTreeSet<&str> = frozen.iter().map(|(name, _)| name.as_str()).collect();
    for (file, language) in FROZEN {
        ensure!(names.contains(format!("1.0.0/{file}").as_str()), "1.0.0 keeps nothing in {language}");
    }
    for (name, path) in frozen {
        let source = match path.extension().is_some_and(|ending| ending == "rhai") {
            true => Source::Script(
                format!("scripts/{}", name.rsplit('/').next().unwrap_or(&name)),
                fs::read_to_string(&path)?,
            ),
            false => Source::Component(fs::read(&path)?.into()),
        };
        let cache = tempfile::tempdir()?;
        let kit = Kit {
            source,
            previous: None,
            solution: Vec::new(),
            cache: Some(cache.path().join("compiled")),
            only: Vec::new(),
            unsteady: false,
        };
        let mut bench = kit.open().with_context(|| name.clone())?;
        let findings = bench.run_all(Level::Must, &Expectations::default());
        let report = Report { subject: name.clone(), findings };
        ensure!(report.passed(), "{name}\n{}", report.text(Form::Human));
        let costs = bench.costs();
        ensure!(!costs.is_empty(), "{name} has no examples");
        for cost in costs {
            ensure!(cost.failure.is_none(), "{name}: {}: {}", cost.call, cost.failure.unwrap_or_default());
        }
    }
    Ok(())
}
