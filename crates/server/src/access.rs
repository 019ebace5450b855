//! Which requests are answered: whom they are for (`Host`) and which page makes them (`Origin`,
//! `Sec-Fetch-*`), by whichever way they are read.
//!
//! A page of another site in somebody's browser reaches servers on that person's machine: it opens
//! WebSockets anywhere, sends simple requests, and where its own name leads to 127.0.0.1 (DNS
//! rebinding), reads the answers too. So a request from a page of another origin is refused, and on
//! a loopback connection so is one for a name that is none of this machine's.

mod authority;
mod cors;
mod rule;

use std::net::SocketAddr;

use http::{StatusCode, Version};
use pushbench_protocol::headers::HeaderProfile;

use self::authority::{Authority, HTTPS, of_origin};
pub(crate) use self::cors::{Cors, PREFLIGHT};
pub use self::rule::{AllowedHost, AllowedOrigin, NoHost, NoOrigin};

/// Who is let in beside those who always are.
#[derive(Debug, Clone, Default)]
pub struct Access {
    hosts: Vec<AllowedHost>,
    origins: Vec<AllowedOrigin>,
    /// Origins that clients of a header profile name: let in, and answered as if they named none.
    played: Vec<String>,
    /// Pages of other sites are let in that do not say which.
    unsaid: bool,
    /// The server speaks TLS, so that a page which came in clear is of another origin. Without, a proxy
    /// may do so in its stead.
    is_secured: bool,
    /// The server's own address as most clients name it, which needs no closer look.
    usual: Vec<u8>,
}

impl Access {
    /// Lets in requests for `hosts` over loopback, and pages of `origins`.
    #[must_use]
    pub fn new(hosts: Vec<AllowedHost>, origins: Vec<AllowedOrigin>) -> Self {
        let unsaid = origins.iter().any(AllowedOrigin::is_any);
        Self { hosts, origins, unsaid, ..Self::default() }
    }

    /// Lets in what clients of `profile` send, whatever it names.
    pub(crate) fn of_profile(profile: &HeaderProfile) -> Self {
        let values = |name: &'static str| {
            profile.request.lists().filter_map(move |list| Some(list.get(name)?.value()))
        };
        Self {
            hosts: values("Host").filter_map(|host| host.parse().ok()).collect(),
            played: values("Origin").map(str::to_owned).collect(),
            unsaid: values("Sec-Fetch-Site").any(|site| site == "cross-site"),
            ..Self::default()
        }
    }

    /// The same of a server that listens on `address`, in TLS or in clear.
    pub(crate) fn listening_on(self, address: SocketAddr, is_secured: bool) -> Self {
        let usual = address.to_string();
        let scheme = if is_secured { "https" } else { "http" };
        let fill = |it: &String| it.replace("{host}", &usual).replace("{scheme}", scheme);
        let played = self.played.iter().map(fill).collect();
        Self { usual: usual.into_bytes(), played, is_secured, ..self }
    }

    /// Admits a request: how its page is answered, or why it is refused.
    ///
    /// # Errors
    ///
    /// 400 where `Host` is not as HTTP demands, 421 where it is none for this connection, 403 where
    /// the page is of another origin.
    #[inline]
    pub(crate) fn admit(&self, claims: &Claims<'_>, asked: Asked<'_>) -> Result<Cors, Refusal> {
        let silent = matches!(claims.origin, Field::Absent) && !claims.is_cross_site;
        match claims.host {
            Field::Once(host) if silent && asked.authority.is_none() && host == self.usual => {
                Ok(Cors::NONE)
            }
            _ => self.look_closer(claims, asked),
        }
    }

    fn look_closer(&self, claims: &Claims<'_>, asked: Asked<'_>) -> Result<Cors, Refusal> {
        let host = self.host(claims, asked)?;
        if asked.is_for_people {
            return Ok(Cors::NONE);
        }
        match claims.origin {
            Field::Absent if !claims.is_cross_site || claims.navigates => Ok(Cors::NONE),
            Field::Absent if self.unsaid => Ok(Cors::NONE),
            Field::Absent => Err(Refusal::CrossOrigin(String::new())),
            Field::Once(origin) => self.origin(origin, host),
            Field::Repeated => Err(Refusal::Origins),
        }
    }

    /// The authority that a request is for. That of the target replaces `Host` (RFC 9112 §3.2.2),
    /// which has to be there and right all the same.
    fn host<'a>(
        &self,
        claims: &Claims<'a>,
        asked: Asked<'a>,
    ) -> Result<Option<Authority<'a>>, Refusal> {
        let malformed =
            |host: &[u8]| Refusal::Malformed(String::from_utf8_lossy(host).into_owned());
        let said = match claims.host {
            Field::Absent if asked.version >= Version::HTTP_11 => return Err(Refusal::NoHost),
            Field::Absent => None,
            Field::Once(host) => Some(Authority::parse(host).ok_or_else(|| malformed(host))?),
            Field::Repeated => return Err(Refusal::Hosts),
        };
        let meant = match asked.authority {
            Some(target) => Some(Authority::parse(target).ok_or_else(|| malformed(target))?),
            None => said,
        };
        for host in [said, meant].into_iter().flatten().filter(|_| asked.is_loopback) {
            let is_known = host.is_loopback()
                || self.hosts.iter().any(|rule| host.is_let_in_by(rule.authority()));
            if !is_known {
                return Err(Refusal::Misdirected(host.host.to_owned()));
            }
        }
        Ok(meant)
    }

    fn origin(&self, origin: &[u8], host: Option<Authority<'_>>) -> Result<Cors, Refusal> {
        let own = of_origin(origin).filter(|(_, default)| !self.is_secured || *default == HTTPS);
        if own.zip(host).is_some_and(|((from, default), host)| from.is_the_same_as(host, default))
            || self.played.iter().any(|played| played.as_bytes() == origin)
        {
            return Ok(Cors::NONE);
        }
        match self.origins.iter().position(|rule| rule.lets_in(origin)) {
            Some(rule) => Ok(Cors::by(rule)),
            None => Err(Refusal::CrossOrigin(String::from_utf8_lossy(origin).into_owned())),
        }
    }
}

