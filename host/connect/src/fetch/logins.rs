//! Who is signed in at which registry, as `docker login` and `oras login` keep it: in `config.json`, or in a key chain that
//! a helper program asks.
//!
//! Asked only once a registry wants to know who comes, and for that registry alone. A helper gets the registry's name and
//! so much time; what it says is shown to that registry, and else to nobody: no line of it goes into a message or a log.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value as Json;

use super::{Error, Why, no};

/// So long a helper may take: a key chain may ask its owner.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most that a helper may say.
const LONGEST: u64 = 64 << 10;

/// The user name by which a helper says that its secret is a token.
const TOKEN: &str = "<token>";

/// The names under which the hub of Docker is known, and the one under which its logins are kept.
const HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
const HUB_LOGIN: &str = "https://index.docker.io/v1/";

/// Where logins are found.
#[derive(Clone, Debug, Default)]
pub struct Logins {
    /// The folder with `config.json`; nobody is signed in anywhere without one.
    pub folder: Option<PathBuf>,
    /// How long a helper may take; a minute if absent.
    pub patience: Option<Duration>,
}

/// What a registry is shown.
pub(super) enum Shown {
    /// User and password as `Basic` has them, in base64.
    Basic(String),
    /// A token by which another one is got.
    Identity(String),
}

impl Logins {
    /// Where Docker's own tools look: `DOCKER_CONFIG`, or `.docker` at home.
    #[must_use]
    pub fn of_docker() -> Self {
        let own = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
        Self { folder: own.or_else(home), patience: None }
    }

    /// What the registry at `host` is shown; nothing where nobody is signed in there.
    pub(super) fn at(&self, host: &str) -> Result<Option<Shown>, Error> {
        let Some(text) = self.folder.as_ref().and_then(|folder| fs::read(folder.join("config.json")).ok()) else {
            return Ok(None);
        };
        let broken = |_| no(Why::Denied, "the `config.json` of who is signed in at registries cannot be read as JSON");
        let config: Json = serde_json::from_slice(&text).map_err(broken)?;
        let names = names(host);
        let of = |section: &str| names.iter().find_map(|name| config[section].get(name));
        if let Some(helper) = of("credHelpers").and_then(Json::as_str) {
            return self.ask(helper, host, &names);
        }
        let entry = of("auths");
        let text = |name: &str| entry.and_then(|entry| entry[name].as_str()).filter(|text| !text.is_empty());
        if let Some(token) = text("identitytoken") {
            return Ok(Some(Shown::Identity(token.to_owned())));
        }
        if let Some(basic) = text("auth") {
            return Ok(Some(Shown::Basic(basic.to_owned())));
        }
        match config["credsStore"].as_str().filter(|helper| !helper.is_empty()) {
            Some(helper) => self.ask(helper, host, &names),
            None => Ok(None),
        }
    }

    fn ask(&self, helper: &str, host: &str, names: &[String]) -> Result<Option<Shown>, Error> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if helper.is_empty() || !helper.bytes().all(fits) {
            return Err(no(Why::Denied, "`config.json` names a key chain by what cannot be the name of a program"));
        }
        let program = format!("docker-credential-{helper}");
        // The hub is known to helpers by the address that it always had.
        let asked = if HUB.contains(&host) { HUB_LOGIN } else { names.first().map_or(host, String::as_str) };
        let patience = self.patience.unwrap_or(PATIENCE);
        match run(&program, asked, patience) {
            Ok(said) => Ok(Some(
                read(&said)
                    .ok_or_else(|| no(Why::Denied, format!("`{program}` does not answer as helpers of Docker do")))?,
            )),
            Err(Silence::Nobody) => Ok(None),
            Err(Silence::Late) => Err(no(
                Why::Denied,
                format!(
                    "`{program}` was asked for the login at `{host}` and did not answer within {} s",
                    patience.as_secs()
                ),
            )),
            Err(Silence::Absent(error)) => Err(no(
                Why::Denied,
                format!("`{program}`, which `config.json` names for the login at `{host}`, cannot be started: {error}"),
            )),
            Err(Silence::Failed(status)) => {
                Err(no(Why::Denied, format!("`{program}` has no login for `{host}` to give ({status})")))
            }
        }
    }
}

/// Why a helper gave nothing.
enum Silence {
    /// It knows no login.
    Nobody,
    Late,
    Absent(std::io::Error),
    Failed(std::process::ExitStatus),
}

/// The names under which a login at a registry may be kept, its own first.
fn names(host: &str) -> Vec<String> {
    let mut names = vec![host.to_owned()];
    names.extend(["", "/", "/v1/", "/v2/"].map(|path| format!("https://{host}{path}")));
    if HUB.contains(&host) {
        names.push(HUB_LOGIN.to_owned());
    }
    names
}

