//! The way out against a real server on this machine: what is granted is reached, and nothing else.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use connect::Client;
use model::{
    grant::{HostGrant, Secret},
    outside::{Answer, NoAnswer, Outside, Placeholder, Reach, Request, Unanswered},
};

/// What a server got: the head as lines, and the body.
struct Got {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.head.iter().skip(1).filter_map(|line| line.split_once(": "));
        found.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// A server that answers each connection with what `answer` says about its first line.
struct Server {
    address: SocketAddr,
    got: Receiver<Got>,
}

impl Server {
    fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (told, got) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(stream, &answer, &told);
            }
        });
        Self { address, got }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    fn grant(&self, host: &str) -> HostGrant {
        HostGrant::parse(&format!("http://{host}:{} private", self.address.port())).expect("a grant")
    }

    fn got(&self) -> Got {
        self.got.recv_timeout(Duration::from_secs(10)).expect("a request")
    }

    fn got_nothing(&self) -> bool {
        self.got.try_recv().is_err()
    }
}

fn serve(stream: TcpStream, answer: &impl Fn(&str) -> Vec<u8>, told: &Sender<Got>) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
        head.push(line.trim_end().to_owned());
        line.clear();
    }
    let got = Got { head, body: Vec::new() };
    let length = got.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let said = answer(got.head.first().map_or("", String::as_str));
    let _ = told.send(Got { body, ..got });
    let _ = reader.into_inner().write_all(&said);
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-Kind: plain\r\n\r\n{body}", body.len()).into_bytes()
}

fn redirect(status: u16, to: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// A client for whom every name is this machine.
fn client() -> Client {
    Client::with_lookup(Box::new(|_, port| Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])), &[])
}

fn get(url: &str) -> Request {
    Request { method: "GET".into(), url: url.into(), headers: Vec::new(), body: Vec::new(), redirects: 5 }
}

const SOON: Duration = Duration::from_secs(20);

fn send(request: &Request, hosts: &[HostGrant], secrets: &[Placeholder]) -> Result<Answer, Unanswered> {
    client().send(request, &Reach { hosts, secrets, within: SOON, largest: 1 << 20 }, &mut || false)
}

fn why(sent: Result<Answer, Unanswered>) -> NoAnswer {
    sent.expect_err("no answer").why
}

fn secret() -> Vec<Placeholder> {
    vec![Placeholder { text: "stepwise-secret-1".into(), secret: Secret::new("hunter2") }]
}

