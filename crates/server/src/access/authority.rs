//! Authorities: whom a request is for, and where a page is from (RFC 3986 §3.2, RFC 6454 §7).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str;

/// The port of `https` (RFC 9110 §4.2.2).
pub(super) const HTTPS: u16 = 443;

/// A host and perhaps a port, as they stand in `Host` (RFC 9110 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    /// A name or an address, an IPv6 one in its brackets; in the case in which it was written.
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `host [":" port]`; `None` where it is malformed. An empty port is none, an empty host
    /// no host (RFC 9110 §4.2.1).
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let end = if text.starts_with('[') {
            text.find(']')? + 1
        } else {
            text.find(':').unwrap_or(text.len())
        };
        let (host, rest) = text.split_at(end);
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        let is_one = if host.starts_with('[') { ipv6(host).is_some() } else { is_name(host) };
        is_one.then_some(Self { host, port })
    }

    /// Whether only this machine can be meant: `localhost` and what is below it (RFC 6761 §6.3),
    /// 127.0.0.0/8, `::1`.
    pub(super) fn is_loopback(self) -> bool {
        let name = self.name();
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let below = name.len().checked_sub(".localhost".len());
        let below = below.and_then(|start| name.get(start..));
        below.is_some_and(|end| end.eq_ignore_ascii_case(".localhost"))
            || self.address().is_some_and(|address| address.to_canonical().is_loopback())
    }

    /// Whether this is one that `rule` lets in: its host, and its port where it says one.
    pub(super) fn is_let_in_by(self, rule: Authority<'_>) -> bool {
        self.name().eq_ignore_ascii_case(rule.name())
            && rule.port.is_none_or(|port| self.port == Some(port))
    }

    /// Whether both lead to the same place, where `default` is the port that goes without saying.
    pub(super) fn is_the_same_as(self, other: Authority<'_>, default: u16) -> bool {
        let port = |authority: Authority<'_>| authority.port.unwrap_or(default);
        self.host.eq_ignore_ascii_case(other.host) && port(self) == port(other)
    }

    /// The host without the dot that ends a name in full (RFC 1034 §3.1).
    fn name(self) -> &'a str {
        self.host.strip_suffix('.').unwrap_or(self.host)
    }

    fn address(self) -> Option<IpAddr> {
        let v4 = || self.host.parse::<Ipv4Addr>().ok().map(IpAddr::from);
        ipv6(self.host).map(IpAddr::from).or_else(v4)
    }
}

/// The authority of an origin and the port that its scheme has by default; `None` where it has
/// none, as `null` (RFC 6454 §7.3), or is none that speaks HTTP.
pub(super) fn of_origin(origin: &[u8]) -> Option<(Authority<'_>, u16)> {
    let (scheme, default) = [("http://", 80), ("https://", HTTPS)]
        .into_iter()
        .find(|(scheme, _)| starts_with_ignoring_case(origin, scheme.as_bytes()))?;
    Some((Authority::parse(&origin[scheme.len()..])?, default))
}

fn starts_with_ignoring_case(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
}

fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// `reg-name` (RFC 3986 §3.2.2), which an IPv4 address is too.
fn is_name(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Authority<'_>> {
        Authority::parse(text.as_bytes())
    }

    #[test]
    fn a_host_has_a_form() {
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("LocalHost:8080", "LocalHost", Some(8080)),
            ("127.0.0.1:", "127.0.0.1", None),
            ("[::1]:65535", "[::1]", Some(65535)),
            ("a.example.", "a.example.", None),
        ] {
            assert_eq!(parse(text), Some(Authority { host, port }), "{text}");
        }
        for text in [
            "", ":80", "a:b", "a:80:80", "a:65536", "a:-1", "a:+1", "a b", "a/b", "u@a", "[::1",
            "[::1]80", "[a]", "a,b c", "é", "a\t", "http://a", "[]", "::1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn loopback_is_a_name_or_an_address() {
        for text in [
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "a.b.localhost:80",
            "127.0.0.1",
            "127.255.0.9:8080",
            "[::1]",
            "[0:0:0:0:0:0:0:1]:9",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "example.com",
            "localhost.example.com",
            "notlocalhost",
            "127.0.0.1.nip.io",
            "0.0.0.0",
            "[::]",
            "10.0.0.1",
            "127.1",
            "2130706433",
            "[fe80::1]",
            "localhost..",
        ] {
            assert!(!parse(text).unwrap().is_loopback(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_compared_with_the_ports_that_go_without_saying() {
        for (origin, host, same) in [
            ("http://a:8080", "a:8080", true),
            ("http://a", "a:80", true),
            ("http://a:80", "A", true),
            ("HTTP://A", "a", true),
            ("https://a", "a", true),
            ("https://a", "a:443", true),
            ("http://[::1]:9", "[::1]:9", true),
            ("http://a:8080", "a", false),
            ("http://a", "b", false),
            ("https://a", "a:80", false),
            ("http://a.b", "a", false),
        ] {
            let (authority, default) = of_origin(origin.as_bytes()).unwrap();
            assert_eq!(
                authority.is_the_same_as(parse(host).unwrap(), default),
                same,
                "{origin} {host}"
            );
        }
        for origin in ["null", "", "file://", "a", "http://", "http://a/", "http://a b", "ftp://a"]
        {
            assert_eq!(of_origin(origin.as_bytes()), None, "{origin}");
        }
    }
}
