//! SCR: what is wrong with a script is found before it runs, at its place.

use crate::{
    bench::{Bench, Setting},
    case::Verdict,
    subject::Source,
};

fn script(bench: &Bench) -> Result<(&str, &str), Verdict> {
    match &bench.subject.source {
        Source::Script(file, text) => Ok((file, text)),
        Source::Component(_) => Err(Verdict::Skipped("it is a component".into())),
    }
}

/// The script with a line more at its end, and the number of that line.
fn with_line(text: &str, line: &str) -> (String, usize) {
    let whole = text.trim_end();
    (format!("{whole}\n;\n{line}\n"), whole.lines().count() + 2)
}

/// SCR-1
pub fn a_syntax_error_has_its_place(bench: &Bench) -> Verdict {
    let (file, text) = match script(bench) {
        Ok(script) => script,
        Err(skipped) => return skipped,
    };
    let mut sentences = bench.subject.problems.clone();
    let (broken, line) = with_line(text, "let x = (1 + ;");
    match bench.read_script(file, &broken) {
        Ok(_) => sentences.push("a syntax error at its end is not found".into()),
        Err(found) if !found.iter().any(|one| one.contains(&format!(":{line}:"))) => {
            sentences.push(format!("a syntax error in line {line} is told as: {}", found.join("; ")));
        }
        Err(_) => {}
    }
    Verdict::of(sentences, format!("it reads, and an error put into line {line} is found there"))
}

/// SCR-2
pub fn an_unknown_name_is_found(bench: &Bench) -> Verdict {
    let (file, text) = match script(bench) {
        Ok(script) => script,
        Err(skipped) => return skipped,
    };
    let unknown = |problem: &&String| problem.contains("there is no") || problem.contains("is not known");
    let mut sentences: Vec<String> = bench.subject.problems.iter().filter(unknown).cloned().collect();
    if bench.subject.callable.is_none() && sentences.is_empty() {
        return Verdict::Skipped("it cannot be read: SCR-1 says why".into());
    }
    for (line_text, name) in
        [("zz_no_such_function(1);", "zz_no_such_function"), ("zz_no_such_name + 1;", "zz_no_such_name")]
    {
        let (broken, line) = with_line(text, line_text);
        let found = bench.read_script(file, &broken).err().unwrap_or_default();
        if !found.iter().any(|one| one.contains(name) && one.contains(&format!(":{line}:"))) {
            sentences.push(format!("`{name}` in line {line} is not found by name and place"));
        }
    }
    Verdict::of(sentences, "a function and a variable that do not exist")
}

/// SCR-3
pub fn a_bad_version_leaves_the_good_one(bench: &Bench) -> Verdict {
    let (file, text) = match script(bench) {
        Ok(script) => script,
        Err(skipped) => return skipped,
    };
    let calls = bench.good_calls();
    let Some(call) = calls.first() else {
        return Verdict::Skipped("it cannot be read: SCR-1 says why".into());
    };
    let before = bench.make(call, Setting::default()).result;
    let (broken, _) = with_line(text, "}");
    let mut sentences = Vec::new();
    if bench.read_script(file, &broken).is_ok() {
        sentences.push("a broken version is taken in its place".into());
    }
    if bench.make(call, Setting::default()).result != before {
        sentences.push("after a broken version was refused, the good one does something else".into());
    }
    Verdict::of(sentences, "a broken version is refused, the good one goes on")
}

/// SCR-4
pub fn only_the_library_is_called(bench: &Bench) -> Verdict {
    if let Err(skipped) = script(bench) {
        return skipped;
    }
    let unknown = bench.subject.problems.iter().filter(|problem| problem.contains("there is no function"));
    let sentences: Vec<String> = unknown.cloned().collect();
    if bench.subject.callable.is_none() && sentences.is_empty() {
        return Verdict::Skipped("it cannot be read: SCR-1 says why".into());
    }
    Verdict::of(sentences, "every function that it calls is one of the library of this version")
}
