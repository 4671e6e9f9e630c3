//! A component in an OCI registry: manifest, the layer with the component, and the layer with its signature if there is one.
//!
//! What is read of the registry's protocol is pulling: `GET` of manifests and blobs, and a token where it asks for one; of an
//! index, the one manifest that is for WebAssembly (`index`). Whatever it says is held against digest and size. Compiled code
//! is not looked at: only layers that say they are WebAssembly, or are called so.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use model::Digest;
use serde_json::Value as Json;

use super::{
    Answer, Error, Fetched, Fetcher, Granted, Place, Progress, SIGNATURE, Why, digest,
    index::{Entry, chosen},
    logins::Shown,
    no, text, unanswered, value,
};

/// Media types of a component.
const COMPONENT: [&str; 3] = [
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];
/// The media type of a signature; a layer whose title ends in `.minisig` is one too.
const MINISIG: &str = "application/vnd.minisign.signature";
const TITLE: &str = "org.opencontainers.image.title";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The same as tools of Docker have them.
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// The largest manifest, in bytes.
const LARGEST: usize = 1 << 20;

/// `host/repository:tag`, `host/repository@sha256:...`, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// What is said to one registry about one repository.
struct Session<'f> {
    fetcher: &'f Fetcher,
    reference: &'f Reference,
    authorization: Option<HeaderValue>,
}

/// A layer, as a manifest tells of it.
pub(super) struct Layer {
    digest: Digest,
    size: Option<u64>,
    media: String,
    title: String,
}

pub(super) fn fetch(fetcher: &Fetcher, reference: &str, progress: Progress<'_>) -> Result<Fetched, Error> {
    let reference = Reference::parse(reference)?;
    let mut session = Session { fetcher, reference: &reference, authorization: None };
    let (manifest, found) = session.manifest()?;
    let layers = layers(&manifest)?;
    let component = session.blob(component_of(&layers, &reference)?, fetcher.settings.largest, progress)?;
    let signature = match layers.iter().find(|layer| layer.media == MINISIG || layer.title.ends_with(".minisig")) {
        Some(layer) => Some(text(session.blob(layer, SIGNATURE, &mut |_, _| {})?, &layer.title)?),
        None => None,
    };
    Ok(Fetched { component, signature, origin: format!("oci://{}@sha256:{found}", reference.name()) })
}

impl Reference {
    pub(super) fn parse(reference: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            let text =
                format!("`oci://{reference}` {why}: it is `oci://host/repository:tag`, or `@sha256:...` for the tag");
            no(Why::Address, text)
        };
        let (host, rest) = reference.split_once('/').ok_or_else(|| wrong("names no repository"))?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.strip_prefix("sha256:").and_then(|digits| digits.parse().ok());
                (rest, Some(digest.ok_or_else(|| wrong("has a digest that is none"))?))
            }
            None => (rest, None),
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (rest, None),
        };
        if tag.is_none() && digest.is_none() {
            return Err(wrong("does not say which version"));
        }
        let of = |text: &str, more: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte);
            (1..=200).contains(&text.len()) && text.bytes().all(fits)
        };
        let good = of(host, ".-:[]") && of(repository, "._-/") && tag.as_deref().is_none_or(|tag| of(tag, "._-"));
        if !good || repository.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            return Err(wrong("cannot be read"));
        }
        Ok(Self { host: host.to_owned(), repository: repository.to_owned(), tag, digest })
    }

    /// Where it is asked: the hub of Docker answers under another name than people call it by.
    fn asked(&self) -> &str {
        match self.host.as_str() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            host => host,
        }
    }

    /// Without the digest.
    pub(super) fn name(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        format!("{}/{}{tag}", self.host, self.repository)
    }
}

