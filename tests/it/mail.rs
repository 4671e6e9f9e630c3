//! Mail leaves by a real server, which others wrote and this test starts: over each kind of connection, with what a server
//! can do to a mail, while the daemon is killed, and without keeping anything else from its work.

mod server;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::TcpListener,
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use server::Server;
use tests::daemon::{Daemon, binary};

use crate::clients::installed;

const SOLUTION: &[(&str, &str)] = &[
    ("solution.yaml", "kind: solution\nname: post\nversion: 1.0.0\nprefix: pst\n"),
    ("security/désk.yaml", "kind: queue\nname: Désk\nemail: desk@example.org\n"),
    (
        "templates/hello.yaml",
        "kind: email-template
name: hello
entity: contact
subject: \"Grüße, ${record.fullname}\"
body: \"<p>Dear ${record.fullname}, it is done — ✓</p>\"
",
    ),
    (
        "processes/greet.yaml",
        "kind: workflow
name: greet
entity: contact
mode: background
scope: organization
start: { create: true }
steps:
  - email: hello
    from: { queue: Désk }
    to: record
    cc: { address: \"copy@example.org\" }
    bcc: { address: \"hidden@example.org\" }
  - create: task
    set: { subject: \"Greeted ${record.fullname}\" }
",
    ),
];

const INSTALL: &[&[&str]] =
    &[&["python3", "-m", "venv", "installed"], &["installed/bin/pip", "install", "--quiet", "-r", "requirements.txt"]];

/// A daemon that has the solution and sends to a server.
struct Post {
    daemon: Daemon,
    directory: tempfile::TempDir,
}

impl Post {
    fn start(settings: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let (solution, config) = (directory.path().join("solution"), directory.path().join("config.toml"));
        for (path, text) in SOLUTION {
            let path = solution.join(path);
            fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
            fs::write(path, text)?;
        }
        fs::write(&config, settings)?;
        let daemon = Self::daemon(directory.path())?;
        daemon.command(&["apply", &solution.to_string_lossy()])?;
        Ok(Self { daemon, directory })
    }

    fn daemon(directory: &Path) -> Result<Daemon> {
        let config = directory.join("config.toml");
        Daemon::start_with(&directory.join("data"), &["--config", &config.to_string_lossy()])
    }

    /// Makes a contact who is greeted, at this address.
    fn greet(&self, name: &str, address: &str) -> Result<()> {
        let contact = json!({ "fullname": name, "emailaddress1": address });
        let (status, answer) = self.daemon.post("/api/data/v9.2/contacts", &contact)?;
        ensure!(status == 204, "{status} {answer}");
        Ok(())
    }

    fn outbox(&self) -> Result<Vec<Value>> {
        let (status, mut answer) = self.daemon.get("/api/v1/mail?top=1000")?;
        ensure!(status == 200, "{status} {answer}");
        Ok(answer["value"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// Waits until the outbox is as `wanted`; gives what lies there.
    fn until(&mut self, what: &str, wanted: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>> {
        let list = |daemon: &Daemon| -> Result<Vec<Value>> {
            let (_, mut answer) = daemon.get("/api/v1/mail?top=1000")?;
            Ok(answer["value"].as_array_mut().map(std::mem::take).unwrap_or_default())
        };
        self.daemon.wait_until(what, |daemon| Ok(wanted(&list(daemon)?)))?;
        self.outbox()
    }

    fn emails(&self, select: &str) -> Result<Vec<Value>> {
        self.daemon.all(&format!("/api/data/v9.2/emails?$select={select}"))
    }

    fn order(&self, mail: &Value, order: &str) -> Result<(u16, Value)> {
        let id = mail["id"].as_str().context("an id")?;
        self.daemon.post(&format!("/api/v1/mail/{id}/{order}"), &json!({}))
    }
}

fn plain(port: u16) -> String {
    format!("[smtp]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n")
}

const SENT: i64 = 3;
const FAILED: i64 = 8;

#[test]
fn mail_leaves_by_a_server_that_is_not_ours() -> Result<()> {
    let Some(program) = installed("smtp-server", "python3", INSTALL)? else { return Ok(()) };
    let program = program.path();
    in_clear(program).context("in clear")?;
    protected(program).context("protected")?;
    each_address_by_itself(program).context("each address by itself")?;
    cut_and_carried_again(program).context("cut")?;
    slow_or_dead(program).context("slow or dead")
}

/// What arrives is what the template says, once, over one connection; blind copies stand on no head.
fn in_clear(program: &Path) -> Result<()> {
    let mut server = Server::start(program, &[])?;
    let mut post = Post::start(&plain(server.port))?;
    for name in ["Zoë \"Z\" Müller", "Ada\r\nBcc: evil@example.org"] {
        post.greet(name, "ada@example.org")?;
        let mail = server.event("mail")?;
        assert_eq!(mail["to"], json!(["ada@example.org", "copy@example.org", "hidden@example.org"]));
        assert_eq!(
            (&mail["sender"], &mail["head_from"]),
            (&json!("desk@example.org"), &json!("Désk <desk@example.org>"))
        );
        let one_line = name.replace("\r\n", " ");
        assert_eq!(mail["subject"], json!(format!("Grüße, {one_line}")));
        ensure!(mail["bcc"].is_null() && mail["head_cc"] == "copy@example.org", "{mail}");
        ensure!(mail["head_to"].as_str().is_some_and(|to| to.ends_with("<ada@example.org>")), "{mail}");
        let text = mail["text"].as_str().unwrap_or_default();
        ensure!(mail["kind"] == "text/html" && text.contains("it is done — ✓"), "{mail}");
        ensure!(mail["connection"] == 1, "the connection is kept: {mail}");
        ensure!(name.contains("evil") || text.contains("Zoë &quot;Z&quot; Müller"), "{text}");
    }
    ensure!(post.until("empty", <[Value]>::is_empty)?.is_empty());
    let emails = post.emails("statuscode,messageid")?;
    ensure!(emails.iter().all(|email| email["statuscode"] == SENT), "{emails:?}");
    let (_, figures) = post.daemon.get("/metrics")?;
    let figures = figures.as_str().unwrap_or_default().to_owned();
    for line in [
        "stepwise_mail_total{result=\"sent\"} 2",
        "stepwise_mail_addresses_total{result=\"delivered\"} 6",
        "stepwise_mail_waiting 0",
    ] {
        ensure!(figures.contains(line), "{line} in {figures}");
    }
    Ok(())
}

/// STARTTLS and TLS with a certificate that is to be trusted, and a name with a password; nothing goes to a server that
/// shows another one or offers none.
fn protected(program: &Path) -> Result<()> {
    let own = tempfile::tempdir()?;
    let here = |name: &str| own.path().join(name).display().to_string();
    for data in ["own", "other"] {
        let made = Command::new(binary()).args(["tls", "dev-ca", "--data-dir", &here(data)]).output()?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    fs::write(own.path().join("password"), "open sesame\n")?;
    let (certificate, key) = (here("own/tls/localhost.pem"), here("own/tls/localhost-key.pem"));
    let start = |mode: &str| {
        let variables = [("MODE", mode), ("CERTIFICATE", &certificate), ("KEY", &key)];
        let user = [("SMTP_USER", "desk"), ("SMTP_PASSWORD", "open sesame")];
        Server::start(program, &[&variables[..], &user].concat())
    };
    let settings = |port: u16, security: &str, ca: &str| {
        let (password, ca) = (here("password"), here(&format!("{ca}/tls/ca.pem")));
        format!(
            "[smtp]\nhost = \"localhost\"\nport = {port}\nsecurity = \"{security}\"\ntimeout = 20\n\
             user = \"desk\"\npassword_file = \"{password}\"\nca_file = \"{ca}\"\n"
        )
    };
    let check = |text: &str| -> Result<String> {
        fs::write(own.path().join("config.toml"), text)?;
        let mut command = Command::new(binary());
        command.args(["mail", "check", "--config", &here("config.toml"), "--from", "desk@example.org"]);
        let output = command.args(["--to", "ada@example.org"]).output()?;
        Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for security in ["starttls", "tls"] {
        let mut server = start(security)?;
        let good = settings(server.port, security, "own");
        let told = check(&good)?;
        ensure!(told.contains(&format!("localhost port {} took a mail to ada@example.org", server.port)), "{told}");
        let mail = server.event("mail")?;
        ensure!(mail["tls"] == true && mail["user"] == "desk", "{mail}");
        for (text, says) in [
            (settings(server.port, security, "other"), "invalid peer certificate"),
            (good.replace("localhost", "127.0.0.2"), "127.0.0.2"),
            (good.replace("\"desk\"", "\"anna\""), "signing in as anna: the server said 535"),
        ] {
            let told = check(&text)?;
            ensure!(told.contains(says) && !told.contains("sesame"), "{security}: {told}");
        }
    }
    // A server that offers no STARTTLS gets neither a password nor a mail.
    let server = Server::start(program, &[])?;
    let told = check(&settings(server.port, "starttls", "own"))?;
    ensure!(told.contains("the server offers no STARTTLS, and nothing is sent in clear"), "{told}");
    // A wrong setting loses no mail: it waits until somebody has mended it.
    let mut server = start("starttls")?;
    let good = settings(server.port, "starttls", "own");
    let mut post = Post::start(&good.replace("\"desk\"", "\"anna\""))?;
    post.greet("Ada", "ada@example.org")?;
    let waiting = post.until("tried", |mails| mails.iter().any(|mail| mail["attempts"] == 1))?;
    let trouble = waiting[0]["trouble"].as_str().unwrap_or_default();
    ensure!(trouble.contains("signing in as anna: the server said 535"), "{trouble}");
    let log = fs::read_to_string(post.directory.path().join("data/daemon.log"))?;
    ensure!(!log.contains("sesame"), "{log}");
    post.daemon.kill()?;
    fs::write(post.directory.path().join("config.toml"), good)?;
    post.daemon = Post::daemon(post.directory.path())?;
    post.daemon.command(&["mail", "retry", "--state", "waiting"])?;
    let mail = server.event("mail")?;
    ensure!(mail["tls"] == true && mail["user"] == "desk" && mail["subject"] == "Grüße, Ada", "{mail}");
    post.until("empty", <[Value]>::is_empty).map(drop)
}

/// One is refused, one is taken later, the others have their mail; what failed is tried again when somebody says so.
fn each_address_by_itself(program: &Path) -> Result<()> {
    let mut server = Server::start(program, &[])?;
    let mut post = Post::start(&plain(server.port))?;
    post.greet("Gone", "refused@example.org")?;
    assert_eq!(server.event("refused")?["to"], "refused@example.org");
    assert_eq!(server.event("mail")?["to"], json!(["copy@example.org", "hidden@example.org"]));
    let failed = post.until("failed", |mails| mails.iter().any(|mail| mail["state"] == "failed"))?;
    let why = "the server said 550 5.1.1 nobody is called so";
    assert_eq!(failed[0]["refused"], json!([{ "address": "refused@example.org", "why": why }]));
    let email = &post.emails("statuscode,deliveryerror")?[0];
    assert_eq!(email["statuscode"], FAILED);
    assert_eq!(email["deliveryerror"], format!("refused@example.org: {why}; the others have it"));

    // Who mended it has it tried again: only for the one who did not get it.
    let listed = post.daemon.command(&["mail", "list"])?;
    ensure!(listed.contains("failed") && listed.contains("nobody is called so"), "{listed}");
    let told = post.daemon.command(&["mail", "retry", "--state", "failed"])?;
    ensure!(told.contains("1 mail(s) are tried again"), "{told}");
    assert_eq!(server.event("refused")?["to"], "refused@example.org");
    let failed = post.until("failed again", |mails| mails.iter().any(|mail| mail["state"] == "failed"))?;
    assert_eq!(post.order(&failed[0], "cancel")?.0, 200);
    assert_eq!(post.order(&failed[0], "retry")?.0, 409);
    assert_eq!(post.order(&failed[0], "cancel")?.1["code"], "mail-state");
    ensure!(post.outbox()?.is_empty(), "it was taken back");

    post.greet("Later", "later@example.org")?;
    assert_eq!(server.event("later")?["to"], "later@example.org");
    let first = server.event("mail")?;
    assert_eq!(first["to"], json!(["copy@example.org", "hidden@example.org"]));
    let waiting = post.until("waiting", |mails| mails.iter().any(|mail| mail["attempts"] == 1))?;
    assert_eq!(waiting[0]["open"], json!(["later@example.org"]));
    assert_eq!(waiting[0]["trouble"], "later@example.org: the server said 451 4.7.1 come back later");
    assert_eq!(post.order(&waiting[0], "retry")?.0, 200);
    let second = server.event("mail")?;
    assert_eq!((&second["to"], &second["id"]), (&json!(["later@example.org"]), &first["id"]));

    post.greet("Spam", "spam@example.org")?;
    server.event("refused")?;
    let failed = post.until("refused whole", |mails| mails.iter().any(|mail| mail["state"] == "failed"))?;
    assert_eq!(failed[0]["refused"].as_array().map(Vec::len), Some(3), "{failed:?}");
    Ok(())
}

/// The server has the mail, and the connection breaks before it says so: the mail goes out again, under the same id.
fn cut_and_carried_again(program: &Path) -> Result<()> {
    let mut server = Server::start(program, &[])?;
    let mut post = Post::start(&plain(server.port))?;
    post.greet("Cut", "cut@example.org")?;
    let first = server.event("mail")?;
    let waiting = post.until("waiting", |mails| mails.iter().any(|mail| mail["attempts"] == 1))?;
    let trouble = waiting[0]["trouble"].as_str().unwrap_or_default();
    ensure!(trouble.contains("the message was sent and not acknowledged"), "{trouble}");
    assert_eq!(post.order(&waiting[0], "retry")?.0, 200);
    let second = server.event("mail")?;
    assert_eq!((&second["id"], &second["to"]), (&first["id"], &first["to"]));
    post.until("empty", <[Value]>::is_empty)?;

    // The same with the daemon: it is killed while the server has not answered yet.
    let mut server = Server::start(program, &[])?;
    fs::write(post.directory.path().join("config.toml"), plain(server.port))?;
    post.daemon.kill()?;
    post.daemon = Post::daemon(post.directory.path())?;
    post.greet("Slow", "slow@example.org")?;
    assert_eq!(server.event("slow")?["to"][0], "slow@example.org");
    let before = post.outbox()?;
    assert_eq!((before.len(), &before[0]["state"]), (1, &json!("sending")));
    assert_eq!(post.order(&before[0], "cancel")?.1["code"], "mail-state");
    post.daemon.kill()?;
    let mut server = Server::start(program, &[("PORT", &server.stop()), ("SLOW", "0")])?;
    post.daemon = Post::daemon(post.directory.path())?;
    assert_eq!(
        server.event("mail")?["id"],
        json!(format!("<{}>", before[0]["message_id"].as_str().unwrap_or_default()))
    );
    post.until("empty", <[Value]>::is_empty)?;
    Ok(())
}

/// A server that answers nothing, and one that is not there: other work goes on, and the mail goes once there is one.
fn slow_or_dead(program: &Path) -> Result<()> {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let port = silent.local_addr()?.port();
    let mut post = Post::start(&format!("{}timeout = 1\n", plain(port)))?;
    for number in 0..8 {
        post.greet(&format!("Contact {number}"), "ada@example.org")?;
    }
    post.daemon.wait_until("done with all jobs", |daemon| {
        Ok(daemon.all("/api/data/v9.2/tasks?$select=subject")?.len() == 8)
    })?;
    let waiting = post.until("tried", |mails| mails.iter().any(|mail| mail["attempts"] == 1))?;
    assert_eq!(waiting.len(), 8);
    let tried = waiting.iter().find(|mail| mail["attempts"] == 1).context("it")?;
    assert_eq!(
        tried["trouble"],
        format!("ada@example.org: 127.0.0.1 port {port}: the server gave no answer within 1 s")
    );
    // An operator ends the daemon in the middle of it, and does not wait for the server.
    drop(silent);
    ensure!(post.daemon.terminate()?.success(), "it ends in order");
    let mut server = Server::start(program, &[("PORT", &port.to_string())])?;
    post.daemon = Post::daemon(post.directory.path())?;
    let told = post.daemon.command(&["mail", "retry", "--state", "waiting"])?;
    ensure!(told.contains("tried again"), "{told}");
    let mut ids = BTreeSet::new();
    for _ in 0..8 {
        ids.insert(server.event("mail")?["id"].to_string());
    }
    assert_eq!(ids.len(), 8);
    post.until("empty", <[Value]>::is_empty).map(drop)
}

/// Kills the daemon again and again while mail leaves: every acknowledged contact's mail arrives, and what arrives twice
/// has one id.
#[test]
fn kill_9_with_mail_in_flight_loses_none() -> Result<()> {
    let Some(program) = installed("smtp-server", "python3", INSTALL)? else { return Ok(()) };
    let mut server = Server::start(program.path(), &[])?;
    let mut post = Post::start(&plain(server.port))?;
    let mut greeted = BTreeSet::new();
    let mut arrived: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut note = |mail: &Value| {
        let subject = mail["subject"].as_str().unwrap_or_default().to_owned();
        arrived.entry(subject).or_default().insert(mail["id"].to_string());
    };
    for round in 0..6 {
        for number in 0..5 {
            let name = format!("Contact {round}.{number}");
            post.greet(&name, "ada@example.org")?;
            greeted.insert(format!("Grüße, {name}"));
        }
        // In the middle of what is being sent.
        for _ in 0..=round {
            note(&server.event("mail")?);
        }
        post.daemon.kill()?;
        post.daemon = Post::daemon(post.directory.path())?;
    }
    post.daemon.wait_until("done with all jobs", |daemon| {
        Ok(daemon.all("/api/data/v9.2/tasks?$select=subject")?.len() == 30)
    })?;
    post.until("empty", <[Value]>::is_empty)?;
    while let Some(mail) = server.event_within("mail", Duration::from_millis(200))? {
        note(&mail);
    }
    assert_eq!(arrived.keys().cloned().collect::<BTreeSet<_>>(), greeted);
    let twins: Vec<_> = arrived.iter().filter(|(_, ids)| ids.len() != 1).collect();
    ensure!(twins.is_empty(), "one mail, several ids: {twins:?}");
    let emails = post.emails("statuscode")?;
    ensure!(emails.len() == 30 && emails.iter().all(|email| email["statuscode"] == SENT), "{emails:?}");
    Ok(())
}
