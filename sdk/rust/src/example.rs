//! Examples of a step, for its documentation and for conformance, which runs them.

use crate::{Field, Inputs, Outputs, Reference, Step};

/// One call as it is documented.
///
/// ```
/// use stepwise_sdk::prelude::*;
/// # #[derive(Inputs)] struct Whom { name: String }
/// # #[derive(Outputs)] struct Greeting { text: String }
/// # struct Greet;
/// # impl Step for Greet {
/// #     const NAME: &str = "demo.greet";
/// #     type Inputs = Whom;
/// #     type Outputs = Greeting;
/// #     fn run(_: &Context, whom: Whom) -> Result<Greeting, Failure> {
/// #         if whom.name.is_empty() { return Err(Failure::rule_violated("no-name", "the name is empty")); }
/// #         Ok(Greeting { text: format!("Hello {}", whom.name) })
/// #     }
/// # }
///
/// let examples = [
///     Example::of::<Greet>("by name", Whom { name: "Ada".into() }).gives(Greeting { text: "Hello Ada".into() }),
///     Example::failing("nobody", attributes! { "name" => "" }, "no-name"),
/// ];
/// assert_eq!(examples[1].title, "nobody");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What it shows.
    pub title: &'static str,
    /// Records that are there, beside those that its inputs name.
    pub records: Vec<(Reference, Vec<Field>)>,
    /// What the step is told.
    pub inputs: Vec<Field>,
    /// How it ends.
    pub ending: Ending,
}

/// How an example ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// With outputs that are not told, because they depend on more than the inputs.
    Well,
    /// With these outputs.
    With(Vec<Field>),
    /// With a failure of this code.
    Failing(&'static str),
}

impl Example {
    /// A call that works.
    #[must_use]
    pub fn of<S: Step>(title: &'static str, inputs: S::Inputs) -> Self {
        Self { title, records: Vec::new(), inputs: inputs.fields(), ending: Ending::Well }
    }

    /// A call that fails, with inputs of any kind: `Example::failing("no day", attributes! { "days" => 3 }, "no-day")`.
    #[must_use]
    pub fn failing(title: &'static str, inputs: Vec<Field>, code: &'static str) -> Self {
        Self { title, records: Vec::new(), inputs, ending: Ending::Failing(code) }
    }

    /// This record is there, with these attributes; a record that an input names is there by itself.
    #[must_use]
    pub fn with(mut self, record: Reference, attributes: Vec<Field>) -> Self {
        self.records.push((record, attributes));
        self
    }

    /// The call gives exactly this.
    #[must_use]
    pub fn gives(mut self, outputs: impl Outputs) -> Self {
        self.ending = Ending::With(outputs.fields());
        self
    }
}