#[test]
fn a_granted_host_is_asked_and_its_answer_told() {
    let server = Server::answering(|_| ok("hello"));
    let mut request = get(&server.url("api.example.com", "/a/b?c=d#e"));
    request.method = "POST".into();
    request.headers.push(("X-Own".into(), "1".into()));
    request.body = b"question".to_vec();
    let answer = send(&request, &[server.grant("*.example.com")], &[]).expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"hello".as_slice()));
    assert!(answer.headers.contains(&("x-kind".into(), "plain".into())));
    assert_eq!(answer.url, server.url("api.example.com", "/a/b?c=d"));
    let got = server.got();
    assert_eq!(got.head[0], "POST /a/b?c=d HTTP/1.1");
    assert_eq!(got.header("host"), Some(format!("api.example.com:{}", server.address.port()).as_str()));
    assert_eq!((got.header("x-own"), got.body.as_slice()), (Some("1"), b"question".as_slice()));
    assert_eq!(got.header("user-agent"), Some(concat!("stepwise/", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn what_is_not_granted_is_not_asked() {
    let server = Server::answering(|_| ok("hello"));
    let grants = [server.grant("api.example.com")];
    for url in [
        server.url("evil.example.com", "/"),
        server.url("127.0.0.1", "/"),
        "http://api.example.com/".to_owned(),
        server.url("api.example.com", "/").replace("http:", "https:"),
    ] {
        assert_eq!(why(send(&get(&url), &grants, &[])), NoAnswer::NotGranted, "{url}");
    }
    assert_eq!(why(send(&get(&server.url("api.example.com", "/")), &[], &[])), NoAnswer::NotGranted);
    assert!(server.got_nothing());
}

#[test]
fn a_public_name_with_a_private_address_is_not_asked() {
    let server = Server::answering(|_| ok("hello"));
    let grant = HostGrant::parse(&format!("http://api.example.com:{}", server.address.port())).expect("a grant");
    let error = send(&get(&server.url("api.example.com", "/")), &[grant], &[]).expect_err("no answer");
    assert_eq!(error.why, NoAnswer::NotGranted);
    assert!(error.message.contains("private network"), "{error}");
    // An address that is granted as such needs no other word.
    let grant = HostGrant::parse(&format!("http://127.0.0.1:{}", server.address.port())).expect("a grant");
    assert_eq!(send(&get(&server.url("127.0.0.1", "/")), &[grant], &[]).expect("an answer").status, 200);
    assert_eq!(server.got().head[0], "GET / HTTP/1.1");
    assert!(server.got_nothing());
}

#[test]
fn every_redirect_is_judged_anew() {
    let server = Server::answering(|line| match line.split(' ').nth(1).unwrap_or_default() {
        "/away" => redirect(302, "http://other.example.org/"),
        "/here" => redirect(303, "there"),
        "/round" => redirect(302, "/round"),
        _ => ok("arrived"),
    });
    let grants = [server.grant("api.example.com")];
    let ask =
        |path: &str, redirects| send(&Request { redirects, ..get(&server.url("api.example.com", path)) }, &grants, &[]);
    let answer = ask("/here", 5).expect("an answer");
    assert_eq!((answer.status, answer.url), (200, server.url("api.example.com", "/there")));
    assert_eq!(ask("/here", 0).expect("an answer").status, 303);
    assert_eq!(why(ask("/away", 5)), NoAnswer::NotGranted);
    assert_eq!(why(ask("/round", 3)), NoAnswer::TooManyRedirects);
}

#[test]
fn a_secret_is_only_on_the_wire_to_its_host() {
    let server = Server::answering(|line| match line.split(' ').nth(1).unwrap_or_default() {
        "/echo" => ok("you are hunter2"),
        _ => redirect(307, "http://other.example.com/"),
    });
    let grants = [server.grant("api.example.com")];
    let mut request = get(&server.url("api.example.com", "/echo"));
    request.method = "PUT".into();
    request.headers.push(("Authorization".into(), "Bearer stepwise-secret-1".into()));
    request.body = b"key=stepwise-secret-1".to_vec();
    let answer = send(&request, &grants, &secret()).expect("an answer");
    assert_eq!(answer.body, b"you are stepwise-secret-1");
    let got = server.got();
    assert_eq!(got.header("authorization"), Some("Bearer hunter2"));
    assert_eq!(got.body, b"key=hunter2");
    // Somebody else's request with the same text in it has no secret.
    let answer = send(&request, &grants, &[]).expect("an answer");
    assert_eq!(answer.body, b"you are hunter2");
    assert_eq!(server.got().header("authorization"), Some("Bearer stepwise-secret-1"));
    assert!(!format!("{:?}", secret()).contains("hunter2"));
}

#[test]
fn a_redirect_to_another_host_takes_no_secret_along() {
    let other = Server::answering(|_| ok("other"));
    let there = other.url("other.example.com", "/");
    let server = Server::answering(move |_| redirect(307, &there));
    let grants = [server.grant("api.example.com"), other.grant("other.example.com")];
    let mut request = get(&server.url("api.example.com", "/"));
    request.headers.push(("X-Key".into(), "stepwise-secret-1".into()));
    request.headers.push(("Cookie".into(), "a=b".into()));
    request.headers.push(("X-Plain".into(), "plain".into()));
    assert_eq!(send(&request, &grants, &secret()).expect("an answer").body, b"other");
    let got = other.got();
    assert_eq!((got.header("x-key"), got.header("cookie"), got.header("x-plain")), (None, None, Some("plain")));
    request.method = "POST".into();
    request.body = b"stepwise-secret-1".to_vec();
    assert_eq!(why(send(&request, &grants, &secret())), NoAnswer::NotGranted);
    assert!(other.got_nothing());
}

#[test]
fn what_is_too_large_too_slow_or_no_answer_is_told_as_such() {
    let server = Server::answering(|line| match line.split(' ').nth(1).unwrap_or_default() {
        "/large" => ok(&"x".repeat(5_000)),
        "/endless" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        "/short" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".to_vec(),
        "/headers" => format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Long: y\r\n".repeat(20_000)).into_bytes(),
        _ => b"220 mail.example.com ESMTP\r\n".to_vec(),
    });
    let grants = [server.grant("api.example.com")];
    let ask = |path: &str| {
        let reach = Reach { hosts: &grants, secrets: &[], within: SOON, largest: 1_000 };
        why(client().send(&get(&server.url("api.example.com", path)), &reach, &mut || false))
    };
    assert_eq!(ask("/large"), NoAnswer::TooLarge);
    assert_eq!(ask("/endless"), NoAnswer::Broken);
    assert_eq!(ask("/short"), NoAnswer::Broken);
    assert!(matches!(ask("/headers"), NoAnswer::TooLarge | NoAnswer::Broken));
    assert_eq!(ask("/mail"), NoAnswer::Broken);
}

#[test]
fn a_host_that_does_not_answer_costs_no_more_than_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let grants = [HostGrant::parse(&format!("http://slow.example.com:{port} private")).expect("a grant")];
    let request = get(&format!("http://slow.example.com:{port}/"));
    let reach = Reach { hosts: &grants, secrets: &[], within: Duration::from_millis(200), largest: 1_000 };
    let started = Instant::now();
    assert_eq!(why(client().send(&request, &reach, &mut || false)), NoAnswer::TimedOut);
    let reach = Reach { within: SOON, ..reach };
    assert_eq!(why(client().send(&request, &reach, &mut || true)), NoAnswer::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(10));
    drop(listener);
    assert_eq!(why(client().send(&request, &reach, &mut || false)), NoAnswer::NoConnection);
}

#[test]
fn a_name_without_an_address_is_not_reached() {
    let client = Client::with_lookup(Box::new(|_, _| Err(std::io::ErrorKind::NotFound.into())), &[]);
    let grants = [HostGrant::parse("nowhere.example.com").expect("a grant")];
    let reach = Reach { hosts: &grants, secrets: &[], within: SOON, largest: 1_000 };
    assert_eq!(why(client.send(&get("https://nowhere.example.com/"), &reach, &mut || false)), NoAnswer::NoConnection);
}

#[test]
fn a_server_that_speaks_no_tls_is_not_believed() {
    let server = Server::answering(|_| ok("hello"));
    let port = server.address.port();
    let grants = [HostGrant::parse(&format!("api.example.com:{port} private")).expect("a grant")];
    let sent = send(&get(&format!("https://api.example.com:{port}/")), &grants, &[]);
    assert!(matches!(why(sent), NoAnswer::BadCertificate | NoAnswer::Broken));
}

#[test]
fn headers_of_the_connection_are_not_the_steps() {
    for (name, value) in [
        ("Host", "evil.org"),
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("X-Split", "a\r\nHost: evil.org"),
        ("X Space", "a"),
    ] {
        let mut request = get("https://api.example.com/");
        request.headers.push((name.into(), value.into()));
        let grants = [HostGrant::parse("api.example.com private").expect("a grant")];
        assert_eq!(why(send(&request, &grants, &[])), NoAnswer::Invalid, "{name}");
    }
    let mut request = get("https://api.example.com/");
    request.headers.push(("X-Key".into(), "stepwise-secret-1".into()));
    let secrets = [Placeholder { text: "stepwise-secret-1".into(), secret: Secret::new("a\nb") }];
    let grants = [HostGrant::parse("api.example.com private").expect("a grant")];
    let error = send(&request, &grants, &secrets).expect_err("no answer");
    assert!(error.why == NoAnswer::Invalid && !error.message.contains('\n'), "{error}");
}

/// A client for whom every name has these addresses, at the port that is asked for; it counts the questions.
fn looking_up(addresses: &'static [&'static str]) -> (Client, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let lookup = move |_: &str, port| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(addresses.iter().map(|one| SocketAddr::new(one.parse().expect("an address"), port)).collect())
    };
    (Client::with_lookup(Box::new(lookup), &[]), asked)
}

