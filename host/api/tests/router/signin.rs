//! Signing in over HTTP: what is shown where, what each scope lets through, and what is said to bad input.

use api::ApiSettings;
use axum::http::StatusCode;
use engine::{
    administrator,
    signin::{Kind, NewToken, Scopes},
};
use serde_json::{Value as Json, json};

use super::{Answer, World};

const NOBODY: (&str, &str) = ("authorization", "");
const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const OURS: (&str, &str) = ("x-stepwise-csrf", "1");
const PASSWORD: &str = "correct horse battery";

impl World {
    fn token(&self, scopes: &[&str]) -> String {
        let scopes = Scopes::parse(scopes.iter().copied()).expect("scopes");
        let new = NewToken { user: administrator(), kind: Kind::Api, label: "t".into(), scopes, expires_on: None };
        let caller = self.engine.caller(administrator());
        self.engine.issue_token(&caller, &new).expect("a token").secret
    }

    fn with_password(self) -> Self {
        let answer = self.send("PUT", "/api/v1/passwords", &[JSON], &json!({"password": PASSWORD}).to_string());
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        self
    }

    fn sign_in(&self, name: &str, password: &str) -> Answer {
        let body = json!({"name": name, "password": password}).to_string();
        self.send("POST", "/api/v1/sessions", &[NOBODY, JSON], &body)
    }

    /// `name=value` of the session's cookie.
    fn session(&self) -> String {
        let answer = self.sign_in("administrator", PASSWORD);
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
    }
}

impl Answer {
    /// Status and sentence of a refusal of our own API.
    fn told(&self) -> (u16, String) {
        let body: Json = serde_json::from_str(&self.text).unwrap_or_default();
        (self.status.as_u16(), body["detail"].as_str().unwrap_or_default().to_owned())
    }
}

#[test]
fn what_stands_in_the_wrong_place_is_told_so() {
    let world = World::new();
    let token = world.token(&[]);
    let cut = format!("Bearer {}", &token[..40]);
    let cookie = format!("stepwise-session={token}");
    for (headers, sentence) in [
        (vec![NOBODY], "send `Authorization: Bearer TOKEN`; `stepwise dev` writes one to DATA-DIR/dev-token"),
        (vec![("authorization", &*token)], "the token stands without its scheme: send `Authorization: Bearer TOKEN`"),
        (vec![("authorization", &*cut)], "the token is cut off: 40 of its 76 characters are here"),
        (
            vec![NOBODY, ("x-api-key", &*token)],
            "nobody looks for a token in the header `x-api-key`: send `Authorization: Bearer TOKEN`",
        ),
        (vec![NOBODY, ("cookie", &*cookie)], "this is a token: send it as `Authorization: Bearer TOKEN`"),
        (vec![("authorization", "Basic ?")], "the Basic header is not NAME:TOKEN in base64"),
        // ada:secret
        (
            vec![("authorization", "Basic YWRhOnNlY3JldA==")],
            "Basic takes a token as its password; who has a password of his own signs in at /api/v1/sessions",
        ),
    ] {
        assert_eq!(world.send("GET", "/api/v1/jobs", &headers, "").told(), (401, sentence.to_owned()), "{headers:?}");
    }
    let address = format!("/api/v1/jobs?access_token={token}");
    assert!(
        world.send("GET", &address, &[NOBODY], "").told().1.starts_with("a token in the address stands in every log")
    );
    let refused = world.send("GET", "accounts", &[NOBODY], "");
    assert_eq!(refused.header("www-authenticate"), "Bearer, Basic realm=\"stepwise\"");
}

#[test]
fn a_token_is_the_password_of_basic_under_any_name() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    let world = World::new();
    let pair = BASE64_STANDARD.encode(format!("anybody:{}", world.token(&["read"])));
    let basic = format!("Basic {pair}");
    assert_eq!(world.send("GET", "accounts", &[("authorization", &basic)], "").status, StatusCode::OK);
    let refused = world.send("POST", "accounts", &[("authorization", &basic)], r#"{"name":"Ada"}"#).refusal();
    let sentence = "the scope of the token is `read`, and this needs `data` or `full`";
    assert_eq!(refused, (403, "token-scope".to_owned(), sentence.to_owned()));
}

