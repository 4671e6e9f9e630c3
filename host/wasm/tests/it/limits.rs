//! Every way in which a guest can misbehave fails its own call, by the right name, and nothing else.

use std::time::Duration;

use model::{
    Value,
    consent::Consent,
    grant::Grants,
    step::{Limits, LogLevel, StepCall, StepFailure},
};

use crate::world::*;

/// After whatever happened before, an honest call works: on the same thread, with the same runner.
fn the_runner_goes_on() {
    let (outputs, _) = run(&call("evil.count", Vec::new()));
    assert_eq!(output(&outputs.expect("the runner goes on"), "number"), &Value::Whole(1));
}

#[test]
fn each_misbehaviour_has_its_name_and_its_words() {
    let amount = |amount: i64| vec![field("amount", amount)];
    for (step, inputs, code, words) in [
        ("evil.panic", amount(3), "trap", "the amount was 3, of all things"),
        ("evil.panic", amount(3), "trap", "tests/guests/evil/src/wrong.rs:"),
        ("evil.trap", vec![], "trap", "it trapped: wasm `unreachable` instruction executed"),
        ("evil.divide", amount(0), "trap", "attempt to divide by zero"),
        ("evil.exit", vec![], "trap", "it ended its process instead of returning, with a failure"),
        ("evil.overflow", amount(0), "stack-overflow", "it called itself too deeply"),
        ("evil.wrong-type", vec![], "output-invalid", "its output `text` should be text and is whole"),
        ("evil.undeclared", vec![], "output-invalid", "it gave `extra`, which it does not declare"),
        ("evil.no-output", vec![], "output-invalid", "it did not give `text`, which it declares as required"),
        ("evil.bad-decimal", vec![], "output-invalid", "its output `text` is `1e9`, which is no decimal"),
        ("evil.unknown-kind", vec![], "output-invalid", "breaks the contract"),
        ("evil.spin", vec![], "timed-out", "it computed longer than 250ms"),
        ("evil.spin-in-pieces", vec![], "timed-out", "it computed longer than 250ms"),
        ("evil.bomb", vec![], "memory-limit", "it wanted more than 64 MiB"),
        ("evil.storm", amount(257), "host-limit", "it called more than 256 verbs"),
        ("evil.long-text", amount(1 << 20), "host-limit", "its outputs are larger than 1 MiB"),
        ("evil.long-text", amount(20 << 20), "host-limit", "it handed over more at once than any limit allows"),
    ] {
        let (found, said) = fault(&call(step, inputs));
        assert_eq!(found, code, "{step}: {said}");
        assert!(said.contains(words), "{step} said `{said}`");
        the_runner_goes_on();
    }
}

#[test]
fn a_panic_is_in_the_log_with_its_place() {
    let (_, memory) = run(&call("evil.panic", vec![field("amount", 3)]));
    let [(LogLevel::Error, line)] = memory.log.as_slice() else { panic!("one line: {:?}", memory.log) };
    assert!(line.contains("wrong.rs") && line.contains("the amount was 3"), "{line}");
}

#[test]
fn as_many_verbs_as_are_allowed_are_done() {
    let (outputs, _) = run(&call("evil.storm", vec![field("amount", 256)]));
    assert_eq!(output(&outputs.expect("outputs"), "number"), &Value::Whole(256));
}

#[test]
fn a_flood_of_lines_is_cut_and_says_so() {
    for (step, lines) in [("evil.log-flood", 20_000), ("evil.print-flood", 5_000)] {
        let (outputs, memory) = run(&call(step, vec![field("amount", lines)]));
        assert!(outputs.is_ok(), "{step}: {outputs:?}");
        let bytes: usize = memory.log.iter().map(|(_, line)| line.len()).sum();
        assert!(bytes < (64 << 10) + 200, "{step}: {bytes}");
        let (level, line) = memory.log.last().expect("a line");
        assert_eq!((*level, line.as_str()), (LogLevel::Warn, "the log is cut here: the step wrote more than 64 KiB"));
    }
}

