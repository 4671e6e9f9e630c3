//! One case: what it wants, and what came of it.

use crate::bench::Bench;

/// How much a case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Without it a plugin is not one.
    Must,
    /// A good plugin does it.
    Should,
}

impl Level {
    /// The word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
        }
    }
}

/// Whom a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Components only.
    Component,
    /// Scripts only.
    Script,
    /// Whatever can be called.
    Both,
}

/// Something that every custom step must do.
pub struct Case {
    /// `TYPE-2`
    pub id: &'static str,
    /// How much it counts.
    pub level: Level,
    /// Whom it is about.
    pub claim: Claim,
    /// What it wants, in a sentence.
    pub wants: &'static str,
    /// Why.
    pub why: &'static str,
    /// How to mend what fails.
    pub mend: &'static str,
    pub(crate) run: fn(&Bench) -> Verdict,
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is so; with what was tried.
    Passed(String),
    /// It is not; one sentence for each thing.
    Failed(Vec<String>),
    /// It does not apply; why.
    Skipped(String),
}

impl Verdict {
    /// The word in reports.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// Failed where there is a sentence, else passed.
    pub(crate) fn of(sentences: Vec<String>, tried: impl Into<String>) -> Self {
        if sentences.is_empty() { Self::Passed(tried.into()) } else { Self::Failed(sentences) }
    }
}

/// A case with what came of it.
pub struct Finding {
    /// The case.
    pub case: &'static Case,
    /// What came of it.
    pub verdict: Verdict,
    /// Why it was expected to fail, when it was.
    pub expected: Option<String>,
}

impl Finding {
    /// Whether a reader must do something about it: an unexpected failure, or a failure that is gone.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        match (&self.verdict, &self.expected) {
            (Verdict::Failed(_), expected) => expected.is_none(),
            (Verdict::Passed(_), expected) => expected.is_some(),
            (Verdict::Skipped(_), _) => false,
        }
    }
}
