//! `stepwise export DIR`: the files of what was applied, as `apply` takes them again.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use clap::Args;
use serde_json::{Value as Json, json};

use super::{Connection, job::escaped};
use crate::{client::Client, trouble::Trouble};

/// Write the files of a solution, or of all, into a directory.
#[derive(Debug, Args)]
pub struct Export {
    /// The directory; a folder in it for each solution unless one is named
    dir: PathBuf,
    /// The solution
    #[arg(long, value_name = "NAME")]
    solution: Option<String>,
}

impl Export {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        let mut written = 0;
        match &self.solution {
            Some(solution) => written += write(&client, solution, &self.dir)?,
            None => {
                let all = client.get("/api/v1/solutions")?;
                for solution in all["value"].as_array().into_iter().flatten() {
                    let name = solution["name"].as_str().unwrap_or_default();
                    written += write(&client, name, &self.dir.join(name))?;
                }
            }
        }
        let dir = self.dir.display();
        connection.output.text(&format!("{written} file(s) written to {dir}"), &json!({"files": written}))
    }
}

fn write(client: &Client, solution: &str, dir: &Path) -> Result<usize, Trouble> {
    let answer = client.get(&format!("/api/v1/solutions/{}/export", escaped(solution)))?;
    let files = answer["files"].as_array().map(Vec::as_slice).unwrap_or_default();
    for file in files {
        let path = place(dir, file["path"].as_str().unwrap_or_default())?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, file["text"].as_str().unwrap_or_default())?;
    }
    Ok(files.len())
}

/// The file's place in the directory, and never outside.
fn place(dir: &Path, path: &str) -> Result<PathBuf, Trouble> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    match inside && !path.is_empty() {
        true => Ok(dir.join(path)),
        false => Err(Trouble::failed(format!("the daemon names a file `{path}`, which is none of a solution"))),
    }
}

/// A process made of a template: `stepwise process new NAME --from TEMPLATE`.
pub fn copy(name: &str, from: &str, connection: &Connection) -> Result<(), Trouble> {
    let path = format!("/api/v1/processes/{}/copy", escaped(from));
    let answer: Json = Client::new(connection)?.post(&path, &json!({"name": name}))?;
    let solution = answer["solution"].as_str().unwrap_or_default();
    let told = format!(
        "{name} is a draft in solution {solution}; `stepwise export DIR --solution {solution}` writes its file"
    );
    connection.output.text(&told, &answer)
}
