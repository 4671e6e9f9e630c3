//! The `Prefer` header: what a client would like, and what was honoured of it.
//!
//! Preferences that are not known are left alone, as the standard wants it.

use axum::http::{HeaderMap, HeaderValue};
use model::query::LARGEST_PAGE;

/// What a client would like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preferences {
    /// Whether a write answers with the record.
    pub representation: bool,
    /// The largest page.
    pub page_size: Option<u32>,
    /// Which annotations.
    pub annotations: Annotations,
}

/// Patterns of annotation names; a `-` before one takes it out again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations(Option<String>);

/// What people read instead of a number or an id.
pub const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
/// The entity that a lookup points to.
pub const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
/// The property that a lookup is bound with.
pub const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

impl Annotations {
    /// Whether the annotation of this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        let patterns = self.0.iter().flat_map(|list| list.split(',')).map(str::trim);
        patterns.fold(false, |wanted, pattern| match pattern.strip_prefix('-') {
            Some(unwanted) => wanted && !fits(unwanted, name),
            None => wanted || fits(pattern, name),
        })
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

impl Preferences {
    /// Reads the headers of a request.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        let texts = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        for preference in texts.flat_map(split) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "return" => preferences.representation = value == "representation",
                "odata.maxpagesize" | "maxpagesize" => {
                    preferences.page_size = value.parse().ok().map(|size: u32| size.clamp(1, LARGEST_PAGE));
                }
                "odata.include-annotations" | "include-annotations" => {
                    preferences.annotations = Annotations(Some(value.to_owned()));
                }
                _ => {}
            }
        }
        preferences
    }

    /// `Preference-Applied` for an answer with a record.
    pub fn applied_to_record(&self, written: bool) -> Option<HeaderValue> {
        let representation = (written && self.representation).then(|| "return=representation".to_owned());
        join([representation, self.annotations_applied()])
    }

    /// `Preference-Applied` for an answer with a page.
    pub fn applied_to_page(&self) -> Option<HeaderValue> {
        let page_size = self.page_size.map(|size| format!("odata.maxpagesize={size}"));
        join([page_size, self.annotations_applied()])
    }

    fn annotations_applied(&self) -> Option<String> {
        self.annotations.0.as_ref().map(|patterns| format!("odata.include-annotations=\"{patterns}\""))
    }
}

fn join(parts: [Option<String>; 2]) -> Option<HeaderValue> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| HeaderValue::from_str(&parts.join(",")).ok()).flatten()
}

/// The preferences of one header: separated by commas outside quotes.
fn split(header: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    header
        .split(move |letter| {
            quoted ^= letter == '"';
            letter == ',' && !quoted
        })
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str) -> Preferences {
        Preferences::of(&HeaderMap::from_iter([(
            http::header::HeaderName::from_static("prefer"),
            HeaderValue::from_static(text),
        )]))
    }

    #[test]
    fn preferences_are_separated_by_commas_outside_quotes() {
        let preferences = of("return=representation,odata.include-annotations=\"a.b,c.*\", odata.maxpagesize=3");
        assert!(preferences.representation);
        assert_eq!(preferences.page_size, Some(3));
        assert!(preferences.annotations.wants("a.b") && preferences.annotations.wants("c.d"));
        assert!(!preferences.annotations.wants("a.c"));
    }

    #[test]
    fn every_annotation_is_wanted_by_a_star_and_none_without_the_preference() {
        assert!(of("odata.include-annotations=\"*\"").annotations.wants(FORMATTED));
        assert!(of("odata.include-annotations=OData.Community.Display.V1.FormattedValue").annotations.wants(FORMATTED));
        assert!(!of("odata.include-annotations=\"*,-OData.*\"").annotations.wants(FORMATTED));
        assert!(!of("return=minimal").annotations.wants(FORMATTED));
    }

    #[test]
    fn what_was_honoured_is_said() {
        let preferences = of("odata.maxpagesize=99999, return=representation");
        assert_eq!(preferences.applied_to_page().expect("a header"), "odata.maxpagesize=5000");
        assert_eq!(preferences.applied_to_record(true).expect("a header"), "return=representation");
        assert_eq!(preferences.applied_to_record(false), None);
    }
}
