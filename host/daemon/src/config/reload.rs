//! A configuration that is read again while the daemon runs (SIGHUP): what it takes over at once, and what waits for the
//! next start.

use super::Config;

/// Which keys have other values in `next` and wait for the next start.
pub fn waiting(now: &Config, next: &Config) -> Vec<&'static str> {
    let differs = [
        ("server.listen", now.listen != next.listen),
        ("server.public_url", now.public_url != next.public_url),
        ("server.behind_proxy", now.behind_proxy != next.behind_proxy),
        ("server.cors_origins", now.cors_origins != next.cors_origins),
        // Other files are taken over; to begin or to end with TLS is another listener.
        ("tls.certificate", now.tls.is_some() != next.tls.is_some()),
        ("oidc", now.oidc != next.oidc),
        ("store.data_dir", now.data_dir != next.data_dir),
        ("store.cache_bytes", now.cache_bytes != next.cache_bytes),
        ("plugins.cache_dir", now.cache_dir != next.cache_dir),
        ("plugins", now.plugins != next.plugins),
        ("tls.authorities", now.authorities != next.authorities),
        ("limits.body_bytes", now.body_bytes != next.body_bytes),
        ("limits.upload_bytes", now.upload_bytes != next.upload_bytes),
        ("threads.interactive", now.interactive != next.interactive),
        ("threads.background", now.background != next.background),
        ("organization.time_zone", now.time_zone != next.time_zone),
        ("retention.journal", now.journal != next.journal),
        ("smtp", now.mail != next.mail),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}
