//! `stepwise script test PATH...`: the examples of scripts and the pages beside them, in a world in memory.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use engine::{Failure, TestedExample};
use model::{
    Refusal, consent,
    refusal::Problem,
    step::{LogLevel, StepRunner},
};
use scenario::{
    World,
    verdict::{self, Expectation},
};
use serde_json::{Value as Json, json};

use super::files::{self, OneScript};
use crate::{
    cli::{
        Connection,
        process::{Plugins, refused, sandbox, stage},
    },
    output::{Output, line, say},
    solution,
    trouble::{Exit, Trouble},
};

/// Which ones.
#[derive(Debug, Args)]
pub struct Test {
    /// Scripts, or directories with scripts
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    plugins: Plugins,
}

/// What came of some scripts.
#[derive(Default)]
pub struct Score {
    passed: usize,
    /// How many examples and pages are not as they should be.
    pub failed: usize,
    told: Vec<Json>,
}

impl Test {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let scripts = files::scripts(&self.paths)?;
        let score = test(&scripts, &self.plugins.read()?, connection)?;
        match (score.passed, score.failed) {
            (0, 0) => Err(Trouble::new(Exit::NotFound, "there is nothing to test")
                .hint("give the script `examples`, or write a page `cases/NAME.md`: host/docs/scripts.md shows how")),
            (_, 0) => Ok(()),
            (_, failed) => Err(Trouble::new(Exit::Failed, format!("{failed} example(s) or page(s) do not hold"))),
        }
    }
}

/// Runs what belongs to these scripts and tells it.
pub fn test(scripts: &[OneScript], plugins: &[solution::File], connection: &Connection) -> Result<Score, Trouble> {
    let runner = sandbox(connection)?;
    let mut score = Score::default();
    for script in scripts {
        let mut files = script.around()?;
        files.extend(plugins.iter().cloned());
        let tested = match examples(script, &runner, &files)? {
            Ok(tested) => tested,
            // Somebody else's mistake keeps nobody from trying his own script on the entities.
            Err(problems) if problems.iter().all(|problem| problem.file != script.name().as_str()) => {
                let wrong = problems.iter().filter(|problem| !problem.warning).count();
                say(&format!(
                    "{wrong} problem(s) in other files of the solution (`stepwise process check` shows them): examples run on \
                     its entities alone"
                ));
                let few: Vec<_> = files.iter().filter(|file| script.needs(&file.path)).cloned().collect();
                examples(script, &runner, &few)?.map_err(|problems| refused(problems, &files))?
            }
            Err(problems) => {
                // A script that stands alone is none of the files of a solution, so its lines come from itself.
                let own = solution::File { path: script.name(), bytes: script.bytes.clone() };
                return Err(refused(problems, &[files.as_slice(), &[own]].concat()));
            }
        };
        let pages = script.pages()?.into_iter().map(|page| {
            let wrong = verdict::judge(&page, stage(runner.clone(), &files), Expectation::Compare).err();
            (page, wrong)
        });
        score.add(script, &tested, pages.collect(), connection)?;
    }
    let (passed, failed) = (score.passed, score.failed);
    let told = json!({"passed": passed, "failed": failed, "scripts": score.told});
    connection.output.text(&format!("{passed} passed, {failed} failed"), &told)?;
    Ok(score)
}

/// What came of the examples of a script in a world of these files, or what is wrong with the files.
fn examples(
    script: &OneScript,
    runner: &Arc<dyn StepRunner>,
    files: &[solution::File],
) -> Result<Result<Vec<TestedExample>, Vec<Problem>>, Trouble> {
    let mut world = World::new(stage(runner.clone(), files)).map_err(|no| Trouble::failed(no.to_string()))?;
    match world.test_script(&script.source()) {
        Ok(tested) => Ok(Ok(tested)),
        Err(Failure::Refused(Refusal::BadSolution(problems))) => Ok(Err(problems)),
        Err(failure) => Err(Trouble::failed(failure.to_string())),
    }
}

impl Score {
    fn add(
        &mut self,
        script: &OneScript,
        tested: &[TestedExample],
        pages: Vec<(PathBuf, Option<String>)>,
        connection: &Connection,
    ) -> Result<(), Trouble> {
        let wrong = tested.iter().filter(|one| one.wrong.is_some()).count();
        let wrong = wrong + pages.iter().filter(|(_, wrong)| wrong.is_some()).count();
        self.failed += wrong;
        self.passed += tested.len() + pages.len() - wrong;
        self.told.push(json!({
            "file": script.path.display().to_string(),
            "examples": tested.iter().map(in_json).collect::<Vec<_>>(),
            "pages": pages.iter().map(|(page, wrong)| json!({"page": page.display().to_string(), "wrong": wrong})).collect::<Vec<_>>(),
        }));
        if connection.output != Output::Table {
            return Ok(());
        }
        line(&script.path.display().to_string())?;
        for one in tested {
            one.said
                .iter()
                .filter(|(level, _)| *level >= LogLevel::Info)
                .try_for_each(|(level, text)| line(&format!("          {} \"{text}\"", level.word())))?;
            line(&in_words(one))?;
            if let Some(problem) = &one.place {
                let told = script.place(problem.clone()).text();
                line(&anstream::adapter::strip_str(&told).to_string())?;
            }
        }
        for (page, wrong) in &pages {
            match wrong {
                None => line(&format!("  ok      {}", page.display()))?,
                Some(wrong) => line(&format!("  FAILED  {}\n{}\n", page.display(), wrong.trim_end()))?,
            }
        }
        Ok(())
    }
}

fn in_words(tested: &TestedExample) -> String {
    match &tested.wrong {
        Some(_) if tested.place.is_some() => format!("  FAILED  {}", tested.title),
        Some(wrong) => format!("  FAILED  {}: {wrong}", tested.title),
        None => {
            let (usage, limits) = (&tested.usage, &tested.limits);
            format!(
                "  ok      {}  ({:.1} of {} ms, {:.1} of {} MiB, {} of {} verbs)",
                tested.title,
                usage.cpu.as_secs_f64() * 1e3,
                limits.cpu.as_millis(),
                usage.memory as f64 / f64::from(1 << 20),
                limits.memory >> 20,
                usage.verb_calls,
                limits.verb_calls
            )
        }
    }
}

fn in_json(tested: &TestedExample) -> Json {
    let outputs: serde_json::Map<String, Json> =
        tested.outputs.iter().map(|(name, value)| (name.to_string(), json!(value.as_str()))).collect();
    json!({
        "title": tested.title,
        "wrong": tested.wrong.as_deref(),
        "outputs": outputs,
        "log": tested.said.iter().map(|(level, text)| json!({"level": level.word(), "text": text.as_str()})).collect::<Vec<_>>(),
        "place": tested.place.as_ref().map(|place| json!({
            "file": place.file.as_str(), "line": place.line, "column": place.column, "message": place.message,
        })),
        "cpu_micros": u64::try_from(tested.usage.cpu.as_micros()).unwrap_or(u64::MAX),
        "memory": tested.usage.memory,
        "verb_calls": tested.usage.verb_calls,
        "limits": consent::limits_of(&tested.limits.all())
            .into_iter()
            .map(|(key, figure)| (key.to_string(), json!(figure)))
            .collect::<serde_json::Map<_, _>>(),
    })
}