#[test]
fn no_way_of_writing_an_address_leads_around_the_grants() {
    let server = Server::answering(|_| ok("inside"));
    let port = server.address.port();
    // Granted by name, and not for private networks: all names stand for this machine here.
    let grants = [HostGrant::parse(&format!("http://api.example.com:{port}")).expect("a grant")];
    for (host, expected) in [
        ("api.example.com", NoAnswer::NotGranted),
        ("API.EXAMPLE.COM", NoAnswer::NotGranted),
        ("api.example.com.", NoAnswer::NotGranted),
        ("api.example.com..", NoAnswer::NotGranted),
        ("localhost", NoAnswer::NotGranted),
        ("localhost.", NoAnswer::NotGranted),
        ("LOCALHOST", NoAnswer::NotGranted),
        ("127.0.0.1", NoAnswer::NotGranted),
        ("127.1", NoAnswer::NotGranted),
        ("0", NoAnswer::NotGranted),
        ("0x7f000001", NoAnswer::NotGranted),
        ("2130706433", NoAnswer::NotGranted),
        ("0177.0.0.1", NoAnswer::NotGranted),
        ("[::1]", NoAnswer::NotGranted),
        ("[::]", NoAnswer::NotGranted),
        ("[::ffff:127.0.0.1]", NoAnswer::NotGranted),
        ("[::ffff:7f00:1]", NoAnswer::NotGranted),
        ("[::127.0.0.1]", NoAnswer::NotGranted),
        ("[2002:7f00:1::]", NoAnswer::NotGranted),
        ("[64:ff9b::7f00:1]", NoAnswer::NotGranted),
        ("[fe80::1%25lo]", NoAnswer::NotGranted),
        ("[fe80::1%lo]", NoAnswer::NotGranted),
        ("xn--pi-6kc.example.com", NoAnswer::NotGranted),
        ("api.example.com.evil.org", NoAnswer::NotGranted),
        ("evil.org%2eapi.example.com", NoAnswer::NotGranted),
        ("api%2eexample.com", NoAnswer::NotGranted),
        ("аpi.example.com", NoAnswer::Invalid),
        ("api.example.com@127.0.0.1", NoAnswer::Invalid),
        ("api.example.com:80@127.0.0.1", NoAnswer::Invalid),
        ("127.0.0.1\\@api.example.com", NoAnswer::Invalid),
        ("api.example.com\r\nHost: evil.org", NoAnswer::Invalid),
        ("api.example.com\t", NoAnswer::Invalid),
        ("[::1", NoAnswer::Invalid),
    ] {
        let error = send(&get(&format!("http://{host}:{port}/")), &grants, &secret()).expect_err(host);
        // What the transport cannot even read it says in its own way; nobody is asked either way.
        assert!(error.why == expected || error.why == NoAnswer::Invalid, "{host}: {error:?}");
    }
    assert!(server.got_nothing());
}

