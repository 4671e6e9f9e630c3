//! A page as it is written: prose, and fenced blocks that are files, lines to run, or the trace they give.
//!
//! `parse` finds every mistake of form with its line; what the lines mean is `line`'s business. `with_traces` writes
//! the page again with other traces, everything else byte for byte as it was.

use std::ops::Range;

use smol_str::SmolStr;

use crate::line::Line;

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it lies, for messages and as the name of its test.
    pub path: SmolStr,
    /// Its first heading.
    pub title: String,
    /// What happens, in order: each run with the files that stand before it.
    pub scenes: Vec<Scene>,
    text: String,
}

/// A `run` block with what belongs to it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The files between the run block before and this one.
    pub files: Vec<File>,
    /// The user who acts.
    pub user: SmolStr,
    /// Whether jobs run only after the last line, not after each.
    pub hold_jobs: bool,
    /// The lines.
    pub lines: Vec<Line>,
    /// The line of the page on which the block begins, from 1.
    pub line: u32,
    /// The trace that is expected; absent: the page has none for this run.
    pub trace: Option<String>,
    /// Where the trace stands in the page's text, or where one would be put.
    place: Range<usize>,
}

/// A file of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the solution.
    pub path: SmolStr,
    /// What it holds; absent: bytes that whoever runs the page has (a compiled plugin).
    pub text: Option<String>,
    /// The line of the page on which the block begins, from 1.
    pub line: u32,
}

/// A page is wrong in its form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{page}:{line}: {message}")]
pub struct Mistake {
    /// The page.
    pub page: SmolStr,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// A fenced block before it is understood.
struct Fence<'a> {
    info: &'a str,
    line: u32,
    /// The lines between the fences.
    body: Range<usize>,
    /// Behind the closing fence.
    end: usize,
}

impl Page {
    /// The page in `text`, or everything that is wrong with its form.
    pub fn parse(path: impl Into<SmolStr>, text: &str) -> Result<Page, Vec<Mistake>> {
        let mut reader =
            Reader { page: path.into(), text, mistakes: Vec::new(), files: Vec::new(), scenes: Vec::new() };
        let fences = reader.fences();
        for fence in &fences {
            reader.block(fence);
        }
        let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().trim().to_owned();
        if title.is_empty() {
            reader.mistake(1, "a page begins with a heading that says what it shows");
        }
        if let Some(file) = reader.files.first() {
            let message = format!("no run block follows the file `{}`", file.path);
            reader.mistake(file.line, message);
        } else if reader.scenes.is_empty() {
            reader.mistake(1, "the page has no run block");
        }
        match reader.mistakes.is_empty() {
            true => Ok(Page { path: reader.page, title, scenes: reader.scenes, text: text.to_owned() }),
            false => Err(reader.mistakes),
        }
    }

    /// The page's text with these traces, one for each scene, in the place of those it has.
    pub fn with_traces(&self, traces: &[String]) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut copied = 0;
        for (scene, trace) in self.scenes.iter().zip(traces) {
            text.push_str(&self.text[copied..scene.place.start]);
            match scene.trace {
                Some(_) => text.push_str(trace),
                None => text.push_str(&format!("```trace\n{trace}```\n")),
            }
            copied = scene.place.end;
        }
        text.push_str(&self.text[copied..]);
        text
    }
}

struct Reader<'a> {
    page: SmolStr,
    text: &'a str,
    mistakes: Vec<Mistake>,
    /// Files that wait for their run block.
    files: Vec<File>,
    scenes: Vec<Scene>,
}

impl<'a> Reader<'a> {
    fn mistake(&mut self, line: u32, message: impl Into<String>) {
        self.mistakes.push(Mistake { page: self.page.clone(), line, message: message.into() });
    }

