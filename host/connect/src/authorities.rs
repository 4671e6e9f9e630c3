//! Whose certificates are believed: those that the web trusts, and beside them those of a company's own authority.

use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// A file has no certificates that can be trusted.
#[derive(Debug, thiserror::Error)]
#[error("there is no certificate in PEM in it")]
pub struct NoCertificates;

/// The roots of the web, and those in `more` (PEM).
pub(crate) fn roots(more: Option<&[u8]>) -> Result<RootCerts, NoCertificates> {
    let Some(pem) = more else { return Ok(RootCerts::WebPki) };
    let own: Vec<Certificate<'static>> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if own.is_empty() {
        return Err(NoCertificates);
    }
    let web = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|root| Certificate::from_der(root).to_owned());
    Ok(RootCerts::Specific(Arc::new(web.chain(own).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_told() {
        assert!(matches!(roots(None), Ok(RootCerts::WebPki)));
        for text in ["", "nothing", "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"] {
            assert!(roots(Some(text.as_bytes())).is_err(), "{text}");
        }
    }
}
