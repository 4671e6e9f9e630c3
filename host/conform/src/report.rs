//! What came out, for people (a line for each case and what to do) and for programs (TAP, JUnit, JSON).

use std::fmt::Write;

use serde_json::json;

use crate::case::{Finding, Level, Verdict};

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Human,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// The XML that build servers read.
    Junit,
    /// Everything, as one object.
    Json,
}

/// The findings about one subject.
pub struct Report {
    /// What was examined.
    pub subject: String,
    /// What came of each case.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing needs to be done.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.findings.iter().any(Finding::is_wrong)
    }

    /// The report in a form.
    #[must_use]
    pub fn text(&self, form: Form) -> String {
        match form {
            Form::Human => self.human(),
            Form::Tap => self.tap(),
            Form::Junit => self.junit(),
            Form::Json => self.json().to_string(),
        }
    }

    /// `24 cases: 19 passed, 1 failed, 4 skipped`
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |word: &str| self.findings.iter().filter(|finding| finding.verdict.word() == word).count();
        let surprises = self.findings.iter().filter(|finding| is_surprise(finding)).count();
        let surprises = match surprises {
            0 => String::new(),
            count => format!(", {count} of them expected to fail"),
        };
        let (all, passed) = (self.findings.len(), count("passed"));
        format!("{all} cases: {passed} passed{surprises}, {} failed, {} skipped", count("failed"), count("skipped"))
    }

    fn human(&self) -> String {
        let mut text = format!("{}\n\n", self.subject);
        for finding in &self.findings {
            let (case, mark) = (finding.case, mark(finding));
            let _ = writeln!(text, "{mark:>8}  {:7} {}", case.id, case.wants);
            match &finding.verdict {
                Verdict::Passed(tried) => {
                    let _ = writeln!(text, "{:18}{tried}", "");
                }
                Verdict::Skipped(why) => {
                    let _ = writeln!(text, "{:18}because {why}", "");
                }
                Verdict::Failed(sentences) => {
                    for sentence in sentences {
                        let _ = writeln!(text, "{:18}- {sentence}", "");
                    }
                    let _ = writeln!(text, "{:18}why:  {}\n{:18}mend: {}", "", case.why, "", case.mend);
                }
            }
            if let Some(reason) = &finding.expected {
                let what = if is_surprise(finding) { SURPRISE } else { "expected" };
                let _ = writeln!(text, "{:18}{what}: {reason}", "");
            }
        }
        let _ = write!(text, "\n{}", self.summary());
        text
    }

    fn tap(&self) -> String {
        let mut text = format!("TAP version 14\n1..{}\n", self.findings.len());
        for (number, finding) in (1..).zip(&self.findings) {
            let failed = matches!(finding.verdict, Verdict::Failed(_)) || is_surprise(finding);
            let word = if failed { "not ok" } else { "ok" };
            let directive = match (&finding.verdict, &finding.expected) {
                (Verdict::Skipped(why), _) => format!(" # SKIP {}", one_line(why)),
                // Readers let a failure pass that is known; that it is none any more has to be seen.
                (Verdict::Passed(_), Some(_)) => String::new(),
                (_, Some(reason)) => format!(" # {} {}", concat!("TO", "DO"), one_line(reason)),
                _ => String::new(),
            };
            let wants = one_line(finding.case.wants).replace('#', "\\#");
            let _ = writeln!(text, "{word} {number} - {} {wants}{directive}", finding.case.id);
            if is_surprise(finding) {
                let _ = write!(text, "  ---\n  mend: {}\n  ...\n", json!(SURPRISE));
            }
            if let Verdict::Failed(sentences) = &finding.verdict {
                let list: Vec<String> = sentences.iter().map(|one| format!("    - {}\n", json!(one))).collect();
                let mend = json!(finding.case.mend);
                let _ = write!(text, "  ---\n  found:\n{}  mend: {mend}\n  ...\n", list.concat());
            }
        }
        text.trim_end().to_owned()
    }

    fn junit(&self) -> String {
        let failed = self.findings.iter().filter(|finding| finding.is_wrong()).count();
        let is_known = |finding: &&Finding| matches!(finding.verdict, Verdict::Failed(_)) && finding.expected.is_some();
        let is_skipped = |finding: &&Finding| matches!(finding.verdict, Verdict::Skipped(_)) || is_known(finding);
        let skipped = self.findings.iter().filter(is_skipped).count();
        let (name, tests) = (escaped(&self.subject), self.findings.len());
        let counts =
            format!("name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\"");
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
        let _ = writeln!(text, "<testsuite {counts}>");
        for finding in &self.findings {
            let case = finding.case;
            let group = case.id.split('-').next().unwrap_or_default();
            let _ = write!(text, "  <testcase classname=\"{group}\" name=\"{} {}\"", case.id, escaped(case.wants));
            let inside = match &finding.verdict {
                Verdict::Skipped(why) => format!("<skipped message=\"{}\"/>", escaped(why)),
                Verdict::Failed(sentences) if finding.expected.is_none() => {
                    let first = escaped(&one_line(sentences.first().map_or("", String::as_str)));
                    let all = escaped(&format!("{}\nwhy: {}\nmend: {}", sentences.join("\n"), case.why, case.mend));
                    format!("<failure message=\"{first}\" type=\"{}\">{all}</failure>", case.id)
                }
                Verdict::Failed(_) => {
                    let reason = finding.expected.as_deref().unwrap_or_default();
                    format!("<skipped message=\"known to fail: {}\"/>", escaped(reason))
                }
                Verdict::Passed(_) if finding.is_wrong() => {
                    format!("<failure message=\"{SURPRISE}\" type=\"{}\"/>", case.id)
                }
                Verdict::Passed(_) => String::new(),
            };
            let _ = writeln!(text, ">{inside}</testcase>");
        }
        text.push_str("</testsuite>\n</testsuites>");
        text
    }

    /// The report as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let findings = self.findings.iter().map(|finding| {
            let (found, tried) = match &finding.verdict {
                Verdict::Failed(sentences) => (sentences.clone(), None),
                Verdict::Passed(tried) | Verdict::Skipped(tried) => (Vec::new(), Some(tried)),
            };
            let case = finding.case;
            json!({
                "id": case.id, "level": case.level.word(), "verdict": finding.verdict.word(), "wants": case.wants,
                "why": case.why, "mend": case.mend, "found": found, "note": tried, "expected": finding.expected,
            })
        });
        json!({
            "subject": self.subject, "passed": self.passed(), "summary": self.summary(),
            "cases": findings.collect::<Vec<_>>(),
        })
    }
}

