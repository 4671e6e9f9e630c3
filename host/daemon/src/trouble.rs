//! Why a command did not do what it was asked: an exit code, a sentence, what to do, and places in files.
//!
//! Every command ends in one of these or in nothing; `main` prints it once.

use anstream::eprintln;
use model::refusal::Problem;
use owo_colors::OwoColorize;

/// Exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It was tried and did not work.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// What is named is not there.
    NotFound = 4,
    /// Somebody else was quicker, or it is there already.
    Conflict = 5,
    /// The token is missing, wrong, or not enough.
    Permission = 6,
    /// No daemon answers.
    Unreachable = 7,
    /// A plugin or a script does not do what every custom step must do.
    NotConforming = 8,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Trouble {
    /// The exit code.
    pub exit: Exit,
    /// The sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The daemon's code for it, where it is the daemon's "no".
    pub code: Option<String>,
    /// Places in files, each with its line if the file is at hand.
    pub places: Vec<Place>,
}

/// A problem and the line that it is in.
#[derive(Debug)]
pub struct Place {
    /// What is wrong, and where.
    pub problem: Problem,
    /// The line as written; absent where nobody has the file.
    pub line: Option<String>,
}

impl Trouble {
    /// A sentence with its exit code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, code: None, places: Vec::new() }
    }

    /// It was tried and did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Writes it to stderr.
    pub fn print(&self) {
        for place in &self.places {
            place.print();
        }
        if !self.message.is_empty() {
            eprintln!("{}{} {}", "error".red().bold(), ":".bold(), self.message);
        }
        if let Some(hint) = &self.hint {
            eprintln!("  {} {hint}", "help:".cyan());
        }
    }
}

impl Place {
    /// Writes the problem with its line and a mark under what is meant.
    pub fn print(&self) {
        eprintln!("{}", self.text());
    }

    /// The problem with its line and a mark under what is meant.
    pub fn text(&self) -> String {
        let Problem { file, line, column, length, message, hint, warning } = &self.problem;
        let head = match warning {
            true => format!("{}: {message}", "warning".yellow().bold()),
            false => format!("{}: {message}", "error".red().bold()),
        };
        let place = format!("  {} {file}:{line}:{column}", "-->".blue());
        let hint = hint.as_deref().unwrap_or_default();
        let Some(source) = &self.line else {
            return match hint {
                "" => format!("{head}\n{place}"),
                hint => format!("{head}\n{place}\n  {hint}"),
            };
        };
        let indent = source.len() - source.trim_start().len();
        let before = (*column as usize).saturating_sub(1 + indent);
        let mark = "^".repeat((*length as usize).max(1));
        format!(
            "{head}\n{place}\n   {bar}  {}\n   {bar}  {}{} {hint}",
            source.trim(),
            " ".repeat(before),
            mark.red(),
            bar = "|".blue()
        )
        .trim_end()
        .to_owned()
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
        Self::failed(chain.join(": "))
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(column: u32, length: u32) -> Problem {
        Problem {
            file: "scripts/days-open.rhai".into(),
            line: 7,
            column,
            length,
            message: "there is no attribute `creaton` on complaint".into(),
            hint: Some("did you mean `createdon`?".into()),
            warning: false,
        }
    }

    #[test]
    fn a_problem_is_shown_with_its_line_and_a_mark() {
        let line = Some("  let d = days_between(c.creaton, now());".to_owned());
        let text = Place { problem: problem(26, 7), line }.text();
        let plain = anstream::adapter::strip_str(&text).to_string();
        let expected = "error: there is no attribute `creaton` on complaint\n  --> scripts/days-open.rhai:7:26\n   \
                        |  let d = days_between(c.creaton, now());\n   \
                        |                         ^^^^^^^ did you mean `createdon`?";
        assert_eq!(plain, expected);
    }

    #[test]
    fn a_problem_without_its_file_is_shown_with_its_place() {
        let text = Place { problem: problem(1, 0), line: None }.text();
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert!(plain.ends_with("scripts/days-open.rhai:7:1\n  did you mean `createdon`?"), "{plain}");
    }
}