impl Session<'_> {
    /// The manifest, and its digest.
    fn manifest(&mut self) -> Result<(Json, Digest), Error> {
        let wanted = self.reference.digest;
        let named = wanted.map(|digest| format!("sha256:{digest}")).or_else(|| self.reference.tag.clone());
        let (first, found) = self.manifest_of(&named.unwrap_or_default(), wanted)?;
        let Some(list) = first["manifests"].as_array() else { return Ok((first, found)) };
        let entries: Vec<Entry> = list.iter().map(Entry::read).collect::<Result<_, _>>()?;
        let next = chosen(&entries, self.reference)?;
        let (manifest, _) = self.manifest_of(&format!("sha256:{next}"), Some(next))?;
        // What was asked for is what is noted.
        Ok((manifest, found))
    }

    fn manifest_of(&mut self, named: &str, wanted: Option<Digest>) -> Result<(Json, Digest), Error> {
        let answer = self.get(&format!("manifests/{named}"), LARGEST, &mut |_, _| {})?;
        let found = digest(&answer.body);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            return Err(no(Why::Unfit, format!("the registry gave sha256:{found} for sha256:{wanted}")));
        }
        let broken = || no(Why::Unfit, format!("the manifest of `{}` cannot be read", self.reference.name()));
        Ok((serde_json::from_slice(&answer.body).map_err(|_| broken())?, found))
    }

    fn blob(&mut self, layer: &Layer, largest: usize, progress: Progress<'_>) -> Result<Vec<u8>, Error> {
        let Some(size) = layer.size else {
            return Err(no(Why::Unfit, format!("the manifest does not say how large sha256:{} is", layer.digest)));
        };
        if size > largest as u64 {
            let text = format!("sha256:{} has {size} bytes; more than {largest} are not taken", layer.digest);
            return Err(no(Why::Unfit, text));
        }
        // One byte more than it says is too much already.
        let answer =
            self.get(&format!("blobs/sha256:{}", layer.digest), usize::try_from(size).unwrap_or(largest), progress)?;
        let (found, length) = (digest(&answer.body), answer.body.len());
        if found != layer.digest {
            let text = format!("the registry gave sha256:{found} for sha256:{}", layer.digest);
            return Err(no(Why::Unfit, text));
        }
        if length as u64 != size {
            let text = format!("the manifest says that sha256:{found} has {size} bytes, and it has {length}");
            return Err(no(Why::Unfit, text));
        }
        Ok(answer.body)
    }

    /// Asks for something of the repository, with a token where the registry wants one.
    fn get(&mut self, what: &str, largest: usize, progress: Progress<'_>) -> Result<Answer, Error> {
        let answer = self.ask(what, largest, progress)?;
        if answer.status != StatusCode::UNAUTHORIZED || self.authorization.is_some() {
            return answer.good();
        }
        let challenge = answer.headers.get(header::WWW_AUTHENTICATE).and_then(|text| text.to_str().ok());
        let challenge = challenge.unwrap_or_default().to_owned();
        self.authorization = Some(self.authorize(&challenge)?);
        self.ask(what, largest, progress)?.good()
    }

    fn ask(&self, what: &str, largest: usize, progress: Progress<'_>) -> Result<Answer, Error> {
        let place = self.place(what)?;
        let mut headers = HeaderMap::new();
        let accept = format!("{MANIFEST}, {INDEX}, {DOCKER}, {DOCKER_LIST}, */*;q=0.5");
        headers.insert(header::ACCEPT, value(&accept)?);
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        self.fetcher.get(place, headers, largest, progress)
    }

    fn place(&self, what: &str) -> Result<Place, Error> {
        let scheme = if self.fetcher.settings.plain { "http" } else { "https" };
        let (host, repository) = (self.reference.asked(), &self.reference.repository);
        Place::of(&format!("{scheme}://{host}/v2/{repository}/{what}")).map_err(unanswered)
    }

    /// What the registry wants to see, by what it said when it saw nothing.
    fn authorize(&self, challenge: &str) -> Result<HeaderValue, Error> {
        let host = &self.reference.host;
        let shown = self.fetcher.settings.logins.at(host)?;
        let Some(wanted) = strip_word(challenge, "Bearer ") else {
            return match shown {
                Some(Shown::Basic(basic)) => value(&format!("Basic {basic}")),
                Some(Shown::Identity(_)) => {
                    let text =
                        format!("`{host}` wants a password, and the login there is a token; sign in by a password");
                    Err(no(Why::Denied, text))
                }
                None => Err(no(Why::Denied, format!("`{host}` wants to know who asks, and nobody is signed in there"))),
            };
        };
        let answer = self.token(wanted, shown)?;
        let answer: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = answer["token"].as_str().or_else(|| answer["access_token"].as_str());
        let token = token.ok_or_else(|| no(Why::Denied, format!("`{host}` gives no token")))?;
        value(&format!("Bearer {token}"))
    }

    /// Asks for a token where the registry says, which must not lie where only the registry may.
    fn token(&self, wanted: &str, shown: Option<Shown>) -> Result<Answer, Error> {
        let host = &self.reference.host;
        let part = |name: &str| parameter(wanted, name);
        let realm =
            part("realm").ok_or_else(|| no(Why::Denied, format!("`{host}` does not say where a token is got")))?;
        let scope = part("scope").unwrap_or_else(|| format!("repository:{}:pull", self.reference.repository));
        let mut query = format!("scope={}", escaped(&scope));
        if let Some(service) = part("service") {
            query += &format!("&service={}", escaped(&service));
        }
        let granted = Granted { private: self.fetcher.shared.is_private(&self.place("")?) };
        let answer = match shown {
            Some(Shown::Identity(token)) => {
                let token = escaped(&token);
                let form = format!("grant_type=refresh_token&client_id=stepwise&{query}&refresh_token={token}");
                self.fetcher.tell(&Place::of(&realm).map_err(unanswered)?, form, granted, LARGEST)?
            }
            other => {
                let mut headers = HeaderMap::new();
                if let Some(Shown::Basic(basic)) = other {
                    headers.insert(header::AUTHORIZATION, value(&format!("Basic {basic}"))?);
                }
                let separator = if realm.contains('?') { '&' } else { '?' };
                let place = Place::of(&format!("{realm}{separator}{query}")).map_err(unanswered)?;
                self.fetcher.follow(place, headers, granted, LARGEST, &mut |_, _| {})?
            }
        };
        answer.good()
    }
}