#[test]
fn a_scope_lets_through_what_it_says_on_every_route_that_changes_something() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let account = format!("accounts({id})");
    let changes = [
        ("POST", "accounts", "data"),
        ("PATCH", &account, "data"),
        ("DELETE", &account, "data"),
        ("POST", "$batch", "data"),
        ("POST", "/api/v1/imports", "data"),
        ("POST", "/api/v1/jobs/0192f5a0-0000-7000-8000-00000000ffff/cancel", "jobs"),
        ("POST", "/api/v1/processes/nothing/run", "jobs"),
        ("POST", "/api/v1/solutions/apply", "deploy"),
        ("POST", "/api/v1/plugins", "deploy"),
        ("POST", "/api/v1/plugins/nothing/grant", "deploy"),
        ("POST", "/api/v1/plugins/nothing/secrets", "deploy"),
        ("DELETE", "/api/v1/plugins/nothing", "deploy"),
        ("POST", "/api/v1/tokens", "full"),
        ("DELETE", "/api/v1/tokens/00", "full"),
        ("PUT", "/api/v1/passwords", "full"),
        ("DELETE", "/api/v1/sessions?user=administrator", "full"),
    ];
    for scope in ["read", "data", "jobs", "deploy"] {
        let bearer = format!("Bearer {}", world.token(&[scope]));
        for (method, path, needs) in changes {
            let body = if path == "/api/v1/passwords" { r#"{"password":"correct horse battery"}"# } else { "{}" };
            let answer = world.send(method, path, &[("authorization", &bearer)], body);
            let denied = answer.status == StatusCode::FORBIDDEN && answer.text.contains("token-scope");
            // A whole body is wanted before who sends it is looked at, where it is a form of its own.
            let malformed = answer.status == StatusCode::BAD_REQUEST && answer.text.contains("malformed");
            assert!(
                denied == (scope != needs) || malformed,
                "{scope} {method} {path}: {} {}",
                answer.status,
                answer.text
            );
        }
        assert_eq!(world.send("GET", "accounts/$count", &[("authorization", &bearer)], "").status, StatusCode::OK);
    }
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let world = World::new();
    let body = r#"{"label":"ci","scopes":["deploy"],"expires":"30d"}"#;
    let made = world.send("POST", "/api/v1/tokens", &[], body).json();
    assert_eq!((&made["label"], &made["scopes"]), (&json!("ci"), &json!(["deploy"])));
    assert_eq!((&made["expires_on"], &made["user"]), (&json!("2026-12-20T09:00:00Z"), &json!("administrator")));
    let listed = world.get("/api/v1/tokens?user=*").json();
    let ids: Vec<&Json> = listed["value"].as_array().expect("a list").iter().map(|token| &token["id"]).collect();
    assert!(ids.contains(&&made["id"]) && !listed.to_string().contains(made["token"].as_str().expect("a secret")));
    let id = made["id"].as_str().expect("an id");
    let revoked = world.send("DELETE", &format!("/api/v1/tokens/{id}"), &[], "");
    assert_eq!(revoked.json()["revoked_on"], "2026-11-20T09:00:00Z");
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a secret"));
    let told = world.send("GET", "/api/v1/jobs", &[("authorization", &bearer)], "").told();
    assert_eq!(told, (401, "the token was revoked on 2026-11-20T09:00:00Z".to_owned()));
    for (body, part) in [
        (r#"{"scopes":["write"]}"#, "there is no scope `write`"),
        (r#"{"expires":"soon"}"#, "`soon` is no expiry"),
        (r#"{"expires":"2020-01-01T00:00:00Z"}"#, "`expires_on` lies in the future"),
        (r#"{"user":"nobody"}"#, "there is no `systemuser` nobody"),
        (r#"{"lable":"x"}"#, "the body describes no token"),
    ] {
        let (status, detail) = world.send("POST", "/api/v1/tokens", &[], body).told();
        assert!((400..500).contains(&status) && detail.contains(part), "{body}: {status} {detail}");
    }
}

#[test]
fn a_session_is_a_cookie_that_foreign_pages_cannot_use() {
    let world = World::new().with_password();
    let answer = world.sign_in("Administrator", PASSWORD);
    let set = answer.header("set-cookie").to_owned();
    assert!(set.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"), "{set}");
    assert!(!answer.text.contains("sws_"), "no script gets the secret");
    let cookie = set.split(';').next().expect("a cookie");
    let read = world.send("GET", "/api/v1/sessions/current", &[NOBODY, ("cookie", cookie)], "");
    assert_eq!(read.json()["user"], "administrator");
    let create = |headers: &[(&str, &str)]| {
        let headers = [&[NOBODY, ("cookie", cookie)], headers].concat();
        world.send("POST", "accounts", &headers, r#"{"name":"Ada"}"#).status.as_u16()
    };
    assert_eq!(create(&[]), 403);
    assert_eq!(create(&[("origin", "https://evil.example")]), 403);
    assert_eq!(create(&[("origin", "https://evil.example"), OURS]), 403, "the origin is believed first");
    assert_eq!((create(&[("origin", "http://crm.example")]), create(&[OURS])), (204, 204));
    let foreign = [NOBODY, JSON, ("origin", "https://evil.example")];
    let body = json!({"name": "administrator", "password": PASSWORD}).to_string();
    assert_eq!(world.send("POST", "/api/v1/sessions", &foreign, &body).status, StatusCode::FORBIDDEN);
}

#[test]
fn a_session_ends_by_its_owner_by_an_administrator_and_by_a_new_password() {
    let world = World::new().with_password();
    let ends: [&dyn Fn(&str) -> Answer; 3] = [
        &|cookie| world.send("DELETE", "/api/v1/sessions/current", &[NOBODY, OURS, ("cookie", cookie)], ""),
        &|_| world.send("DELETE", "/api/v1/sessions?user=ADMINISTRATOR", &[], ""),
        &|_| {
            let body = json!({"old": PASSWORD, "password": PASSWORD}).to_string();
            world.send("PUT", "/api/v1/passwords", &[], &body)
        },
    ];
    for end in ends {
        let cookie = world.session();
        let answer = end(&cookie);
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.text);
        let told = world.send("GET", "/api/v1/sessions/current", &[NOBODY, ("cookie", &cookie)], "").told();
        assert_eq!(told, (401, "the session was revoked on 2026-11-20T09:00:00Z".to_owned()));
    }
}

#[test]
fn over_tls_the_cookie_is_sent_over_tls_only_and_below_its_path() {
    let settings = ApiSettings { public_url: Some("https://crm.example/sub".into()), ..ApiSettings::default() };
    let world = World::with(settings).with_password();
    let answer = world.sign_in("administrator", PASSWORD);
    assert!(answer.header("set-cookie").ends_with("; Path=/sub; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"));
}

#[test]
fn wrong_passwords_are_told_alike_and_then_slowed_down() {
    let world = World::new().with_password();
    for name in ["administrator", "nobody", ""] {
        for _ in 0..5 {
            assert_eq!(world.sign_in(name, "wrong").told(), (401, "the name or the password is wrong".to_owned()));
        }
        let slowed = world.sign_in(name, PASSWORD);
        let sentence = "there were too many wrong passwords; try again in 1 s";
        assert_eq!(slowed.told(), (429, sentence.to_owned()));
        assert_eq!((slowed.header("retry-after"), slowed.json()["code"].clone()), ("1", json!("too-many-tries")));
    }
}

#[test]
fn one_address_gets_its_share_of_every_route_that_signs_in() {
    let grant = "grant_type=client_credentials&client_id=x&client_secret=y";
    for (path, header, body) in [
        ("/api/v1/sessions", JSON, r#"{"name":"a","password":"b"}"#),
        ("/api/v1/setup", JSON, r#"{"code":"a","name":"a","password":"b"}"#),
        ("/oauth2/v2.0/token", FORM, grant),
    ] {
        let world = World::new();
        let statuses: Vec<u16> =
            (0..31).map(|_| world.send("POST", path, &[NOBODY, header], body).status.as_u16()).collect();
        assert!(
            statuses[..20].iter().all(|status| *status != 429 || path.contains("sessions")),
            "{path}: {statuses:?}"
        );
        assert_eq!(statuses[30], 429, "{path}: {statuses:?}");
    }
}

#[test]
fn the_old_password_is_needed_for_a_new_one() {
    let world = World::new().with_password();
    let change = |body: Json| world.send("PUT", "/api/v1/passwords", &[], &body.to_string()).told();
    assert_eq!(change(json!({"password": "another horse battery"})).0, 401);
    assert_eq!(change(json!({"old": "wrong", "password": "another horse battery"})).0, 401);
    assert_eq!(
        change(json!({"old": PASSWORD, "password": "short"})),
        (400, "`password` has at least 12 characters".to_owned())
    );
    assert_eq!(change(json!({"old": PASSWORD, "password": "another horse battery"})).0, 204);
    assert_eq!(world.sign_in("administrator", "another horse battery").status, StatusCode::CREATED);
}

#[test]
fn a_setup_link_is_used_once_by_its_page() {
    let world = World::unsigned();
    let link = world.engine.setup_link().expect("no fault").expect("nobody can sign in");
    let page = world.send("GET", "/setup", &[NOBODY], "");
    assert!(
        page.text.contains("api/v1/setup") && page.header("content-security-policy").contains("default-src 'none'")
    );
    let body = json!({"code": link.code, "name": "ada", "password": PASSWORD}).to_string();
    let send = |body: &str| world.send("POST", "/api/v1/setup", &[NOBODY, JSON], body).told();
    let weak = json!({"code": link.code, "name": "ada", "password": "short"}).to_string();
    assert_eq!(send(&weak), (400, "`password` has at least 12 characters".to_owned()));
    assert_eq!(send(&body), (204, String::new()));
    assert_eq!(send(&body), (401, "the setup link was used on 2026-11-20T09:00:00Z".to_owned()));
    assert_eq!(world.sign_in("Ada", PASSWORD).status, StatusCode::CREATED);
}

#[test]
fn an_application_gets_a_token_in_the_form_of_rfc_6749() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    let world = World::new();
    let made =
        world.send("POST", "/api/v1/tokens", &[], r#"{"kind":"client","label":"billing","scopes":["data"]}"#).json();
    let text = |name: &str| made[name].as_str().expect(name).to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    let ask = |path: &str, headers: &[(&str, &str)], form: &str| {
        let answer = world.send("POST", path, &[&[NOBODY, FORM], headers].concat(), form);
        (answer.status.as_u16(), answer.json(), answer)
    };
    let form = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=https%3A%2F%2Fcrm.example%2F.default"
    );
    let (status, body, answer) = ask("/contoso/oauth2/v2.0/token", &[], &form);
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    assert_eq!(answer.header("cache-control"), "no-store");
    let bearer = format!("Bearer {}", body["access_token"].as_str().expect("a token"));
    assert_eq!(world.send("POST", "accounts", &[("authorization", &bearer)], r#"{"name":"Ada"}"#).status.as_u16(), 204);
    assert_eq!(world.send("POST", "/api/v1/tokens", &[("authorization", &bearer)], "{}").status.as_u16(), 403);
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")));
    let path = "/oauth2/v2.0/token";
    assert_eq!(ask(path, &[], "grant_type=client_credentials").1["error"], "invalid_client");
    let bare = world.send("POST", path, &[FORM, ("authorization", &basic)], "grant_type=client_credentials");
    assert_eq!(bare.status, StatusCode::OK, "{}", bare.text);
    let wrong = format!("grant_type=client_credentials&client_id={id}&client_secret=swc_00");
    for (form, status, error) in [
        ("client_id=x&client_secret=y", 400, "invalid_request"),
        ("grant_type=password&client_id=x&client_secret=y", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials&client_id=x&client_secret=y", 401, "invalid_client"),
        (&*wrong, 401, "invalid_client"),
        (&*form.replace("https%3A%2F%2Fcrm.example%2F.default", "deploy"), 400, "invalid_scope"),
        (&*form.replace("https%3A%2F%2Fcrm.example%2F.default", "fly"), 400, "invalid_scope"),
    ] {
        let (got, body, _) = ask(path, &[], form);
        assert_eq!((got, &body["error"]), (status, &json!(error)), "{form}: {body}");
    }
}
