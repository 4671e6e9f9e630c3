//! Steps that end wrongly: traps, failures, and answers that break the contract.

use crate::{Amount, Number};
use stepwise_sdk::prelude::*;

/// Declares a text and a number.
#[derive(Outputs)]
pub struct Declared {
    /// A text.
    text: String,
}

/// Panics with a text.
pub struct Panic;

impl Step for Panic {
    const NAME: &str = "evil.panic";
    type Inputs = Amount;
    type Outputs = ();

    fn run(_: &Context, Amount { amount }: Amount) -> Result<(), Failure> {
        panic!("the amount was {amount}, of all things");
    }
}

/// Executes `unreachable`.
pub struct Trap;

impl Step for Trap {
    const NAME: &str = "evil.trap";
    type Inputs = ();
    type Outputs = ();

    fn run(_: &Context, (): ()) -> Result<(), Failure> {
        #[cfg(target_arch = "wasm32")]
        core::arch::wasm32::unreachable();
        #[cfg(not(target_arch = "wasm32"))]
        std::process::abort();
    }
}

/// Divides by zero behind Rust's back.
pub struct Divide;

impl Step for Divide {
    const NAME: &str = "evil.divide";
    type Inputs = Amount;
    type Outputs = Number;

    fn run(_: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        Ok(Number { number: 1 / amount })
    }
}

/// Ends the process that it thinks it is.
pub struct Exit;

impl Step for Exit {
    const NAME: &str = "evil.exit";
    type Inputs = ();
    type Outputs = ();

    fn run(_: &Context, (): ()) -> Result<(), Failure> {
        std::process::exit(1);
    }
}

/// Calls itself for ever.
pub struct Overflow;

impl Step for Overflow {
    const NAME: &str = "evil.overflow";
    type Inputs = Amount;
    type Outputs = Number;

    fn run(_: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        Ok(Number { number: deeper(amount) })
    }
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deeper(amount: i64) -> i64 {
    std::hint::black_box(deeper(std::hint::black_box(amount) + 1)) + 1
}

/// A step that declares `Declared` and answers with fields of its own choice.
macro_rules! answering {
    ($(#[$doc:meta])* $step:ident, $name:literal, $fields:expr) => {
        $(#[$doc])*
        pub struct $step;

        impl Step for $step {
            const NAME: &str = $name;
            type Inputs = ();
            type Outputs = Answer<$step>;

            fn run(_: &Context, (): ()) -> Result<Answer<$step>, Failure> {
                Ok(Answer($fields, std::marker::PhantomData))
            }
        }
    };
}

/// Fields that need not be those that were declared.
pub struct Answer<S>(Vec<Field>, std::marker::PhantomData<S>);

impl<S> stepwise_sdk::Outputs for Answer<S> {
    fn arguments() -> Vec<stepwise_sdk::argument::Argument> {
        <Declared as stepwise_sdk::Outputs>::arguments()
    }

    fn fields(self) -> Vec<Field> {
        self.0
    }
}

answering!(
    /// Gives a number where it declared a text.
    WrongType, "evil.wrong-type", attributes! { "text" => 5_i64 }
);
answering!(
    /// Gives more than it declared.
    Undeclared, "evil.undeclared", attributes! { "text" => "a", "extra" => "b" }
);
answering!(
    /// Gives nothing of what it declared.
    NoOutput, "evil.no-output", Vec::new()
);
answering!(
    /// Gives a decimal that is none, under the right name.
    BadDecimal, "evil.bad-decimal", vec![Field { name: "text".into(), value: Value::Decimal("1e9".into()) }]
);

/// Fails with a kind that the contract does not know.
pub struct UnknownKind;

impl Step for UnknownKind {
    const NAME: &str = "evil.unknown-kind";
    type Inputs = ();
    type Outputs = ();

    #[expect(unsafe_code, reason = "no safe code can make a kind that does not exist")]
    fn run(_: &Context, (): ()) -> Result<(), Failure> {
        // SAFETY: there is none; the wire must withstand it.
        let kind: ErrorKind = unsafe { std::mem::transmute(std::hint::black_box(200_u8)) };
        Err(Failure::new(kind, "unknown", "of a kind that is unknown"))
    }
}

/// Which failure.
#[derive(Inputs)]
pub struct Which {
    /// The place of the kind in the contract.
    kind: String,
}

/// Fails as it is told.
pub struct Failing;

impl Step for Failing {
    const NAME: &str = "evil.failing";
    const ERRORS: &[(&str, &str)] = &[("told-so", "It was told to fail")];
    type Inputs = Which;
    type Outputs = ();

    fn run(_: &Context, Which { kind }: Which) -> Result<(), Failure> {
        let kind = match kind.as_str() {
            "rule-violated" => ErrorKind::RuleViolated,
            "transient" => ErrorKind::Transient,
            "throttled" => return Err(Failure::throttled("told-so", "told to wait", 30_000)),
            "permanent" => ErrorKind::Permanent,
            _ => ErrorKind::Other,
        };
        Err(Failure::new(kind, "told-so", "told to fail"))
    }
}

/// Opens a file.
pub struct Files;

impl Step for Files {
    const NAME: &str = "evil.files";
    type Inputs = ();
    type Outputs = Declared;

    fn run(_: &Context, (): ()) -> Result<Declared, Failure> {
        std::fs::read_to_string("/etc/passwd")
            .map(|text| Declared { text })
            .map_err(|error| Failure::denied("no-files", error.to_string()))
    }
}
