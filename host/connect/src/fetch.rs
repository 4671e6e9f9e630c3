//! Fetching a component for whoever installs it: from an address of the web, or from an OCI registry (`oci`).
//!
//! The command line does this, so that a daemon asks nobody. What a person names may lie in his own network; where that
//! redirects to may not, unless it began there. TLS is spoken unless the person says otherwise, every size has a limit, and
//! what has a digest is held to it. Whether it is good is the daemon's to say.

mod index;
mod logins;
mod oci;

use std::{
    io::Read,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use model::{
    Digest,
    outside::{NoAnswer, Unanswered},
};
use sha2::{Digest as _, Sha256};

pub use self::logins::Logins;
use crate::{
    authorities::roots,
    http::{Granted, Place, Shared},
};

/// How many redirects are followed.
const REDIRECTS: u32 = 5;

/// The largest signature, in bytes.
const SIGNATURE: usize = 4 << 10;

/// How something is fetched.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Whether HTTP without TLS is spoken where an address says `http:`, and to registries.
    pub plain: bool,
    /// The largest component, in bytes.
    pub largest: usize,
    /// How long all of it may take.
    pub within: Duration,
    /// Certificates to trust beside those of the web, in PEM.
    pub authorities: Option<Vec<u8>>,
    /// Who asks registries.
    pub logins: Logins,
}

impl Default for FetchSettings {
    fn default() -> Self {
        let within = Duration::from_secs(600);
        Self { plain: false, largest: 64 << 20, within, authorities: None, logins: Logins::default() }
    }
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The component.
    pub component: Vec<u8>,
    /// The text of its signature, where one lies beside it.
    pub signature: Option<String>,
    /// Where it lies; in a registry with the digest of its manifest.
    pub origin: String,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    /// What sort of no it is.
    pub why: Why,
    /// A sentence.
    pub text: String,
}

/// What sort of no it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The address makes no sense, or asks for what was not allowed.
    Address,
    /// Nobody answers, or not as one should.
    Unreachable,
    /// It is not there.
    Missing,
    /// Whoever has it does not give it to us.
    Denied,
    /// It is too large, or not what its digest says.
    Unfit,
}

/// Is told how many bytes of the component have come, and of how many.
pub type Progress<'p> = &'p mut dyn FnMut(u64, Option<u64>);

/// Fetches components.
pub struct Fetcher {
    shared: Shared,
    settings: FetchSettings,
    until: Instant,
}

/// An answer that is no redirect.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    place: Place,
}

impl Fetcher {
    /// One that begins now.
    ///
    /// # Errors
    /// There are no certificates in the settings' authorities.
    pub fn new(settings: FetchSettings) -> Result<Self, Error> {
        let roots = roots(settings.authorities.as_deref()).map_err(|error| no(Why::Address, error.to_string()))?;
        Ok(Self { shared: Shared::trusting(roots), until: Instant::now() + settings.within, settings })
    }

    /// Fetches what an address names: `https://...`, or `oci://host/repository:tag`.
    ///
    /// # Errors
    /// In words, why nothing was fetched.
    pub fn fetch(&self, source: &str, progress: Progress<'_>) -> Result<Fetched, Error> {
        match source.strip_prefix("oci://") {
            Some(reference) => oci::fetch(self, reference, progress),
            None => self.of_the_web(source, progress),
        }
    }

    fn of_the_web(&self, source: &str, progress: Progress<'_>) -> Result<Fetched, Error> {
        let place = Place::of(source).map_err(|error| no(Why::Address, format!("`{source}`: {}", error.message)))?;
        let answer = self.get(place, HeaderMap::new(), self.settings.largest, progress)?.good()?;
        let beside = beside(source);
        let place = Place::of(&beside).map_err(unanswered)?;
        let found = self.get(place, HeaderMap::new(), SIGNATURE, &mut |_, _| {})?;
        let signature = match found.status.as_u16() {
            // Whoever keeps files tells by one of these that there is none.
            403 | 404 | 410 => None,
            _ => Some(text(found.good()?.body, &beside)?),
        };
        Ok(Fetched { component: answer.body, signature, origin: source.to_owned() })
    }

    /// Asks for what a person has named.
    fn get(&self, place: Place, headers: HeaderMap, largest: usize, progress: Progress<'_>) -> Result<Answer, Error> {
        self.follow(place, headers, Granted { private: true }, largest, progress)
    }

