//! What the daemon is told: flag, then `STEPWISE_SECTION__KEY`, then a file, then the default.
//!
//! Every key stands once in `KEYS`; an unknown one is an error that names the nearest. Values are read as text from
//! variables and as TOML from files, and both go through the same readers.

mod mail;
mod plugins;
pub mod reload;
pub mod told;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use api::{OidcSettings, Secret};
use model::{
    Span,
    consent::{self, LIMITS},
    process::flow::FlowLimits,
    step::Limits,
};

pub use self::{mail::Mail, plugins::Plugins};
use crate::{
    tls::Files,
    trouble::{Exit, Trouble},
};

/// What the daemon is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where its store is.
    pub data_dir: PathBuf,
    /// The address that clients know.
    pub public_url: Option<String>,
    /// Whether a proxy in front is trusted, and does TLS.
    pub behind_proxy: bool,
    /// Certificate and key, where the daemon itself speaks TLS.
    pub tls: Option<Files>,
    /// The provider of OpenID Connect by which people sign in.
    pub oidc: Option<OidcSettings>,
    /// Where mail goes; absent: it stays in the outbox.
    pub mail: Option<Mail>,
    /// A folder that keeps mail instead, where no server is named.
    pub mail_dir: Option<PathBuf>,
    /// Origins of web pages that may call.
    pub cors_origins: Vec<String>,
    /// The largest body of a data request, in bytes.
    pub body_bytes: usize,
    /// The largest solution or plugin, in bytes.
    pub upload_bytes: usize,
    /// Threads for callers.
    pub interactive: usize,
    /// Threads for jobs.
    pub background: usize,
    /// Bytes of the store's page cache.
    pub cache_bytes: usize,
    /// Where compiled components are kept.
    pub cache_dir: PathBuf,
    /// Who must have signed plugins, what compiling them may cost, when they are called no more.
    pub plugins: Plugins,
    /// Certificates that are trusted beside those of the web, in PEM.
    pub authorities: Option<Vec<u8>>,
    /// Which log lines: `info`, `stepwise=debug`.
    pub log: String,
    /// The organisation's time zone.
    pub time_zone: String,
    /// How long entries of the journal stay; absent: for ever.
    pub journal: Option<Span>,
    /// How much a business process flow may hold, and how many may be active on an entity.
    pub flows: FlowLimits,
    /// The most that a script may give itself of the limits of a call.
    pub scripts: Limits,
}

