//! The keyword rules, gravest first: the first one with a word in the text decides.
//!
//! Called by the step only; knows nothing of the host. A new rule is a new row of `RULES`.

/// What the rules say about one complaint.
pub struct Finding {
    /// The name of an option of the choice `severity`.
    pub severity: &'static str,
    word: Option<&'static str>,
    why: &'static str,
}

impl Finding {
    /// The rule in a sentence.
    pub fn reason(&self) -> String {
        match self.word {
            Some(word) => format!("the issue speaks of `{word}`: {}", self.why),
            None => self.why.to_owned(),
        }
    }
}

struct Rule {
    severity: &'static str,
    words: &'static [&'static str],
    why: &'static str,
}

const RULES: [Rule; 6] = [
    Rule {
        severity: "high",
        words: &["fraud", "identity theft", "embezzlement", "scam", "unauthorized"],
        why: "it may be a crime",
    },
    Rule {
        severity: "high",
        words: &["threat", "legal action", "harass", "improper contact", "sharing of info", "share information"],
        why: "somebody is put under pressure",
    },
    Rule {
        severity: "high",
        words: &["struggling to pay", "struggling to repay", "can't repay", "can't pay", "foreclosure"],
        why: "somebody may lose a home or an income",
    },
    Rule {
        severity: "normal",
        words: &["not owed", "incorrect information", "improper use", "false statements", "investigation", "lost"],
        why: "a record about somebody may be wrong",
    },
    Rule {
        severity: "low",
        words: &["advertising", "marketing", "getting a", "fees", "interest", "closing", "applying", "features"],
        why: "it is about terms, and no harm is told of",
    },
    Rule {
        severity: "low",
        words: &["communication tactics", "written notification"],
        why: "it is about how somebody was told",
    },
];

/// Products where trouble with a payment is grave: a missed one can cost a home.
const SECURED: [&str; 2] = ["mortgage", "vehicle loan"];

/// Sorts a complaint about `product` by the words of its `issue`.
pub fn classify(product: &str, issue: &str) -> Finding {
    let (product, issue) = (product.to_lowercase(), issue.to_lowercase());
    let found = RULES.iter().find_map(|rule| {
        let word = rule.words.iter().find(|word| issue.contains(**word))?;
        Some(Finding { severity: rule.severity, word: Some(word), why: rule.why })
    });
    match found {
        Some(found) => found,
        None if issue.contains("payment") && SECURED.iter().any(|kind| product.contains(kind)) => Finding {
            severity: "high",
            word: Some("payment"),
            why: "a payment that goes wrong can cost a home or a car",
        },
        None => Finding { severity: "normal", word: None, why: "no rule knows these words" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(product: &str, issue: &str, severity: &str) {
        assert_eq!(classify(product, issue).severity, severity, "{product}: {issue}");
    }

    #[test]
    fn the_gravest_rule_decides() {
        check("Credit card", "Identity theft / Fraud / Embezzlement", "high");
        check("Debt collection", "Took or threatened to take negative or legal action", "high");
        check("Student loan", "Can't repay my loan", "high");
        check("Debt collection", "Improper contact or sharing of info", "high");
    }

    #[test]
    fn wrong_records_are_normal_and_terms_are_low() {
        check("Debt collection", "Attempts to collect debt not owed", "normal");
        check("Credit reporting", "Incorrect information on credit report", "normal");
        check("Credit card or prepaid card", "Fees or interest", "low");
        check("Credit card or prepaid card", "Getting a credit card", "low");
    }

    #[test]
    fn a_payment_is_grave_where_it_secures_a_home() {
        check("Mortgage", "Trouble during payment process", "high");
        check("Credit card or prepaid card", "Problem when making payments", "normal");
    }

    #[test]
    fn words_count_without_regard_to_case_and_unknown_ones_are_normal() {
        check("", "FRAUD", "high");
        check("Mortgage", "Something else", "normal");
    }
}