fn layers(manifest: &Json) -> Result<Vec<Layer>, Error> {
    let read = |layer: &Json| {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        Ok(Layer {
            digest: read_digest(layer)?,
            size: layer["size"].as_u64(),
            media: text(&layer["mediaType"]),
            title: text(&layer["annotations"][TITLE]),
        })
    };
    manifest["layers"].as_array().into_iter().flatten().map(read).collect()
}

pub(super) fn read_digest(json: &Json) -> Result<Digest, Error> {
    let digits = json["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")?.parse().ok());
    digits.ok_or_else(|| no(Why::Unfit, "the manifest names a layer without a digest of SHA-256"))
}

fn component_of<'l>(layers: &'l [Layer], reference: &Reference) -> Result<&'l Layer, Error> {
    let said: Vec<&Layer> = layers.iter().filter(|layer| COMPONENT.contains(&layer.media.as_str())).collect();
    // Who pushes a file without its type has only its name to be known by.
    let called = |layer: &&Layer| layer.title.ends_with(".wasm") && !layer.media.ends_with("gzip");
    let found = if said.is_empty() { layers.iter().filter(called).collect() } else { said };
    let name = reference.name();
    match found.as_slice() {
        [only] => Ok(only),
        [] => {
            let seen = seen(layers.iter());
            let text = format!("`{name}` has no layer of the type `{}`, and none called *.wasm: {seen}", COMPONENT[0]);
            Err(no(Why::Unfit, text))
        }
        several => {
            let (count, seen) = (several.len(), seen(several.iter().copied()));
            Err(no(Why::Unfit, format!("`{name}` has {count} components, and a plugin is one: {seen}")))
        }
    }
}

/// What layers are there, for whoever has to look.
fn seen<'l>(layers: impl Iterator<Item = &'l Layer>) -> String {
    let one = |layer: &Layer| match layer.title.as_str() {
        "" => format!("`{}`", layer.media),
        title => format!("`{}` ({title})", layer.media),
    };
    let all: Vec<String> = layers.take(10).map(one).collect();
    if all.is_empty() { "there are no layers".to_owned() } else { format!("there is {}", all.join(", ")) }
}

/// What stands behind a word that may be written in any case.
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (begins, rest) = text.split_at_checked(word.len())?;
    begins.eq_ignore_ascii_case(word).then_some(rest)
}

/// A parameter of a challenge: `realm="https://..."`.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let at = challenge.find(&format!("{name}=\""))? + name.len() + 2;
    challenge[at..].split('"').next().map(str::to_owned)
}

fn escaped(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_host_repository_and_version() {
        let zeros = "0".repeat(64);
        let read = |text: &str| Reference::parse(text).map(|reference| (reference.name(), reference.digest.is_some()));
        assert_eq!(read("ghcr.io/acme/greetings:1.0").expect("one"), ("ghcr.io/acme/greetings:1.0".into(), false));
        let both = format!("localhost:5000/greetings:1.0@sha256:{zeros}");
        assert_eq!(read(&both).expect("one"), ("localhost:5000/greetings:1.0".into(), true));
        for text in [
            "ghcr.io",
            "ghcr.io/acme/greetings",
            "ghcr.io/acme/greetings@sha256:12",
            "ghcr.io/acme/greetings@md5:12",
            "ghcr.io/../x:1",
            "ghcr.io//x:1",
            "ghcr.io/a?b:1",
            "ghcr.io/a:b c",
            "user@ghcr.io/a:1",
        ] {
            assert_eq!(read(text).expect_err(text).why, Why::Address, "{text}");
        }
    }

    #[test]
    fn a_challenge_is_read() {
        let challenge = r#"realm="https://auth.example/token",service="registry.example",scope="repository:a:pull""#;
        assert_eq!(parameter(challenge, "realm").as_deref(), Some("https://auth.example/token"));
        assert_eq!(parameter(challenge, "service").as_deref(), Some("registry.example"));
        assert_eq!(parameter(challenge, "error"), None);
        assert_eq!(escaped("repository:a/b:pull"), "repository%3Aa%2Fb%3Apull");
    }
}
