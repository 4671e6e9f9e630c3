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

/// The pages that `Fill` and `Peek` take: 32 MiB.
const PAGES: usize = 512;

/// Takes new memory, and gives its bytes.
#[cfg_attr(target_arch = "wasm32", expect(unsafe_code, reason = "only raw memory shows what was in it before"))]
fn grown() -> &'static mut [u8] {
    #[cfg(target_arch = "wasm32")]
    {
        let before = core::arch::wasm32::memory_grow(0, PAGES);
        // SAFETY: the pages are new, so nobody else has them.
        unsafe { std::slice::from_raw_parts_mut((before << 16) as *mut u8, PAGES << 16) }
    }
    #[cfg(not(target_arch = "wasm32"))]
    Vec::leak(vec![0; PAGES << 16])
}

/// Leaves its mark on new memory.
pub struct Fill;

impl Step for Fill {
    const NAME: &str = "evil.fill";
    type Inputs = ();
    type Outputs = Number;

    fn run(_: &Context, (): ()) -> Result<Number, Failure> {
        let memory = grown();
        memory.fill(0xab);
        Ok(Number { number: i64::from(std::hint::black_box(memory)[77]) })
    }
}

/// Counts the marks that somebody else left in new memory.
pub struct Peek;

impl Step for Peek {
    const NAME: &str = "evil.peek";
    type Inputs = ();
    type Outputs = Number;

    fn run(_: &Context, (): ()) -> Result<Number, Failure> {
        let marks = grown().iter().filter(|byte| **byte != 0).count();
        Ok(Number { number: marks as i64 })
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
