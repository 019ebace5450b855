//! `--target`: a URL in the form that load can be put on.

use super::TargetError;

/// The port of `http` (RFC 9110 §4.2.1).
const HTTP_PORT: u16 = 80;

/// The port of `https` (RFC 9110 §4.2.2), and of `wss` (RFC 6455 §3).
const HTTPS_PORT: u16 = 443;

/// A server's URL (RFC 3986 §3): host, port and a prefix of all paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TargetUrl {
    /// As the user typed it.
    pub(super) text: String,
    /// Whether its connections are in TLS.
    pub(super) is_secure: bool,
    /// Host and port as typed, which is what requests say as `Host` (RFC 9110 §7.2).
    pub(super) authority: String,
    /// The host, an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The beginning of every path: empty, or `/base` without a slash at its end.
    pub(super) prefix: String,
}

impl TargetUrl {
    /// Reads `http://HOST[:PORT][/PREFIX]`, or the same with `https` or `wss`.
    ///
    /// # Errors
    ///
    /// A text that is no such URL, with what to type instead.
    pub(super) fn parse(text: &str) -> Result<Self, TargetError> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| malformed(text))?;
        let is_secure = check_scheme(text, &scheme.to_ascii_lowercase(), rest)?;
        if rest.contains(['?', '#', '@', '\\']) || rest.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(TargetError::Url(format!(
                "--target {}: it is a host, a port and perhaps a path; user names, queries, \
                 fragments and blanks have no place in it; --path may have a query",
                shown(text)
            )));
        }
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let (host, port) = split_port(authority).ok_or_else(|| malformed(text))?;
        let port = port.unwrap_or(if is_secure { HTTPS_PORT } else { HTTP_PORT });
        Ok(Self {
            text: text.to_owned(),
            is_secure,
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
            prefix: path.trim_end_matches('/').to_owned(),
        })
    }
}

/// A URL without what nobody is to see: its user information, and its query.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let sign = if scheme.is_empty() { "" } else { "://" };
    // The last `@` before the path ends the user information (RFC 3986 §3.2).
    let (front, query) = rest.split_once('?').map_or((rest, ""), |(front, _)| (front, "?***"));
    let authority_end = front.find('/').unwrap_or(front.len());
    let (authority, path) = front.split_at(authority_end);
    let host = authority.rsplit_once('@');
    let authority = host.map_or_else(|| authority.to_owned(), |(_, host)| format!("***@{host}"));
    format!("{scheme}{sign}{authority}{path}{query}")
}

fn malformed(text: &str) -> TargetError {
    let text = shown(text);
    TargetError::Url(format!("`{text}` is no target; write it like http://127.0.0.1:8080"))
}

/// Whether a scheme says that connections are in TLS; one that is none of HTTP's is refused.
fn check_scheme(text: &str, scheme: &str, rest: &str) -> Result<bool, TargetError> {
    match scheme {
        "http" => Ok(false),
        "https" | "wss" => Ok(true),
        "ws" => Err(TargetError::Url(format!(
            "--target {}: write it as http://{}; `-t websocket` says what is spoken there",
            shown(text),
            shown(rest)
        ))),
        _ => Err(malformed(text)),
    }
}

/// Host of an authority, and port if it has one; `None` where it is none.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, behind) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (address, behind)
        }
        None => authority.find(':').map_or((authority, ""), |colon| authority.split_at(colon)),
    };
    let port: Option<u16> = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        Some(_) => return None,
        None if port.is_empty() => None,
        None => return None,
    };
    (!host.is_empty() && port != Some(0)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, String, u16, String)> {
        let url = TargetUrl::parse(text).ok()?;
        Some((url.authority, url.host, url.port, url.prefix))
    }

    fn expected(
        authority: &str,
        host: &str,
        port: u16,
        prefix: &str,
    ) -> Option<(String, String, u16, String)> {
        Some((authority.to_owned(), host.to_owned(), port, prefix.to_owned()))
    }

    #[test]
    fn a_target_is_a_host_perhaps_a_port_and_a_prefix() {
        assert_eq!(
            parsed("http://127.0.0.1:8080"),
            expected("127.0.0.1:8080", "127.0.0.1", 8080, "")
        );
        assert_eq!(parsed("HTTP://localhost/"), expected("localhost", "localhost", 80, ""));
        assert_eq!(parsed("http://[::1]:9"), expected("[::1]:9", "::1", 9, ""));
        assert_eq!(parsed("http://[::1]"), expected("[::1]", "::1", 80, ""));
        assert_eq!(
            parsed("http://a.example:81/base/x/"),
            expected("a.example:81", "a.example", 81, "/base/x")
        );
    }

    #[test]
    fn https_and_wss_are_in_tls_and_have_a_port_of_their_own() {
        for (text, is_secure, port) in [
            ("https://x", true, 443),
            ("WSS://x", true, 443),
            ("https://[::1]:8443/a", true, 8443),
            ("http://x", false, 80),
        ] {
            let url = TargetUrl::parse(text).unwrap();
            assert_eq!((url.is_secure, url.port), (is_secure, port), "{text}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for url in [
            "127.0.0.1:8080",
            "http://",
            "http:///x",
            "ftp://x",
            "http://::1:80",
            "http://[::1",
            "http://[zz]:80",
            "http://[::1]80",
            "http://x:0",
            "http://x:",
            "http://x:+80",
            "http://x:65536",
            "http://user@x",
            "http://x/?a=b",
            "http://x/#a",
            "http://x/a b",
            "http://x\n/a",
        ] {
            assert!(parsed(url).is_none(), "{url}");
        }
    }

    #[test]
    fn no_error_shows_a_password_or_a_query() {
        for url in [
            "http://me:s3cret@x/",
            "ws://me:s3cret@x/a",
            "me:s3cret@x",
            "ftp://me:s3cret@x",
            "http://x/a?token=s3cret",
            "ws://x/?s3cret",
            "http://x:99999/?s3cret",
            "http://a@s3cret@x",
        ] {
            let error = TargetUrl::parse(url).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn another_scheme_says_what_to_type() {
        let error = |url| TargetUrl::parse(url).unwrap_err().to_string();
        assert!(error("ws://x:80/a").contains("write it as http://x:80/a"));
    }
}
