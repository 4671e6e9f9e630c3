//! The cases as documentation: what `sdk/CONFORMANCE.md` has between its marks.

use std::fmt::Write;

use crate::{
    case::{Claim, Level},
    registry::CASES,
};

/// What each group of cases is about.
const GROUPS: [(&str, &str); 9] = [
    ("META", "What a component says of itself"),
    ("TYPE", "Inputs and outputs"),
    ("ERR", "Failures"),
    ("LIM", "Limits"),
    ("DET", "Doing the same again"),
    ("ISO", "Isolation"),
    ("REC", "Records"),
    ("CAN", "Cancelling"),
    ("SCR", "Scripts"),
];

/// Every case with what it wants, why, and how to mend it, in Markdown.
#[must_use]
pub fn document() -> String {
    let mut text = String::new();
    for (group, title) in GROUPS {
        let _ = write!(text, "\n### {group}: {title}\n\n");
        for case in CASES.iter().filter(|case| case.id.split('-').next() == Some(group)) {
            let level = match case.level {
                Level::Must => "",
                Level::Should => " (should)",
            };
            let whom = match case.claim {
                Claim::Component => "components",
                Claim::Script => "scripts",
                Claim::Both => "components and scripts",
            };
            let _ = write!(
                text,
                "**{}**{level}, for {whom}. {}\n*Why:* {}\n*To mend it:* {}\n\n",
                case.id, case.wants, case.why, case.mend
            );
        }
    }
    text
}
