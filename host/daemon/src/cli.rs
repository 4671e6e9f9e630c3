//! The command line: what may be typed, and which room does it.
//!
//! One room for each command. Flags that every command takes (`Connection`) say where the daemon is and who asks.

mod access;
mod apply;
mod audit;
mod compile;
mod config;
mod daemon;
mod demo;
mod export;
mod fmt;
mod import;
mod job;
mod mail;
mod people;
mod plugin;
mod process;
mod role;
mod script;
mod shell;
mod team;
mod tls;
mod token;
mod unit;
mod user;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::{output::Output, trouble::Trouble};

/// What a daemon starts itself with to have a component compiled.
pub const COMPILE: &str = "compile-component";

/// Runs business processes over records: a record changes, processes react, custom steps run, nothing is lost.
#[derive(Debug, Parser)]
#[command(name = "stepwise", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: Connection,
}

/// Where the daemon is, who asks, and in which form the answer comes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The address of the daemon; http://127.0.0.1:8420 unless the data directory knows another
    #[arg(long, global = true, env = "STEPWISE_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// A file with the token to sign in with
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The token to sign in with
    #[arg(skip = std::env::var("STEPWISE_TOKEN").ok())]
    pub token: Option<String>,
    /// The data directory of the daemon; client commands find its address and token there
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// A file with the certificates to trust, in PEM, instead of those that the web trusts
    #[arg(long, global = true, env = "STEPWISE_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The form of results on stdout
    #[arg(long, short, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a daemon to try things with: makes the data directory, a sample organisation and a token
    Dev(Dev),
    /// Start the daemon
    Serve(Serve),
    /// Apply a solution directory: all of it or nothing
    Apply(apply::Apply),
    /// Write the files of a solution, or of all, into a directory
    Export(export::Export),
    /// Write the files of a solution directory in canonical form, without a daemon
    Fmt(fmt::Fmt),
    /// Import rows of a CSV file; a second import changes nothing
    Import(import::Import),
    /// Jobs: background runs of processes
    #[command(subcommand)]
    Job(job::Job),
    /// Mail that has not reached everybody yet
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Processes
    #[command(subcommand)]
    Process(process::Process),
    /// Who may do what with a record, and why
    #[command(subcommand)]
    Access(access::Access),
    /// The configuration of a daemon: show it, check it
    #[command(subcommand)]
    Config(config::Config),
    /// Who did what, who signed in, who was refused
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Users
    #[command(subcommand)]
    User(user::User),
    /// Teams
    #[command(subcommand)]
    Team(team::Team),
    /// Roles
    #[command(subcommand)]
    Role(role::Role),
    /// Business units
    #[command(subcommand)]
    Unit(unit::Unit),
    /// Plugins: libraries of custom steps
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Scripts
    #[command(subcommand)]
    Script(script::Script),
    /// Tokens of programs and secrets of applications
    #[command(subcommand)]
    Token(token::Token),
    /// Certificates for trying things over TLS
    #[command(subcommand)]
    Tls(tls::Tls),
    /// Type the language of scenario pages, or run a file of it
    Shell(shell::Shell),
    /// Compile the component on the standard input: what a daemon starts itself again for
    #[command(hide = true, name = COMPILE)]
    Compile(compile::Compile),
    /// Run the example on a daemon and show what came out: what `cargo xtask demo` calls
    #[command(hide = true)]
    Demo(demo::Demo),
}

/// How a daemon starts.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The certificate to show, in PEM, with those that it rests on
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// A proxy in front does TLS and is trusted
    #[arg(long)]
    pub behind_proxy: bool,
}

/// How a daemon to try things with starts.
#[derive(Debug, Args)]
pub struct Dev {
    #[command(flatten)]
    serve: Serve,
    /// Speak TLS with a certificate for this machine, made where there is none
    #[arg(long)]
    tls: bool,
    /// A component or a plugin's folder to follow: each build is installed with all that it asks for. Files that plugins
    /// were installed from are followed by themselves
    #[arg(long, value_name = "PATH")]
    watch: Vec<PathBuf>,
}

/// Does what the command line says.
pub fn run(cli: Cli) -> Result<(), Trouble> {
    let connection = &cli.connection;
    match cli.command {
        Command::Dev(serve) => daemon::dev(&serve, connection),
        Command::Serve(serve) => daemon::serve(&serve, connection),
        Command::Apply(apply) => apply.run(connection),
        Command::Export(export) => export.run(connection),
        Command::Fmt(fmt) => fmt.run(connection),
        Command::Import(import) => import.run(connection),
        Command::Job(job) => job.run(connection),
        Command::Mail(mail) => mail.run(connection),
        Command::Process(process) => process.run(connection),
        Command::Access(access) => access.run(connection),
        Command::Config(config) => config.run(connection),
        Command::Audit(audit) => audit.run(connection),
        Command::User(user) => user.run(connection),
        Command::Team(team) => team.run(connection),
        Command::Role(role) => role.run(connection),
        Command::Unit(unit) => unit.run(connection),
        Command::Plugin(plugin) => plugin.run(connection),
        Command::Script(script) => script.run(connection),
        Command::Tls(tls) => tls.run(connection),
        Command::Token(token) => token.run(connection),
        Command::Shell(shell) => shell.run(connection),
        Command::Compile(compile) => compile.run(),
        Command::Demo(demo) => demo.run(connection),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_is_one_that_can_be_typed() {
        Cli::command().debug_assert();
    }
}
