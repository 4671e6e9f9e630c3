//! `stepwise script watch PATH`: checks and tests again whenever a file changes.
//!
//! It looks at the times of files a few times a second: no library, and it works on every file system.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clap::Args;

use super::{check, files, test};
use crate::{
    cli::{Connection, process::Plugins},
    output::say,
    trouble::Trouble,
};

/// How long it rests between two looks.
const REST: Duration = Duration::from_millis(250);

/// What is watched.
#[derive(Debug, Args)]
pub struct Watch {
    /// A script, or a directory with scripts
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    plugins: Plugins,
}

impl Watch {
    /// Does it, until somebody ends it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        // What is not there at the beginning is a mistake; later a file may be gone for a moment.
        files::scripts(std::slice::from_ref(&self.path))?;
        let mut known = None;
        loop {
            let seen = seen(&self.watched(), &["rhai", "md", "yaml", "yml"]);
            if known.as_ref() != Some(&seen) {
                known = Some(seen);
                if let Err(trouble) = self.once(connection) {
                    trouble.print();
                }
                say("watching; Ctrl+C ends it");
            }
            std::thread::park_timeout(REST);
        }
    }

    fn once(&self, connection: &Connection) -> Result<(), Trouble> {
        let scripts = files::scripts(std::slice::from_ref(&self.path))?;
        if check::check(&scripts, connection)? == 0 {
            test::test(&scripts, &self.plugins.read()?, connection)?;
        }
        Ok(())
    }

    /// The directory whose files count: the solution, or what was named.
    fn watched(&self) -> PathBuf {
        let own = if self.path.is_dir() { Some(self.path.clone()) } else { None };
        let around = crate::solution::root_of(&self.path);
        around.or(own).unwrap_or_else(|| self.path.clone())
    }
}

/// What tools make below a folder; nobody edits it.
const MADE: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// The files below a path with one of these endings, with their sizes and times.
pub fn seen(path: &Path, endings: &[&str]) -> Vec<(PathBuf, u64, Option<SystemTime>)> {
    let mut found = Vec::new();
    let mut folders = vec![path.to_path_buf()];
    while let Some(path) = folders.pop() {
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
            let hidden = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with('.') || MADE.contains(&name.as_ref())
            };
            folders.extend(entries.filter(|path| !hidden(path)));
        } else if path.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one)) {
            found.push((path, about.len(), about.modified().ok()));
        }
    }
    found.sort();
    found
}
