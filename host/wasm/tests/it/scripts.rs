//! Scripts run in the same sandbox, with the same verbs and the same limits, and fail with their line and column.

use model::{
    Value,
    step::{GuestError, GuestErrorKind, LogLevel, StepFailure},
};

use crate::world::*;

/// The outputs of a script.
fn outputs(text: &str) -> Vec<model::Field> {
    run(&script_call(text, Vec::new())).0.unwrap_or_else(|failure| panic!("{text}: {failure}"))
}

/// The failure of a script.
fn failure(text: &str) -> GuestError {
    match run(&script_call(text, Vec::new())).0 {
        Err(StepFailure::Guest(error)) => error,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_script_reads_its_inputs_and_gives_its_outputs() {
    let call = script_call(
        "/*---\nstep: tests.script\n---*/\n#{ total: inputs.price * 3, at: today() }",
        vec![field("price", Value::Decimal(model::Decimal::from_str_exact("0.10").expect("a decimal")))],
    );
    let outputs = run(&call).0.expect("outputs");
    assert_eq!(output(&outputs, "total"), &Value::Decimal(model::Decimal::from_str_exact("0.30").expect("a decimal")));
    assert_eq!(output(&outputs, "at").to_owned(), model::Date::parse("2026-11-20").expect("a day").into());
}

#[test]
fn a_script_uses_the_verbs() {
    let text = "let t = record();
        let subject = retrieve(t, [\"subject\"]).subject;
        update(t, #{ subject: subject + \"!\" });
        let made = create(\"task\", #{ subject: `after ${subject}`, regardingobjectid: t });
        set_status(made, \"done\");
        assign(made, user());
        log(\"made\");
        #{ made: made, found: query(\"task\", \"subject eq 'call!'\", [\"subject\"]).len() }";
    let (outputs, memory) = run(&script_call(text, Vec::new()));
    let outputs = outputs.expect("outputs");
    let made = output(&outputs, "made").as_reference().expect("a record");
    assert_eq!(memory.subject(FIRST), Some("call!"));
    assert_eq!(memory.subject(made), Some("after call"));
    assert_eq!(memory.log, [(LogLevel::Info, "made".to_owned())]);
    assert_eq!(output(&outputs, "found"), &Value::Whole(1));
    assert_eq!(memory.queries.len(), 1);
    let (outputs, memory) = run(&script_call("delete(record());", Vec::new()));
    assert_eq!((outputs.expect("outputs").len(), memory.records.len()), (0, 0));
}

#[test]
fn a_script_fails_with_its_own_words() {
    let error = failure("fail(\"no-date\", \"no date of receipt\");");
    assert_eq!(
        (error.kind, error.code.as_str(), error.message.as_str()),
        (GuestErrorKind::RuleViolated, "no-date", "no date of receipt")
    );
    assert_eq!(output(&error.details, "line"), &Value::Whole(1));
    let error = failure("retry_later(\"not yet\", 30)");
    assert_eq!((error.kind, error.retry_after.map(|time| time.as_secs())), (GuestErrorKind::Transient, Some(30)));
}

#[test]
fn a_mistake_is_told_with_its_line_and_column() {
    for (text, place) in [
        ("let a = ;", "scripts/test.rhai:1:9: "),
        ("let a = 1;\n\n  foo(a);", "scripts/test.rhai:3:3: "),
        ("let a = 1;\n  b + 1", "scripts/test.rhai:2:3: "),
        ("fn f(x) {\n  x.nothing()\n}\nf(3);", "scripts/test.rhai:2:5: "),
        ("retrieve(5);", "scripts/test.rhai:1:1: "),
        ("throw \"no\";", "scripts/test.rhai:1:1: no"),
        ("5", "scripts/test.rhai: the script ends with a whole number"),
        (
            "#{ a: [true] }",
            "scripts/test.rhai: `a`: a list that is handed over has records, rows of `query` or numbers",
        ),
        ("#{ a: [#{ title: \"x\" }] }", "scripts/test.rhai: `a`: a map without the `id` of a record"),
    ] {
        let error = failure(text);
        assert_eq!((error.kind, error.code.as_str()), (GuestErrorKind::Permanent, "script-error"), "{text}");
        assert!(error.message.starts_with(place), "{text}: {}", error.message);
    }
}

#[test]
fn a_refused_verb_can_be_caught() {
    let text = "let gone = reference(\"task\", \"00000000-0000-0000-0000-000000000099\");
        let code = \"\";
        try { retrieve(gone); } catch (e) { code = e.code; }
        #{ code: code }";
    assert_eq!(output(&outputs(text), "code"), &Value::text("not-found"));
    let error = failure("retrieve(reference(\"task\", \"00000000-0000-0000-0000-000000000099\"))");
    assert_eq!((error.kind, error.code.as_str()), (GuestErrorKind::NotFound, "not-found"));
}

/// Every example of the library and of the functions on records, as help shows them, by the runner itself.
#[test]
fn every_example_of_the_help_is_true_in_scripts() {
    let library = script::library::functions().flat_map(|function| function.examples);
    // Expressions say `null`, scripts may; an example of the host is lines that end with a value.
    let mut calls: Vec<String> =
        library.map(|(example, value)| format!("#{{ holds: [{example}] == [{value}] }}")).collect();
    let host = script::library::HOST.iter().flat_map(|function| function.examples);
    calls.extend(host.map(|(example, value)| format!("let came = {{ {example} }}; #{{ holds: [came] == [{value}] }}")));
    let mut wrong = Vec::new();
    for text in &calls {
        let mut call = script_call(text, Vec::new());
        // Examples are those of an organisation in UTC.
        call.context.time_zone = "UTC".into();
        let mut memory = Memory::default();
        memory.rename(FIRST, "Call Ada");
        let (returned, _) = run_with(&call, memory);
        match returned.result {
            Ok(outputs) if output(&outputs, "holds") == &Value::Boolean(true) => {}
            other => wrong.push(format!("{text}: {other:?}")),
        }
    }
    assert!(calls.len() > 200 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_script_knows_the_solutions_days_and_addresses() {
    let mut call = script_call(
        "#{ next: next_business_day(\"2026-11-20\"), at: at_time(\"2026-11-20\", 9), url: record_url(record()) }",
        Vec::new(),
    );
    call.context.calendar = "mon,tue,wed,thu,fri;2026-11-23".into();
    let outputs = run(&call).0.expect("outputs");
    assert_eq!(output(&outputs, "next").to_owned(), model::Date::parse("2026-11-24").expect("a day").into());
    assert_eq!(
        output(&outputs, "at").to_owned(),
        model::Timestamp::parse("2026-11-20T14:00:00Z").expect("a moment").into()
    );
    let url = output(&outputs, "url").as_text().expect("an address").to_owned();
    assert_eq!(url, format!("http://127.0.0.1:8420/records/task/{}", FIRST.id));
}

/// R5, each attack as a script: what it does, and the finding that ends it.
#[test]
fn every_attack_ends_in_a_clear_finding() {
    for (attack, text, code) in [
        ("an endless loop", "loop { }", "timed-out"),
        ("an endless loop of functions", "let f = |x| x + 1; let n = 0; while true { n = f.call(n); }", "timed-out"),
        ("a loop in one call", "let l = numbers(1, 10000); loop { sorted_down(l); }", "timed-out"),
        ("a storm of reads", "for i in 0..300 { retrieve(record()); }", "host-limit"),
        ("a storm of writes", "loop { update(record(), #{ subject: \"x\" }); }", "host-limit"),
        ("a storm of queries", "loop { query(\"task\", \"\"); }", "host-limit"),
        ("a storm behind `try`", "loop { try { retrieve(record()); } catch (e) { } }", "host-limit"),
    ] {
        let (found, said) = fault(&script_call(text, Vec::new()));
        assert_eq!(found, code, "{attack}: {said}");
    }
    for (attack, text) in [
        ("a text that doubles", "let s = \"x\"; let all = []; loop { s = pad_left(\"\", 60000); all.push(s); }"),
        ("a list that grows", "let l = [1]; loop { l += l; l.append(l); }"),
        ("a list of lists", "let l = []; loop { l = [l, l.len(), #{ a: l }]; }"),
        ("a map that grows", "let m = #{}; let n = 0; loop { m[`k${n}`] = pad_left(\"\", 1000); n += 1; }"),
        ("a text by templates", "let s = \"xxxxxxxxxx\"; loop { s = `${s}${s}`; }"),
    ] {
        let mut call = script_call(text, Vec::new());
        // So that memory is what runs out, also on a slow machine.
        call.limits.cpu = std::time::Duration::from_secs(20);
        let (found, said) = fault(&call);
        assert!(["memory-limit", "timed-out"].contains(&found), "{attack}: {found}: {said}");
        assert!(found == "memory-limit" || attack == "a list of lists", "{attack}: {found}: {said}");
    }
}

#[test]
fn what_is_too_deep_or_too_large_is_the_scripts_mistake() {
    for (attack, text) in [
        ("endless recursion", "fn f(x) { f(x + 1) } f(0)".to_owned()),
        ("mutual recursion", "fn f(x) { g(x) } fn g(x) { f(x) } f(0)".to_owned()),
        ("deep brackets", format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000))),
        ("deep blocks", format!("{}1{}", "{".repeat(5_000), "}".repeat(5_000))),
        ("a long text", "repeat(\"x\", 1000000000)".to_owned()),
        ("a long sum of texts", "let s = \"x\"; loop { s += s; }".to_owned()),
        ("a long list", "numbers(1, 1000000000)".to_owned()),
        ("a number beyond all", "let n = 9; loop { n *= 99999999; }".to_owned()),
        ("a long wait", "sleep(100)".to_owned()),
        ("code in text", "eval(\"1\")".to_owned()),
    ] {
        assert_eq!(failure(&text).code, "script-error", "{attack}");
    }
}

#[test]
fn an_output_that_is_too_large_is_not_taken() {
    let mut call = script_call("let m = #{}; for n in 0..40 { m[`k${n}`] = pad_left(\"\", 60000); } m", Vec::new());
    call.limits.cpu = std::time::Duration::from_secs(20);
    assert_eq!(fault(&call).0, "host-limit");
}

#[test]
fn a_log_that_is_too_long_is_cut() {
    let (outputs, memory) =
        run(&script_call("for n in 0..100 { log(pad_left(\"\", 5000)); } #{ done: true }", Vec::new()));
    assert_eq!(output(&outputs.expect("outputs"), "done"), &Value::Boolean(true));
    let kept: usize = memory.log.iter().map(|(_, line)| line.len()).sum();
    assert!(kept <= 70_000, "{kept}");
    assert!(memory.log.iter().any(|(_, line)| line.contains("cut") || line.contains("log")), "{:?}", memory.log.last());
}

#[test]
fn two_runs_of_a_script_draw_the_same_numbers() {
    let text = "#{ a: random(1, 1000000), b: random(1, 1000000) }";
    assert_eq!(outputs(text), outputs(text));
    assert_ne!(output(&outputs(text), "a"), output(&outputs(text), "b"));
}
