//! The one step: a request as text, its answer as text.

use stepwise_sdk::prelude::*;

/// The longest body that a process is handed: a field of a record holds no more.
const LONGEST: usize = 500_000;

/// What is done at the address.
#[derive(Choice, Clone, Copy, PartialEq)]
pub enum Method {
    /// Asks
    Get = 1,
    /// Adds
    Post = 2,
    /// Puts in the place of what is there
    Put = 3,
    /// Changes
    Patch = 4,
    /// Takes away
    Delete = 5,
    /// Asks for the headers only
    Head = 6,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
        }
    }
}

/// What is sent.
#[derive(Inputs)]
pub struct Asked {
    /// What is done at the address
    #[argument(default = Method::Get)]
    method: Method,
    /// The address, of a host that is granted to this library: `https://example.com/orders?since=2026-01-01`
    #[argument(max_length = 4000)]
    url: String,
    /// Headers, one in a line: `accept: text/csv`. `{secret:NAME}` in a value is filled in on the way
    #[argument(max_length = 20000)]
    headers: Option<String>,
    /// What is sent; `{secret:NAME}` is filled in on the way
    #[argument(max_length = 500000)]
    body: Option<String>,
    /// What the body is
    #[argument(default = "application/json", max_length = 200)]
    content_type: String,
    /// The name of the secret that is sent as a bearer token
    #[argument(max_length = 100)]
    bearer: Option<String>,
    /// The user for whom the secret `password` is sent, by the scheme Basic
    #[argument(max_length = 200)]
    user: Option<String>,
    /// The name of the secret that is this user's password
    #[argument(max_length = 100)]
    password: Option<String>,
    /// How many seconds it may take
    #[argument(default = 20, min = 1, max = 300)]
    seconds: u32,
    /// Whether a status that is no success is an answer like any other, and no failure
    #[argument(default = false)]
    any_status: bool,
}

/// What came back.
#[derive(Outputs)]
pub struct Answer {
    /// The status: 200
    status: i64,
    /// Whether it is a good one (200 to 299)
    ok: bool,
    /// What was answered, as text
    body: Option<String>,
    /// What it is: `application/json`
    content_type: Option<String>,
    /// The headers of the answer, one in a line
    headers: Option<String>,
    /// Where the answer came from, redirects followed
    url: Option<String>,
}

/// Sends a request.
pub struct Request;

impl Step for Request {
    const NAME: &str = "http.request";
    const TITLE: &str = "Send a request";
    const DESCRIPTION: &str = "Asks another host over HTTP, or tells it something. What may pass is tried again by the engine: 429, 503 and 5xx, and no answer at all.";
    const EXTERNAL: bool = true;
    const HOSTS: &[(&str, &str)] =
        &[("example.com", "stands for the hosts that your processes call: grant those instead")];
    const ERRORS: &[(&str, &str)] = &[
        ("bad-header", "A line of the headers has no name or no `:`"),
        ("no-secret", "The operator set no secret of that name"),
    ];
    type Inputs = Asked;
    type Outputs = Answer;

    fn run(context: &Context, asked: Asked) -> Result<Answer, Failure> {
        let mut request = stepwise_sdk::http::Request::new(asked.method.word(), asked.url.trim());
        for (name, value) in headers(asked.headers.as_deref().unwrap_or_default())? {
            request = request.header(name, filled(context, value)?);
        }
        if let Some(name) = given(&asked.bearer) {
            request = request.header("authorization", format!("Bearer {}", secret(context, name)?));
        }
        if let (Some(user), Some(name)) = (given(&asked.user), given(&asked.password)) {
            let basic = context.basic(user, name).ok_or_else(|| no_secret(name))?;
            request = request.header("authorization", basic);
        }
        if !matches!(asked.method, Method::Get | Method::Head) {
            request = request.header("idempotency-key", context.idempotency_key());
        }
        if let Some(body) = asked.body.as_deref().filter(|body| !body.is_empty()) {
            request = request.header("content-type", asked.content_type).body(filled(context, body)?);
        }
        let request = request.timeout_ms(asked.seconds.clamp(1, 300) * 1_000);
        let answer = context.send(&request)?;
        let answer = if asked.any_status { answer } else { answer.good()? };
        Ok(told(&answer))
    }

    fn examples() -> Vec<Example> {
        let asked = |method, any_status| Asked {
            method,
            url: "https://example.com/orders".into(),
            headers: Some("accept: application/json".into()),
            body: (method == Method::Post).then(|| "{}".into()),
            content_type: "application/json".into(),
            bearer: None,
            user: None,
            password: None,
            seconds: 20,
            any_status,
        };
        let header = attributes! { "url" => "https://example.com/", "headers" => "accept" };
        let secret = attributes! { "url" => "https://example.com/", "bearer" => "nobody-set-it" };
        vec![
            Example::of::<Self>("what is there", asked(Method::Get, false)),
            Example::of::<Self>("something new", asked(Method::Post, false)),
            Example::failing("half a header", header, "bad-header"),
            Example::failing("no such secret", secret, "no-secret"),
        ]
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn headers(text: &str) -> Result<Vec<(&str, &str)>, Failure> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = |line: &'_ str| -> Option<(usize, usize)> {
        let (name, _) = line.split_once(':')?;
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        is_name.then_some((name.len(), name.len() + 1))
    };
    lines
        .map(|line| match read(line) {
            Some((name, value)) => Ok((&line[..name], line[value..].trim())),
            None => Err(Failure::invalid_input("bad-header", "`headers` has a line that is no `name: value`")),
        })
        .collect()
}

/// The text with placeholders in the places of secrets.
fn filled(context: &Context, text: &str) -> Result<String, Failure> {
    const MARK: &str = "{secret:";
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once(MARK) {
        let Some((name, behind)) = behind.split_once('}') else { break };
        out.push_str(before);
        out.push_str(&secret(context, name.trim())?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn secret(context: &Context, name: &str) -> Result<String, Failure> {
    context.secret(name).ok_or_else(|| no_secret(name))
}

fn no_secret(name: &str) -> Failure {
    let shown: String = name.chars().take(60).collect();
    let message = format!("the secret `{shown}` is not set: stepwise plugin secret set http {shown} --file FILE");
    Failure::permanent("no-secret", message)
}

fn told(answer: &stepwise_sdk::http::Response) -> Answer {
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    let headers: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut body = answer.text();
    if body.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| body.is_char_boundary(*end)).unwrap_or(0);
        body.truncate(end);
    }
    Answer {
        status: answer.status.into(),
        ok: (200..300).contains(&answer.status),
        body: text(body),
        content_type: answer.header("content-type").map(String::from).and_then(text),
        headers: text(headers.join("\n")),
        url: text(answer.url.clone()),
    }
}
