//! A step that reaches for other hosts, through the real way out to a real server of the test's own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use model::{
    Value,
    grant::{Grants, HostGrant, LimitChanges, Secret},
    step::{Limits, StepCall},
};

use crate::world::*;

/// A server that tells what it got and answers with `answer`, for so many connections.
fn server(answer: &'static str) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (told, got) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).is_ok_and(|count| count > 2) {}
            for line in head.lines() {
                if let Some(text) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = text.parse().unwrap_or(0);
                }
            }
            let mut body = vec![0; length];
            let _ = reader.read_exact(&mut body);
            let _ = told.send(format!("{head}{}", String::from_utf8_lossy(&body)));
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            let _ = reader.into_inner().write_all(answer.as_bytes());
        }
    });
    (port, got)
}

/// A call that is granted one host and one secret.
fn granted(step: &str, url: &str, port: u16) -> StepCall {
    let host = HostGrant::parse(&format!("http://api.example.com:{port} private")).expect("a grant");
    let grants =
        Grants { hosts: vec![host], secrets: [("key".into(), Secret::new("hunter2"))].into(), ..Grants::default() };
    let inputs = vec![field("url", url), field("secret", "key")];
    StepCall { grants: Arc::new(grants), external: true, ..call(step, inputs) }
}

fn text(outputs: &[model::Field], name: &str) -> String {
    output(outputs, name).as_text().unwrap_or_default().to_owned()
}

#[test]
fn a_secret_is_never_in_the_guests_memory_and_always_on_the_wire() {
    let (port, got) = server("you said hunter2");
    let call = granted("evil.fetch", &format!("http://api.example.com:{port}/"), port);
    let (outputs, memory) = run(&call);
    let outputs = outputs.expect("outputs");
    let held = text(&outputs, "held");
    assert!(held.starts_with("stepwise-secret-") && !held.contains("hunter2"), "{held}");
    assert_eq!(output(&outputs, "status"), &Value::Whole(200));
    assert_eq!(text(&outputs, "text"), format!("you said {held}"));
    assert!(memory.log.iter().all(|(_, line)| !line.contains("hunter2")), "{:?}", memory.log);
    let got = got.recv_timeout(Duration::from_secs(10)).expect("a request").to_lowercase();
    assert!(got.contains("authorization: basic ywrhomh1bnrlcji=") && got.contains("x-key: hunter2"), "{got}");
    assert!(got.ends_with("key=hunter2"), "{got}");
}

#[test]
fn another_run_has_another_placeholder_and_a_secret_that_nobody_set_has_none() {
    let (port, _) = server("");
    let first = granted("evil.fetch", "http://elsewhere.example.com/", port);
    let mut second = first.clone();
    second.context.seed = 8;
    let held = |call: &StepCall| text(&run(call).0.expect("outputs"), "held");
    assert_eq!(held(&first), held(&first));
    assert_ne!(held(&first), held(&second));
    let mut none = first.clone();
    none.inputs[1] = field("secret", "other");
    assert_eq!(held(&none), "");
}

#[test]
fn only_granted_hosts_and_only_external_steps_get_an_answer() {
    let (port, got) = server("hello");
    let url = format!("http://api.example.com:{port}/");
    let code = |call: &StepCall| text(&run(call).0.expect("outputs"), "text");
    assert_eq!(code(&granted("evil.fetch", "http://other.example.com/", port)), "not-granted");
    assert_eq!(code(&granted("evil.fetch", &format!("http://127.0.0.1:{port}/"), port)), "not-granted");
    assert_eq!(code(&StepCall { external: false, ..granted("evil.sneak", &url, port) }), "not-external");
    assert_eq!(code(&StepCall { grants: Arc::default(), ..granted("evil.fetch", &url, port) }), "not-granted");
    assert_eq!(code(&granted("evil.fetch", "file:///etc/passwd", port)), "invalid-request");
    let mut call = granted("evil.fetch", &url, port);
    call.inputs.push(field("redirects", 11));
    assert_eq!(code(&call), "invalid-request");
    assert!(got.try_recv().is_err(), "nothing was sent");
}

#[test]
fn what_a_host_repeats_of_a_secret_is_a_placeholder_again() {
    // `Basic` with `ada:hunter2`, the secret in it, and both without what stands before them.
    for said in ["hunter2", "Basic YWRhOmh1bnRlcjI=", "YWRhOmh1bnRlcjI="] {
        let (port, _got) = server(said);
        let call = granted("evil.fetch", &format!("http://api.example.com:{port}/"), port);
        let told = text(&run(&call).0.expect("outputs"), "text");
        assert!(told.starts_with("stepwise-secret-") && !told.contains(said), "{said}: {told}");
    }
}

#[test]
fn placeholders_are_not_heaped_up() {
    let (port, _) = server("");
    let hoard = |amount: i64| {
        let granted = granted("evil.hoard", "", port);
        StepCall { inputs: vec![field("amount", amount)], ..granted }
    };
    assert_eq!(output(&run(&hoard(30)).0.expect("outputs"), "number"), &Value::Whole(30));
    let (code, words) = fault(&hoard(1_000_000));
    assert_eq!((code, words.as_str()), ("host-limit", "it asked for more than 100 placeholders of secrets"));
}

