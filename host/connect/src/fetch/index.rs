//! The one manifest of an index that is for WebAssembly, where people push one name for many platforms.

use model::Digest;
use serde_json::Value as Json;

use super::{
    Error, Why, no,
    oci::{Reference, read_digest},
};

/// So many are told, where none fits.
const TOLD: usize = 10;

/// A manifest, as an index tells of it.
pub(super) struct Entry {
    digest: Digest,
    /// `wasm/wasip2`, architecture before system; or what it says it is.
    platform: String,
    /// How much it is for us: components before modules, and those before what may be anything.
    rank: u8,
}

impl Entry {
    /// Reads one.
    pub fn read(json: &Json) -> Result<Self, Error> {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let (architecture, os) = (text(&json["platform"]["architecture"]), text(&json["platform"]["os"]));
        let kind = text(&json["artifactType"]);
        let is_wasm = architecture == "wasm" || os.starts_with("wasi") || kind.contains("wasm");
        let is_unknown = [&architecture, &os].iter().all(|word| word.is_empty());
        let rank = match (is_wasm, os.as_str()) {
            (true, "wasip2") => 3,
            (true, _) => 2,
            (false, _) if is_unknown && kind.is_empty() => 1,
            (false, _) => 0,
        };
        let platform = match (is_unknown, kind.is_empty()) {
            (false, _) => format!("{architecture}/{os}"),
            (true, false) => kind,
            (true, true) => "one that does not say what it is for".to_owned(),
        };
        Ok(Self { digest: read_digest(json)?, platform, rank })
    }

    fn told(&self) -> String {
        let digest = self.digest.to_string();
        format!("{} (sha256:{}…)", self.platform, digest.get(..12).unwrap_or(&digest))
    }
}

/// The digest of the one that is meant.
pub(super) fn chosen(entries: &[Entry], reference: &Reference) -> Result<Digest, Error> {
    let best = entries.iter().map(|entry| entry.rank).max().unwrap_or_default();
    let fitting: Vec<&Entry> = entries.iter().filter(|entry| best > 0 && entry.rank == best).collect();
    let name = reference.name();
    match fitting.as_slice() {
        [only] => Ok(only.digest),
        [] => {
            let text = format!("`{name}` is an index without a manifest for WebAssembly: {}", told(entries.iter()));
            Err(no(Why::Unfit, text))
        }
        several => {
            let (count, seen) = (several.len(), told(several.iter().copied()));
            let text = format!("`{name}` is an index of {count} manifests that fit; name one by its digest: {seen}");
            Err(no(Why::Address, text))
        }
    }
}

fn told<'e>(entries: impl ExactSizeIterator<Item = &'e Entry>) -> String {
    let more = entries.len().saturating_sub(TOLD);
    let mut told: Vec<String> = entries.take(TOLD).map(Entry::told).collect();
    if told.is_empty() {
        return "it is empty".to_owned();
    }
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    format!("there is {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(entries: &[(&str, &str, &str)], wanted: Result<u8, &str>) {
        let entry = |(place, (architecture, os, kind)): (usize, &(&str, &str, &str))| {
            let digest = Digest([u8::try_from(place).expect("few"); 32]);
            let mut entry = json!({ "digest": format!("sha256:{digest}"), "artifactType": kind });
            if !architecture.is_empty() {
                entry["platform"] = json!({ "architecture": architecture, "os": os });
            }
            Entry::read(&entry).expect("an entry")
        };
        let entries: Vec<Entry> = entries.iter().enumerate().map(entry).collect();
        let reference = Reference::parse("r.example/a:1").expect("a reference");
        match (chosen(&entries, &reference), wanted) {
            (Ok(found), Ok(place)) => assert_eq!(found, Digest([place; 32])),
            (Err(error), Err(part)) => assert!(error.text.contains(part), "{}", error.text),
            (found, wanted) => panic!("{found:?} is not {wanted:?}"),
        }
    }

    #[test]
    fn the_one_for_webassembly_is_taken() {
        check(&[("amd64", "linux", ""), ("wasm", "wasip2", "")], Ok(1));
        check(&[("wasm", "wasip1", ""), ("wasm", "wasip2", ""), ("unknown", "unknown", "")], Ok(1));
        check(&[("", "", "application/vnd.wasm.config.v0+json"), ("arm64", "linux", "")], Ok(0));
        check(&[("", "", "")], Ok(0));
    }

    #[test]
    fn where_none_or_several_fit_it_is_told_which_there_are() {
        check(
            &[("amd64", "linux", ""), ("unknown", "unknown", "")],
            Err("there is amd64/linux (sha256:000000000000…)"),
        );
        check(&[], Err("it is empty"));
        check(&[("wasm", "wasip2", ""), ("wasm", "wasip2", "")], Err("index of 2 manifests that fit"));
        check(&[("", "", ""), ("", "", "")], Err("one that does not say what it is for"));
        check(&[("amd64", "linux", ""); 12], Err("and 2 more"));
    }
}
