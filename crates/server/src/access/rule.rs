//! Hosts and origins that a user lets in beside those who always are.

use std::fmt;
use std::str::FromStr;

use super::authority::{Authority, of_origin};

/// A host that a request over loopback may be for, such as `dev.example` or `dev.example:8080`;
/// without a port, at any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost(String);

/// A text that is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no host; write a name or an address and perhaps a port, such as dev.example:8080"
)]
pub struct NoHost(String);

impl AllowedHost {
    pub(super) fn authority(&self) -> Authority<'_> {
        Authority::parse(self.0.as_bytes()).expect("it was parsed when it was made")
    }
}

impl FromStr for AllowedHost {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        match Authority::parse(text.as_bytes()) {
            Some(authority) if is_one(authority) => Ok(Self(text.to_owned())),
            _ => Err(NoHost(text.to_owned())),
        }
    }
}

/// Whether a host is meant by its name: a pattern, which RFC 3986 allows as a name, matches
/// nothing.
fn is_one(authority: Authority<'_>) -> bool {
    !authority.host.contains('*')
}

/// An origin whose pages may use the server: `http://host:port` as browsers write it (RFC 6454
/// §6.2), `null`, or `*` for every one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin(String);

/// A text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no origin; write scheme and host and perhaps a port, such as http://dev.example:3000, or `*` for every \
     origin"
)]
pub struct NoOrigin(String);

impl AllowedOrigin {
    /// Whether every origin is meant.
    pub(super) fn is_any(&self) -> bool {
        self.0 == "*"
    }

    /// Whether pages of `origin` are let in.
    pub(super) fn lets_in(&self, origin: &[u8]) -> bool {
        self.is_any() || self.0.as_bytes().eq_ignore_ascii_case(origin)
    }

    /// As it stands in `Access-Control-Allow-Origin`.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AllowedOrigin {
    type Err = NoOrigin;

    /// Takes what a person writes and keeps what a browser does: no slash at the end, no port that
    /// goes without saying.
    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let lower = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        if matches!(lower.as_str(), "*" | "null") {
            return Ok(Self(lower));
        }
        let (Authority { host, port }, default) = of_origin(lower.as_bytes())
            .filter(|(authority, _)| is_one(*authority))
            .ok_or_else(|| NoOrigin(text.to_owned()))?;
        let scheme = if default == 443 { "https" } else { "http" };
        Ok(Self(match port.filter(|&port| port != default) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for (text, kept) in [
            ("http://Dev.Example:3000", "http://dev.example:3000"),
            ("https://dev.example:443/", "https://dev.example"),
            ("http://dev.example:80", "http://dev.example"),
            ("NULL", "null"),
            ("*", "*"),
        ] {
            assert_eq!(text.parse::<AllowedOrigin>().unwrap().as_str(), kept);
        }
        for text in
            ["", "dev.example", "http://", "http://a/path", "https://*.example", "http://a\r\nb"]
        {
            assert!(text.parse::<AllowedOrigin>().is_err(), "{text}");
        }
        for text in ["", "*", "*.example", "http://dev.example", "a b", "a:http"] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }
}
