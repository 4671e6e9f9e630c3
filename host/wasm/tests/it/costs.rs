//! What calls cost, printed for whoever wants to know: `cargo test -p wasm --profile release costs -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use model::step::StepCall;

use crate::world::*;

/// The median time of a call, over so many calls.
fn median(call: &StepCall, calls: usize) -> Duration {
    let mut times: Vec<Duration> = (0..calls)
        .map(|_| {
            let started = Instant::now();
            let (result, _) = run(call);
            let took = started.elapsed();
            assert!(result.is_ok(), "{result:?}");
            took
        })
        .collect();
    times.sort();
    times[calls / 2]
}

/// Eight inputs, as target P6 has them.
fn eight() -> Vec<model::Field> {
    vec![
        field("text", "a customer who waits"),
        field("whole", 5),
        field("boolean", true),
        field("date", model::Date::from_days(20_000).expect("a day")),
        field("date_time", context().now),
        field("lookup", FIRST),
        field("guid", model::Value::Guid(uuid::Uuid::from_u128(7))),
        field("choice", model::Value::Choice(1)),
    ]
}

#[test]
#[ignore = "a measurement, not a test"]
fn a_call_of_eight_inputs() {
    let component = median(&call("evil.echo", eight()), 5_000);
    println!("component, 8 inputs, 13 outputs: {component:?}");
    let component = median(&call("evil.long-text", vec![field("amount", 20)]), 5_000);
    println!("component, 1 input, 1 output: {component:?}");
    let verb = median(&call("evil.bump", vec![field("task", FIRST)]), 5_000);
    println!("component, 3 verbs: {verb:?}");
    let script = median(&script_call("#{ total: inputs.whole * 2 }", eight()), 1_000);
    println!("script, 8 inputs, 1 output: {script:?}");
}
