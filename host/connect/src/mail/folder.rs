//! A courier for one machine: each mail becomes a file of a folder, as a server would get it. Nobody else gets it.
//!
//! A file is named by the date of the mail and its record, so a mail that is carried twice is one file. Who the mail goes
//! to, blind copies too, stands in heads of its own before those of the message.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use model::parcel::{Courier, Fate, Parcel};

use super::message;

/// Keeps mail as files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Keeps mail in the folder `path`, which is made with the first one.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn keep(&self, parcel: &Parcel) -> Result<PathBuf, String> {
        let message = message::of(parcel)?;
        let moment: String = parcel.date.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("{moment}-{}.eml", parcel.email.id);
        let open = parcel.open.iter().map(|address| format!("X-Envelope-To: {address}\r\n"));
        let head = format!("X-Envelope-From: {}\r\n{}", parcel.from.address, open.collect::<String>());
        write(&self.path, &name, &[head.as_bytes(), &message])
            .map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

impl Courier for Folder {
    fn carry(&self, parcel: &Parcel) -> Vec<Fate> {
        let fate = match self.keep(parcel) {
            Ok(file) => {
                tracing::info!(file = %file.display(), "mail kept in a file");
                Fate::Delivered
            }
            Err(why) => Fate::Deferred(why.into()),
        };
        vec![fate; parcel.open.len()]
    }
}

/// Whole or not at all: whoever looks into the folder sees no half of a mail.
fn write(folder: &Path, name: &str, parts: &[&[u8]]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let (file, rough) = (folder.join(name), folder.join(format!(".{name}.part")));
    fs::write(&rough, parts.concat())?;
    fs::rename(&rough, &file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::message::tests::parcel;

    #[test]
    fn a_mail_that_is_carried_twice_is_one_file_that_names_who_gets_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = Folder::new(dir.path().join("mail"));
        let parcel = parcel("Ada", "Hello", "There");
        for _ in 0..2 {
            assert_eq!(folder.carry(&parcel), [Fate::Delivered, Fate::Delivered]);
        }
        let files: Vec<_> = fs::read_dir(dir.path().join("mail")).expect("a folder").flatten().collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(files[0].file_name(), "20261120T090000Z-00000000-0000-0000-0000-000000000000.eml");
        let text = fs::read_to_string(files[0].path()).expect("a file");
        assert!(text.starts_with("X-Envelope-From: desk@example.org\r\nX-Envelope-To: ada@example.org\r\n"), "{text}");
        assert!(text.contains("X-Envelope-To: hidden@example.org\r\n") && text.ends_with("There\r\n"), "{text:?}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_keeps_the_mail_waiting_and_says_why() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("mail");
        fs::write(&file, "in the way").expect("a file");
        let fates = Folder::new(&file).carry(&parcel("Ada", "Hello", "There"));
        assert!(matches!(&fates[..], [Fate::Deferred(why), _] if why.contains("mail: ")), "{fates:?}");
    }
}
