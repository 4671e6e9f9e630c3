//! Registries as people use them, and as nobody should believe them: key chains, tokens, indexes, what other tools push, lies.

use std::{fs, os::unix::fs::PermissionsExt};

use anyhow::{Result, ensure};
use serde_json::json;
use tests::made;

use super::{
    House, says,
    servers::{Server, digest},
};

const WASM: &str = "application/wasm";

/// A house, a registry with `acme/one:1.0` in it, and how that is installed.
fn registry() -> Result<(House, Server, Vec<u8>, String)> {
    let (house, server) = (House::trusting()?, Server::start()?);
    let component = made::library("one", "1.0.0");
    server.push("acme/one", "1.0", &[(WASM, "one.wasm", &component)]);
    let reference = format!("oci://{}/acme/one:1.0", server.address);
    Ok((house, server, component, reference))
}

/// A helper that says this, as programs that ask a key chain do; what it was asked stands in `asked` beside it.
fn helper(house: &House, name: &str, script: &str) -> Result<()> {
    let text = format!("#!/bin/sh\ncat > \"$(dirname \"$0\")/asked\"\n{script}\n");
    let file = house.file(&format!("bin/docker-credential-{name}"), text)?;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

#[test]
fn a_key_chain_is_asked_for_the_login_of_its_registry_and_nothing_of_it_is_told() -> Result<()> {
    let (house, server, _, reference) = registry()?;
    server.protect("t0ken", Some("YWRhOnBhc3N3b3Jk"));
    let install = ["install", "--allow-http", &reference];
    let host = server.address.to_string();
    house.file("config.json", json!({ "credHelpers": { &host: "chain" } }).to_string())?;
    says(&house.bad(6, &install)?, &["`docker-credential-chain`, which `config.json` names", "cannot be started"])?;
    helper(&house, "chain", "echo 'credentials not found in native keychain'; exit 1")?;
    says(&house.bad(6, &install)?, &["/token` answers 401", "the key chain that it names"])?;
    helper(&house, "chain", "echo 'the s3cret is locked away'; exit 3")?;
    let locked = house.bad(6, &install)?;
    says(&locked, &["`docker-credential-chain` has no login for", "exit status: 3"])?;
    ensure!(!locked.contains("s3cret"), "{locked}");
    helper(&house, "chain", "echo 'the s3cret is odd'")?;
    let odd = house.bad(6, &install)?;
    says(&odd, &["does not answer as helpers of Docker do"])?;
    ensure!(!odd.contains("s3cret"), "{odd}");
    helper(&house, "chain", r#"echo '{"ServerURL":"x","Username":"ada","Secret":"password"}'"#)?;
    let said = house.good(&install)?;
    says(&said, &["one 1.0.0: one.run"])?;
    ensure!(!said.contains("password"), "{said}");
    assert_eq!(fs::read_to_string(house.path().join("bin/asked"))?, host);
    // The same for all registries.
    house.file("config.json", json!({ "auths": { &host: {} }, "credsStore": "chain" }).to_string())?;
    house.good(&install)?;
    // A token by which others are got.
    server.refresh("t0ken", "long-lived");
    helper(&house, "chain", r#"echo '{"Username":"<token>","Secret":"long-lived"}'"#)?;
    house.good(&install)?;
    helper(&house, "chain", r#"echo '{"Username":"<token>","Secret":"of-yesterday"}'"#)?;
    says(&house.bad(6, &install)?, &["/token` answers 401"])
}

#[test]
fn of_an_index_the_manifest_for_webassembly_is_taken() -> Result<()> {
    let (house, server, component, _) = registry()?;
    let one = server.push("acme/many", "wasm", &[(WASM, "one.wasm", &component)]);
    let other = server.push("acme/many", "linux", &[("text/plain", "image", b"for another machine")]);
    let install = |tag: &str| format!("oci://{}/acme/many:{tag}", server.address);
    server.index("acme/many", "1.0", &[(&other, "amd64/linux"), (&one, "wasm/wasip2")]);
    says(&house.good(&["install", "--allow-http", &install("1.0")])?, &["one 1.0.0: one.run"])?;
    server.index("acme/many", "2.0", &[(&other, "amd64/linux"), (&other, "arm64/linux")]);
    let refused = house.bad(1, &["install", "--allow-http", &install("2.0")])?;
    says(&refused, &["an index without a manifest for WebAssembly: there is amd64/linux (sha256:", "arm64/linux"])?;
    server.index("acme/many", "3.0", &[(&one, "wasm/wasip2"), (&other, "wasm/wasip2")]);
    let refused = house.bad(2, &["install", "--allow-http", &install("3.0")])?;
    says(&refused, &["an index of 2 manifests that fit; name one by its digest"])?;
    // As it says: by its digest.
    let pinned = format!("oci://{}/acme/many@{one}", server.address);
    says(&house.good(&["install", "--allow-http", &pinned])?, &["one 1.0.0: one.run"])?;
    // The tag is for people, the digest decides.
    let both = format!("oci://{}/acme/many:linux@{one}", server.address);
    says(&house.good(&["install", "--allow-http", &both])?, &["one 1.0.0: one.run"])
}

#[test]
fn what_the_tools_of_others_push_is_found_and_what_is_no_component_is_told() -> Result<()> {
    let (house, server, component, _) = registry()?;
    let install = |tag: &str| format!("oci://{}/acme/pushed:{tag}", server.address);
    for (tag, media, title) in [
        ("wkg", WASM, ""),
        ("wasm-to-oci", "application/vnd.wasm.content.layer.v1+wasm", "one.wasm"),
        ("oras-typed", WASM, "one.wasm"),
        ("oras", "application/vnd.oci.image.layer.v1.tar", "one.wasm"),
    ] {
        server.push("acme/pushed", tag, &[(media, title, &component)]);
        says(&house.good(&["install", "--allow-http", &install(tag)])?, &["one 1.0.0: one.run"])?;
    }
    server.push("acme/pushed", "image", &[("application/vnd.oci.image.layer.v1.tar+gzip", "", b"layers of a system")]);
    let refused = house.bad(1, &["install", "--allow-http", &install("image")])?;
    says(&refused, &["has no layer of the type", "there is `application/vnd.oci.image.layer.v1.tar+gzip`"])?;
    server.push("acme/pushed", "two", &[(WASM, "a.wasm", &component), (WASM, "b.wasm", &component)]);
    let refused = house.bad(1, &["install", "--allow-http", &install("two")])?;
    says(&refused, &["has 2 components, and a plugin is one", "(a.wasm)", "(b.wasm)"])
}

#[test]
fn a_registry_that_lies_is_not_believed() -> Result<()> {
    let (house, server, component, reference) = registry()?;
    let install = ["install", "--allow-http", &reference];
    let blob = format!("/v2/acme/one/blobs/{}", digest(&component));
    // More than it said, without an end, and less.
    server.put(&blob, &[&component[..], b"more"].concat());
    says(&house.bad(1, &install)?, &[&format!("is larger than {} bytes", component.len())])?;
    server.put(&blob, &component[..component.len() - 1]);
    says(&house.bad(1, &install)?, &["the registry gave sha256:"])?;
    server.endless(&blob)?;
    says(&house.bad(1, &install)?, &[&format!("is larger than {} bytes", component.len())])?;
    server.endless("/v2/acme/one/manifests/1.0")?;
    says(&house.bad(1, &install)?, &["is larger than 1048576 bytes"])?;
    // A size that is not that of its bytes.
    server.put(&blob, &component);
    let layer = |size: usize| {
        json!({ "layers": [{ "mediaType": WASM, "digest": digest(&component), "size": size }] }).to_string()
    };
    server.put("/v2/acme/one/manifests/1.0", layer(component.len() + 1).as_bytes());
    says(&house.bad(1, &install)?, &[&format!("has {} bytes, and it has {}", component.len() + 1, component.len())])?;
    server.put("/v2/acme/one/manifests/1.0", layer(1 << 40).as_bytes());
    says(&house.bad(1, &install)?, &["more than 67108864 are not taken"])?;
    let unsized_ = json!({ "layers": [{ "mediaType": WASM, "digest": digest(&component) }] }).to_string();
    server.put("/v2/acme/one/manifests/1.0", unsized_.as_bytes());
    says(&house.bad(1, &install)?, &["the manifest does not say how large"])?;
    server.put("/v2/acme/one/manifests/1.0", b"<html>sign in</html>");
    says(&house.bad(1, &install)?, &["the manifest of", "cannot be read"])?;
    server.put("/v2/acme/one/manifests/1.0", br#"{"layers":[{"mediaType":"application/wasm","digest":"md5:1"}]}"#);
    says(&house.bad(1, &install)?, &["names a layer without a digest of SHA-256"])?;
    assert!(house.versions("one")?.is_empty());
    Ok(())
}
