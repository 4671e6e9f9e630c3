//! Signatures: whose count, what happens without, and who has signed what is installed.

use anyhow::Result;
use minisign::{KeyPair, sign};
use serde_json::json;
use tests::made;

use super::{House, says, servers::Server};

/// An author: his key, and what he signs.
struct Author(KeyPair);

impl Author {
    fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().expect("a key"))
    }

    fn key(&self) -> String {
        self.0.pk.to_base64()
    }

    fn sign(&self, bytes: &[u8]) -> String {
        let signature = sign(Some(&self.0.pk), &self.0.sk, bytes, Some("one, the released one"), None);
        signature.expect("a signature").to_string()
    }
}

fn requiring(author: &Author) -> String {
    format!("[plugins]\nsignatures = \"require\"\ntrusted_keys = [\"acme={}\"]\n", author.key())
}

#[test]
fn where_signatures_are_required_nothing_else_goes_in() -> Result<()> {
    let (author, stranger) = (Author::new(), Author::new());
    let house = House::with(&requiring(&author))?;
    let component = made::library("one", "1.0.0");
    let file = house.file("one.wasm", &component)?;
    let install = ["install", &file];
    says(&house.bad(6, &install)?, &["`the component` is not trusted: it is not signed", "`plugins.trusted_keys`"])?;
    house.file("one.wasm.minisig", stranger.sign(&component))?;
    says(&house.bad(6, &install)?, &["which this daemon does not trust"])?;
    house.file("one.wasm.minisig", author.sign(b"something else"))?;
    says(&house.bad(6, &install)?, &["is not that of these bytes"])?;
    house.file("one.wasm.minisig", "nonsense")?;
    says(&house.bad(6, &install)?, &["its signature is none of minisign"])?;
    assert!(house.versions("one")?.is_empty());
    house.file("one.wasm.minisig", author.sign(&component))?;
    says(&house.good(&install)?, &["signed by acme (key ", "one, the released one", "one 1.0.0: one.run"])?;
    says(&house.good(&["show", "one"])?, &["signed by acme (key ", "one, the released one"])?;
    let elsewhere = house.file("kept/apart.sig", author.sign(&component))?;
    let named = ["install", &file, "--signature", &elsewhere];
    says(&house.good(&named)?, &["signed by acme"])
}

/// The API alone is as strict as the command line.
#[test]
fn the_daemon_looks_at_signature_and_digest_itself() -> Result<()> {
    let author = Author::new();
    let house = House::with(&requiring(&author))?;
    let component = made::library("one", "1.0.0");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |query: &str| -> Result<(u16, serde_json::Value)> {
        let request = agent.post(format!("{}/api/v1/plugins{query}", house.daemon.address));
        let request = request.header("authorization", format!("Bearer {}", house.daemon.token()));
        let mut answer = request.header("content-type", "application/wasm").send(&component)?;
        Ok((answer.status().as_u16(), serde_json::from_str(&answer.body_mut().read_to_string()?)?))
    };
    let (status, answer) = post("")?;
    assert_eq!((status, &answer["code"]), (403, &json!("untrusted-plugin")), "{answer}");
    let (status, answer) = post(&format!("?digest=sha256:{}", "0".repeat(64)))?;
    assert_eq!((status, &answer["code"]), (403, &json!("untrusted-plugin")), "{answer}");
    assert_eq!(post("?digest=md5:0")?.0, 400);
    Ok(())
}