#[test]
fn lines_with_nothing_in_them_are_no_way_around_that() {
    let (outputs, memory) = run(&call("evil.whisper", vec![field("amount", 100_000)]));
    assert!(outputs.is_ok() || outputs.is_err_and(|failure| failure.code() == "timed-out"));
    assert!(memory.log.len() <= (64 << 10) / 32 + 1, "{} lines", memory.log.len());
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let expected = Limits {
        cpu: Duration::from_millis(250),
        wall: Duration::from_secs(30),
        memory: 64 * 1024 * 1024,
        input: 1024 * 1024,
        output: 1024 * 1024,
        log: 64 * 1024,
        verb_calls: 256,
        http_calls: 32,
    };
    assert_eq!(Limits::default(), expected);
    assert_eq!(model::query::LARGEST_PAGE, 5_000);
}

/// A call by the limits that an operator grants with this item.
fn by(item: &str, mut call: StepCall) -> StepCall {
    let consent = Consent::from_items([item]).expect("a grant");
    call.limits = Grants::from(&consent).limits(call.step.as_str(), call.limits);
    call
}

#[test]
fn an_operator_raises_and_lowers_each_limit_of_a_step() {
    let amount = |amount: i64| vec![field("amount", amount)];
    let text = |length: usize| vec![field("text", "x".repeat(length).as_str())];
    let outside = |number| StepCall { external: true, ..call("evil.pester", amount(number)) };
    for (item, call, words) in [
        ("limit:evil.spin/cpu-ms=20", call("evil.spin", vec![]), "it computed longer than 20ms"),
        ("limit:evil.spin/cpu-ms=350", call("evil.spin", vec![]), "it computed longer than 350ms"),
        ("limit:evil.spin/wall-ms=30", call("evil.spin", vec![]), "it ran longer than 30ms"),
        ("limit:evil.bomb/memory=20971520", call("evil.bomb", vec![]), "it wanted more than 20 MiB"),
        ("limit:evil.bomb/memory=104857600", call("evil.bomb", vec![]), "it wanted more than 100 MiB"),
        ("limit:evil.echo/input=1000", call("evil.echo", text(1_000)), "its inputs are larger than 1000 bytes"),
        ("limit:evil.echo/input=2097152", call("evil.echo", text(3 << 20)), "its inputs are larger than 2 MiB"),
        (
            "limit:evil.long-text/output=100",
            call("evil.long-text", amount(100)),
            "its outputs are larger than 100 bytes",
        ),
        (
            "limit:evil.long-text/output=2097152",
            call("evil.long-text", amount(2 << 20)),
            "its outputs are larger than 2 MiB",
        ),
        ("limit:evil.storm/verb-calls=5", call("evil.storm", amount(6)), "it called more than 5 verbs"),
        ("limit:evil.storm/verb-calls=300", call("evil.storm", amount(301)), "it called more than 300 verbs"),
        ("limit:evil.pester/http-calls=2", outside(3), "it sent more than 2 requests"),
        ("limit:evil.pester/http-calls=40", outside(41), "it sent more than 40 requests"),
    ] {
        assert_eq!(fault(&by(item, call)).1, words, "{item}");
    }
    for (item, call) in [
        ("limit:evil.echo/input=2097152", call("evil.echo", text(1_100_000))),
        ("limit:evil.storm/verb-calls=300", call("evil.storm", amount(300))),
        ("limit:evil.pester/http-calls=40", outside(40)),
    ] {
        assert!(run(&by(item, call)).0.is_ok() || item.contains("echo"), "{item}");
    }
    for (item, words) in
        [("limit:evil.log-flood/log=1000", "1000 bytes"), ("limit:evil.log-flood/log=131072", "128 KiB")]
    {
        let (_, memory) = run(&by(item, call("evil.log-flood", amount(20_000))));
        let (_, line) = memory.log.last().expect("a line");
        assert_eq!(line, &format!("the log is cut here: the step wrote more than {words}"), "{item}");
    }
    // What another step is granted changes nothing.
    let other = by("limit:evil.bomb/verb-calls=1", call("evil.storm", amount(6)));
    assert!(run(&other).0.is_ok());
}

#[test]
fn what_is_printed_is_in_the_log() {
    let (_, memory) = run(&call("evil.print-flood", vec![field("amount", 1)]));
    assert_eq!(memory.log, [(LogLevel::Info, "out 0".to_owned()), (LogLevel::Warn, "err 0".to_owned())]);
}

#[test]
fn a_long_failure_is_cut() {
    let Err(StepFailure::Guest(error)) = run(&call("evil.long-failure", vec![field("amount", 100_000)])).0 else {
        panic!("a failure of the guest")
    };
    assert!(error.message.len() < 5_000 && error.details.len() <= 32);
}