    /// Asks for something and follows redirects, each looked at anew.
    fn follow(
        &self,
        mut place: Place,
        mut headers: HeaderMap,
        mut granted: Granted,
        largest: usize,
        progress: Progress<'_>,
    ) -> Result<Answer, Error> {
        self.check(&place)?;
        let private = granted.private && self.shared.is_private(&place);
        for _ in 0..=REDIRECTS {
            let mut request = http::Request::new(Vec::new());
            *request.uri_mut() = place.url.clone();
            *request.headers_mut() = headers.clone();
            let opened = self.shared.open(request, &place, granted, self.until);
            let (head, body) = opened.map_err(|error| led_astray(error, granted, &place))?.into_parts();
            let location = head.headers.get(header::LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()));
            let Some(location) = location.filter(|_| matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308))
            else {
                let length = head.headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse().ok());
                // What explains a no may be as short as it likes.
                let largest = if head.status.is_success() { largest } else { largest.max(64 << 10) };
                let body = read(body, &place, length, largest, progress)?;
                return Ok(Answer { status: head.status, headers: head.headers, body, place });
            };
            let next = place.next(&location).map_err(unanswered)?;
            self.check(&next)?;
            if !next.is_same_origin(&place) {
                headers.remove(header::AUTHORIZATION);
                granted = Granted { private };
            }
            place = next;
        }
        Err(no(Why::Unreachable, format!("`{}` redirects more than {REDIRECTS} times", place.origin())))
    }

    /// Tells something to a place that another one named, which must not lie where only the other may; follows nothing.
    fn tell(&self, place: &Place, body: String, granted: Granted, largest: usize) -> Result<Answer, Error> {
        self.check(place)?;
        let mut request = http::Request::new(body.into_bytes());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = place.url.clone();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        let opened = self.shared.open(request, place, granted, self.until);
        let (head, body) = opened.map_err(|error| led_astray(error, granted, place))?.into_parts();
        let body = read(body, place, None, largest, &mut |_, _| {})?;
        Ok(Answer { status: head.status, headers: head.headers, body, place: place.clone() })
    }

    fn check(&self, place: &Place) -> Result<(), Error> {
        if place.url.scheme_str() == Some("https") || self.settings.plain {
            return Ok(());
        }
        let text =
            format!("`{}` is asked without TLS, and whoever is in between could change what comes", place.origin());
        Err(no(Why::Address, text))
    }
}

impl Answer {
    /// The answer, where it is none of those that say no.
    fn good(self) -> Result<Self, Error> {
        let (origin, path) = (self.place.origin(), self.place.url.path());
        let why = match self.status.as_u16() {
            200..=299 => return Ok(self),
            401 | 403 => Why::Denied,
            404 | 410 => Why::Missing,
            _ => Why::Unreachable,
        };
        Err(no(why, format!("`{origin}{path}` answers {}", self.status)))
    }
}

/// Where the signature of what lies at an address lies: `.minisig` behind its path.
fn beside(source: &str) -> String {
    let source = source.split_once('#').map_or(source, |(whole, _)| whole);
    match source.split_once('?') {
        Some((path, query)) => format!("{path}.minisig?{query}"),
        None => format!("{source}.minisig"),
    }
}

fn read(
    mut body: ureq::Body,
    place: &Place,
    length: Option<u64>,
    largest: usize,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Error> {
    let too_large = || no(Why::Unfit, format!("what `{}` gives is larger than {largest} bytes", place.origin()));
    if length.is_some_and(|length| length > largest as u64) {
        return Err(too_large());
    }
    let mut reader = body.as_reader();
    let (mut whole, mut piece) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        let count = reader.read(&mut piece).map_err(|error| {
            no(Why::Unreachable, format!("`{}` broke off after {} bytes: {error}", place.origin(), whole.len()))
        })?;
        if count == 0 {
            return Ok(whole);
        }
        if whole.len() + count > largest {
            return Err(too_large());
        }
        whole.extend_from_slice(&piece[..count]);
        progress(whole.len() as u64, length);
    }
}

fn text(bytes: Vec<u8>, from: &str) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| no(Why::Unfit, format!("the signature `{from}` is no text")))
}

/// SHA-256, as `sha256:` names it.
#[must_use]
pub fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

fn led_astray(error: Unanswered, granted: Granted, place: &Place) -> Error {
    if error.why == NoAnswer::NotGranted && !granted.private {
        let text = format!("it is led to `{}`, into a private network or to this machine", place.origin());
        return no(Why::Address, text);
    }
    unanswered(error)
}

fn unanswered(error: Unanswered) -> Error {
    let why = match error.why {
        NoAnswer::Invalid | NoAnswer::NotGranted => Why::Address,
        NoAnswer::TooLarge => Why::Unfit,
        _ => Why::Unreachable,
    };
    no(why, error.message.to_string())
}

fn no(why: Why, text: impl Into<String>) -> Error {
    Error { why, text: text.into() }
}

/// A header's value; what people type may have letters that none can have.
fn value(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text)
        .map_err(|_| no(Why::Address, "a registry's answer or a password cannot stand in a header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_lies_beside_what_it_signs() {
        assert_eq!(beside("https://a.example/x.wasm"), "https://a.example/x.wasm.minisig");
        assert_eq!(beside("https://a.example/x.wasm?v=1#top"), "https://a.example/x.wasm.minisig?v=1");
    }

    #[test]
    fn nobody_else_leads_into_a_private_network() {
        let fetcher = Fetcher::new(FetchSettings { plain: true, ..FetchSettings::default() }).expect("a fetcher");
        let granted = Granted { private: false };
        for url in ["http://169.254.169.254/token", "https://10.0.0.1/token", "http://localhost:9/token"] {
            let place = || Place::of(url).expect("a place");
            let asked = fetcher.follow(place(), HeaderMap::new(), granted, 1 << 10, &mut |_, _| {});
            let told = fetcher.tell(&place(), "form".to_owned(), granted, 1 << 10);
            for error in [asked.err().expect("refused"), told.err().expect("refused")] {
                assert_eq!(error.why, Why::Address, "{error}");
                assert!(error.text.contains("into a private network or to this machine"), "{error}");
            }
        }
    }

    #[test]
    fn plain_http_is_spoken_only_when_it_was_said() {
        let fetcher = Fetcher::new(FetchSettings::default()).expect("a fetcher");
        for source in ["http://127.0.0.1:9/x.wasm", "ftp://127.0.0.1/x.wasm", "https://", "oci://127.0.0.1/x"] {
            assert_eq!(fetcher.fetch(source, &mut |_, _| {}).expect_err("refused").why, Why::Address, "{source}");
        }
    }
}