/// Every key with what it is for.
pub const KEYS: [(&str, &str); 56] = [
    ("server.listen", "address and port, 127.0.0.1:8420"),
    ("server.public_url", "the address that clients know"),
    ("server.behind_proxy", "true where a proxy does TLS and is trusted"),
    ("server.cors_origins", "origins of web pages that may call, separated by commas"),
    ("tls.certificate", "a PEM file with the certificate to show; read again on SIGHUP"),
    ("tls.key", "a PEM file with its key"),
    (
        "tls.authorities",
        "a PEM file with certificates to trust beside those that the web trusts: requests of steps, mail",
    ),
    ("oidc.issuer", "the address of a provider of OpenID Connect, exactly as it calls itself"),
    ("oidc.client_id", "what the provider knows this daemon as"),
    ("oidc.client_secret", "how this daemon proves it; better in a file"),
    ("oidc.client_secret_file", "a file with the secret"),
    ("oidc.claim", "the claim by which a user is known, preferred_username"),
    ("oidc.attribute", "the attribute of the user that has the same value: domainname or internalemailaddress"),
    ("oidc.scopes", "what is asked of the provider, openid profile email"),
    ("oidc.ca_file", "a PEM file with the certificates to trust, where it is none that the web trusts"),
    ("smtp.host", "the server that takes mail; without it mail stays in the outbox"),
    ("smtp.port", "its port: 587, with tls 465, with none 25"),
    ("smtp.security", "none, starttls or tls; starttls"),
    ("smtp.user", "who sends, where the server asks"),
    ("smtp.password", "how he proves it; better in a file"),
    ("smtp.password_file", "a file with the password"),
    ("smtp.ca_file", "a PEM file with the certificates to trust, where it is none that the web trusts"),
    ("smtp.hello", "what this machine calls itself, the host of server.public_url"),
    ("smtp.timeout", "seconds that an answer of the server may take, 60"),
    ("smtp.connections", "mails that are sent at one time, 2"),
    ("store.data_dir", "where the store is"),
    ("store.cache_bytes", "memory for the store's pages"),
    ("plugins.cache_dir", "where compiled components are kept, DATA-DIR/cache; it may be deleted at any time"),
    (
        "plugins.signatures",
        "whose plugins are not signed by a trusted key: off, warn (it is said), remote (refused from addresses) or require; remote",
    ),
    ("plugins.trusted_keys", "public keys of minisign, NAME=KEY, separated by commas"),
    ("plugins.compile_bytes", "the most memory that compiling a component may take, 2 GiB"),
    ("plugins.compile_seconds", "the most processor time of it, 120; three times as much on the wall"),
    ("plugins.quarantine_crashes", "so many breakdowns put a version into quarantine, 20; 0: never"),
    ("plugins.quarantine_window", "within so long, 10 minutes"),
    (
        "plugins.quarantine_pause",
        "after so long one call tries whether it works again, 5 minutes; 0: only a person resumes it",
    ),
    ("plugins.quarantine_longest", "that pause doubles with each trial that breaks down, up to so long, 6 hours"),
    ("limits.body_bytes", "the largest body of a data request"),
    ("limits.upload_bytes", "the largest solution or plugin"),
    ("threads.interactive", "threads for callers, 2 for each core"),
    ("threads.background", "threads for jobs, 1 for each core"),
    ("log.filter", "which log lines: info, stepwise=debug"),
    ("organization.time_zone", "an IANA name, UTC"),
    ("retention.journal", "how long it is kept who changed what: 1 year, or forever"),
    ("flows.stages", "stages of a business process flow, 30; 60 at most"),
    ("flows.steps", "steps of a stage, 30; 200 at most"),
    ("flows.entities", "entities that a flow leads over, 5; 20 at most"),
    ("flows.levels", "how deep branches of a flow lie within branches, 10; 30 at most"),
    ("flows.active", "active flows that begin on one entity, 10; 100 at most"),
    ("scripts.cpu_ms", "milliseconds of computing that a script may give itself for a call, 1000; 60000 at most"),
    ("scripts.wall_ms", "milliseconds on the wall that it may give itself, 120000; 3600000 at most"),
    ("scripts.memory", "bytes of memory that it may give itself, 256 MiB; 1 GiB at most"),
    ("scripts.input", "bytes of inputs that it may give itself, 4 MiB; 64 MiB at most"),
    ("scripts.output", "bytes of outputs that it may give itself, 4 MiB; 64 MiB at most"),
    ("scripts.log", "bytes of log lines that it may give itself, 256 KiB; 16 MiB at most"),
    ("scripts.verb_calls", "verbs and queries that it may give itself, 1024; 1000000 at most"),
    ("scripts.http_calls", "requests to other hosts that it may give itself, 128; 100000 at most"),
];

