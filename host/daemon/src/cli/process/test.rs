//! `stepwise process test [PATH...]`: the scenario pages of a solution, each in a world of its own, without a daemon.
//!
//! A page is judged by the same code as the product's own tests.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use scenario::verdict::{self, Expectation};
use serde_json::{Value as Json, json};

use super::local::{self, Plugins};
use crate::{
    cli::Connection,
    output::{Output, line},
    trouble::{Exit, Trouble},
};

/// Run scenario pages.
#[derive(Debug, Args)]
pub struct Test {
    /// Solution directories, whose `cases/` are run, or single pages
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Write the traces that come out into the pages, to be read as critically as the processes
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    plugins: Plugins,
}

/// What came of one page.
struct Judged {
    page: PathBuf,
    /// What is wrong, as people read it.
    wrong: Option<String>,
}

impl Test {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut pages = Vec::new();
        for path in &self.paths {
            pages.append(&mut pages_in(path)?);
        }
        let began = Instant::now();
        let (runner, plugins) = (local::sandbox(connection)?, self.plugins.read()?);
        let expectation = if self.update { Expectation::Rewrite } else { Expectation::Compare };
        let mut judged = Vec::with_capacity(pages.len());
        for page in pages {
            let wrong = verdict::judge(&page, local::stage(runner.clone(), &plugins), expectation).err();
            let one = Judged { page, wrong };
            if connection.output == Output::Table {
                one.print()?;
            }
            judged.push(one);
        }
        finish(&judged, began.elapsed().as_secs_f64(), connection)
    }
}

impl Judged {
    fn print(&self) -> Result<(), Trouble> {
        match &self.wrong {
            None => line(&format!("ok      {}", self.page.display())),
            Some(wrong) => line(&format!("FAILED  {}\n{}\n", self.page.display(), wrong.trim_end())),
        }
    }

    fn json(&self) -> Json {
        json!({"page": self.page.display().to_string(), "passed": self.wrong.is_none(), "wrong": self.wrong})
    }
}

fn finish(judged: &[Judged], seconds: f64, connection: &Connection) -> Result<(), Trouble> {
    let failed = judged.iter().filter(|one| one.wrong.is_some()).count();
    let passed = judged.len() - failed;
    let pages: Vec<Json> = judged.iter().map(Judged::json).collect();
    let text = format!("{passed} page(s) passed, {failed} failed in {seconds:.1} s");
    connection.output.text(&text, &json!({"passed": passed, "failed": failed, "pages": pages}))?;
    match failed {
        0 => Ok(()),
        _ => Err(Trouble::new(Exit::Failed, format!("{failed} page(s) do not hold"))
            .hint("`--update` writes what came out into the pages: read the difference before you keep it")),
    }
}

/// The page itself, or the pages in the `cases` of a solution directory, by name.
fn pages_in(path: &Path) -> Result<Vec<PathBuf>, Trouble> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let cases = path.join("cases");
    let mut pages = Vec::new();
    gather(if cases.is_dir() { &cases } else { path }, &mut pages)?;
    pages.sort();
    match pages.is_empty() {
        false => Ok(pages),
        true => Err(Trouble::new(Exit::NotFound, format!("{} has no pages to run", path.display()))
            .hint("write one in `cases/NAME.md`: host/docs/processes.md shows how")),
    }
}

/// The Markdown files below a folder that have something to run.
fn gather(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    let unreadable = |error| Trouble::new(Exit::NotFound, format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, pages)?;
        } else if path.extension().is_some_and(|ending| ending == "md") {
            let text = fs::read_to_string(&path)?;
            pages.extend(text.lines().any(|line| line.starts_with("```run")).then_some(path));
        }
    }
    Ok(())
}
