//! The library as a page for people: `LIBRARY.md`, and what `stepwise script help` prints.

use std::fmt::Write;

use super::{HOST, Topic, functions};

const TOPICS: [(Topic, &str); 4] = [
    (Topic::Dates, "Days and moments"),
    (Topic::Text, "Text"),
    (Topic::Numbers, "Numbers"),
    (Topic::Values, "Empty values, conversions, records"),
];

/// All functions as Markdown: those of expressions and scripts by topic, then those of scripts alone.
pub fn guide() -> String {
    let mut page = String::from(HEAD);
    for (topic, title) in TOPICS {
        // Writing into a string cannot fail, here and below.
        let _ = write!(page, "\n## {title}\n\n| function | gives | for example |\n|---|---|---|\n");
        for function in functions().filter(|function| function.topic == topic) {
            let examples = function.examples.iter().map(|(example, value)| format!("`{example}` is `{value}`"));
            let examples = examples.collect::<Vec<_>>().join("; ");
            let _ = writeln!(page, "| `{}` | {} | {examples} |", function.signature, function.help);
        }
    }
    let _ = write!(page, "\n## In scripts only\n\n| function | does |\n|---|---|\n");
    for function in HOST {
        let _ = writeln!(page, "| `{}` | {} |", function.signature, function.help);
    }
    page
}

const HEAD: &str = "# Functions\n\n\
Expressions (`= ...`, `${...}`) and scripts call the same functions, as `upper(record.title)` or `record.title.upper()`. \
With an empty argument a function gives empty, unless its line says otherwise. A date may be written as text: \
`\"2026-11-20\"`. Days begin in the solution's time zone. Text is compared and looked for without regard to case. Numbers \
are exact: `7 / 2` is 3.5 and `0.1 + 0.2` is 0.3. `==` and `!=` ask for emptiness too, `<` and `>` with an empty side are \
false, calculating with one gives empty; in `and`, `or`, `not` and `if` empty counts as false.\n\n\
In scripts an empty value is `()` or `null`; lists, maps, loops and functions are those of Rhai. A lookup has `entity` and \
`id`; its record's attributes are read with `retrieve`.\n";

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_the_repository_is_up_to_date() {
        let page = include_str!("../../LIBRARY.md");
        assert!(page == super::guide(), "put this into host/script/LIBRARY.md:\n{}", super::guide());
    }
}
