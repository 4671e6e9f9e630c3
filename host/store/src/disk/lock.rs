//! The lock beside the store: who else has it open, in words.
//!
//! The system frees the lock when the process ends, however it ends; the file stays and is written anew.

use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::open::private;
use crate::Error;

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the store at `store`, or tells who holds it.
    pub fn take(store: &Path, holder: &str) -> Result<Lock, Error> {
        let path = beside(store);
        let failed = |source| Error::Open { path: path.clone(), source: Arc::new(source) };
        let mut file = private().open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Held { path: store.to_path_buf(), holder: named(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let named = format!("process {} ({holder})\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all(named.as_bytes())).map_err(failed)?;
        Ok(Lock { _file: file })
    }
}

/// How this process was called: the program's name and its command, without options or paths.
pub fn this_process() -> String {
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    match arguments.next().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) {
        Some(command) => format!("{program} {command}"),
        None => program,
    }
}

fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_os_string();
    name.push(".lock");
    name.into()
}

/// What the holder wrote. Empty between his lock and his line, and whatever it says, one line is enough.
fn named(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(200).read_to_string(&mut text));
    match (read, text.lines().next()) {
        (Ok(_), Some(line)) if !line.is_empty() => line.to_string(),
        _ => "another process".to_string(),
    }
}