#[test]
fn a_redirect_is_no_way_around_the_grants_either() {
    let inside = Server::answering(|_| ok("inside"));
    let port = inside.address.port();
    for to in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("http://api.example.com@127.0.0.1:{port}/"),
        format!("http:\\\\127.0.0.1:{port}/"),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
        "javascript:alert(1)".to_owned(),
    ] {
        let answer = redirect(302, &to);
        let server = Server::answering(move |line| if line.contains(" / ") { answer.clone() } else { ok("here") });
        let sent = send(&get(&server.url("api.example.com", "/")), &[server.grant("api.example.com")], &[]);
        // What is no URL of its own is a path of the same host.
        assert!(sent.is_err() || sent.is_ok_and(|answer| answer.body == b"here"), "{to}");
        assert!(inside.got_nothing(), "{to}");
    }
}

#[test]
fn the_address_that_was_looked_at_is_the_one_that_is_connected_to() {
    let server = Server::answering(|_| ok("hello"));
    let url = server.url("api.example.com", "/");
    let reach = |hosts| Reach { hosts, secrets: &[], within: SOON, largest: 1_000 };
    let (client, asked) = looking_up(&["127.0.0.1"]);
    let private = [server.grant("api.example.com")];
    assert_eq!(client.send(&get(&url), &reach(&private), &mut || false).expect("an answer").status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a second question could be answered differently");
    assert_eq!(server.got().head[0], "GET / HTTP/1.1");
    // Of several addresses only those of the world are tried, in whatever order they come.
    let public = [HostGrant::parse(&format!("http://api.example.com:{}", server.address.port())).expect("a grant")];
    for addresses in [&["127.0.0.1", "::1"][..], &["::ffff:127.0.0.1", "10.0.0.1"], &["169.254.169.254"], &[]] {
        let sent = looking_up(addresses).0.send(&get(&url), &reach(&public), &mut || false);
        assert!(matches!(why(sent), NoAnswer::NotGranted | NoAnswer::NoConnection), "{addresses:?}");
    }
    let soon = Reach { within: Duration::from_millis(300), ..reach(&public) };
    let sent = looking_up(&["127.0.0.1", "1.1.1.1"]).0.send(&get(&url), &soon, &mut || false);
    assert!(!sent.is_ok_and(|answer| answer.body == b"hello"), "another one is connected to, or nobody");
    assert!(server.got_nothing());
}

#[test]
fn a_host_that_drips_has_no_more_time_than_one_that_is_silent() {
    for head in ["HTTP/1.1 200 OK\r\nX-Long: ", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
            let dripping = Instant::now();
            // The pause between two drops is the time that reading waits in vain.
            while dripping.elapsed() < SOON && stream.write_all(b"x").is_ok() {
                let _ = stream.read(&mut [0; 64]);
            }
        });
        let grants = [HostGrant::parse(&format!("http://slow.example.com:{port} private")).expect("a grant")];
        let reach = Reach { hosts: &grants, secrets: &[], within: Duration::from_millis(400), largest: 1 << 20 };
        let started = Instant::now();
        let sent = client().send(&get(&format!("http://slow.example.com:{port}/")), &reach, &mut || false);
        assert_eq!(why(sent), NoAnswer::TimedOut, "{head:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{head:?}");
    }
}

