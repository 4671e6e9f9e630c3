//! Results for people and for programs: a table on a terminal, JSON where that is asked for.

use std::io::Write;

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde_json::Value as Json;

use crate::trouble::Trouble;

/// The form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

impl Output {
    /// Shows rows under headings, or the JSON that they were made from.
    pub fn rows(self, headings: &[&str], rows: Vec<Vec<String>>, json: &Json) -> Result<(), Trouble> {
        match self {
            Self::Json => line(&json.to_string()),
            Self::Table => line(&table(headings, rows)),
        }
    }

    /// Shows sentences, or the JSON that they were made from.
    pub fn text(self, text: &str, json: &Json) -> Result<(), Trouble> {
        match self {
            Self::Json => line(&json.to_string()),
            Self::Table => line(text),
        }
    }
}

/// A table without frames.
pub fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headings.to_vec()).add_rows(rows);
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The widest line of what is told in sentences.
const WIDTH: usize = 80;

/// Lines that are told to people: one that is too wide goes on below, a little further in.
pub fn folded(lines: &[String]) -> String {
    let mut folded: Vec<String> = Vec::with_capacity(lines.len());
    for line in lines {
        let indent = line.chars().take_while(|letter| *letter == ' ').count();
        let mut current = " ".repeat(indent);
        for word in line.split(' ').skip(indent) {
            let is_empty = current.trim().is_empty();
            if !is_empty && current.chars().count() + 1 + word.chars().count() > WIDTH {
                folded.push(std::mem::replace(&mut current, " ".repeat(indent + 2)));
            } else if !is_empty {
                current.push(' ');
            }
            current.push_str(word);
        }
        folded.push(current);
    }
    folded.join("\n")
}

/// Writes one result to stdout. A reader that has gone away is no trouble.
pub fn line(text: &str) -> Result<(), Trouble> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Writes one sentence of talk to stderr.
pub fn say(text: &str) {
    anstream::eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_lines_go_on_below_and_words_stay_whole() {
        let (long, wide) = ("word ".repeat(20), "x".repeat(90));
        let lines = ["short  with  gaps".to_owned(), format!("  {}", long.trim()), format!("    a {wide} b")];
        let folded = folded(&lines);
        let told: Vec<&str> = folded.lines().collect();
        assert_eq!(told[0], "short  with  gaps");
        assert_eq!(told[1], format!("  {}", "word ".repeat(15).trim()));
        assert_eq!(told[2], format!("    {}", "word ".repeat(5).trim()));
        assert_eq!(&told[3..], ["    a".to_owned(), format!("      {wide}"), "      b".to_owned()]);
    }
}
