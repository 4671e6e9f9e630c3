//! An authority of one's own: a server that it answers for is believed by whoever was told so, and by nobody else.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use model::{
    grant::HostGrant,
    outside::{NoAnswer, Outside, Reach, Request},
};
use rcgen::{CertificateParams, KeyPair};
use tests::{daemon::binary, made};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use super::{House, says};

/// A server of one file, for `localhost`, by a certificate that nobody knows.
struct Server {
    address: SocketAddr,
    certificate: String,
    _runtime: Runtime,
}

impl Server {
    fn start(path: &'static str, bytes: Vec<u8>) -> Result<Self> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?;
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|why| anyhow::anyhow!("{why}"))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let (acceptor, bytes) = (TlsAcceptor::from(Arc::new(config)), Arc::new(bytes));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever does not believe the certificate goes away.
                drop(answer(acceptor.clone(), stream, path, bytes.clone()).await);
            }
        });
        Ok(Self { address, certificate: certificate.pem(), _runtime: runtime })
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream, path: &str, bytes: Arc<Vec<u8>>) -> Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let found = String::from_utf8_lossy(&head).starts_with(&format!("GET {path} "));
    let (status, body) = if found { ("200 OK", &bytes[..]) } else { ("404 Not Found", &[][..]) };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    Ok(stream.shutdown().await?)
}

#[test]
fn a_component_is_fetched_from_a_server_that_an_own_authority_answers_for() -> Result<()> {
    let house = House::trusting()?;
    let server = Server::start("/one.wasm", made::library("one", "1.0.0"))?;
    let url = server.url("/one.wasm");
    says(&house.bad(7, &["install", &url])?, &["does not prove that it is who it should be"])?;
    let authority = house.file("ca.pem", &server.certificate)?;
    says(&house.good(&["install", &url, "--fetch-ca-file", &authority])?, &["one 1.0.0: one.run"])?;
    let nothing = house.file("nothing.pem", "no certificate")?;
    says(&house.bad(2, &["install", &url, "--fetch-ca-file", &nothing])?, &["there is no certificate in PEM in it"])
}

/// What the daemon hands to the sandbox, told what `tls.authorities` names.
#[test]
fn requests_of_steps_believe_the_authorities_of_the_configuration_too() -> Result<()> {
    let server = Server::start("/rates", b"1.0825".to_vec())?;
    let request = Request {
        method: "GET".into(),
        url: server.url("/rates"),
        headers: Vec::new(),
        body: Vec::new(),
        redirects: 0,
    };
    let hosts = [HostGrant::parse(&format!("localhost:{} private", server.address.port())).expect("a grant")];
    let send = |authorities: Option<&[u8]>| -> Result<_> {
        let client = connect::Client::trusting(authorities)?;
        let reach = Reach { hosts: &hosts, secrets: &[], within: Duration::from_secs(20), largest: 1 << 10 };
        Ok(client.send(&request, &reach, &mut || false))
    };
    assert_eq!(send(None)?.expect_err("distrusted").why, NoAnswer::BadCertificate);
    assert_eq!(send(Some(server.certificate.as_bytes()))?.expect("an answer").body, b"1.0825");
    Ok(())
}

#[test]
fn a_file_without_authorities_is_told_before_the_daemon_starts() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (pem, config) = (directory.path().join("ca.pem"), directory.path().join("config.toml"));
    std::fs::write(&pem, "nothing")?;
    std::fs::write(&config, format!("[tls]\nauthorities = \"{}\"\n", pem.display()))?;
    let checked = std::process::Command::new(binary()).args(["config", "check", "--config"]).arg(&config).output()?;
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    ensure!(checked.status.code() == Some(3), "{said}");
    says(&said, &["`tls.authorities`: there is no certificate in PEM in it"])
}
