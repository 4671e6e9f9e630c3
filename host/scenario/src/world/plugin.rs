//! `plugin` lines: what an operator says to a library of custom steps.

use engine::Engine;
use model::{Caller, consent::Consent};
use semver::Version;
use smol_str::SmolStr;

use super::port::no;
use crate::port::No;

/// Says it; gives a line for each thing to show.
pub(super) fn say(
    engine: &Engine,
    caller: &Caller,
    order: &str,
    library: &str,
    words: &[SmolStr],
) -> Result<Vec<String>, No> {
    let consent = || {
        let items = words.iter().map(SmolStr::as_str);
        Consent::from_items(items).map_err(|why| No::new("page", why))
    };
    let version = match words {
        [text] if !matches!(order, "grant" | "revoke") => {
            Some(Version::parse(text).map_err(|why| No::new("page", format!("`{text}` is no version: {why}")))?)
        }
        _ => None,
    };
    let version = version.as_ref();
    let versions = |versions: Vec<Version>| versions.iter().map(ToString::to_string).collect();
    match order {
        "grant" => Ok(engine.grant_plugin(caller, library, &consent()?).map_err(no)?.sentences()),
        "revoke" => Ok(engine.revoke_plugin(caller, library, Some(&consent()?)).map_err(no)?.sentences()),
        "rollback" => {
            let done = engine.roll_back_plugin(caller, library, version).map_err(no)?;
            let by: Vec<&str> = done.used_by.iter().map(SmolStr::as_str).collect();
            Ok(vec![format!("{library} is back at {}, used by {}", done.to, by.join(", "))])
        }
        "uninstall" => Ok(versions(engine.uninstall_plugin(caller, library, version).map_err(no)?.versions)),
        "quarantine" => {
            Ok(versions(engine.quarantine_plugin(caller, library, version, "an operator said so").map_err(no)?))
        }
        "resume" => Ok(versions(engine.resume_plugin(caller, library, version).map_err(no)?)),
        "list" => {
            let plugins = engine.plugins(caller).map_err(no)?.into_iter().filter(|plugin| plugin.library == library);
            Ok(plugins.map(|plugin| told(&plugin)).collect())
        }
        _ => Err(No::new("page", format!("a plugin takes no order `{order}`"))),
    }
}

fn told(plugin: &engine::PluginState) -> String {
    let mut line = format!("{} {}", plugin.library, plugin.version);
    if let Some(why) = &plugin.quarantined {
        line += &format!(", in quarantine: {why}");
    }
    if let Some(resting) = &plugin.resting {
        match (resting.probation, resting.trial) {
            (Some(since), _) => line += &format!(", on probation since {since}"),
            (None, Some(trial)) => line += &format!(", tried again at {trial}"),
            (None, None) => line += ", until it is resumed",
        }
        if resting.jobs > 0 {
            line += &format!(", {} job(s) wait", resting.jobs);
        }
    }
    if plugin.withdrawn.is_some() {
        line += ", withdrawn";
    }
    if !plugin.lacking.is_empty() {
        line += &format!(", lacks {}", plugin.lacking.items().join(" "));
    }
    line
}