#[test]
fn what_is_packed_is_not_unpacked() {
    // A kilobyte of zeros, packed by gzip: a step gets what was sent, however large it would become.
    let packed: [u8; 29] =
        [31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 99, 96, 24, 5, 163, 96, 20, 140, 84, 0, 0, 46, 175, 181, 239, 0, 4, 0, 0];
    let server = Server::answering(move |_| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len());
        [head.as_bytes(), &packed].concat()
    });
    let answer = send(&get(&server.url("api.example.com", "/")), &[server.grant("api.example.com")], &[]);
    assert_eq!(answer.expect("an answer").body, packed);
    assert_eq!(server.got().header("accept-encoding").filter(|text| text.contains("gzip")), None);
}

#[test]
fn a_placeholder_in_an_address_stays_one_and_no_error_tells_a_secret() {
    let server = Server::answering(|_| ok("hello"));
    let grants = [server.grant("api.example.com")];
    let url = server.url("api.example.com", "/stepwise-secret-1?key=stepwise-secret-1");
    let answer = send(&get(&url), &grants, &secret()).expect("an answer");
    assert_eq!(answer.url, url);
    assert_eq!(server.got().head[0], "GET /stepwise-secret-1?key=stepwise-secret-1 HTTP/1.1");
    // A port of nobody, a host that is not granted, a header that cannot be: none of them tells what would have been sent.
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr()).expect("an address").port();
    for (url, header) in [
        (format!("http://api.example.com:{nobody}/"), "stepwise-secret-1"),
        ("http://other.example.com/".to_owned(), "stepwise-secret-1"),
        (server.url("api.example.com", "/"), "stepwise-secret-1\r\n"),
    ] {
        let mut request = get(&url);
        request.headers.push(("X-Key".into(), header.into()));
        let granted =
            [grants[0].clone(), HostGrant::parse(&format!("http://api.example.com:{nobody} private")).expect("one")];
        let error = send(&request, &granted, &secret()).expect_err(&url);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