#[test]
fn inputs_that_are_too_large_never_reach_the_guest() {
    let (code, said) = fault(&call("evil.echo", vec![field("text", "x".repeat((1 << 20) + 1).as_str())]));
    assert_eq!((code, said.as_str()), ("host-limit", "its inputs are larger than 1 MiB"));
}

#[test]
fn the_wall_has_a_limit_of_its_own() {
    let limits = Limits { cpu: Duration::from_secs(3600), wall: Duration::from_millis(50), ..Limits::default() };
    let mut call = call("evil.spin", Vec::new());
    call.limits = limits;
    assert_eq!(fault(&call), ("timed-out", "it ran longer than 50ms".to_owned()));
}

#[test]
fn others_go_on_while_one_computes_for_ever() {
    std::thread::scope(|scope| {
        let spinning = scope.spawn(|| fault(&call("evil.spin", Vec::new())).0);
        let mut meanwhile = 0;
        while !spinning.is_finished() {
            the_runner_goes_on();
            meanwhile += 1;
        }
        assert_eq!(spinning.join().expect("it ends by itself"), "timed-out");
        assert!(meanwhile > 1, "{meanwhile} calls were done meanwhile");
    });
}

#[test]
fn a_run_that_is_cancelled_ends() {
    let host = Memory { cancelled: true, ..Memory::default() };
    let (returned, _) = run_with(&call("evil.spin", Vec::new()), host);
    assert_eq!(returned.result.expect_err("no outputs").code(), "cancelled");
}

#[test]
fn a_unit_of_work_that_cannot_go_on_ends_the_guest() {
    let host = Memory { abort: true, ..Memory::default() };
    let (returned, _) = run_with(&call("evil.bump", vec![field("task", FIRST)]), host);
    assert_eq!(returned.result.expect_err("no outputs").code(), "aborted");
}

#[test]
fn a_panic_of_the_engine_ends_the_call_and_the_host_comes_back() {
    let host = Memory { panic: true, ..Memory::default() };
    let (returned, memory) = run_with(&call("evil.bump", vec![field("task", FIRST)]), host);
    let failure = returned.result.expect_err("no outputs");
    assert_eq!(failure.code(), "host-error");
    assert!(failure.to_string().contains("the engine has a bug"), "{failure}");
    assert_eq!(memory.subject(FIRST), Some("call"));
    the_runner_goes_on();
}

/// Memory of this process that is in use, in bytes.
fn resident() -> usize {
    let read = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages: usize = read.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}

/// Run by the test below in a process of its own, where nobody else takes memory.
#[test]
#[ignore = "measures the memory of its whole process"]
fn ten_thousand_traps_leave_nothing_behind_here() {
    let traps = |count| (0..count).for_each(|_| assert_eq!(fault(&call("evil.trap", Vec::new())).0, "trap"));
    traps(1_000);
    the_runner_goes_on();
    let before = resident();
    traps(9_000);
    the_runner_goes_on();
    let more = resident().saturating_sub(before);
    assert!(more < 4 << 20, "9,000 traps took {more} bytes");
}

#[test]
fn ten_thousand_traps_leave_nothing_behind() {
    let own = std::env::current_exe().expect("this program");
    let name = "limits::ten_thousand_traps_leave_nothing_behind_here";
    let ran = std::process::Command::new(own).args(["--exact", name, "--ignored"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn guests_on_many_threads_do_not_meet() {
    std::thread::scope(|scope| {
        for thread in 0..8_i64 {
            scope.spawn(move || {
                for round in 0..50 {
                    let number = thread * 1_000 + round;
                    let (outputs, _) = run(&call("evil.echo", vec![field("whole", number)]));
                    assert_eq!(output(&outputs.expect("outputs"), "whole"), &Value::Whole(number));
                    assert_eq!(fault(&call("evil.trap", Vec::new())).0, "trap");
                }
            });
        }
    });
}

#[test]
fn a_fresh_instance_sees_nothing_of_the_one_before() {
    for _ in 0..5 {
        let (outputs, _) = run(&call("evil.fill", Vec::new()));
        assert_eq!(output(&outputs.expect("outputs"), "number"), &Value::Whole(0xab));
        let (outputs, _) = run(&call("evil.peek", Vec::new()));
        assert_eq!(output(&outputs.expect("outputs"), "number"), &Value::Whole(0));
    }
}
