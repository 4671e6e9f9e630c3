//! Where components come from: files, folders, addresses, registries; and what is held against what comes.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{guests, made};

use super::{
    House, says,
    servers::{Server, digest},
};

#[test]
fn a_plugin_comes_from_a_file_or_a_folder_of_them() -> Result<()> {
    let house = House::plain()?;
    let file = house.file("one.wasm", made::library("one", "1.0.0"))?;
    says(&house.good(&["install", &file])?, &["one 1.0.0 from", "one 1.0.0: one.run", "it is not signed"])?;
    assert_eq!(house.versions("one")?[0]["origin"], json!(std::fs::canonicalize(&file)?.display().to_string()));
    house.file("shelf/b.wasm", made::library("two", "1.0.0"))?;
    house.file("shelf/a.wasm", made::library("one", "1.1.0"))?;
    house.file("shelf/README.md", "no component")?;
    let shelf = house.path().join("shelf").display().to_string();
    says(&house.good(&["install", &shelf])?, &["one 1.1.0: one.run", "two 1.0.0: two.run"])?;
    assert_eq!(house.versions("one")?.len(), 2);
    says(&house.bad(2, &["install", &shelf, "--digest", &digest(b"x")])?, &["a digest or a signature is that of one"])?;
    let empty = house.path().join("data/cache").display().to_string();
    std::fs::create_dir_all(&empty)?;
    says(&house.bad(4, &["install", &empty])?, &["has no components (*.wasm)"])?;
    says(&house.bad(4, &["install", "/nothing.wasm"])?, &["/nothing.wasm"])
}

#[test]
fn a_plugin_comes_from_an_address() -> Result<()> {
    let (house, server) = (House::trusting()?, Server::start()?);
    let component = made::library("one", "1.0.0");
    server.put("/one.wasm", &component);
    server.redirect("/latest.wasm", "/one.wasm");
    server.redirect("/round", "/round");
    let (url, latest) = (server.url("/one.wasm"), server.url("/latest.wasm"));
    says(&house.bad(2, &["install", &url])?, &["is asked without TLS", "--allow-http"])?;
    ensure!(server.asked().is_empty(), "nobody was asked");
    let http = ["install", "--allow-http"];
    let wrong = digest(b"another");
    says(&house.bad(1, &[&http[..], &[&url, "--digest", &wrong]].concat())?, &["nothing was installed", &wrong])?;
    let right = digest(&component);
    says(&house.good(&[&http[..], &[&latest, "--digest", &right]].concat())?, &["one 1.0.0: one.run"])?;
    let shown = &house.versions("one")?[0];
    assert_eq!((&shown["origin"], &shown["digest"]), (&json!(latest), &json!(right.trim_start_matches("sha256:"))));
    says(&house.bad(4, &[&http[..], &[&server.url("/gone.wasm")]].concat())?, &["/gone.wasm` answers 404"])?;
    says(&house.bad(7, &[&http[..], &[&server.url("/round")]].concat())?, &["redirects more than 5 times"])?;
    says(&house.bad(7, &[&http[..], &["http://127.0.0.1:9/x.wasm"]].concat())?, &["cannot be reached"])?;
    server.put("/large.wasm", &vec![0; (64 << 20) + 1]);
    says(&house.bad(1, &[&http[..], &[&server.url("/large.wasm")]].concat())?, &["is larger than 67108864 bytes"])?;
    server.put("/page.wasm", b"<html>sign in first</html>");
    says(&house.bad(1, &[&http[..], &[&server.url("/page.wasm")]].concat())?, &["this is no WebAssembly component"])
}

#[test]
fn a_plugin_comes_from_a_registry() -> Result<()> {
    let (house, server) = (House::trusting()?, Server::start()?);
    let component = made::library("one", "1.0.0");
    let manifest = server.push("acme/one", "1.0", &[("application/wasm", "one.wasm", &component)]);
    let host = server.address.to_string();
    let (tagged, pinned) = (format!("oci://{host}/acme/one:1.0"), format!("oci://{host}/acme/one@{manifest}"));
    // It is asked over TLS, which it does not speak.
    house.bad(7, &["install", &tagged])?;
    let http = ["install", "--allow-http"];
    says(&house.good(&[&http[..], &[&tagged]].concat())?, &["one 1.0.0: one.run"])?;
    assert_eq!(house.versions("one")?[0]["origin"], json!(format!("{tagged}@{manifest}")));
    says(&house.good(&[&http[..], &[&pinned]].concat())?, &["one 1.0.0: one.run"])?;
    // Another artefact under the digest that was asked for, and another layer under the digest of the manifest.
    let other = made::library("one", "2.0.0");
    let second = server.push("acme/one", "2.0", &[("application/wasm", "one.wasm", &other)]);
    server.put(&format!("/v2/acme/one/blobs/{}", digest(&other)), &component);
    let swapped = format!("oci://{host}/acme/one@{second}");
    says(&house.bad(1, &[&http[..], &[&swapped]].concat())?, &["the registry gave sha256:"])?;
    server.put(&format!("/v2/acme/one/manifests/{second}"), b"{}");
    says(&house.bad(1, &[&http[..], &[&swapped]].concat())?, &["the registry gave sha256:", &second])?;
    server.push("acme/text", "1.0", &[("text/plain", "one.txt", b"hello")]);
    for (repository, code, part) in [
        ("acme/text:1.0", 1, "has no layer of the type `application/wasm`"),
        ("acme/one:9.9", 4, "answers 404"),
        ("acme/one", 2, "does not say which version"),
    ] {
        says(&house.bad(code, &[&http[..], &[&format!("oci://{host}/{repository}")]].concat())?, &[part])?;
    }
    Ok(())
}

