//! The commands as people and build machines type them: what comes out, and the exit code.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{
    daemon::{Daemon, binary},
    guests,
};

/// Runs a command without a daemon of its own.
fn stepwise(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(Option<i32>, String)> {
    let mut command = Command::new(binary());
    command.args(arguments).env_remove("STEPWISE_TOKEN").env_remove("STEPWISE_SERVER").envs(variables.iter().copied());
    let Output { status, stderr, .. } = command.stdin(Stdio::null()).output()?;
    Ok((status.code(), String::from_utf8_lossy(&stderr).into_owned()))
}

fn example() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/complaints").display().to_string()
}

fn json_of(text: &str) -> Result<Value> {
    serde_json::from_str(text).with_context(|| text.to_owned())
}

#[test]
fn exit_codes_tell_what_was_wrong() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().display().to_string();
    let nobody = ["job", "list", "--server", "http://127.0.0.1:9"];
    for (arguments, variables, code, part) in [
        (&["fly"][..], &[][..], 2, "unrecognized subcommand 'fly'"),
        (&["dev", "--data-dir", &data], &[("STEPWISE_SERVER__LISEN", "x")], 3, "did you mean `server.listen`?"),
        (&["dev", "--data-dir", &data, "--listen", "0.0.0.0:0"], &[], 3, "can be reached from outside"),
        (&["script", "check", "/nothing.rhai"], &[], 4, "/nothing.rhai"),
        (&nobody, &[], 6, "there is no token to sign in with"),
        (&nobody, &[("STEPWISE_TOKEN", "swt_00")], 7, "start one with `stepwise dev`"),
    ] {
        let (status, talk) = stepwise(arguments, variables)?;
        ensure!(status == Some(code) && talk.contains(part), "{arguments:?}: {status:?} {talk}");
    }
    Ok(())
}

#[test]
fn a_configuration_is_shown_without_its_secrets_and_checked() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("config.toml");
    fs::write(&file, "[oidc]\nissuer = \"https://id.example\"\nclient_id = \"x\"\nclient_secret = \"hush\"\n")?;
    let config = file.display().to_string();
    let shown = Command::new(binary())
        .args(["config", "show", "--origin", "--output", "json", "--config", &config])
        .env("STEPWISE_LOG__FILTER", "debug")
        .output()?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    ensure!(!shown.contains("hush"), "{shown}");
    let told = json_of(&shown)?;
    let of = |key: &str| told["value"].as_array().into_iter().flatten().find(|one| one["key"] == key).cloned();
    let part = |key: &str| of(key).map(|one| (one["value"].clone(), one["origin"].clone()));
    assert_eq!(part("oidc.client_secret"), Some((json!("(secret)"), json!(config))));
    assert_eq!(part("log.filter"), Some((json!("debug"), json!("STEPWISE_LOG__FILTER"))));
    assert_eq!(part("limits.body_bytes"), Some((json!(null), json!("default"))));
    let (code, talk) = stepwise(&["config", "check", "--config", &config], &[])?;
    ensure!(code == Some(0) && talk.contains("the configuration is right"), "{talk}");
    for (text, part) in [
        ("[server]\nlisen = \"x\"\n", "did you mean `server.listen`?"),
        ("[tls]\ncertificate = \"/nothing.pem\"\nkey = \"/nothing.pem\"\n", "/nothing.pem"),
        ("[log]\nfilter = \"stepwise=lots\"\n", "`log.filter` cannot be `stepwise=lots`"),
    ] {
        fs::write(&file, text)?;
        let (code, talk) = stepwise(&["config", "check", "--config", &config], &[])?;
        ensure!(code == Some(3) && talk.contains(part), "{code:?} {talk}");
    }
    let schema = Command::new(binary()).args(["config", "schema"]).output()?;
    let schema = json_of(&String::from_utf8_lossy(&schema.stdout))?;
    assert_eq!(schema["properties"]["server"]["properties"]["behind_proxy"]["type"], "boolean");
    Ok(())
}

