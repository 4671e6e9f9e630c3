//! The binary `stepwise`: the daemon, and the commands that talk to one.
//!
//! It names everything and decides nothing: `cli` reads the command line, `assemble` builds a daemon out of the other
//! crates, `client` is the way to a daemon that runs. Results go to stdout, talk to stderr.

mod assemble;
mod carriers;
mod cli;
mod client;
mod config;
mod output;
mod solution;
mod telemetry;
mod threads;
mod tls;
mod trouble;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            trouble.print();
            ExitCode::from(trouble.exit as u8)
        }
    }
}