const PREFIX: &str = "STEPWISE_";

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--tls-certificate` and `--tls-key`
    pub tls: Option<Files>,
    /// `--behind-proxy`
    pub behind_proxy: bool,
}

impl Config {
    /// Reads file and variables and puts the flags above them.
    pub fn load(
        flags: &Flags,
        variables: impl Iterator<Item = (String, String)>,
        default_dir: &Path,
    ) -> Result<Self, Trouble> {
        let mut settings = match &flags.config {
            Some(file) => read_file(file)?,
            None => BTreeMap::new(),
        };
        settings.extend(read_variables(variables)?);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let settings = Settings(settings);
        let mut config = Self {
            listen: settings.parsed("server.listen")?.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8420))),
            data_dir: settings.text("store.data_dir").map_or_else(|| default_dir.to_owned(), PathBuf::from),
            public_url: settings.text("server.public_url").map(str::to_owned),
            behind_proxy: settings.parsed("server.behind_proxy")?.unwrap_or(false),
            tls: settings.files()?,
            oidc: settings.oidc()?,
            mail: mail::read(&settings)?,
            mail_dir: None,
            cors_origins: settings.list("server.cors_origins"),
            body_bytes: settings.parsed("limits.body_bytes")?.unwrap_or(1 << 20),
            upload_bytes: settings.parsed("limits.upload_bytes")?.unwrap_or(64 << 20),
            interactive: settings.parsed("threads.interactive")?.unwrap_or(2 * cores).max(1),
            background: settings.parsed("threads.background")?.unwrap_or(cores).max(1),
            cache_bytes: settings.parsed("store.cache_bytes")?.unwrap_or(64 << 20),
            cache_dir: PathBuf::new(),
            plugins: plugins::read(&settings)?,
            authorities: settings.authorities()?,
            log: settings.text("log.filter").unwrap_or("info").to_owned(),
            time_zone: settings.text("organization.time_zone").unwrap_or("UTC").to_owned(),
            journal: settings.journal()?,
            flows: settings.flows()?,
            scripts: settings.scripts()?,
        };
        config.tls = flags.tls.clone().or(config.tls);
        config.behind_proxy |= flags.behind_proxy;
        config.listen = flags.listen.unwrap_or(config.listen);
        config.data_dir = flags.data_dir.clone().unwrap_or(config.data_dir);
        let cache_dir = settings.text("plugins.cache_dir").map(PathBuf::from);
        config.cache_dir = cache_dir.unwrap_or_else(|| config.data_dir.join("cache"));
        config.check()
    }

    /// Another address than this machine's own needs something that does TLS.
    fn check(self) -> Result<Self, Trouble> {
        if self.listen.ip().is_loopback() || self.behind_proxy || self.tls.is_some() {
            return Ok(self);
        }
        let message =
            format!("{} can be reached from outside, and tokens would cross the network in clear", self.listen);
        Err(Trouble::new(Exit::Configuration, message)
            .hint("listen on 127.0.0.1, give tls.certificate and tls.key, or --behind-proxy where a proxy does TLS"))
    }
}

struct Settings(BTreeMap<String, String>);

impl Settings {
    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn parsed<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, Trouble> {
        let wrong = |text: &str| {
            let what = KEYS.iter().find(|(known, _)| *known == key).map_or("", |(_, what)| what);
            Trouble::new(Exit::Configuration, format!("`{key}` cannot be `{text}`")).hint(format!("{key}: {what}"))
        };
        self.text(key).map(|text| text.trim().parse().map_err(|_| wrong(text))).transpose()
    }

    /// How much flows may hold: from 1 to what their instances have room for.
    fn flows(&self) -> Result<FlowLimits, Trouble> {
        let mut limits = FlowLimits::default();
        for (key, figure, most) in limits.named() {
            let Some(said) = self.parsed::<usize>(key)? else { continue };
            if !(1..=most).contains(&said) {
                let message = format!("`{key}` cannot be `{said}`");
                return Err(Trouble::new(Exit::Configuration, message).hint(format!("it is 1 to {most}")));
            }
            *figure = said;
        }
        Ok(limits)
    }

    /// The most that scripts may give themselves.
    fn scripts(&self) -> Result<Limits, Trouble> {
        let mut limits = consent::limits_of(&Limits::OF_SCRIPTS.all());
        for (limit, most) in LIMITS {
            let key = format!("scripts.{}", limit.replace('-', "_"));
            let Some(said) = self.parsed::<u64>(&key)? else { continue };
            if !(1..=most).contains(&said) {
                let message = format!("`{key}` cannot be `{said}`");
                return Err(Trouble::new(Exit::Configuration, message).hint(format!("it is 1 to {most}")));
            }
            limits.insert(limit.into(), said);
        }
        Ok(consent::changes_of(&limits).over(Limits::OF_SCRIPTS))
    }

    /// How long entries of the journal stay.
    fn journal(&self) -> Result<Option<Span>, Trouble> {
        match self.text("retention.journal").map(str::trim) {
            None => Ok(Some(Span::from_months(12))),
            Some("forever") => Ok(None),
            Some(text) => formats::duration::parse(text).map(Some).map_err(|problem| {
                Trouble::new(Exit::Configuration, format!("`retention.journal`: {problem}"))
                    .hint("write `90 days`, `1 year` or `forever`")
            }),
        }
    }

    /// The provider, where one is named; its other keys make no sense without.
    fn oidc(&self) -> Result<Option<OidcSettings>, Trouble> {
        let trouble = |message: String| Trouble::new(Exit::Configuration, message);
        let Some(issuer) = self.text("oidc.issuer") else {
            return match self.0.keys().find(|key| key.starts_with("oidc.")) {
                Some(key) => Err(trouble(format!("`{key}` makes no sense without `oidc.issuer`"))),
                None => Ok(None),
            };
        };
        let read = |key: &str| {
            let file = self.text(key).map(Path::new);
            let wrong = |file: &Path, error| trouble(format!("`{key}`: {}: {error}", file.display()));
            file.map(|file| std::fs::read(file).map_err(|error| wrong(file, error))).transpose()
        };
        let in_file = read("oidc.client_secret_file")?.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        let secret = self.text("oidc.client_secret").map(str::to_owned).or(in_file);
        let or = |key: &str, default: &str| self.text(key).unwrap_or(default).to_owned();
        let client_id = self.text("oidc.client_id").ok_or_else(|| trouble("`oidc.client_id` is missing".to_owned()))?;
        let attribute = or("oidc.attribute", "domainname");
        if !["domainname", "internalemailaddress"].contains(&attribute.as_str()) {
            return Err(trouble(format!("`oidc.attribute` cannot be `{attribute}`"))
                .hint("users are found by domainname or internalemailaddress"));
        }
        Ok(Some(OidcSettings {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: Secret::new(secret.unwrap_or_default()),
            scopes: or("oidc.scopes", "openid profile email"),
            claim: or("oidc.claim", "preferred_username"),
            attribute,
            roots: read("oidc.ca_file")?,
        }))
    }

    /// Certificate and key: both or none.
    fn files(&self) -> Result<Option<Files>, Trouble> {
        match (self.text("tls.certificate"), self.text("tls.key")) {
            (Some(certificate), Some(key)) => Ok(Some(Files { certificate: certificate.into(), key: key.into() })),
            (None, None) => Ok(None),
            _ => Err(Trouble::new(Exit::Configuration, "`tls.certificate` and `tls.key` belong together")),
        }
    }

    /// The certificates that are trusted beside those of the web.
    fn authorities(&self) -> Result<Option<Vec<u8>>, Trouble> {
        let pem = self.bytes("tls.authorities")?;
        let wrong = |error| Trouble::new(Exit::Configuration, format!("`tls.authorities`: {error}"));
        connect::Client::trusting(pem.as_deref()).map_err(wrong)?;
        Ok(pem)
    }

    /// What is in the file that a key names.
    fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let Some(file) = self.text(key).map(Path::new) else { return Ok(None) };
        let wrong = |error| Trouble::new(Exit::Configuration, format!("`{key}`: {}: {error}", file.display()));
        std::fs::read(file).map(Some).map_err(wrong)
    }

    fn list(&self, key: &str) -> Vec<String> {
        let items = self.text(key).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

fn read_file(file: &Path) -> Result<BTreeMap<String, String>, Trouble> {
    let wrong = |message: String| Trouble::new(Exit::Configuration, format!("{}: {message}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| wrong(error.to_string().trim().to_owned()))?;
    let mut settings = BTreeMap::new();
    for (section, inner) in &table {
        let inner = inner.as_table().ok_or_else(|| wrong(format!("`{section}` is a section: write `[{section}]`")))?;
        for (key, value) in inner {
            let key = format!("{section}.{key}");
            known(&key).map_err(|trouble| Trouble {
                message: format!("{}: {}", file.display(), trouble.message),
                ..trouble
            })?;
            settings.insert(key, in_text(value));
        }
    }
    Ok(settings)
}

fn in_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(in_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// `STEPWISE_SERVER__LISTEN` is `server.listen`; variables without the double line are the client's.
fn read_variables(variables: impl Iterator<Item = (String, String)>) -> Result<BTreeMap<String, String>, Trouble> {
    let mut settings = BTreeMap::new();
    for (name, value) in variables {
        let Some((section, key)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__")) else { continue };
        let key = format!("{}.{}", section.to_lowercase(), key.to_lowercase());
        known(&key).map_err(|trouble| Trouble { message: format!("{name}: {}", trouble.message), ..trouble })?;
        settings.insert(key, value);
    }
    Ok(settings)
}

fn known(key: &str) -> Result<(), Trouble> {
    if KEYS.iter().any(|(known, _)| *known == key) {
        return Ok(());
    }
    let nearest = KEYS.iter().map(|(known, _)| (distance(known, key), *known)).min();
    let trouble = Trouble::new(Exit::Configuration, format!("there is no setting `{key}`"));
    Err(match nearest {
        Some((distance, near)) if distance <= key.len() / 2 => trouble.hint(format!("did you mean `{near}`?")),
        _ => trouble.hint(format!("the settings are {}", KEYS.map(|(key, _)| key).join(", "))),
    })
}

/// How many letters have to be put in, taken out or exchanged.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, against) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != *against);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) fn load(file: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Config, Trouble> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("config.toml");
        std::fs::write(&path, file).expect("a file");
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(&Flags { config: Some(path), ..flags }, variables, Path::new("data"))
    }

    #[test]
    fn a_flag_goes_before_a_variable_before_the_file_before_the_default() {
        let file = "[server]\nlisten = \"127.0.0.1:1\"\n[threads]\nbackground = 7\n";
        let plain = load(file, &[], Flags::default()).expect("a configuration");
        assert_eq!((plain.listen.port(), plain.background, plain.body_bytes), (1, 7, 1 << 20));
        let variable = [("STEPWISE_SERVER__LISTEN", "127.0.0.1:2"), ("STEPWISE_TOKEN", "x"), ("HOME", "/")];
        assert_eq!(load(file, &variable, Flags::default()).expect("a configuration").listen.port(), 2);
        let flags = Flags { listen: Some(SocketAddr::from(([127, 0, 0, 1], 3))), ..Flags::default() };
        assert_eq!(load(file, &variable, flags).expect("a configuration").listen.port(), 3);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest() {
        let trouble = load("[server]\nlisen = \"x\"\n", &[], Flags::default()).expect_err("trouble");
        assert!(trouble.message.ends_with("there is no setting `server.lisen`"), "{}", trouble.message);
        assert_eq!(trouble.hint.as_deref(), Some("did you mean `server.listen`?"));
        let trouble = load("", &[("STEPWISE_LOG__FILTRE", "x")], Flags::default()).expect_err("trouble");
        assert_eq!(trouble.hint.as_deref(), Some("did you mean `log.filter`?"));
        assert_eq!(trouble.exit, Exit::Configuration);
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_the_key_is_for() {
        let trouble = load("[threads]\nbackground = \"many\"\n", &[], Flags::default()).expect_err("trouble");
        assert_eq!(trouble.message, "`threads.background` cannot be `many`");
        assert_eq!(trouble.hint.as_deref(), Some("threads.background: threads for jobs, 1 for each core"));
    }

    #[test]
    fn a_provider_is_whole_and_its_secret_is_not_shown() {
        let dir = tempfile::tempdir().expect("a directory");
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "open sesame\n").expect("a file");
        let file = format!(
            "[oidc]\nissuer = \"https://id.example\"\nclient_id = \"us\"\nclient_secret_file = \"{}\"\n",
            secret.display()
        );
        let config = load(&file, &[], Flags::default()).expect("a configuration");
        let provider = config.oidc.as_ref().expect("a provider");
        assert_eq!((provider.client_secret.shown(), provider.claim.as_str()), ("open sesame", "preferred_username"));
        assert!(!format!("{config:?}").contains("sesame"));
        for (file, message) in [
            ("[oidc]\nclient_id = \"us\"\n", "`oidc.client_id` makes no sense without `oidc.issuer`"),
            ("[oidc]\nissuer = \"https://id.example\"\n", "`oidc.client_id` is missing"),
        ] {
            assert_eq!(load(file, &[], Flags::default()).expect_err("trouble").message, message);
        }
    }

    #[test]
    fn an_address_for_others_needs_a_proxy() {
        let open = "[server]\nlisten = \"0.0.0.0:8420\"\n";
        assert_eq!(load(open, &[], Flags::default()).expect_err("trouble").exit, Exit::Configuration);
        assert!(load(&format!("{open}behind_proxy = true\n"), &[], Flags::default()).is_ok());
        assert!(load(open, &[], Flags { behind_proxy: true, ..Flags::default() }).is_ok());
        assert!(load(&format!("{open}[tls]\ncertificate = \"c\"\nkey = \"k\"\n"), &[], Flags::default()).is_ok());
        let half = load("[tls]\nkey = \"k\"\n", &[], Flags::default()).expect_err("trouble");
        assert_eq!(half.message, "`tls.certificate` and `tls.key` belong together");
    }
}
