//! `stepwise dev` and `stepwise serve`: a daemon from its configuration to its end.

use std::path::Path;

use super::{Connection, Serve};
use crate::{
    assemble::{self, Daemon},
    client::TOKEN_FILE,
    config::{Config, Flags},
    output, telemetry,
    trouble::Trouble,
};

/// A daemon to try things with: no configuration, a sample organisation, a token in a file.
pub fn dev(serve: &Serve, connection: &Connection) -> Result<(), Trouble> {
    let (config, daemon) = start(serve, connection, Path::new("./stepwise-data"), true)?;
    let token = config.data_dir.join(TOKEN_FILE);
    let directory = config.data_dir.display();
    let (url, executable) = (daemon.url(), executable());
    output::line(&format!(
        "Stepwise runs at {url}\n\
         \x20 data API   {url}/api/data/v9.2/\n\
         \x20 health     {url}/healthz  {url}/readyz  {url}/metrics\n\
         \x20 token      {}\n\
         \x20 data       {directory}\n\
         \n\
         next, in another terminal:\n\
         \x20 {executable} job list --data-dir {directory}\n",
        token.display()
    ))?;
    daemon.run()
}

/// The daemon.
pub fn serve(serve: &Serve, connection: &Connection) -> Result<(), Trouble> {
    let (_, daemon) = start(serve, connection, Path::new("/var/lib/stepwise"), false)?;
    daemon.run()
}

fn start(
    serve: &Serve,
    connection: &Connection,
    default_dir: &Path,
    with_token: bool,
) -> Result<(Config, Daemon), Trouble> {
    let flags = Flags { config: serve.config.clone(), listen: serve.listen, data_dir: connection.data_dir.clone() };
    let config = Config::load(&flags, std::env::vars(), default_dir)?;
    if !config.data_dir.exists() {
        output::say("the first start in a new directory prepares the sandbox, which takes some seconds");
    }
    telemetry::log(&config.log)?;
    let daemon = assemble::start(&config, with_token)?;
    tracing::info!(url = daemon.url(), data = %config.data_dir.display(), "listening");
    Ok((config, daemon))
}

/// How the reader started this program, so that what is printed can be typed.
fn executable() -> String {
    std::env::args().next().unwrap_or_else(|| "stepwise".to_owned())
}
