//! `stepwise dev` and `stepwise serve`: a daemon from its configuration to its end.

use std::path::Path;

use super::{Connection, Dev, Serve};
use crate::{
    assemble::{self, Daemon},
    client::{SETUP_FILE, TOKEN_FILE},
    config::{Config, Flags},
    output, telemetry,
    tls::{self, Files},
    trouble::Trouble,
};

/// A daemon to try things with: no configuration, a sample organisation, a token in a file.
pub fn dev(dev: &Dev, connection: &Connection) -> Result<(), Trouble> {
    let (config, mut daemon) = start(&dev.serve, connection, Path::new("./stepwise-data"), Some(dev.tls))?;
    daemon.watch(dev.watch.clone())?;
    let token = config.data_dir.join(TOKEN_FILE);
    let directory = config.data_dir.display();
    let mail = match (&config.mail, &config.mail_dir) {
        (Some(mail), _) => format!("goes to {} port {}", mail.server.host, mail.server.port),
        (None, folder) => format!("{}, as files", folder.as_deref().unwrap_or(Path::new("-")).display()),
    };
    let (url, executable) = (daemon.url(), executable());
    output::line(&format!(
        "Stepwise runs at {url}\n\
         \x20 data API   {url}/api/data/v9.2/\n\
         \x20 health     {url}/healthz  {url}/readyz  {url}/metrics\n\
         \x20 mail       {mail}\n\
         \x20 token      {}\n\
         \x20 data       {directory}\n\
         \n\
         next, in another terminal:\n\
         \x20 {executable} job list --data-dir {directory}\n",
        token.display()
    ))?;
    run(&dev.serve, connection, "./stepwise-data", config.clone(), daemon)
}

/// The daemon.
pub fn serve(serve: &Serve, connection: &Connection) -> Result<(), Trouble> {
    let (config, daemon) = start(serve, connection, Path::new("/var/lib/stepwise"), None)?;
    if let Some(link) = daemon.setup_link() {
        output::line(&format!(
            "nobody can sign in yet; set the first name and password within half an hour, at\n\
             \x20 {link}\n\
             it also stands in {}",
            config.data_dir.join(SETUP_FILE).display()
        ))?;
    }
    run(serve, connection, "/var/lib/stepwise", config, daemon)
}

/// Runs until it is told to stop; what is told by SIGHUP to read its configuration again reads it as at the start.
fn run(
    serve: &Serve,
    connection: &Connection,
    default_dir: &'static str,
    config: Config,
    daemon: Daemon,
) -> Result<(), Trouble> {
    let (flags, own) = (flags(serve, connection), config.tls.clone());
    daemon.run(config, move || {
        let mut next = Config::load(&flags, std::env::vars(), Path::new(default_dir))?;
        // Those of a daemon to try things with stand in no configuration.
        next.tls = next.tls.or_else(|| own.clone().filter(|_| flags.config.is_none()));
        Ok(next)
    })
}

fn flags(serve: &Serve, connection: &Connection) -> Flags {
    let tls = serve.tls_certificate.clone().zip(serve.tls_key.clone());
    Flags {
        config: serve.config.clone(),
        listen: serve.listen,
        data_dir: connection.data_dir.clone(),
        tls: tls.map(|(certificate, key)| Files { certificate, key }),
        behind_proxy: serve.behind_proxy,
    }
}

fn start(
    serve: &Serve,
    connection: &Connection,
    default_dir: &Path,
    // Whether it is one to try things with, and then whether over TLS.
    dev: Option<bool>,
) -> Result<(Config, Daemon), Trouble> {
    let flags = flags(serve, connection);
    let mut config = Config::load(&flags, std::env::vars(), default_dir)?;
    if !config.data_dir.exists() {
        output::say("the first start in a new directory prepares the sandbox, which takes some seconds");
    }
    telemetry::log(&config.log)?;
    if dev == Some(true) && config.tls.is_none() {
        assemble::make_private(&config.data_dir)?;
        config.tls = Some(tls::dev::files(&config.data_dir, false)?);
    }
    if dev.is_some() {
        // What is tried out writes to nobody, unless somebody wants it.
        config.mail_dir = Some(config.data_dir.join("mail"));
    }
    let daemon = assemble::start(&config, dev.is_some())?;
    tracing::info!(url = daemon.url(), data = %config.data_dir.display(), "listening");
    Ok((config, daemon))
}

/// How the reader started this program, so that what is printed can be typed.
fn executable() -> String {
    std::env::args().next().unwrap_or_else(|| "stepwise".to_owned())
}