#[test]
fn the_example_goes_in_and_a_second_time_nothing_happens() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut daemon = Daemon::start(&directory.path().join("data"))?;
    let component = directory.path().join("complaints.wasm");
    fs::write(&component, guests::complaints())?;
    let (component, example) = (component.display().to_string(), example());
    let map = format!("{example}/data/complaints.yaml");
    let rows = format!("{example}/data/complaints.csv");
    let install = ["plugin", "install", "--yes", &component, "--output", "json"];
    let import = ["import", &rows, "--map", &map, "--output", "json"];
    assert_eq!(json_of(&daemon.command(&install)?)?["steps"], json!(["complaints.classify"]));
    let planned = json_of(&daemon.command(&["apply", &example, "--dry-run", "--output", "json"])?)?;
    let applied = json_of(&daemon.command(&["apply", &example, "--output", "json"])?)?;
    assert_eq!(planned["changes"], applied["changes"], "a plan is what is done");
    let imported = json_of(&daemon.command(&import)?)?;
    assert_eq!(imported, json!({"created": 280, "updated": 0, "unchanged": 0, "errors": []}));
    let counts = json_of(&daemon.command(&["job", "watch", "--output", "json"])?)?;
    assert_eq!((&counts["succeeded"], &counts["failed"]), (&json!(280), &json!(0)));
    daemon.command(&install)?;
    let again = json_of(&daemon.command(&["apply", &example, "--output", "json"])?)?;
    assert_eq!(again["changes"], json!([]));
    let again = json_of(&daemon.command(&import)?)?;
    assert_eq!(again, json!({"created": 0, "updated": 0, "unchanged": 280, "errors": []}));
    let (_, tasks) = daemon.get("/api/data/v9.2/tasks/$count")?;
    assert_eq!(tasks, json!(280));
    by_key_and_by_shell(&mut daemon)
}

/// One of the complaints by its alternate key, and the lines of the shell.
fn by_key_and_by_shell(daemon: &mut Daemon) -> Result<()> {
    let (_, seventeenth) = daemon.get("/api/data/v9.2/complaints(sourcerow=17)?$select=title,sourcerow")?;
    assert_eq!(seventeenth["sourcerow"], 17);
    let id = seventeenth["complaintid"].as_str().context("an id")?;
    let task = json!({"subject": "Look", "regardingobjectid_complaint@odata.bind": "/complaints(sourcerow=17)"});
    let (status, answer) = daemon.post("/api/data/v9.2/tasks", &task)?;
    ensure!(status == 204, "{status} {answer}");
    let (_, found) = daemon.get("/api/data/v9.2/tasks?$filter=subject%20eq%20'Look'")?;
    assert_eq!(found["value"][0]["_regardingobjectid_value"], id);
    let lines = "create account/a1 name=\"Ada\"\nupdate account/a1@9 name=\"Bea\" ! version-mismatch\n\
                 create complaint/c title=\"A\" product=\"B\" issue=\"C\" receivedon=2026-01-02\n\
                 task list complaint/c\ntask begin complaint/c process=after-the-call\n\
                 task finish complaint/c ! stage-gate\ntask finish complaint/c@9 ! version-mismatch\n\
                 task discard complaint/c\ntask show complaint/c ! not-found\nget account/a1 name\n";
    let mut shell = daemon.program(&["shell"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    shell.stdin.take().context("a shell reads")?.write_all(lines.as_bytes())?;
    let output = shell.wait_with_output()?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success() && told.ends_with("account/a1  name: Ada\n"), "{told}");
    Ok(())
}

#[test]
fn rows_with_errors_are_told_by_line_and_the_others_go_in() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(&directory.path().join("data"))?;
    let rows = directory.path().join("accounts.csv");
    fs::write(&rows, "name,numberofemployees\nAda,5\n\"Bea\nand Cid\",many\nDan,7\n")?;
    let output = daemon.program(&["import", &rows.display().to_string(), "--entity", "account"]).output()?;
    let (told, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert_eq!(told, "2 created, 0 updated, 0 unchanged, 1 with errors\n");
    ensure!(talk.contains("accounts.csv:3: ") && talk.contains("numberofemployees"), "{talk}");
    Ok(())
}

#[test]
fn a_solution_with_errors_is_refused_whole_with_every_place() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(&directory.path().join("data"))?;
    let solution = directory.path().join("solution");
    for (path, text) in [
        ("solution.yaml", "kind: solution\nname: broken\nversion: 1.0.0\nprefix: brk\n"),
        (
            "entities/good.yaml",
            "kind: entity\nname: good\nownership: organization\nprimary: name\nattributes:\n  name: { type: text }\n",
        ),
        (
            "entities/bad.yaml",
            "kind: entity\nname: bad\nownership: organization\nprimary: name\nattributes:\n  name: { typ: text }\n",
        ),
    ] {
        fs::create_dir_all(solution.join(path).parent().context("a parent")?)?;
        fs::write(solution.join(path), text)?;
    }
    let output = daemon.program(&["apply", &solution.display().to_string()]).env("NO_COLOR", "1").output()?;
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{talk}");
    ensure!(
        talk.contains("--> entities/bad.yaml:6:") && talk.contains("name: { typ: text }") && talk.contains('^'),
        "{talk}"
    );
    let (status, _) = daemon.get("/api/data/v9.2/goods")?;
    assert_eq!(status, 404, "nothing of it was applied");
    Ok(())
}

