//! The section `plugins` but for its cache: who must have signed a plugin, what compiling may cost, when one that breaks down
//! is called no more.

use engine::{Demand, Quarantine, Trust, TrustedKey};

use super::Settings;
use crate::trouble::{Exit, Trouble};

/// How plugins are treated.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugins {
    /// Whose signatures count, and whether there must be one.
    pub trust: Trust,
    /// The most memory that compiling takes, in bytes.
    pub compile_bytes: u64,
    /// The most processor time, in seconds.
    pub compile_seconds: u64,
    /// When one that breaks down is called no more.
    pub quarantine: Quarantine,
}

/// Compiling needs so much, whatever it compiles.
const LEAST_BYTES: u64 = 256 << 20;

/// The section.
pub(super) fn read(settings: &Settings) -> Result<Plugins, Trouble> {
    let wrong = |message: String| Trouble::new(Exit::Configuration, message);
    let demand = match settings.text("plugins.signatures").map(str::trim) {
        None | Some("remote") => Demand::Remote,
        Some("warn") => Demand::Warn,
        Some("off" | "false") => Demand::Off,
        Some("require") => Demand::Require,
        Some(other) => {
            return Err(wrong(format!("`plugins.signatures` cannot be `{other}`")).hint("off, warn, remote or require"));
        }
    };
    let keys = settings.list("plugins.trusted_keys");
    let keys =
        keys.iter().map(|key| TrustedKey::parse(key).map_err(|why| wrong(format!("`plugins.trusted_keys`: {why}"))));
    let keys: Vec<TrustedKey> = keys.collect::<Result<_, _>>()?;
    if demand == Demand::Require && keys.is_empty() {
        return Err(wrong(
            "`plugins.signatures` is `require`, and no key is trusted: nothing could be installed".into(),
        )
        .hint("plugins.trusted_keys lists the public keys of those who sign plugins"));
    }
    Ok(Plugins {
        trust: Trust { demand, keys },
        compile_bytes: settings.parsed("plugins.compile_bytes")?.unwrap_or(2 << 30).max(LEAST_BYTES),
        compile_seconds: settings.parsed("plugins.compile_seconds")?.unwrap_or(120).max(1),
        quarantine: quarantine(settings)?,
    })
}

fn quarantine(settings: &Settings) -> Result<Quarantine, Trouble> {
    let mut quarantine = engine::Settings::default().quarantine;
    if let Some(crashes) = settings.parsed("plugins.quarantine_crashes")? {
        quarantine.crashes = crashes;
    }
    if let Some(micros) = length(settings, "plugins.quarantine_window")? {
        quarantine.window_micros = micros;
    }
    match settings.text("plugins.quarantine_pause").map(str::trim) {
        Some("0") => quarantine.pause_micros = 0,
        _ => {
            if let Some(micros) = length(settings, "plugins.quarantine_pause")? {
                quarantine.pause_micros = micros;
            }
        }
    }
    match length(settings, "plugins.quarantine_longest")? {
        Some(micros) if micros < quarantine.pause_micros => {
            let message = "`plugins.quarantine_longest` is shorter than `plugins.quarantine_pause`".to_owned();
            return Err(Trouble::new(Exit::Configuration, message).hint("a pause grows up to the longest"));
        }
        Some(micros) => quarantine.longest_micros = micros,
        None => quarantine.longest_micros = quarantine.longest_micros.max(quarantine.pause_micros),
    }
    Ok(quarantine)
}

/// A length of time, in microseconds.
fn length(settings: &Settings, key: &str) -> Result<Option<i64>, Trouble> {
    let Some(text) = settings.text(key) else { return Ok(None) };
    let wrong = |why: String| {
        Trouble::new(Exit::Configuration, format!("`{key}`: {why}")).hint("write `10 minutes` or `1 hour`")
    };
    let span = formats::duration::parse(text).map_err(|why| wrong(why.to_string()))?;
    let micros = i64::from(span.days) * 86_400_000_000 + span.micros;
    let micros = Some(micros).filter(|micros| span.months == 0 && *micros > 0);
    micros.map(Some).ok_or_else(|| wrong(format!("`{text}` has no fixed length")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::load;
    use super::*;
    use crate::config::Flags;

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn what_is_not_said_has_its_default() {
        let plugins = load("", &[], Flags::default()).expect("a configuration").plugins;
        assert_eq!((plugins.trust.demand, plugins.trust.keys.len()), (Demand::Remote, 0));
        assert_eq!((plugins.compile_bytes, plugins.compile_seconds), (2 << 30, 120));
        let minute = 60_000_000;
        let quarantine = Quarantine {
            crashes: 20,
            window_micros: 10 * minute,
            pause_micros: 5 * minute,
            longest_micros: 360 * minute,
        };
        assert_eq!(plugins.quarantine, quarantine);
    }

    #[test]
    fn keys_and_figures_are_read() {
        let file = format!(
            "[plugins]\nsignatures = \"require\"\ntrusted_keys = [\"acme={KEY}\", \"{KEY}\"]\n\
             quarantine_crashes = 3\nquarantine_window = \"1 hour\"\nquarantine_pause = \"10 hours\"\ncompile_seconds = 5\n"
        );
        let plugins = load(&file, &[], Flags::default()).expect("a configuration").plugins;
        let keys: Vec<String> = plugins.trust.keys.iter().map(ToString::to_string).collect();
        assert_eq!(keys, ["acme (key E7620F1842B4E81F)", "key E7620F1842B4E81F"]);
        assert_eq!((plugins.trust.demand, plugins.compile_seconds), (Demand::Require, 5));
        let hour = 3_600_000_000;
        let quarantine =
            Quarantine { crashes: 3, window_micros: hour, pause_micros: 10 * hour, longest_micros: 10 * hour };
        assert_eq!(plugins.quarantine, quarantine);
        let by_hand = load("[plugins]\nquarantine_pause = 0\n", &[], Flags::default()).expect("a configuration");
        assert_eq!(by_hand.plugins.quarantine.pause_micros, 0);
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        for (text, message) in [
            ("signatures = \"maybe\"", "`plugins.signatures` cannot be `maybe`"),
            ("signatures = \"require\"", "no key is trusted: nothing could be installed"),
            ("trusted_keys = \"x\"", "`plugins.trusted_keys`: `x` is no public key of minisign"),
            ("quarantine_window = \"1 month\"", "`plugins.quarantine_window`: `1 month` has no fixed length"),
            ("quarantine_pause = \"soon\"", "`plugins.quarantine_pause`: "),
            ("quarantine_longest = \"1 minute\"", "`plugins.quarantine_longest` is shorter"),
            ("quarantine_crashes = -1", "`plugins.quarantine_crashes` cannot be `-1`"),
        ] {
            let trouble = load(&format!("[plugins]\n{text}\n"), &[], Flags::default()).expect_err(text);
            assert!(trouble.message.contains(message), "{}", trouble.message);
        }
    }
}
