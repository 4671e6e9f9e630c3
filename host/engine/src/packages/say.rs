//! What operators say to a library: grants, settings, secrets. It holds from the next call on, also for jobs that run.

use model::{Caller, Refusal, TaskName, Timestamp, consent::Consent, package::Manifest};
use smol_str::{SmolStr, format_smolstr};
use store::plugins::{self as rows, Granted, Sealed};

use crate::{Engine, Failure, unit::Unit};

/// The longest setting or secret, in bytes.
const LONGEST: usize = 64 << 10;

/// What is set for a library.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginSettings {
    /// Settings by key.
    pub config: Vec<(SmolStr, SmolStr)>,
    /// Secrets by name, each with the time when it was set. What they are is told to nobody.
    pub secrets: Vec<(SmolStr, Timestamp)>,
}

impl Engine {
    /// Grants more to a library, installed or not yet. Gives all that it has then.
    pub fn grant_plugin(&self, caller: &Caller, library: &str, more: &Consent) -> Result<Consent, Failure> {
        self.say(caller, |unit| {
            let mut consent = of(unit, library)?;
            consent.add(more);
            put(unit, caller, library, &consent)?;
            Ok(consent)
        })
    }

    /// Takes back what was granted: `None` for all of it. Calls that need it are refused from now on, in words; their jobs
    /// are suspended and can be resumed. Gives what is left.
    pub fn revoke_plugin(&self, caller: &Caller, library: &str, less: Option<&Consent>) -> Result<Consent, Failure> {
        self.say(caller, |unit| {
            let mut consent = of(unit, library)?;
            match less {
                Some(less) => consent.remove(less),
                None => consent = Consent::default(),
            }
            put(unit, caller, library, &consent)?;
            Ok(consent)
        })
    }

    /// Sets something for a library; `None` takes it back.
    pub fn set_plugin_config(
        &self,
        caller: &Caller,
        library: &str,
        key: &str,
        value: Option<&str>,
    ) -> Result<(), Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        check(key, value.unwrap_or_default().len())?;
        self.say(caller, |unit| {
            match value {
                Some(value) => rows::put_setting(&mut unit.overlay, library, key, value),
                None => rows::remove_setting(&mut unit.overlay, library, key),
            }
            Ok(())
        })
    }

    /// Keeps a secret for a library, sealed; `None` forgets it.
    pub fn set_plugin_secret(
        &self,
        caller: &Caller,
        library: &str,
        name: &str,
        secret: Option<&[u8]>,
    ) -> Result<(), Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        check(name, secret.map_or(0, <[u8]>::len))?;
        if secret.is_some_and(|secret| std::str::from_utf8(secret).is_err()) {
            return Err(Refusal::Unreadable { what: "the secret".into(), why: "it is no text".into() }.into());
        }
        let seal = self.parts.settings.seal.clone().ok_or_else(|| Refusal::NotPossible {
            verb: "a secret".into(),
            entity: library.into(),
            why: "this daemon has no key to seal it with".into(),
        })?;
        self.say(caller, |unit| {
            match secret {
                Some(secret) => {
                    let bytes = seal.seal(&place(library, name), secret);
                    let sealed = Sealed { library: library.into(), name: name.into(), bytes, on: unit.now };
                    rows::put_secret(&mut unit.overlay, &sealed);
                }
                None => rows::remove_secret(&mut unit.overlay, library, name),
            }
            Ok(())
        })
    }

    /// What is set for a library.
    pub fn plugin_settings(&self, caller: &Caller, library: &str) -> Result<PluginSettings, Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        let (_, snapshot) = self.state()?;
        let config = rows::settings(&snapshot)?.into_iter().filter(|(of, ..)| of == library);
        let secrets = rows::secrets(&snapshot)?.into_iter().filter(|sealed| sealed.library == library);
        Ok(PluginSettings {
            config: config.map(|(_, key, value)| (key, value)).collect(),
            secrets: secrets.map(|sealed| (sealed.name, sealed.on)).collect(),
        })
    }

    fn say<T>(&self, caller: &Caller, act: impl FnMut(&mut Unit) -> Result<T, Failure>) -> Result<T, Failure> {
        self.check_task(caller, &TaskName::INSTALL_PLUGINS)?;
        let _alone = self.deploying.lock();
        self.deploy(act)
    }
}

/// What a sealed secret belongs to: taken elsewhere, it does not open.
pub(super) fn place(library: &str, name: &str) -> String {
    format!("{library}/{name}")
}

fn of(unit: &Unit, library: &str) -> Result<Consent, Failure> {
    check_name("the library", library)?;
    Ok(rows::granted(&unit.overlay, library)?.map(|granted| granted.consent).unwrap_or_default())
}

/// Stages what a library has from now on, where it is something else than before.
pub(super) fn put(unit: &mut Unit, caller: &Caller, library: &str, consent: &Consent) -> Result<(), Failure> {
    let known = rows::granted(&unit.overlay, library)?;
    if known.map_or(consent.is_empty(), |known| known.consent == *consent) {
        return Ok(());
    }
    let granted = Granted { library: library.into(), consent: consent.clone(), by: caller.user, on: unit.now };
    rows::put_granted(&mut unit.overlay, &granted);
    Ok(())
}

/// Grants to a component what comes with its solution.
pub(crate) fn grant_asked(unit: &mut Unit, caller: &Caller, manifest: &Manifest) -> Result<(), Failure> {
    let mut consent = of(unit, &manifest.library)?;
    consent.add(&unit.catalogue.standing.comes_with(manifest));
    put(unit, caller, &manifest.library, &consent)
}

fn check(key: &str, bytes: usize) -> Result<(), Failure> {
    check_name("the key", key)?;
    match bytes > LONGEST {
        true => Err(Refusal::Limit { what: format_smolstr!("the bytes of `{key}`"), limit: LONGEST as u64 }.into()),
        false => Ok(()),
    }
}

fn check_name(what: &str, name: &str) -> Result<(), Failure> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if (1..=50).contains(&name.len()) && name.bytes().all(letter) {
        return Ok(());
    }
    let why = "it is 1 to 50 lower-case letters, digits, `-` and `_`".into();
    Err(Refusal::Unreadable { what: format_smolstr!("{what} `{name}`"), why }.into())
}