#[test]
fn versions_of_a_process_are_kept_and_compared() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(&directory.path().join("data"))?;
    let solution = directory.path().join("solution");
    fs::create_dir_all(solution.join("processes"))?;
    fs::write(solution.join("solution.yaml"), "kind: solution\nname: calls\nversion: 1.0.0\nprefix: cal\n")?;
    let dir = solution.display().to_string();
    let call = |subject: &str| {
        format!(
            "kind: workflow\nname: call\nentity: account\nmode: background\nscope: organization\n\
             start: {{ create: true }}\nsteps:\n  - {{ create: task, set: {{ subject: {subject} }} }}\n"
        )
    };
    for subject in ["Call", "Write"] {
        fs::write(solution.join("processes/call.yaml"), call(subject))?;
        daemon.command(&["apply", &dir])?;
    }
    let listed = json_of(&daemon.command(&["process", "list", "--output", "json"])?)?;
    assert_eq!((&listed["value"][0]["name"], &listed["value"][0]["state"]), (&json!("call"), &json!("active")));
    let versions = json_of(&daemon.command(&["process", "versions", "call", "--output", "json"])?)?;
    let current: Vec<_> = (0..2).map(|place| versions["value"][place]["current"].clone()).collect();
    assert_eq!(current, [json!(true), json!(false)], "{versions}");
    let first = daemon.command(&["process", "show", "call", "1"])?;
    assert_eq!(first.trim_end(), call("Call").trim_end(), "scalars and order as people write them");
    let diff = daemon.command(&["process", "diff", "call"])?;
    ensure!(diff.contains("--- call version 1\n+++ call version 2"), "{diff}");
    ensure!(
        diff.contains("-  - { create: task, set: { subject: Call } }\n+  - { create: task, set: { subject: Write } }"),
        "{diff}"
    );
    let (status, problem) = daemon.get("/api/v1/processes/call?version=9")?;
    assert_eq!((status, &problem["detail"]), (404, &json!("there is no `version` 9 of process `call`")));
    let (status, problem) = daemon.get("/api/v1/processes/call/diff?from=x")?;
    assert_eq!((status, &problem["detail"]), (400, &json!("`from` is a number, not `x`")));
    Ok(())
}

#[test]
fn a_script_is_checked_without_a_daemon() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("greet.rhai");
    let manifest =
        "/*---\nstep: demo.greet\ninputs: { name: { type: text } }\noutputs: { text: { type: text } }\n---*/\n";
    let file = script.display().to_string();
    fs::write(&script, format!("{manifest}#{{ text: `Hello ${{inputs.name}}` }}\n"))?;
    assert_eq!(stepwise(&["script", "check", &file], &[])?.0, Some(0));
    fs::write(&script, format!("{manifest}#{{ text: uper(inputs.name) }}\n"))?;
    let (status, talk) = stepwise(&["script", "check", &file], &[("NO_COLOR", "1")])?;
    ensure!(status == Some(1) && talk.contains("greet.rhai:6:10") && talk.contains("did you mean `upper`?"), "{talk}");
    Ok(())
}

