//! Where a component comes from: a file, a plugin's folder, a folder of components, an address, a registry.
//!
//! Addresses are asked here and not by the daemon, which looks at bytes, digest and signature again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use connect::fetch::{self, FetchSettings, Fetched, Fetcher, Logins, Why};
use indicatif::{ProgressBar, ProgressStyle};
use model::Digest;

use super::{build, language::Language};
use crate::trouble::{Exit, Trouble};

/// Where from, and what is held against it.
#[derive(Debug, Args)]
pub struct Source {
    /// A .wasm file; a plugin's folder, which is built; a folder of components; https://HOST/FILE.wasm;
    /// oci://HOST/REPOSITORY:TAG
    #[arg(default_value = ".")]
    source: String,
    /// What the component must be: sha256:...
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<Digest>,
    /// Its signature by minisign; the one beside it, with .minisig behind its name, without this
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Speak HTTP without TLS where the address says so, and to the registry
    #[arg(long)]
    allow_http: bool,
    /// A file with certificates to trust beside those of the web when fetching, in PEM
    #[arg(long, value_name = "FILE")]
    fetch_ca_file: Option<PathBuf>,
}

/// Reads a component when it is its turn.
pub type Turn<'s> = Box<dyn FnOnce() -> Result<Found, Trouble> + 's>;

/// A component, not looked at yet.
pub struct Found {
    /// As people know it.
    pub name: String,
    /// Its bytes.
    pub component: Vec<u8>,
    /// The text of its signature.
    pub signature: Option<String>,
    /// Where it was taken from, as it is kept.
    pub origin: String,
    /// What its bytes must be.
    pub digest: Option<Digest>,
}

impl Source {
    /// Every component that is meant, each read when it is its turn.
    pub fn each(&self) -> Result<Vec<Turn<'_>>, Trouble> {
        if self.source.contains("://") {
            return Ok(vec![Box::new(|| self.fetched())]);
        }
        let path = Path::new(&self.source);
        if !path.is_dir() || Language::of(path).is_some() {
            return Ok(vec![Box::new(move || self.file(path))]);
        }
        let files = components(path)?;
        if files.len() > 1 && (self.digest.is_some() || self.signature.is_some()) {
            let message =
                format!("{} has {} components: a digest or a signature is that of one", path.display(), files.len());
            return Err(Trouble::new(Exit::Usage, message));
        }
        let each = files.into_iter().map(|file| -> Turn<'_> { Box::new(move || self.file(&file)) });
        Ok(each.collect())
    }

    fn file(&self, path: &Path) -> Result<Found, Trouble> {
        let file = if path.is_dir() { build(path)? } else { path.to_owned() };
        let component = read(&file)?;
        let beside = PathBuf::from(format!("{}.minisig", file.display()));
        let beside = Some(beside).filter(|beside| beside.is_file());
        let signature = self.signature.clone().or(beside).map(|file| text(&file)).transpose()?;
        let whole = fs::canonicalize(&file).unwrap_or(file);
        let (name, origin) = (path.display().to_string(), whole.display().to_string());
        self.held(Found { name, component, signature, origin, digest: self.digest })
    }

    fn fetched(&self) -> Result<Found, Trouble> {
        let authorities = self.fetch_ca_file.as_deref().map(read).transpose()?;
        let settings = FetchSettings {
            plain: self.allow_http,
            authorities,
            logins: Logins::of_docker(),
            ..FetchSettings::default()
        };
        let bar = ProgressBar::no_length().with_message(self.source.clone()).with_style(style());
        let fetched = Fetcher::new(settings).and_then(|fetcher| {
            fetcher.fetch(&self.source, &mut |done, whole| {
                whole.into_iter().for_each(|whole| bar.set_length(whole));
                bar.set_position(done);
            })
        });
        bar.finish_and_clear();
        let Fetched { component, signature, origin } = fetched.map_err(|error| self.trouble(&error))?;
        let signature = self.signature.as_deref().map(text).transpose()?.or(signature);
        self.held(Found { name: self.source.clone(), component, signature, origin, digest: self.digest })
    }

    /// The daemon holds it against its digest too; here it is known before anything is sent.
    fn held(&self, found: Found) -> Result<Found, Trouble> {
        let is = connect::fetch::digest(&found.component);
        match self.digest {
            Some(meant) if meant != is => {
                let message = format!("{} is sha256:{is} and not sha256:{meant}; nothing was installed", found.name);
                Err(Trouble::new(Exit::Failed, message))
            }
            _ => Ok(found),
        }
    }

    fn trouble(&self, error: &fetch::Error) -> Trouble {
        let exit = match error.why {
            Why::Address => Exit::Usage,
            Why::Unreachable => Exit::Unreachable,
            Why::Missing => Exit::NotFound,
            Why::Denied => Exit::Permission,
            Why::Unfit => Exit::Failed,
        };
        let trouble = Trouble::new(exit, error.to_string());
        match (error.why, self.allow_http) {
            (Why::Denied, _) => trouble.hint(
                "sign in by `docker login` or `oras login`; its config.json and the key chain that it names are asked",
            ),
            (Why::Address, false) if error.text.contains("without TLS") => trouble.hint("--allow-http, with --digest"),
            _ => trouble,
        }
    }
}

/// The components of a folder, by name.
fn components(dir: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.is_file() && file.extension().is_some_and(|ending| ending == "wasm"));
    files.sort();
    match files.is_empty() {
        true => {
            let message = format!("{} is no plugin's folder and has no components (*.wasm)", dir.display());
            Err(Trouble::new(Exit::NotFound, message).hint("stepwise plugin new NAME --lang rust|js|python|c"))
        }
        false => Ok(files),
    }
}

fn digest(text: &str) -> Result<Digest, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.parse().map_err(|_| "a digest is `sha256:` and 64 digits".to_owned())
}

fn read(file: &Path) -> Result<Vec<u8>, Trouble> {
    fs::read(file).map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", file.display())))
}

fn text(file: &Path) -> Result<String, Trouble> {
    String::from_utf8(read(file)?).map_err(|_| Trouble::failed(format!("{} is no text", file.display())))
}

fn style() -> ProgressStyle {
    let template = "{msg} {bytes} of {total_bytes} {wide_bar} {bytes_per_sec}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
