//! The address behind a target's name: of several, the first that takes a connection.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::TargetError;
use super::url::TargetUrl;

/// How long one of several addresses may take to answer: less than a person's patience, more than
/// a lost SYN and its repeat after a second (RFC 6298 §2).
const EACH: Duration = Duration::from_secs(3);

/// The most addresses of a name that are tried.
const MOST: usize = 8;

/// The addresses of `url`'s host in the system's order (RFC 6724).
pub(super) fn resolve(url: &TargetUrl) -> Result<Vec<SocketAddr>, TargetError> {
    let found = (url.host.as_str(), url.port).to_socket_addrs().map_err(|error| {
        TargetError::Address(format!(
            "cannot find the host {} of {}: {error}; see that its name is spelled right",
            url.host, url.text
        ))
    })?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.filter(|address| address.port() > 0) {
        if !addresses.contains(&address) && addresses.len() < MOST {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(TargetError::Address(format!("the host {} has no address", url.host)));
    }
    Ok(addresses)
}

/// Where a server answers, and which other addresses of its name do not.
#[derive(Debug, Clone)]
pub(super) struct Answering {
    pub(super) address: SocketAddr,
    pub(super) silent: Vec<SocketAddr>,
}

impl fmt::Display for Answering {
    /// `127.0.0.1:8080 ([::1]:8080 does not answer)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        let silent: Vec<String> = self.silent.iter().map(ToString::to_string).collect();
        match silent.as_slice() {
            [] => Ok(()),
            [one] => write!(f, " ({one} does not answer)"),
            several => write!(f, " ({} do not answer)", several.join(", ")),
        }
    }
}

/// The first of `addresses` that takes a connection, as browsers and curl go through them
/// (RFC 8305 without its head start: nothing is timed here). The only one is not tried: whoever asks
/// there next will see, and the server sees no connection without a request.
///
/// # Errors
///
/// No address that does, with what each said.
pub(super) fn first_that_answers(
    url: &TargetUrl,
    addresses: &[SocketAddr],
) -> Result<Answering, TargetError> {
    if let [address] = *addresses {
        return Ok(Answering { address, silent: Vec::new() });
    }
    let mut failures: Vec<(SocketAddr, io::Error)> = Vec::new();
    for &address in addresses {
        match TcpStream::connect_timeout(&address, EACH) {
            Ok(_) => {
                let silent = failures.into_iter().map(|(address, _)| address).collect();
                return Ok(Answering { address, silent });
            }
            Err(error) => failures.push((address, error)),
        }
    }
    let each: Vec<String> =
        failures.iter().map(|(address, error)| format!("{address}: {}", words(error))).collect();
    Err(TargetError::Address(format!(
        "cannot connect to {} ({}); is a server listening there?",
        url.text,
        each.join("; ")
    )))
}

/// The error, without its number where it has a name of its own.
fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::TimedOut => format!("no answer within {} s", EACH.as_secs()),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_next_address_is_tried_and_the_silent_one_is_named() {
        let gone = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let url = TargetUrl::parse("http://localhost:1").unwrap();
        let answering = first_that_answers(&url, &[gone, there]).unwrap();
        assert_eq!(answering.to_string(), format!("{there} ({gone} does not answer)"));

        let error = first_that_answers(&url, &[gone, gone]).unwrap_err().to_string();
        let each = format!("{gone}: connection refused");
        assert!(error.contains(&format!("({each}; {each})")), "{error}");
    }

    #[test]
    fn an_address_resolves_to_itself() {
        let url = TargetUrl::parse("http://[::1]:9").unwrap();
        assert_eq!(resolve(&url).unwrap(), ["[::1]:9".parse().unwrap()]);
    }
}