#[test]
fn requests_are_counted() {
    let allowed = StepCall { external: true, ..call("evil.pester", vec![field("amount", 32)]) };
    let (returned, _) = run_with(&allowed, Memory::default());
    assert_eq!(returned.usage.http_calls, 32);
    assert_eq!(output(&returned.result.expect("outputs"), "number"), &Value::Whole(32));
    let more = StepCall { external: true, ..call("evil.pester", vec![field("amount", 33)]) };
    assert_eq!(fault(&more), ("host-limit", "it sent more than 32 requests".to_owned()));
}

#[test]
fn a_host_that_does_not_answer_costs_the_step_its_time_and_not_its_budget() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut call = granted("evil.fetch", &format!("http://api.example.com:{port}/"), port);
    call.limits = Limits { wall: Duration::from_millis(300), ..Limits::default() };
    assert_eq!(fault(&call), ("timed-out", "it ran longer than 300ms".to_owned()));
    let (returned, _) = run_with(&call, Memory { cancelled: true, ..Memory::default() });
    assert_eq!(returned.result.expect_err("no outputs").code(), "cancelled");
}

#[test]
fn what_the_operator_takes_back_is_denied() {
    let grants = Grants { uses: Some(vec![("task".into(), vec!["retrieve".into()])]), ..Grants::default() };
    let call = StepCall { grants: Arc::new(grants), ..call("evil.bump", vec![field("task", FIRST)]) };
    let failure = run(&call).0.expect_err("denied");
    assert!(failure.to_string().contains("the operator does not grant `update` of `task`"), "{failure}");
    assert_eq!(failure.code(), "not-granted");
}

#[test]
fn each_limit_can_be_raised_for_one_step() {
    let raised = LimitChanges { verb_calls: Some(300), ..LimitChanges::default() };
    let grants = Grants { limits: [("evil.storm".into(), raised)].into(), ..Grants::default() };
    let mut call = call("evil.storm", vec![field("amount", 300)]);
    assert_eq!(fault(&call).0, "host-limit");
    call.limits = grants.limits("evil.storm", call.limits);
    assert_eq!(output(&run(&call).0.expect("outputs"), "number"), &Value::Whole(300));
}

/// A call of a script that is granted one host and one secret.
fn granted_script(text: &str, port: u16) -> StepCall {
    StepCall { code: script(text), ..granted("evil.fetch", "", port) }
}

#[test]
fn an_external_script_asks_granted_hosts() {
    let (port, got) = server("{\"rate\": 1.0825, \"said\": \"hunter2\"}");
    let url = format!("http://api.example.com:{port}/rates");
    let text_of = format!(
        "let key = secret(\"key\");
         let answer = http(\"POST\", \"{url}\", #{{ currency: \"EUR\", amount: 2.5 }}, #{{ \"x-key\": key }});
         let told = parse_json(answer.body);
         #{{ status: answer.status, rate: told.rate, held: told.said == key, none: secret(\"other\") }}"
    );
    let (outputs, memory) = run(&granted_script(&text_of, port));
    let outputs = outputs.expect("outputs");
    assert_eq!(output(&outputs, "status"), &Value::Whole(200));
    let rate = model::Decimal::from_str_exact("1.0825").expect("a decimal");
    assert_eq!(output(&outputs, "rate"), &Value::Decimal(rate));
    assert_eq!(output(&outputs, "held"), &Value::Boolean(true), "what comes back has the placeholder again");
    assert_eq!(output(&outputs, "none"), &Value::Null);
    assert!(memory.log.iter().all(|(_, line)| !line.contains("hunter2")));
    let got = got.recv_timeout(Duration::from_secs(10)).expect("a request").to_lowercase();
    assert!(got.contains("x-key: hunter2") && got.contains("content-type: application/json"), "{got}");
    assert!(got.ends_with("{\"amount\":2.5,\"currency\":\"eur\"}"), "{got}");
}

#[test]
fn a_script_reaches_nobody_who_was_not_granted() {
    let (port, got) = server("hello");
    let ask = |url: &str| {
        format!("let code = \"\"; try {{ http(\"GET\", \"{url}\") }} catch (e) {{ code = e.code; }} #{{ text: code }}")
    };
    let own = format!("http://api.example.com:{port}/");
    let code = |call: StepCall| text(&run(&call).0.expect("outputs"), "text");
    assert_eq!(code(granted_script(&ask("http://other.example.com/"), port)), "not-granted");
    assert_eq!(code(granted_script(&ask(&format!("http://127.0.0.1:{port}/")), port)), "not-granted");
    assert_eq!(code(StepCall { external: false, ..granted_script(&ask(&own), port) }), "not-external");
    let storm = format!("loop {{ try {{ http(\"GET\", \"{own}\") }} catch (e) {{ }} }}");
    let mut storm = granted_script(&storm, port);
    storm.grants = Arc::default();
    assert_eq!(fault(&storm).0, "host-limit");
    assert!(got.try_recv().is_err(), "nothing was sent");
}
