//! Steps that talk too much, and one that sleeps.

use crate::{Amount, Number};
use stepwise_sdk::prelude::*;

/// Writes so many lines of the log.
pub struct LogFlood;

impl Step for LogFlood {
    const NAME: &str = "evil.log-flood";
    type Inputs = Amount;
    type Outputs = Number;

    fn run(context: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        for line in 0..amount {
            context.info(format!("line {line} of the flood, long enough to fill something"));
        }
        Ok(Number { number: amount })
    }
}

/// Writes so many lines of the log with nothing in them.
pub struct Whisper;

impl Step for Whisper {
    const NAME: &str = "evil.whisper";
    type Inputs = Amount;
    type Outputs = Number;

    fn run(context: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        (0..amount).for_each(|_| context.info(""));
        Ok(Number { number: amount })
    }
}

/// Prints so many lines to its standard output and its standard error.
pub struct PrintFlood;

impl Step for PrintFlood {
    const NAME: &str = "evil.print-flood";
    type Inputs = Amount;
    type Outputs = Number;

    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "that is what it is for")]
    fn run(_: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        for line in 0..amount {
            println!("out {line}");
            eprintln!("err {line}");
        }
        Ok(Number { number: amount })
    }
}

/// Sleeps for so many milliseconds, and says how many went by on its own clock.
pub struct Sleep;

impl Step for Sleep {
    const NAME: &str = "evil.sleep";
    type Inputs = Amount;
    type Outputs = Number;

    #[expect(clippy::disallowed_methods, reason = "a guest that sleeps is the question")]
    fn run(_: &Context, Amount { amount }: Amount) -> Result<Number, Failure> {
        let start = std::time::Instant::now();
        std::thread::sleep(std::time::Duration::from_millis(amount as u64));
        Ok(Number { number: start.elapsed().as_millis() as i64 })
    }
}
