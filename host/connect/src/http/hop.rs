//! One request and the redirects after it: each hop is granted, filled with secrets and sent by itself.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION},
};
use model::outside::{Answer, NoAnswer, Placeholder, Request, Unanswered};

use super::{
    Kept,
    place::Place,
    secrets,
    transport::{Raw, Shared},
};

/// Headers that belong to the connection and not to the step.
const OURS: [&str; 12] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "http2-settings",
];

/// Sends the request and follows redirects as far as is asked for.
pub fn all(client: &Shared, request: Request, kept: &Kept) -> Result<Answer, Unanswered> {
    let mut hop = Hop::first(request)?;
    let mut left = hop.redirects;
    loop {
        let granted = hop.place.granted(&kept.hosts)?;
        let answer = client.exchange(hop.filled(&kept.secrets)?, &hop.place, granted, kept.until, kept.largest)?;
        let next = hop.after(&answer, &kept.secrets)?;
        match next {
            Some(_) if left == 0 && hop.redirects > 0 => {
                let text = format!("there were more than {} redirects", hop.redirects);
                return Err(Unanswered::new(NoAnswer::TooManyRedirects, text));
            }
            Some(next) if left > 0 => {
                left -= 1;
                hop = next;
            }
            _ => return Ok(finished(answer, &hop.place, &kept.secrets)),
        }
    }
}

/// One exchange with one host, secrets still as placeholders.
struct Hop {
    method: Method,
    place: Place,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
    redirects: u8,
}

impl Hop {
    fn first(request: Request) -> Result<Self, Unanswered> {
        let method = request.method.parse().map_err(|_| invalid("its method is none"))?;
        let mut headers = Vec::with_capacity(request.headers.len());
        for (name, value) in request.headers {
            let known: HeaderName = name.parse().map_err(|_| invalid("the name of one of its headers is none"))?;
            if OURS.contains(&known.as_str()) {
                let text = format!("the header `{known}` is not a step's to set");
                return Err(Unanswered::new(NoAnswer::Invalid, text));
            }
            headers.push((known, value));
        }
        let place = Place::of(&request.url)?;
        Ok(Self { method, place, headers, body: request.body, redirects: request.redirects })
    }

    /// The request as it goes out. Only its own host gets to see this.
    fn filled(&self, placeholders: &[Placeholder]) -> Result<http::Request<Vec<u8>>, Unanswered> {
        let mut request = http::Request::new(secrets::filled_bytes(&self.body, placeholders));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.place.url.clone();
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(&secrets::filled(value, placeholders)).map_err(|_| {
                let text = format!("the value of the header `{name}` has a character that no header may have");
                Unanswered::new(NoAnswer::Invalid, text)
            })?;
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }

    /// The hop that an answer asks for.
    fn after(&self, answer: &Raw, placeholders: &[Placeholder]) -> Result<Option<Self>, Unanswered> {
        if !is_redirect(answer.status) || self.redirects == 0 {
            return Ok(None);
        }
        let Some(location) = answer.headers.get(LOCATION) else { return Ok(None) };
        let location = String::from_utf8_lossy(location.as_bytes());
        let place = self.place.next(&location)?;
        let mut next = Self {
            method: self.method.clone(),
            place,
            headers: self.headers.clone(),
            body: self.body.clone(),
            redirects: self.redirects,
        };
        let asks_anew = match answer.status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if asks_anew {
            next.method = Method::GET;
            next.body.clear();
            next.headers.retain(|(name, _)| *name != CONTENT_TYPE && *name != CONTENT_LENGTH);
        }
        if !next.place.is_same_origin(&self.place) {
            next.leave_secrets_behind(placeholders)?;
        }
        Ok(Some(next))
    }

    /// What was meant for one host is not for the next, granted or not.
    fn leave_secrets_behind(&mut self, placeholders: &[Placeholder]) -> Result<(), Unanswered> {
        self.headers.retain(|(name, value)| {
            ![AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name)
                && !secrets::stands_in(value.as_bytes(), placeholders)
        });
        if secrets::stands_in(&self.body, placeholders) {
            let text = format!("a redirect to `{}` would take a secret there", self.place.origin());
            return Err(Unanswered::new(NoAnswer::NotGranted, text));
        }
        Ok(())
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn finished(answer: Raw, place: &Place, placeholders: &[Placeholder]) -> Answer {
    Answer {
        status: answer.status.as_u16(),
        url: secrets::hidden(&place.url.to_string(), placeholders),
        headers: told(&answer.headers, placeholders),
        body: secrets::hidden_bytes(answer.body, placeholders),
    }
}

fn told(headers: &HeaderMap, placeholders: &[Placeholder]) -> Vec<(String, String)> {
    let told = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), secrets::hidden(&value, placeholders))
    });
    told.collect()
}

fn invalid(why: &str) -> Unanswered {
    Unanswered::new(NoAnswer::Invalid, why)
}
