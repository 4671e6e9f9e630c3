//! The parts of a batch: `multipart/mixed`, with a request in each part or a changeset with parts of its own.
//!
//! Clients write it in their own ways: lines that end with LF only, blank lines before the first delimiter or none before
//! the next, content ids in either list of headers. All of them are read.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method},
};

use crate::{odata::write::Links, problem::Denial};

/// A part of a batch.
#[derive(Debug)]
pub enum Part {
    /// A request.
    One(Sent),
    /// Requests that are done together.
    Changes(Vec<Sent>),
}

impl Part {
    /// How many requests it is.
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Changes(all) => all.len(),
        }
    }
}

/// A request of a batch, read but not understood.
#[derive(Debug)]
pub struct Sent {
    /// Where it stands in the batch, for refusals.
    pub place: String,
    /// By what later requests name what it makes.
    pub content_id: Option<String>,
    /// Its method.
    pub method: Method,
    /// Its address, as it is written.
    pub address: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Sent {
    /// Path below the service, and query. An address may be absolute, relative to the host or to the service, or begin
    /// with `$` and a content id.
    pub fn target(&self, links: &Links) -> Result<(String, Option<String>), Denial> {
        let (path, query) = match self.address.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (self.address.as_str(), None),
        };
        let bare = path.trim_start_matches('/');
        if bare.starts_with('$') && !matches!(bare, "$batch" | "$metadata") {
            let (name, rest) = bare.split_once('/').unwrap_or((bare, ""));
            let known = links.get(name);
            let known = known.ok_or_else(|| Denial::malformed(format!("`{name}` names no request before this one")))?;
            return Ok((format!("{}/{rest}", below(known)), query));
        }
        Ok((below(path).to_owned(), query))
    }
}

/// What of a path is below the service.
fn below(path: &str) -> &str {
    match path.find("/api/data/v") {
        Some(at) => path[at + "/api/data/v".len()..].split_once('/').map_or("", |(_, rest)| rest),
        None => path,
    }
}

/// The boundary that a content type names.
pub fn boundary(kind: &str) -> Option<&str> {
    let (kind, parameters) = kind.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let value = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("boundary")).map(|(_, value)| value);
    value.map(|value| value.trim().trim_matches('"')).find(|value| !value.is_empty())
}

/// Reads a batch.
pub fn read(body: &Bytes, boundary: &str) -> Result<Vec<Part>, Denial> {
    let parts = split(body, boundary, "the batch")?;
    parts.into_iter().enumerate().map(|(at, part)| one(&part, &format!("request {}", at + 1))).collect()
}

fn one(part: &Bytes, place: &str) -> Result<Part, Denial> {
    let (headers, content) = headers(part, place)?;
    let kind = text(&headers, "content-type");
    if let Some(boundary) = boundary(kind) {
        let inner = split(&content, boundary, place)?;
        let requests = inner.iter().enumerate().map(|(at, part)| {
            let place = format!("{place}, change {}", at + 1);
            let (headers, content) = self::headers(part, &place)?;
            request(&headers, &content, place)
        });
        return requests.collect::<Result<_, _>>().map(Part::Changes);
    }
    request(&headers, &content, place.to_owned()).map(Part::One)
}

fn request(part: &HeaderMap, content: &Bytes, place: String) -> Result<Sent, Denial> {
    let wrong = |what: &str| Denial::malformed(format!("{place} of the batch {what}"));
    let kind = text(part, "content-type");
    if !kind.to_ascii_lowercase().starts_with("application/http") {
        return Err(wrong(&format!("is `{kind}`, and neither `application/http` nor `multipart/mixed`")));
    }
    let (line, rest) = line(content, skip_blank(content));
    let line = std::str::from_utf8(&content[line]).map_err(|_| wrong("is no text"))?.trim();
    let mut words = line.split_ascii_whitespace();
    let (method, address) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
    // Some clients leave spaces in the address as they are.
    let address = match address.split_last() {
        Some((version, address)) if version.starts_with("HTTP/") && !address.is_empty() => address.join("%20"),
        _ => return Err(wrong(&format!("has no request line such as `GET accounts HTTP/1.1`, but `{line}`"))),
    };
    let method = method.parse::<Method>().map_err(|_| wrong(&format!("has no method `{method}`")))?;
    let (headers, body) = self::headers(&content.slice(rest..), &place)?;
    let id = [text(part, "content-id"), text(&headers, "content-id")].into_iter().find(|id| !id.is_empty());
    Ok(Sent { content_id: id.map(str::to_owned), method, address, headers, body, place })
}