fn run(program: &str, asked: &str, patience: Duration) -> Result<Vec<u8>, Silence> {
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(Silence::Absent)?;
    let (to, from) = (child.stdin.take(), child.stdout.take());
    let (told, said) = mpsc::channel();
    let asked = asked.to_owned();
    // What it starts may hold the pipe for longer than it lives: nobody waits for this thread.
    let talk = thread::Builder::new().name("key-chain".into()).spawn(move || {
        // One that ends without reading says why by how it ends.
        to.into_iter().for_each(|mut to| drop(to.write_all(asked.as_bytes())));
        let mut text = Vec::new();
        from.into_iter().for_each(|from| drop(from.take(LONGEST).read_to_end(&mut text)));
        // Whoever asked has gone away when it took too long.
        let _ = told.send(text);
    });
    talk.map_err(Silence::Absent)?;
    let Ok(text) = said.recv_timeout(patience) else {
        drop(child.kill());
        drop(child.wait());
        return Err(Silence::Late);
    };
    let status = child.wait().map_err(Silence::Absent)?;
    match status.success() {
        true => Ok(text),
        false if String::from_utf8_lossy(&text).contains("credentials not found") => Err(Silence::Nobody),
        false => Err(Silence::Failed(status)),
    }
}

fn read(said: &[u8]) -> Option<Shown> {
    let said: Json = serde_json::from_slice(said).ok()?;
    let (user, secret) = (said["Username"].as_str()?, said["Secret"].as_str()?);
    match user {
        TOKEN => Some(Shown::Identity(secret.to_owned())),
        _ => Some(Shown::Basic(STANDARD.encode(format!("{user}:{secret}")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a registry is shown by this `config.json`.
    fn shown(config: &str, host: &str) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("config.json"), config).expect("written");
        let logins = Logins { folder: Some(folder.path().to_owned()), patience: None };
        let found = logins.at(host).map_err(|error| error.text)?;
        Ok(found.map(|shown| match shown {
            Shown::Basic(text) => format!("basic {text}"),
            Shown::Identity(text) => format!("identity {text}"),
        }))
    }

    #[test]
    fn a_login_is_found_under_each_name_that_tools_give_a_registry() {
        for name in ["r.example", "https://r.example", "https://r.example/", "https://r.example/v1/"] {
            let config = format!(r#"{{"auths":{{"{name}":{{"auth":"YTpi"}}}}}}"#);
            assert_eq!(shown(&config, "r.example"), Ok(Some("basic YTpi".to_owned())), "{name}");
            assert_eq!(shown(&config, "s.example"), Ok(None), "{name}");
        }
        let hub = format!(r#"{{"auths":{{"{HUB_LOGIN}":{{"auth":"YTpi"}}}}}}"#);
        assert_eq!(shown(&hub, "docker.io"), Ok(Some("basic YTpi".to_owned())));
        assert_eq!(shown(&hub, "r.example"), Ok(None));
        let token = r#"{"auths":{"r.example":{"auth":"YTpi","identitytoken":"long"}}}"#;
        assert_eq!(shown(token, "r.example"), Ok(Some("identity long".to_owned())));
    }

    #[test]
    fn what_cannot_be_read_or_started_is_told_and_nobody_is_signed_in_without_a_file() {
        assert!(Logins::default().at("r.example").expect("nobody").is_none());
        assert!(shown("{", "r.example").expect_err("broken").contains("cannot be read as JSON"));
        let path = r#"{"credsStore":"../../bin/sh"}"#;
        assert!(shown(path, "r.example").expect_err("no name").contains("cannot be the name of a program"));
        let gone = r#"{"credHelpers":{"r.example":"there-is-none"}}"#;
        let why = shown(gone, "r.example").expect_err("not there");
        assert!(why.starts_with("`docker-credential-there-is-none`, which `config.json` names"), "{why}");
        assert_eq!(shown(gone, "s.example"), Ok(None), "another registry has no key chain");
        assert_eq!(shown(r#"{"auths":{"r.example":{}}}"#, "r.example"), Ok(None));
    }

    #[test]
    fn what_a_helper_says_is_read() {
        let of = |text: &str| match read(text.as_bytes()) {
            Some(Shown::Basic(text)) => format!("basic {text}"),
            Some(Shown::Identity(text)) => format!("identity {text}"),
            None => "nothing".to_owned(),
        };
        assert_eq!(of(r#"{"ServerURL":"r","Username":"ada","Secret":"password"}"#), "basic YWRhOnBhc3N3b3Jk");
        assert_eq!(of(r#"{"Username":"<token>","Secret":"long"}"#), "identity long");
        for text in ["", "{}", "[]", r#"{"Username":"ada"}"#, "not json"] {
            assert_eq!(of(text), "nothing", "{text}");
        }
    }
}
