//! Addresses that requests may go to: encrypted, or on this machine.

/// What an endpoint must look like, wherever it was set.
pub const FORM: &str = "Give https://…, or http://127.0.0.1:PORT for an emulator on this machine.";

/// Returns why an endpoint is not usable: one rule for flags, environment and profiles.
#[must_use]
pub fn problem(text: &str) -> Option<&'static str> {
    let Ok(uri) = text.parse::<http::Uri>() else { return Some("it is no URL") };
    let host = uri.host().unwrap_or_default();
    match uri.scheme_str() {
        Some("http" | "https") if host.is_empty() => Some("it is no URL"),
        Some("https") => None,
        Some("http") if encrypted_or_here(text) => None,
        Some("http") => Some("credentials and variables would cross the network unencrypted"),
        _ => Some("it does not begin with https://"),
    }
}

/// Whether a request to this address is encrypted, or stays on this machine.
#[must_use]
pub fn encrypted_or_here(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let here = host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => here,
        _ => false,
    }
}
