//! The library as a page for people: `LIBRARY.md`, and what `stepwise script help` prints.

use std::fmt::Write;

use super::{HOST, Kind, Topic, functions};

/// All functions as Markdown: those of expressions and scripts by topic, then those of scripts alone.
pub fn guide() -> String {
    let mut page = String::from(HEAD);
    for (topic, title) in Topic::ALL {
        // Writing into a string cannot fail, here and below.
        let _ = write!(page, "\n## {title}\n\n| function | gives | for example |\n|---|---|---|\n");
        for function in functions().filter(|function| function.topic == topic) {
            let help =
                if function.scripts_only { format!("{} In scripts.", function.help) } else { function.help.into() };
            let _ = writeln!(page, "| `{}` | {help} | {} |", function.signature, examples(function.examples));
        }
    }
    let _ = write!(page, "\n## In scripts only\n\n| function | does | for example |\n|---|---|---|\n");
    for function in HOST {
        let _ = writeln!(page, "| `{}` | {} | {} |", function.signature, function.help, examples(function.examples));
    }
    let _ = write!(page, "\n## Words of signatures\n\n| word | means |\n|---|---|\n");
    for (_, word, meaning) in Kind::WORDS {
        let _ = writeln!(page, "| `{word}` | {meaning} |");
    }
    page
}

fn examples(examples: &[(&str, &str)]) -> String {
    let examples = examples.iter().map(|(example, value)| format!("`{example}` is `{value}`"));
    examples.collect::<Vec<_>>().join("; ")
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
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("LIBRARY.md");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, super::guide()).expect("written");
        }
        let page = std::fs::read_to_string(&path).expect("the page is there");
        assert!(page == super::guide(), "run UPDATE_EXPECT=1 cargo test -p script guide");
    }
}
