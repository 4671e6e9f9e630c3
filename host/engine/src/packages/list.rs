//! The plugins that are installed, as people and programs see them.

use model::{Caller, Digest, Timestamp, consent::Consent, package::Manifest, step::Installed};
use semver::Version;
use smol_str::{SmolStr, format_smolstr};
use store::{
    Reader,
    packages::{self as rows, Install, Kind},
};

use super::{CallFigures, Compiles, Resting, load, quarantine::counted};
use crate::{Engine, Failure, catalogue};

/// An installed version of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginState {
    /// Its library.
    pub library: SmolStr,
    /// Its version.
    pub version: Version,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// What it says of itself; absent where it cannot be made ready.
    pub manifest: Option<Manifest>,
    /// How its compiling stands, where its compiled form is missing.
    pub compiles: Option<Compiles>,
    /// Where it was taken from; empty where nobody said.
    pub origin: SmolStr,
    /// The solution that brought it; empty where a person installed it.
    pub solution: SmolStr,
    /// The key by which it was signed; empty where it was not.
    pub signed_by: SmolStr,
    /// When it was installed.
    pub installed_on: Timestamp,
    /// Why it is not called, while it is not.
    pub quarantined: Option<SmolStr>,
    /// How it stands while it is not called, or called on probation.
    pub resting: Option<Resting>,
    /// Since when new runs do not use it any more.
    pub withdrawn: Option<Timestamp>,
    /// What it asks for.
    pub asked: Consent,
    /// What its library was granted.
    pub granted: Consent,
    /// What it asks for and was not granted.
    pub lacking: Consent,
    /// The active processes whose new runs use it.
    pub used_by: Vec<SmolStr>,
    /// What its calls came to since the daemon started.
    pub figures: CallFigures,
}

/// Where an installed version came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginOrigin {
    /// Library and version.
    pub name: SmolStr,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The file or the address; empty where nobody said.
    pub origin: SmolStr,
    /// Whether new runs may use it.
    pub stands: bool,
}

impl Engine {
    /// Where the installed plugins came from: their rows alone, so that it may be asked often.
    pub fn plugin_origins(&self) -> Result<Vec<PluginOrigin>, Failure> {
        let (_, snapshot) = self.state()?;
        let plugins = rows::all(&snapshot)?.into_iter().filter(|install| install.kind == Kind::Plugin);
        let origins = plugins.map(|install| PluginOrigin {
            name: format_smolstr!("{} {}", install.library, install.version),
            digest: install.package,
            origin: install.origin,
            stands: install.withdrawn.is_none(),
        });
        Ok(origins.collect())
    }

    /// The plugins that are installed, by library, the newest version first.
    pub fn plugins(&self, _: &Caller) -> Result<Vec<PluginState>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let mut states = Vec::new();
        for install in rows::all(&snapshot)?.into_iter().filter(|install| install.kind == Kind::Plugin) {
            let Ok(version) = Version::parse(&install.version) else { continue };
            let compiles = match self.parts.runner.is_ready(install.package) {
                true => None,
                false => catalogue.standing.compiling.stands(install.package),
            };
            let manifest = self.loaded(&snapshot, &install)?.map(|found| found.manifest);
            let asked = manifest.as_ref().map(Consent::of_package).unwrap_or_default();
            let granted = catalogue.standing.consent(&install.library);
            let health = &catalogue.standing.health;
            let resting = catalogue.standing.resting(install.package);
            let resting = resting.map(|resting| counted(resting, &snapshot, install.package)).transpose()?;
            states.push(PluginState {
                lacking: granted.lacking(&asked),
                used_by: self.users_of(install.package),
                figures: health.figures(install.package),
                quarantined: resting.as_ref().filter(|one| one.probation.is_none()).map(|one| one.why.clone()),
                resting,
                library: install.library,
                version,
                digest: install.package,
                manifest,
                compiles,
                origin: install.origin,
                solution: install.solution,
                signed_by: install.signed_by,
                installed_on: install.installed_on,
                withdrawn: install.withdrawn,
                asked,
                granted,
            });
        }
        states.sort_by(|one, other| (&one.library, &other.version).cmp(&(&other.library, &one.version)));
        Ok(states)
    }

    /// How many files of compiled code are kept, and their bytes.
    pub fn compiled_code(&self) -> (u64, u64) {
        let (files, bytes) = self.parts.runner.kept();
        metrics::gauge!("stepwise_plugin_cache_bytes").set(bytes as f64);
        (files, bytes)
    }

    /// An installed component, if it can be made ready.
    pub(super) fn loaded(&self, reader: &dyn Reader, install: &Install) -> Result<Option<Installed>, Failure> {
        match load(&self.parts, reader, install, &self.schema()) {
            Ok(loaded) => Ok(Some(Installed { digest: install.package, manifest: loaded.manifest })),
            Err(error @ crate::Error::Store(_)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// The active processes whose new runs call this code.
    pub(crate) fn users_of(&self, digest: Digest) -> Vec<SmolStr> {
        self.users_where(|step| catalogue::digest(&step.code) == digest)
    }

    /// The active processes whose new runs call this library.
    pub(super) fn users(&self, library: &str) -> Vec<SmolStr> {
        self.users_where(|step| step.definition.name.library() == library)
    }

    fn users_where(&self, is_meant: impl Fn(&crate::Step) -> bool) -> Vec<SmolStr> {
        let catalogue = self.catalogue();
        let active = catalogue.processes().filter_map(|process| Some((process, process.activation.as_ref()?)));
        let using = active.filter(|(_, active)| active.pins.all().any(|(_, step)| is_meant(step)));
        let mut names: Vec<SmolStr> = using.map(|(process, _)| process.name.as_str().into()).collect();
        names.sort();
        names
    }
}
