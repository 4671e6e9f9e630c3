//! The figures: a release build of the workloads in `tests`, run one after the other. `peers` is one of its own: what others take
//! for the same call.

use std::path::PathBuf;

use anyhow::Result;

use crate::build::{self, cargo};

/// Where Extism's plugins run; not where ours do.
const PEER_GUEST: &str = "wasm32-unknown-unknown";

/// Runs the workloads that are named, or all.
pub fn run(arguments: &[String]) -> Result<bool> {
    build::guest_target()?;
    if let [name, ..] = arguments
        && name == "peers"
    {
        return peers();
    }
    let mut command = cargo(&["bench", "--locked", "--package", "tests", "--bench", "figures", "--"]);
    Ok(command.args(arguments).status()?.success())
}

/// Builds the peers, which are a workspace of their own, and has them called.
fn peers() -> Result<bool> {
    let ours = build::plugin("evil")?;
    build::target_of_rust(PEER_GUEST)?;
    build::say("building the peers (the first time this takes some minutes)");
    let manifest = build::root().join("tests/peers/Cargo.toml");
    let target = build::target().join("peers");
    let peer = |arguments: &[&str]| {
        let mut command = cargo(arguments);
        command.arg("--locked").arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&target);
        command
    };
    build::run(&mut peer(&["build", "--profile", "guest", "--target", PEER_GUEST, "--package", "peer-guest"]))?;
    let theirs: PathBuf = target.join(PEER_GUEST).join("guest/peer_guest.wasm");
    Ok(peer(&["run", "--release", "--package", "peers"]).arg("--").arg(ours).arg(theirs).status()?.success())
}
