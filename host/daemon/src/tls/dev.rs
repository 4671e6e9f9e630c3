//! A certificate for this machine alone, for trying things over TLS: `stepwise tls dev-ca`, `stepwise dev --tls`.
//!
//! An authority signs one certificate for `localhost` and is then without a key: nothing else can ever be signed by it,
//! and its own certificate says that it counts for this machine only. So it does no harm where it is trusted.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use engine::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};

use super::Files;
use crate::trouble::Trouble;

/// The folder in the data directory.
const FOLDER: &str = "tls";
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where the certificate of the authority is, in a data directory.
pub fn authority(data_dir: &Path) -> PathBuf {
    data_dir.join(FOLDER).join("ca.pem")
}

/// The certificate for this machine: the one that is there, else a new one. With `renew`, a new one in any case.
pub fn files(data_dir: &Path, renew: bool) -> Result<Files, Trouble> {
    let folder = data_dir.join(FOLDER);
    let files = Files { certificate: folder.join("localhost.pem"), key: folder.join("localhost-key.pem") };
    let there = [&files.certificate, &files.key, &authority(data_dir)].iter().all(|file| file.exists());
    if there && !renew {
        return Ok(files);
    }
    fs::create_dir_all(&folder)?;
    let (authority_pem, certificate, key) = make().context("failed to make a certificate")?;
    fs::write(authority(data_dir), authority_pem)?;
    fs::write(&files.certificate, certificate)?;
    write_private(&files.key, &key)?;
    Ok(files)
}

/// The authority's certificate, the one for this machine, and its key.
fn make() -> Result<(String, String, String), anyhow::Error> {
    let (year, month, day) = today();
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Stepwise development authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(std::net::Ipv6Addr::LOCALHOST.octets(), 128)),
        ],
        excluded_subtrees: Vec::new(),
    });
    authority.not_before = date_time_ymd(year, month, day);
    // As long as programs take a certificate at all: two years and a bit.
    authority.not_after = date_time_ymd(year + 2, month, day.min(28));
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let mut own = CertificateParams::new(NAMES.map(str::to_owned).to_vec())?;
    own.distinguished_name.push(DnType::CommonName, "localhost");
    own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    own.use_authority_key_identifier_extension = true;
    own.not_before = authority.not_before;
    own.not_after = authority.not_after;
    let key = KeyPair::generate()?;
    let certificate = own.signed_by(&key, &Issuer::new(authority, authority_key))?;
    Ok((authority_certificate.pem(), certificate.pem(), key.serialize_pem()))
}

/// Year, month and day, by the clock of the machine.
fn today() -> (i32, u8, u8) {
    let now = SystemClock::new().now().to_string();
    let mut parts = now.split(['-', 'T']);
    let mut part = || parts.next().and_then(|part| part.parse::<u16>().ok()).unwrap_or(1);
    let (year, month, day) = (part(), part(), part());
    (year.into(), u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// A file that only its owner reads.
pub fn write_private(file: &Path, text: &str) -> Result<(), Trouble> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(writeln!(options.open(file)?, "{}", text.trim_end())?)
}