#[test]
fn a_signature_comes_from_beside_an_address_and_in_a_registry() -> Result<()> {
    let author = Author::new();
    let (house, server) = (House::with(&requiring(&author))?, Server::start()?);
    let (one, two) = (made::library("one", "1.0.0"), made::library("two", "1.0.0"));
    server.put("/one.wasm", &one);
    let url = server.url("/one.wasm");
    says(&house.bad(6, &["install", "--allow-http", &url])?, &["it is not signed"])?;
    server.put("/one.wasm.minisig", author.sign(&one).as_bytes());
    says(&house.good(&["install", "--allow-http", &url])?, &["signed by acme", "one 1.0.0: one.run"])?;
    let signature = author.sign(&two);
    let layers: [(&str, &str, &[u8]); 2] =
        [("application/wasm", "two.wasm", &two), ("text/plain", "two.wasm.minisig", signature.as_bytes())];
    server.push("acme/two", "1.0", &layers);
    let reference = format!("oci://{}/acme/two:1.0", server.address);
    says(&house.good(&["install", "--allow-http", &reference])?, &["signed by acme", "two 1.0.0: two.run"])
}

#[test]
fn what_comes_from_elsewhere_must_be_signed_unless_the_configuration_says_otherwise() -> Result<()> {
    let (old, new) = (Author::new(), Author::new());
    let keys = format!("[plugins]\ntrusted_keys = [\"old={}\", \"new={}\"]\n", old.key(), new.key());
    let (house, server) = (House::with(&keys)?, Server::start()?);
    let component = made::library("one", "1.0.0");
    server.put("/one.wasm", &component);
    server.push("acme/one", "1.0", &[("application/wasm", "one.wasm", &component)]);
    let url = server.url("/one.wasm");
    let reference = format!("oci://{}/acme/one:1.0", server.address);
    for source in [&url, &reference] {
        let refused = house.bad(6, &["install", "--allow-http", source])?;
        says(&refused, &["it is not signed, and what comes from an address or a registry", "install it from there"])?;
        says(&house.bad(6, &["install", "--allow-http", "--dry-run", source])?, &["it is not signed"])?;
    }
    assert!(house.versions("one")?.is_empty());
    // What a person has before him he may judge himself, and it is said.
    let file = house.file("one.wasm", &component)?;
    says(
        &house.good(&["install", &file])?,
        &[&file, "it is not signed: nobody whom this daemon trusts answers for it"],
    )?;
    // While keys change, either will do.
    for author in [&old, &new] {
        server.put("/one.wasm.minisig", author.sign(&component).as_bytes());
        says(&house.good(&["install", "--allow-http", &url])?, &["signed by", "one, the released one"])?;
    }
    Ok(())
}

#[test]
fn a_solutions_plugins_are_held_to_the_same_rule() -> Result<()> {
    let author = Author::new();
    let house = House::with(&requiring(&author))?;
    let component = made::library("one", "1.0.0");
    house.file("solution/plugins/one.wasm", &component)?;
    let header = [("solution.yaml", "kind: solution\nname: signed\nversion: 1.0.0\nprefix: sig\n")];
    let refused = house.apply(&header).expect_err("refused").to_string();
    says(&refused, &["plugins/one.wasm", "is not trusted: it is not signed"])?;
    house.file("solution/plugins/one.wasm.minisig", author.sign(&component))?;
    house.apply(&header)?;
    says(&house.good(&["show", "one"])?, &["brought by solution signed", "signed by acme"])
}

#[test]
fn where_they_are_only_wanted_it_is_said_and_a_wrong_one_is_still_refused() -> Result<()> {
    let author = Author::new();
    let house = House::with(&format!("[plugins]\ntrusted_keys = \"{}\"\n", author.key()))?;
    let component = made::library("one", "1.0.0");
    let file = house.file("one.wasm", &component)?;
    says(&house.good(&["install", &file])?, &["it is not signed: nobody whom this daemon trusts answers for it"])?;
    house.file("one.wasm.minisig", author.sign(&component))?;
    says(&house.good(&["install", &file])?, &["signed by key "])?;
    let shown = house.versions("one")?;
    assert!(shown[0]["signed_by"].as_str().is_some_and(|by| by.starts_with("key ")), "{shown:?}");
    house.file("one.wasm.minisig", author.sign(b"another"))?;
    says(&house.bad(6, &["install", &file])?, &["is not that of these bytes"])
}
