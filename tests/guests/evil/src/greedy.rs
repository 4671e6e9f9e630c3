//! Steps that take more than their share: time, memory, verbs, room in answers.

use crate::{Amount, Number};
use stepwise_sdk::prelude::*;

/// Never ends.
pub struct Spin;

impl Step for Spin {
    const NAME: &str = "evil.spin";
    type Inputs = ();
    type Outputs = Number;

    fn run(_: &Context, (): ()) -> Result<Number, Failure> {
        let mut number = 0_i64;
        loop {
            number = std::hint::black_box(number.wrapping_add(1));
        }
    }
}

/// Never ends, but asks the host for the time all along.
pub struct SpinInPieces;

impl Step for SpinInPieces {
    const NAME: &str = "evil.spin-in-pieces";
    type Inputs = ();
    type Outputs = Number;

    fn run(context: &Context, (): ()) -> Result<Number, Failure> {
        loop {
            std::hint::black_box(context.now());
        }
    }
}

/// Takes memory until there is none.
pub struct Bomb;

impl Step for Bomb {
    const NAME: &str = "evil.bomb";
    type Inputs = ();
    type Outputs = Number;

    fn run(_: &Context, (): ()) -> Result<Number, Failure> {
        let mut hoard = Vec::new();
        loop {
            hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
        }
    }
}

/// Reads one record so many times.
pub struct Storm;

impl Step for Storm {
    const NAME: &str = "evil.storm";
    const USES: &[(&str, &[Verb])] = &[("task", &[Verb::Retrieve])];
    type Inputs = Amount;
    type Outputs = Number;

    fn run(context: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        let task = Reference::new("task", Guid::from_u128(1));
        let answered = (0..amount).filter(|_| context.retrieve(&task, &[]).is_ok()).count();
        Ok(Number { number: answered as i64 })
    }
}

/// A long text.
#[derive(Outputs)]
pub struct Text {
    /// The text.
    text: String,
}

/// Answers with so many bytes.
pub struct LongText;

impl Step for LongText {
    const NAME: &str = "evil.long-text";
    type Inputs = Amount;
    type Outputs = Text;

    fn run(_: &Context, Amount { amount }: Amount) -> Result<Text, Failure> {
        Ok(Text { text: "x".repeat(amount as usize) })
    }
}

/// Fails with so many bytes of text and so many details.
pub struct LongFailure;

impl Step for LongFailure {
    const NAME: &str = "evil.long-failure";
    type Inputs = Amount;
    type Outputs = ();

    fn run(_: &Context, Amount { amount }: Amount) -> Result<(), Failure> {
        let detail = attributes! { "detail" => "y" };
        let details = detail.into_iter().cycle().take(amount as usize / 100).collect();
        Err(Failure::permanent("long", "x".repeat(amount as usize)).with(details))
    }
}
