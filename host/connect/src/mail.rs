//! Couriers: one carries mail to a server (SMTP), one into a folder.
//!
//! The daemon makes one and loops threads that carry parcels with it; the engine knows the seam `model::parcel::Courier`
//! and nothing else. Nothing is kept or decided here: when a mail is tried again, and when it is given up, is
//! `rules::delivery`'s.

mod folder;
mod message;
mod smtp;

pub use folder::Folder;
pub use smtp::{Login, Security, Smtp, SmtpSettings};

/// What keeps a courier from being made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificates to trust cannot be read.
    #[error("failed to read the certificates to trust")]
    Certificates(#[source] lettre::transport::smtp::Error),
    /// TLS cannot be prepared.
    #[error("failed to prepare TLS")]
    Tls(#[source] lettre::transport::smtp::Error),
}
