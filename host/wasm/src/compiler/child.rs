//! The child that compiles one component: limits itself first, reads the component, writes its compiled form, ends.
//!
//! It knows no store, no network and no guest, and runs nothing of what it compiles.

use std::{
    fs,
    io::{self, Read, Write},
};

use crate::machine;

/// Limits this process to so much memory and processor time, compiles the component on the standard input, and writes the
/// compiled form to the standard output. The caller ends the process then; with 1 where there is none, and what this gives
/// on the standard error.
///
/// # Errors
/// The limits cannot be set, the component cannot be compiled, a pipe is broken.
pub fn compile_as_child(memory: u64, seconds: u64) -> Result<(), String> {
    limit(memory, seconds).map_err(|error| format!("the limits cannot be set: {error}"))?;
    let mut component = Vec::new();
    io::stdin().lock().read_to_end(&mut component).map_err(|error| error.to_string())?;
    let engine = machine::for_compiling().map_err(|error| format!("{error:#}"))?;
    let code = engine.precompile_component(&component).map_err(|error| format!("{error:#}"))?;
    io::stdout().lock().write_all(&code).map_err(|error| error.to_string())
}

fn limit(memory: u64, seconds: u64) -> io::Result<()> {
    set(libc::RLIMIT_AS, memory)?;
    set(libc::RLIMIT_CPU, seconds)?;
    set(libc::RLIMIT_CORE, 0)?;
    set(libc::RLIMIT_FSIZE, 0)?;
    set(libc::RLIMIT_NPROC, 0)?;
    // Where the machine itself has no memory left, this goes before anything else; and it waits behind everything else.
    drop(fs::write("/proc/self/oom_score_adj", "1000"));
    stand_back();
    Ok(())
}

#[expect(unsafe_code, reason = "the standard library does not limit processes")]
fn set(what: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the call reads the structure that it is given, which lives until it is back.
    match unsafe { libc::setrlimit(what, &limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[expect(unsafe_code, reason = "the standard library knows no priorities and no parents")]
fn stand_back() {
    // SAFETY: both calls take numbers and touch no memory of ours; where they fail the compiler is only less polite.
    unsafe {
        libc::nice(10);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}