/// What is said of a failure that is gone.
const SURPRISE: &str = "it passes now: take it out of the expectations";

fn is_surprise(finding: &Finding) -> bool {
    finding.expected.is_some() && matches!(finding.verdict, Verdict::Passed(_))
}

fn mark(finding: &Finding) -> &'static str {
    match (&finding.verdict, finding.case.level) {
        (Verdict::Passed(_), _) if is_surprise(finding) => "SURPRISE",
        (Verdict::Passed(_), _) => "ok",
        (Verdict::Skipped(_), _) => "skipped",
        (Verdict::Failed(_), _) if finding.expected.is_some() => "known",
        (Verdict::Failed(_), Level::Must) => "FAILED",
        (Verdict::Failed(_), Level::Should) => "failed",
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text within XML; characters that XML does not know are left out.
fn escaped(text: &str) -> String {
    let known = text.chars().filter(|&character| character >= ' ' || ['\n', '\t'].contains(&character));
    known.fold(String::new(), |mut text, character| {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            character => text.push(character),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    fn report() -> Report {
        let finding = |id: &str, verdict, expected: Option<&str>| Finding {
            case: registry::case(id).expect("a case"),
            verdict,
            expected: expected.map(str::to_owned),
        };
        let findings = vec![
            finding("META-1", Verdict::Passed("3 imports".into()), None),
            finding("TYPE-3", Verdict::Failed(vec!["`a.b` with <text> & \"more\": it was taken".into()]), None),
            finding("REC-2", Verdict::Failed(vec!["twice".into()]), Some("not yet")),
            finding("ERR-3", Verdict::Skipped("no step is external".into()), None),
            finding("DET-1", Verdict::Passed("10 times".into()), Some("flaky")),
        ];
        Report { subject: "dates 1.0.0".into(), findings }
    }

    #[test]
    fn people_are_told_what_to_mend() {
        let text = report().text(Form::Human);
        assert!(text.contains("  FAILED  TYPE-3") && text.contains("mend: Look at the case"), "{text}");
        assert!(text.contains("   known  REC-2") && text.contains("expected: not yet"), "{text}");
        assert!(text.contains("SURPRISE  DET-1") && text.contains("take it out of the expectations"), "{text}");
        assert!(text.ends_with("5 cases: 2 passed, 1 of them expected to fail, 2 failed, 1 skipped"), "{text}");
    }

    #[test]
    fn programs_are_told_in_their_own_forms() {
        let report = report();
        assert!(!report.passed());
        let tap = report.text(Form::Tap);
        assert!(tap.starts_with("TAP version 14\n1..5\nok 1 - META-1"), "{tap}");
        assert!(
            tap.contains("not ok 2 - TYPE-3") && tap.contains("\nok 4 - ERR-3") && tap.contains("# SKIP no step"),
            "{tap}"
        );
        assert!(tap.contains("not ok 3 - REC-2") && tap.contains(concat!("# TO", "DO not yet")), "{tap}");
        assert!(tap.contains("not ok 5 - DET-1") && tap.contains("mend: \"it passes now"), "{tap}");
        let junit = report.text(Form::Junit);
        assert!(junit.contains("tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"2\""), "{junit}");
        assert!(junit.contains("known to fail: not yet") && junit.ends_with("</testsuites>"), "{junit}");
        assert!(junit.contains("&lt;text&gt; &amp; &quot;more&quot;"), "{junit}");
        let json: serde_json::Value = serde_json::from_str(&report.text(Form::Json)).expect("JSON");
        assert_eq!((json["passed"].as_bool(), json["cases"][1]["verdict"].as_str()), (Some(false), Some("failed")));
    }
}