/// The parts between delimiters.
fn split(body: &Bytes, boundary: &str, place: &str) -> Result<Vec<Bytes>, Denial> {
    let delimiter = format!("--{boundary}");
    let (mut parts, mut begun, mut closed) = (Vec::new(), None, false);
    let mut at = 0;
    while at < body.len() && !closed {
        let (found, next) = line(body, at);
        let text = body[found].trim_ascii_end();
        if let Some(rest) = text.strip_prefix(delimiter.as_bytes()).filter(|rest| matches!(*rest, b"" | b"--")) {
            if let Some(begun) = begun.replace(next) {
                parts.push(body.slice(begun..at));
            }
            closed = rest == b"--";
        }
        at = next;
    }
    match (closed, begun) {
        (true, _) => Ok(parts),
        (false, None) => Err(Denial::malformed(format!("{place} has no line `{delimiter}`"))),
        (false, Some(_)) => Err(Denial::malformed(format!("{place} breaks off: its end, `{delimiter}--`, is missing"))),
    }
}

/// The headers up to a blank line, and what follows.
fn headers(part: &Bytes, place: &str) -> Result<(HeaderMap, Bytes), Denial> {
    let mut headers = HeaderMap::new();
    let mut at = 0;
    while at < part.len() {
        let (found, next) = line(part, at);
        at = next;
        let text = std::str::from_utf8(&part[found]).unwrap_or("?").trim();
        if text.is_empty() {
            break;
        }
        let header = text.split_once(':').and_then(|(name, value)| {
            Some((name.trim().parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?))
        });
        let (name, value) = header
            .ok_or_else(|| Denial::malformed(format!("{place} of the batch has a line that is no header: `{text}`")))?;
        headers.append(name, value);
    }
    Ok((headers, part.slice(at.min(part.len())..)))
}

/// The line that begins here without its end, and where the next one begins.
fn line(text: &Bytes, at: usize) -> (std::ops::Range<usize>, usize) {
    match text[at..].iter().position(|byte| *byte == b'\n') {
        Some(length) => (at..at + length, at + length + 1),
        None => (at..text.len(), text.len()),
    }
}

fn skip_blank(text: &Bytes) -> usize {
    text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(text.len())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_may_be_quoted_and_stand_behind_other_parameters() {
        assert_eq!(boundary("multipart/mixed;boundary=abc"), Some("abc"));
        assert_eq!(boundary("multipart/mixed; charset=utf-8; boundary=\"a b\""), Some("a b"));
        assert_eq!(boundary("application/json"), None);
        assert_eq!(boundary("multipart/mixed; boundary="), None);
    }

    #[test]
    fn parts_are_read_with_any_ends_of_lines_and_blank_lines() {
        let body = "\r\n--b\nContent-Type: application/http\n\n\nGET accounts?$filter=name eq 'x' HTTP/1.1\nAccept: a\n--b\r\n\
                    Content-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\n\r\n\
                    POST accounts HTTP/1.1\r\nContent-ID: 7\r\n\r\n{\"name\":\"--b\"}\r\n--c--\r\n--b--\r\n";
        let parts = read(&Bytes::from_static(body.as_bytes()), "b").expect("a batch");
        let [Part::One(get), Part::Changes(changes)] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!((get.method.as_str(), get.address.as_str()), ("GET", "accounts?$filter=name%20eq%20'x'"));
        assert_eq!(
            (changes[0].content_id.as_deref(), changes[0].body.trim_ascii()),
            (Some("7"), &b"{\"name\":\"--b\"}"[..])
        );
    }
}