/// A request, and the connection over which it comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The page of any site may lead there.
    pub(crate) is_for_people: bool,
    pub(crate) version: Version,
    /// The authority of a target in absolute form.
    pub(crate) authority: Option<&'a [u8]>,
    /// Whether the connection's address on this side is a loopback one.
    pub(crate) is_loopback: bool,
}

/// A header field that may stand once.
#[derive(Debug, Clone, Copy, Default)]
enum Field<'a> {
    #[default]
    Absent,
    Once(&'a [u8]),
    Repeated,
}

impl<'a> Field<'a> {
    fn take(&mut self, value: &'a [u8]) {
        *self = if matches!(self, Self::Absent) { Self::Once(value) } else { Self::Repeated };
    }
}

/// Claims of a request about whom it is for and which page makes it.
#[derive(Debug, Default)]
pub(crate) struct Claims<'a> {
    host: Field<'a>,
    origin: Field<'a>,
    /// Some `Sec-Fetch-Site` says so (Fetch Metadata §2.3).
    is_cross_site: bool,
    /// A person goes there (Fetch Metadata §2.2).
    navigates: bool,
}

impl<'a> Claims<'a> {
    /// Takes a header field, which most are not about this.
    #[inline]
    pub(crate) fn take(&mut self, name: &str, value: &'a [u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        // Lengths tell most names apart without comparing them.
        match name.len() {
            4 if is("host") => self.host.take(value),
            6 if is("origin") => self.origin.take(value),
            14 if is("sec-fetch-site") => {
                self.is_cross_site |= value.eq_ignore_ascii_case(b"cross-site")
            }
            14 if is("sec-fetch-mode") => self.navigates |= value.eq_ignore_ascii_case(b"navigate"),
            _ => {}
        }
    }
}

/// Why a request is refused, with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("`Host` is missing, which HTTP/1.1 demands (RFC 9112, 3.2)")]
    NoHost,
    #[error("`Host` stands more than once; a request is for one host")]
    Hosts,
    #[error("`Origin` stands more than once; a page has one origin")]
    Origins,
    #[error("`{0}` is no host and port; send `Host` as in `localhost:8080`")]
    Malformed(String),
    #[error(
        "`{0}` is none of this machine's names; over loopback only loopback names and addresses are hosts, such as \
         localhost, so that no page elsewhere gets in under a name of its own. To serve it, start the server with \
         `--allow-host {0}`"
    )]
    Misdirected(String),
    #[error("{}", cross_origin(.0))]
    CrossOrigin(String),
}

fn cross_origin(origin: &str) -> String {
    match origin {
        "" => "a page of another site may not ask for this; to let all in, start the server with `--allow-origin '*'`"
            .to_owned(),
        origin => format!(
            "a page of another origin, {origin}, may not ask for this; to let it, start the server with \
             `--allow-origin {origin}`"
        ),
    }
}

impl Refusal {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::NoHost | Self::Hosts | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::CrossOrigin(_) | Self::Origins => StatusCode::FORBIDDEN,
        }
    }
}

#[cfg(test)]
mod tests;