    /// All fenced blocks, in order. A fence is closed by a line with as many backticks and nothing else.
    fn fences(&mut self) -> Vec<Fence<'a>> {
        let text = self.text;
        let mut fences = Vec::new();
        let mut open: Option<(&str, Fence<'a>)> = None;
        let mut start = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let end = start + line.len();
            let bare = line.trim_end();
            let ticks = &bare[..bare.len() - bare.trim_start_matches('`').len()];
            open = match open {
                Some((opener, fence)) if bare == opener => {
                    fences.push(Fence { body: fence.body.start..start, end, ..fence });
                    None
                }
                None if ticks.len() >= 3 => {
                    let info = bare[ticks.len()..].trim();
                    Some((ticks, Fence { info, line: number, body: end..end, end }))
                }
                unchanged => unchanged,
            };
            start = end;
        }
        if let Some((opener, fence)) = open {
            self.mistake(fence.line, format!("the block is not closed by `{opener}`"));
        }
        fences
    }

    fn block(&mut self, fence: &Fence<'a>) {
        let mut words = fence.info.split_whitespace();
        let kind = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        match (kind, rest.as_slice()) {
            ("yaml" | "rhai" | "csv" | "wasm", [path]) => self.file(kind, path, fence),
            ("yaml" | "rhai" | "csv" | "wasm", _) => {
                self.mistake(fence.line, format!("a block of {kind} says which file it is: ```{kind} PATH"));
            }
            ("run", options) => self.run(options, fence),
            ("trace", []) => self.trace(fence),
            ("trace", [word, ..]) => self.mistake(fence.line, format!("`trace` takes nothing, not `{word}`")),
            // Anything else is an example for the reader.
            _ => {}
        }
    }

    fn file(&mut self, kind: &str, path: &str, fence: &Fence<'a>) {
        if self.files.iter().any(|file| file.path == path) {
            self.mistake(fence.line, format!("`{path}` stands here twice before one run block"));
        }
        if path.starts_with('/') || path.split('/').any(|part| part.is_empty() || part == "..") {
            self.mistake(fence.line, format!("`{path}` is no path inside a solution"));
        }
        let body = &self.text[fence.body.clone()];
        let text = (kind != "wasm").then(|| body.to_owned());
        if text.is_none() && !body.trim().is_empty() {
            self.mistake(fence.line, format!("`{path}` is compiled code: its block stays empty"));
        }
        self.files.push(File { path: path.into(), text, line: fence.line });
    }

    fn run(&mut self, options: &[&str], fence: &Fence<'a>) {
        let mut scene = Scene {
            files: std::mem::take(&mut self.files),
            user: "admin".into(),
            hold_jobs: false,
            lines: Vec::new(),
            line: fence.line,
            trace: None,
            place: fence.end..fence.end,
        };
        for option in options {
            match option.strip_prefix("as=") {
                Some(user) if !user.is_empty() => scene.user = user.into(),
                _ if *option == "hold-jobs" => scene.hold_jobs = true,
                _ => {
                    let message = format!("`{option}` is no option of a run block; they are `as=USER` and `hold-jobs`");
                    self.mistake(fence.line, message);
                }
            }
        }
        for (number, text) in (fence.line + 1..).zip(self.text[fence.body.clone()].lines()) {
            match Line::parse(number, text) {
                Ok(Some(line)) => scene.lines.push(line),
                Ok(None) => {}
                Err(message) => self.mistake(number, message),
            }
        }
        self.scenes.push(scene);
    }

    fn trace(&mut self, fence: &Fence<'a>) {
        let text = self.text[fence.body.clone()].to_owned();
        match self.scenes.last_mut() {
            Some(scene) if scene.trace.is_none() && self.files.is_empty() => {
                scene.place = fence.body.clone();
                scene.trace = Some(text);
            }
            _ => self.mistake(fence.line, "a trace stands behind its run block, and each has one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A title\n\nProse.\n```yaml entities/a.yaml\nkind: entity\n```\n```run as=anna\ncreate a/1\n```\n\
                        ```trace\nold\n```\nThe end.\n```run\n# nothing\n```\n";

    #[test]
    fn a_page_is_read_and_written_again() {
        let page = Page::parse("p.md", PAGE).expect("a good page");
        assert_eq!(page.title, "A title");
        let [first, second] = page.scenes.as_slice() else { panic!("two runs") };
        assert_eq!((first.user.as_str(), first.files.len(), first.lines.len()), ("anna", 1, 1));
        assert_eq!(first.files[0].text.as_deref(), Some("kind: entity\n"));
        assert_eq!((first.trace.as_deref(), first.lines[0].number), (Some("old\n"), 8));
        assert_eq!((second.user.as_str(), second.trace.as_deref()), ("admin", None));
        let written = page.with_traces(&["new\n".into(), "two\n".into()]);
        assert_eq!(written, PAGE.replace("old", "new") + "```trace\ntwo\n```\n");
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        for (text, expected) in [
            ("no heading\n```run\n```\n", "p.md:1: a page begins with a heading that says what it shows"),
            ("# T\n", "p.md:1: the page has no run block"),
            ("# T\n```run\nfly away\n```\n", "p.md:3: there is no command `fly`"),
            ("# T\n```run as=\n```\n", "p.md:2: `as=` is no option of a run block; they are `as=USER` and `hold-jobs`"),
            ("# T\n```run\n", "p.md:2: the block is not closed by ````"),
            ("# T\n```yaml\n```\n```run\n```\n", "p.md:2: a block of yaml says which file it is: ```yaml PATH"),
            ("# T\n```trace\n```\n```run\n```\n", "p.md:2: a trace stands behind its run block, and each has one"),
            ("# T\n```run\n```\n```yaml a.yaml\n```\n", "p.md:4: no run block follows the file `a.yaml`"),
            ("# T\n```yaml ../a.yaml\n```\n```run\n```\n", "p.md:2: `../a.yaml` is no path inside a solution"),
        ] {
            let mistakes = Page::parse("p.md", text).expect_err(text);
            assert!(mistakes[0].to_string().starts_with(expected), "{text:?} gave {mistakes:?}");
        }
    }
}
