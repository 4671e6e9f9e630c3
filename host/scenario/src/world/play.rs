//! A page played in a world: scene by scene, line by line, with the trace that each scene gives.
//!
//! A line that is refused without having said so, or done though it said so, stops the page there.

use super::{ADMIN, Stage, World, value};
use crate::{
    line::{Command, Line},
    page::{Mistake, Page, Scene},
    port::No,
    session::Session,
};

/// Runs a page from its beginning and gives the trace of each of its scenes, or why it cannot be run as it stands.
pub fn run(page: &Page, stage: Stage) -> Result<Vec<String>, Mistake> {
    let world = World::new(stage);
    let mistake = |line, no: &No| Mistake { page: page.path.clone(), line, message: told(no) };
    let mut session = Session::new(world.map_err(|no| mistake(1, &no))?);
    let mut traces = Vec::with_capacity(page.scenes.len());
    for scene in &page.scenes {
        let trace = play(&mut session, scene).map_err(|(line, no)| mistake(line, &no))?;
        traces.push(trace);
    }
    Ok(traces)
}

fn told(no: &No) -> String {
    std::iter::once(no.to_string()).chain(no.details.iter().map(|detail| format!("\n    {detail}"))).collect()
}

fn play(session: &mut Session<World>, scene: &Scene) -> Result<String, (u32, No)> {
    let at = |line: u32| move |no: No| (line, no);
    session.port.take_files(scene).map_err(at(scene.line))?;
    session.port.hold_jobs = scene.hold_jobs;
    let applies = scene.lines.iter().any(|line| line.command == Command::Apply);
    let mut lines = Vec::new();
    if std::mem::take(&mut session.port.fresh) && !applies {
        session.port.become_user(ADMIN).map_err(at(scene.line))?;
        session.run(&Command::Apply).map_err(at(scene.line))?;
    }
    session.meet_people().map_err(at(scene.line))?;
    session.port.become_user(&scene.user).map_err(at(scene.line))?;
    session.told(&mut lines).map_err(at(scene.line))?;
    for line in &scene.lines {
        line_of(session, line, &mut lines)?;
    }
    // A message of several lines stays inside its paragraph.
    Ok(lines.into_iter().map(|line| line.replace('\n', "\n      ") + "\n").collect())
}

fn line_of(session: &mut Session<World>, line: &Line, lines: &mut Vec<String>) -> Result<(), (u32, No)> {
    let answer = session.run(&line.command);
    let shows = !matches!(
        line.command,
        Command::Create { .. }
            | Command::Update { .. }
            | Command::Delete(_)
            | Command::Assign { .. }
            | Command::Status { .. }
    );
    match (answer, &line.refusal) {
        (Ok(answer), None) => {
            if shows {
                lines.push(line.text.clone());
            }
            lines.extend(answer.into_iter().map(|shown| format!("  {}", session.names().rename(&shown))));
        }
        (Err(no), Some(code)) if no.code == *code => {
            lines.push(line.text.clone());
            lines.push(format!("  ! {code}: {}", session.names().rename(&no.message)));
            lines.extend(no.details.iter().map(|detail| format!("    {}", session.names().rename(detail))));
        }
        (Ok(_), Some(code)) => {
            return Err((line.number, No::new("page", format!("the line was done, a refusal `{code}` was expected"))));
        }
        (Err(no), _) => return Err((line.number, no)),
    }
    session.told(lines).map_err(|no| (line.number, no))
}

impl Session<World> {
    /// Calls users, teams and the like by the names that people know, and keeps what an apply made of them untold: files are
    /// the page's own words.
    fn meet_people(&mut self) -> Result<(), No> {
        let (world, names) = self.parts();
        names.call(value::target(&world.engine().schema(), engine::administrator()), ADMIN.into());
        for (target, name) in world.people()? {
            names.call_unless_called(target, name);
        }
        world.entry = world.entries()?.last().map_or(world.entry, |entry| entry.id);
        Ok(())
    }

    /// Lets everything run that can, and tells what happened since the last time.
    fn told(&mut self, lines: &mut Vec<String>) -> Result<(), No> {
        self.port.run_until_idle()?;
        let (world, names) = self.parts();
        let told = world.tell(names)?;
        lines.extend(told.iter().map(|line| names.rename(line)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{
        Digest,
        step::{HostFault, Installed, PackageProblem, Returned, StepCall, StepFailure, StepHost, StepRunner, Usage},
    };

    use super::*;

    /// A sandbox for pages without custom steps.
    struct NoSteps;

    impl StepRunner for NoSteps {
        fn run(&self, _: &StepCall, host: Box<dyn StepHost>) -> Returned {
            let failure = StepFailure::Host { fault: HostFault::HostError, message: "no steps here".into() };
            Returned { host: Some(host), result: Err(failure), usage: Usage::default() }
        }

        fn install(&self, _: &[u8]) -> Result<Installed, PackageProblem> {
            Err(PackageProblem { sentences: vec!["no plugins here".into()] })
        }

        fn prepare(&self, _: Digest, _: &[u8]) -> Result<(), PackageProblem> {
            Ok(())
        }
    }

    fn traces(text: &str) -> Result<Vec<String>, Mistake> {
        let page = Page::parse("p.md", text).expect("a well-formed page");
        run(&page, Stage { runner: Arc::new(NoSteps), supply: Box::new(|_| None), files: Vec::new() })
    }

    #[test]
    fn a_page_is_told_by_names() {
        let told = traces(
            "# T\n```run\ncreate account/ada name=\"Ada\" creditlimit=100\nupdate account/ada creditlimit=-5\n\
             create account/b name=\"B\" parentaccountid=account/ada\nget account/b name parentaccountid ownerid\n\
             advance 1 month\ndelete account/ada\nget account/ada ! not-found\n```\n",
        );
        let expected = "\
admin create account/ada  name: \"Ada\", creditlimit: 100, creditonhold: false, donotemail: false
admin update account/ada  creditlimit: 100 → -5
admin create account/b  name: \"B\", parentaccountid: account/ada, creditonhold: false, donotemail: false
get account/b name parentaccountid ownerid
  account/b  name: \"B\", parentaccountid: account/ada, ownerid: systemuser/admin
advance 1 month
admin delete account/ada
admin update account/b  parentaccountid: account/ada → null
get account/ada
  ! not-found: there is no `account` ada
";
        assert_eq!(told.expect("a trace"), [expected]);
    }

    #[test]
    fn what_was_not_expected_stops_the_page_at_its_line() {
        for (line, expected) in [
            ("create account/a name=5", "p.md:3: `name` holds text, not the number 5 (wrong-type)"),
            ("create account/a name=\"A\" ! required", "p.md:3: the line was done, a refusal `required` was expected"),
            ("create nothing/a ! required", "p.md:3: there is no entity `nothing` (unknown-entity)"),
            (
                "fail-next weather",
                "p.md:3: `weather` is none of read, write, sync, sync-kept, full, mail, mail-refused, mail-cut (page)",
            ),
        ] {
            let stopped = traces(&format!("# T\n```run\n{line}\n```\n")).expect_err(line);
            assert!(stopped.to_string().starts_with(expected), "{line} gave {stopped}");
        }
    }
}
