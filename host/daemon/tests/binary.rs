//! The binary itself. Everything about what it does is tested in `tests/it`; that this test exists makes cargo build the
//! binary with every run of all tests, for those there to start.

use std::process::Command;

#[test]
fn the_binary_says_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_stepwise")).arg("--version").output().expect("the binary starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), concat!("stepwise ", env!("CARGO_PKG_VERSION")));
}
