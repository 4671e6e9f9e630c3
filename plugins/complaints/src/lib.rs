//! The step library `complaints`: what the example solution asks of a complaint that no expression can answer.
//!
//! Built to a component for `wasm32-wasip2` and installed with `stepwise plugin install`; the rules themselves are
//! plain data in `rules`, tested natively.

mod rules;

use stepwise_sdk::prelude::*;

stepwise_sdk::export!(Classify);

/// The words of a complaint.
#[derive(Inputs)]
pub struct Complaint {
    /// What the complaint is about: `Mortgage`.
    product: Option<String>,
    /// What went wrong, in the words of the form: `Struggling to pay mortgage`.
    issue: String,
}

/// How grave it is.
#[derive(Outputs)]
pub struct Class {
    /// The name of an option: `low`, `normal` or `high`.
    severity: String,
    /// The words that decided, in a sentence.
    reason: String,
}

/// Sorts a complaint by its words.
pub struct Classify;

impl Step for Classify {
    const NAME: &str = "complaints.classify";
    const TITLE: &str = "Classify a complaint";
    const DESCRIPTION: &str = "Tells by product and issue how much harm a complaint speaks of.";
    const ERRORS: &[(&str, &str)] = &[("no-issue", "The complaint does not say what went wrong")];
    type Inputs = Complaint;
    type Outputs = Class;

    fn run(context: &Context, complaint: Complaint) -> Result<Class, Failure> {
        if complaint.issue.trim().is_empty() {
            return Err(Failure::invalid_input("no-issue", "the complaint does not say what went wrong"));
        }
        let found = rules::classify(complaint.product.as_deref().unwrap_or_default(), &complaint.issue);
        context.debug(format!("`{}` is {}", complaint.issue, found.severity));
        Ok(Class { severity: found.severity.to_owned(), reason: found.reason() })
    }

    fn examples() -> Vec<Example> {
        let lost = Complaint { product: Some("Mortgage".into()), issue: "Struggling to pay mortgage".into() };
        let reason = "the issue speaks of `struggling to pay`: somebody may lose a home or an income";
        vec![
            Example::of::<Self>("a home at risk", lost).gives(Class { severity: "high".into(), reason: reason.into() }),
            Example::failing("nothing to sort", attributes! { "issue" => " " }, "no-issue"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn a_complaint_gets_a_severity_and_a_sentence() {
        let complaint = Complaint { product: Some("Mortgage".into()), issue: "Struggling to pay mortgage".into() };
        let class = FakeHost::new().run::<Classify>(complaint).expect("a class");
        assert_eq!(class.severity, "high");
        assert_eq!(class.reason, "the issue speaks of `struggling to pay`: somebody may lose a home or an income");
    }

    #[test]
    fn the_examples_hold() {
        FakeHost::new().check_examples::<Classify>();
    }

    #[test]
    fn a_complaint_without_an_issue_is_refused_by_its_code() {
        let complaint = Complaint { product: None, issue: "  ".into() };
        let failure = FakeHost::new().run::<Classify>(complaint).map(|class| class.severity).expect_err("a failure");
        assert_eq!(failure.0.code, "no-issue");
    }
}