/// A solution with a script whose example and page hold.
fn with_a_script(directory: &Path) -> Result<()> {
    for (path, text) in [
        ("solution.yaml", "kind: solution\nname: desk\nversion: 1.0.0\nprefix: dsk\n"),
        (
            "entities/parcel.yaml",
            "kind: entity\nname: parcel\nownership: user-or-team\nprimary: name\nattributes:\n  name: { type: text }\n  \
             weight: { type: whole }\n",
        ),
        (
            "scripts/fee.rhai",
            "/*---\nstep: desk.fee\ntitle: What a parcel costs\ninputs: { parcel: { type: lookup, required: true, to: parcel } }\n\
             outputs: { fee: { type: money } }\nerrors: { no-weight: The parcel was not weighed }\n\
             uses: { parcel: [retrieve] }\nexamples:\n  \
             - { title: a heavy one, inputs: { parcel: { name: Books, weight: 9 } }, outputs: { fee: 13.5 } }\n  \
             - { title: not weighed, inputs: { parcel: { name: Books } }, error: no-weight }\n---*/\n\
             let p = retrieve(inputs.parcel, [\"weight\"]);\n\
             if p.weight == () { fail(\"no-weight\", \"weigh it first\"); }\n#{ fee: round_money(p.weight * 1.5) }\n",
        ),
        (
            "cases/fee-of-nothing.md",
            "# A page\n\n```run\ncreate parcel/a name=\"a\"\n```\n```trace\nadmin create parcel/a  name: \"a\"\n```\n",
        ),
        ("cases/other.md", "# Not of this script\n\n```run\ncreate parcel/a\n```\n```trace\nwrong\n```\n"),
    ] {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}

#[test]
fn a_script_is_tested_by_its_examples_and_the_pages_beside_it() -> Result<()> {
    let directory = tempfile::tempdir()?;
    with_a_script(directory.path())?;
    let script = directory.path().join("scripts/fee.rhai");
    let run = |arguments: &[&str]| Command::new(binary()).args(arguments).arg(&script).env("NO_COLOR", "1").output();
    let tested = run(&["script", "test", "--output", "json"])?;
    let told = json_of(&String::from_utf8_lossy(&tested.stdout))?;
    ensure!(tested.status.success(), "{told} {}", String::from_utf8_lossy(&tested.stderr));
    assert_eq!((&told["passed"], &told["failed"]), (&json!(3), &json!(0)));
    assert_eq!(told["scripts"][0]["examples"][0]["outputs"]["fee"], "the amount 13.5");
    let page = told["scripts"][0]["pages"][0]["page"].as_str().unwrap_or_default();
    ensure!(
        page.ends_with("cases/fee-of-nothing.md")
            && told["scripts"][0]["pages"].as_array().is_some_and(|all| all.len() == 1)
    );
    let text = fs::read_to_string(&script)?.replace("* 1.5", "* 2");
    fs::write(&script, text)?;
    let tested = run(&["script", "test"])?;
    assert_eq!(tested.status.code(), Some(1));
    let out = String::from_utf8_lossy(&tested.stdout).into_owned();
    ensure!(out.contains("FAILED  a heavy one: `fee` is the amount 18, and the example says the amount 13.5"), "{out}");
    ensure!(out.contains("ok      not weighed") && out.contains("2 passed, 1 failed"), "{out}");
    let alone = directory.path().join("alone.rhai");
    fs::write(&alone, "/*---\nstep: a.alone\n---*/\n#{}\n")?;
    let (status, talk) = stepwise(&["script", "test", &alone.display().to_string()], &[])?;
    ensure!(status == Some(4) && talk.contains("there is nothing to test"), "{talk}");
    Ok(())
}

#[test]
fn a_script_is_explained_in_plain_words() -> Result<()> {
    let directory = tempfile::tempdir()?;
    with_a_script(directory.path())?;
    let script = directory.path().join("scripts/fee.rhai");
    let explained = Command::new(binary()).args(["script", "explain"]).arg(&script).output()?;
    let text = String::from_utf8_lossy(&explained.stdout).into_owned();
    for part in [
        "desk.fee 1.0.0: What a parcel costs",
        "takes:\n  parcel  lookup to parcel, required",
        "gives:\n  fee  money",
        "may:\n  records of parcel  retrieve",
        "says no with:\n  no-weight  The parcel was not weighed",
        "stops after 250 ms of computing or 30 s, with 64 MiB of memory",
        "round_money(amount)             The amount rounded to two places",
    ] {
        ensure!(text.contains(part), "no {part:?} in {text}");
    }
    Ok(())
}

#[test]
fn the_library_is_searched_on_the_command_line() -> Result<()> {
    let help = |arguments: &[&str]| -> Result<String> {
        let output = Command::new(binary()).args(["script", "help"]).args(arguments).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let one = help(&["add_months"])?;
    ensure!(
        one.contains("add_months(when: moment, months: whole) -> moment")
            && one.contains("\n  is date(\"2026-02-28\")"),
        "{one}"
    );
    let all = help(&[])?;
    ensure!(all.contains("Business days\n") && all.contains("Records and the run, in scripts only\n"), "{all}");
    let some = help(&["holiday", "--output", "json"])?;
    let names: Vec<_> = json_of(&some)?.as_array().into_iter().flatten().map(|one| one["name"].clone()).collect();
    ensure!(names.contains(&json!("is_holiday")) && names.len() < 5, "{some}");
    let (status, talk) = stepwise(&["script", "help", "add_dais"], &[])?;
    ensure!(status == Some(4) && talk.contains("did you mean `add_days`?"), "{talk}");
    let directory = tempfile::tempdir()?;
    let dir = directory.path().display().to_string();
    assert_eq!(stepwise(&["script", "definitions", "--dir", &dir], &[])?.0, Some(0));
    let written = fs::read_to_string(directory.path().join("stepwise.d.rhai"))?;
    let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/rhai/stepwise.d.rhai"))?;
    assert_eq!(written.trim_end(), kept.trim_end());
    json_of(&fs::read_to_string(directory.path().join("functions.json"))?)?;
    Ok(())
}

#[test]
fn a_watched_script_is_tested_again_when_it_changes() -> Result<()> {
    use std::io::{BufRead, BufReader};
    let directory = tempfile::tempdir()?;
    with_a_script(directory.path())?;
    let script = directory.path().join("scripts/fee.rhai");
    let mut watching = Command::new(binary())
        .args(["script", "watch"])
        .arg(&script)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut lines = BufReader::new(watching.stdout.take().context("its output")?).lines();
    let mut until = |part: &str| -> Result<()> {
        for line in &mut lines {
            if line?.contains(part) {
                return Ok(());
            }
        }
        anyhow::bail!("it ended before it said `{part}`")
    };
    let seen = until("3 passed, 0 failed")
        .and_then(|()| Ok(fs::write(&script, fs::read_to_string(&script)?.replace("* 1.5", "* 2.25"))?))
        .and_then(|()| until("2 passed, 1 failed"))
        .and_then(|()| Ok(fs::write(&script, fs::read_to_string(&script)?.replace("round_money", "rond_money"))?))
        .and_then(|()| until("1 problem(s)"));
    watching.kill()?;
    watching.wait()?;
    seen
}

#[test]
fn a_new_plugin_is_a_crate_with_a_step_and_its_test() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut new = Command::new(binary());
    let output = new.args(["plugin", "new", "credit-check"]).current_dir(directory.path()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |path: &str| fs::read_to_string(directory.path().join("credit-check").join(path));
    let manifest: toml::Table = read("Cargo.toml")?.parse()?;
    assert_eq!(manifest["package"]["name"].as_str(), Some("credit-check"));
    // It finds the SDK wherever it stands: that of this version lies in it.
    assert_eq!(manifest["dependencies"]["stepwise-sdk"]["path"].as_str(), Some("sdk/rust"));
    for file in ["src", "wit/v1"] {
        let of_the_sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/rust").join(file);
        for entry in fs::read_dir(of_the_sdk)? {
            let entry = entry?;
            let copy = directory.path().join("credit-check/sdk/rust").join(file).join(entry.file_name());
            assert_eq!(fs::read(&copy)?, fs::read(entry.path())?, "{}", copy.display());
        }
    }
    let source = read("src/lib.rs")?;
    ensure!(source.contains("\"credit-check.greet\"") && !source.contains("{{"), "{source}");
    let again =
        Command::new(binary()).args(["plugin", "new", "credit-check"]).current_dir(directory.path()).output()?;
    assert_eq!(again.status.code(), Some(5), "it is there already");
    Ok(())
}