#[test]
fn a_registry_is_shown_who_asks_and_nobody_else_is() -> Result<()> {
    let (house, server, store) = (House::trusting()?, Server::start()?, Server::start()?);
    let component = made::library("one", "1.0.0");
    server.push("acme/one", "1.0", &[("application/wasm", "one.wasm", &component)]);
    let blob = format!("/v2/acme/one/blobs/{}", digest(&component));
    store.put("/blob", &component);
    server.redirect(&blob, &store.url("/blob"));
    server.protect("t0ken", Some("YWRhOnBhc3N3b3Jk"));
    let reference = format!("oci://{}/acme/one:1.0", server.address);
    let install = ["install", "--allow-http", &reference];
    says(&house.bad(6, &install)?, &["/token` answers 401", "docker login"])?;
    let auths = json!({ "auths": { server.address.to_string(): { "auth": "YWRhOnBhc3N3b3Jk" } } });
    house.file("config.json", auths.to_string())?;
    says(&house.good(&install)?, &["one 1.0.0: one.run"])?;
    let asked = server.asked();
    ensure!(asked.iter().any(|line| line.ends_with("Bearer t0ken")), "{asked:?}");
    assert_eq!(store.asked(), ["GET /blob "], "another host is told nothing");
    Ok(())
}

/// What an installation refuses, with the sentence that says why.
#[test]
fn bad_components_are_refused_in_words_and_leave_nothing() -> Result<()> {
    let house = House::plain()?;
    let whole = made::library("one", "1.0.0");
    let manifest = |text: &str| made::component(text, "1.0.0", 0);
    let long = made::manifest("one", "1.0.0", "", &format!(",\"description\":\"{}\"", "x".repeat(300_000)));
    let twice = r#"{"schema":1,"library":"one","version":"1.0.0","steps":[{"step":"one.run"},{"step":"one.run"}]}"#;
    let foreign = r#"{"schema":1,"library":"one","version":"1.0.0","steps":[{"step":"two.run"}]}"#;
    for (bytes, part) in [
        (whole[..whole.len() / 2].to_vec(), "the component is broken"),
        (b"\0asm\x01\0\0\0".to_vec(), "this is a core module and no component"),
        (b"MZ".to_vec(), "this is no WebAssembly component"),
        (manifest(&made::manifest("one", "1.0.0", "", ",\"colour\":\"red\"")), "has the unknown key `colour`"),
        (manifest(&made::manifest("one", "1.0", "", "")), "version"),
        (manifest(&made::manifest("one", "1.0.0", "", ",\"contract\":\"1.9\"")), "1.9"),
        (manifest(&long), "manifest"),
        (manifest(twice), "one.run"),
        (manifest(foreign), "which is not in the library `one`"),
        (manifest("{"), "manifest"),
        (guests::endless_describe().to_vec(), "it does not describe itself"),
    ] {
        let file = house.file("bad.wasm", bytes)?;
        says(&house.bad(1, &["install", "--yes", &file])?, &[part])?;
    }
    assert_eq!(house.daemon.get("/api/v1/plugins")?.1["value"], json!([]));
    Ok(())
}

#[test]
fn what_takes_too_much_to_compile_is_refused_and_the_daemon_lives() -> Result<()> {
    let heavy = made::heavy();
    for (config, part) in [
        ("[plugins]\ncompile_bytes = 268435456\n", "compiling it takes more memory than 256 MiB"),
        ("[plugins]\ncompile_seconds = 1\n", "compiling it takes longer than 1 s"),
    ] {
        let house = House::with(config)?;
        let file = house.file("heavy.wasm", &heavy)?;
        says(&house.bad(1, &["install", "--yes", &file])?, &[part])?;
        house.file("solution/plugins/heavy.wasm", &heavy)?;
        let header = [("solution.yaml", "kind: solution\nname: heavy\nversion: 1.0.0\nprefix: hea\n")];
        says(&house.apply(&header).expect_err("refused").to_string(), &["plugins/heavy.wasm"])?;
        let light = house.file("light.wasm", made::library("light", "1.0.0"))?;
        says(&house.good(&["install", &light])?, &["light 1.0.0: light.run"])?;
    }
    Ok(())
}
