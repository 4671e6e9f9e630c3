//! One step for each way in which a guest can misbehave, and a few that behave.
//!
//! The tests of `host/wasm` run each and look at what the host says about it. A new kind of misbehaviour is a
//! new step here; a component of its own only where its shape is what matters.

use stepwise_sdk::prelude::*;

mod greedy;
mod honest;
mod loud;
mod outside;
mod wrong;

stepwise_sdk::export!(
    honest::Echo,
    honest::Count,
    honest::Bump,
    honest::Surroundings,
    honest::Ask,
    honest::Where,
    honest::HandOn,
    honest::Lead,
    honest::Rows,
    wrong::Panic,
    wrong::Trap,
    wrong::Divide,
    wrong::Exit,
    wrong::Overflow,
    wrong::WrongType,
    wrong::Undeclared,
    wrong::NoOutput,
    wrong::UnknownKind,
    wrong::Failing,
    wrong::BadDecimal,
    wrong::Files,
    greedy::Spin,
    greedy::SpinInPieces,
    greedy::Bomb,
    greedy::Fill,
    greedy::Peek,
    greedy::Storm,
    greedy::LongText,
    greedy::LongFailure,
    loud::LogFlood,
    loud::PrintFlood,
    loud::Whisper,
    loud::Sleep,
    outside::Fetch,
    outside::Sneak,
    outside::Pester,
    outside::Hoard,
    outside::WhereOutside,
    outside::WorkOutside,
);

/// Says how much of something.
#[derive(Inputs)]
pub struct Amount {
    /// How many, or how long.
    #[argument(default = 0)]
    amount: i64,
}

/// One number.
#[derive(Outputs)]
pub struct Number {
    /// The number.
    number: i64,
}
