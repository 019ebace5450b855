//! Clients that gave up, and those that a browser would have given up.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Invalid, Warning};
use crate::observe::attempts::Attempts;

/// A trial that more than this share of its clients have left for good is invalid.
pub const OUT_SHARE: f64 = 0.01;

impl Attempts {
    /// The clients that are out for good, of `of`; `None` where there are none. `error` is the
    /// first that any client met, `gone` what became of the server.
    fn used(&self, of: u32, error: Option<&String>, gone: Option<Gone>) -> Option<AttemptsUsed> {
        let (status, _) = self.out.iter().max_by_key(|(_, clients)| **clients)?;
        let status = Some(*status).filter(|status| *status > 0);
        Some(AttemptsUsed {
            clients: self.left(),
            never_in: self.never_in,
            of: of.into(),
            status,
            retry_after_s: status.and(Some(self.retry_after_s)).filter(|seconds| *seconds > 0),
            browser_stops: self.browser_stops.values().sum(),
            error: error.cloned(),
            gone,
        })
    }

    /// The status that all of `of` clients were refused with for good by whoever answered, which is no
    /// failure of a server behind a gateway (502, 503, 504; RFC 9110 §15.6).
    #[must_use]
    pub fn refusal(&self, of: u32) -> Option<u16> {
        let (status, clients) = self.out.first_key_value()?;
        let is_all = self.out.len() == 1 && *clients == u64::from(of);
        (is_all && matches!(status, 400..=499 | 501 | 505)).then_some(*status)
    }

    /// Why a trial of `of` clients cannot be used: more than [`OUT_SHARE`] of them are out. `gone` says
    /// what became of a server that ran already.
    #[must_use]
    pub fn invalid(&self, of: u32, error: Option<&String>, gone: Option<Gone>) -> Option<Invalid> {
        self.used(of, error, gone).filter(AttemptsUsed::are_many).map(Invalid::AttemptsUsed)
    }

    /// The warnings of a trial of `of` clients otherwise.
    #[must_use]
    pub fn warnings(&self, of: u32, error: Option<&String>) -> Vec<Warning> {
        let used = self.used(of, error, None).filter(|used| !used.are_many());
        let mut warnings: Vec<Warning> = used.into_iter().map(Warning::AttemptsUsed).collect();
        if self.early_answers > 0 {
            warnings.push(Warning::EarlyAnswers { count: self.early_answers });
        }
        if !self.browser_stops.is_empty() {
            warnings.push(Warning::BrowserStops(BrowserStops {
                clients: self.browser_stops.values().sum(),
                answers: self.browser_stops.clone(),
            }));
        }
        warnings
    }
}

/// Clients that have no attempt left: they have used as many as there are, were asked to wait until
/// after the trial, or were told something that no further attempt changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptsUsed {
    /// How many they are.
    pub clients: u64,
    /// How many of them came to no subscription, by an answer to which no further attempt changes
    /// anything.
    #[serde(default)]
    pub never_in: u64,
    /// How many the trial has.
    pub of: u64,
    /// The status that most of them were answered last; `None` where their connections ended.
    pub status: Option<u16>,
    /// The longest that clients were asked to wait, in seconds (`Retry-After`).
    pub retry_after_s: Option<u64>,
    /// Clients that a browser would have given up.
    pub browser_stops: u64,
    /// The first error that any client met: what was asked for, and what the server said.
    pub error: Option<String>,
    /// Where nothing listens any more once they have given up; `None` where something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
}

/// A server that ran already, and that takes no connection at the end of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// It let clients in before.
    WentAway,
    /// It let nobody in.
    NotThere,
}

impl AttemptsUsed {
    /// Whether the trial no longer is one of its clients.
    #[expect(clippy::cast_precision_loss, reason = "numbers of clients are small")]
    fn are_many(&self) -> bool {
        self.clients as f64 > OUT_SHARE * self.of as f64
    }

    /// Whether a repeat would come to the same. The server is gone, or all clients got the same answer, to
    /// which no further attempt changes anything: the path is wrong, or something else is there, or they are
    /// not let in.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        let is_final = |status| {
            matches!(status, 200..=299 | 400..=499 | 501 | 505)
                && !matches!(status, 408 | 425 | 429)
        };
        let are_all = self.clients == self.of;
        self.gone.is_some()
            || are_all && (self.never_in == self.of || self.status.is_some_and(is_final))
    }

    /// The remedy, by the cause.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self.gone {
            Some(Gone::WentAway) => {
                return "see the server's log for why it ended, and leave it running for the whole \
                        measurement";
            }
            Some(Gone::NotThere) => {
                return "start the server, or name with --target the port that it listens on";
            }
            None => {}
        }
        match (self.status, self.retry_after_s) {
            (Some(429 | 503), Some(_)) => {
                "wait as long as the server asks for, then use fewer clients or raise its limits"
            }
            (Some(429 | 503), None) => "use fewer clients, or raise the server's limits",
            (Some(502 | 504), _) => "look at the proxy, and whether the server behind it is up",
            (Some(408 | 425), _) => "look at the server's time limits for requests",
            (Some(500..), _) => "look at the server's log",
            (Some(401 | 403 | 407), _) => {
                "the server does not let these clients in: pass what it asks for, such as \
                 `--header 'Authorization: Bearer ${TOKEN}'`, or `header` in a subject's rules"
            }
            (Some(404 | 410), _) => "is the path of --path, or --target, the right one?",
            (Some(200..=299), _) => {
                "the path offers something else: name the transport that it offers with -t"
            }
            (Some(_), _) => "trying again would not change it: look at --path, --target, --headers",
            (None, _) if self.error.is_some() => {
                "mend what it says; the server's log, or that of a proxy before it, may say more"
            }
            (None, _) => "the server's log, or that of a proxy before it, may say why",
        }
    }
}

impl fmt::Display for AttemptsUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, of, .. } = self;
        let verb = if *clients == 1 { "has" } else { "have" };
        if self.gone == Some(Gone::WentAway) {
            f.write_str("the server was there and went away: ")?;
        }
        write!(f, "{clients} of {of} clients {verb} no attempt left")?;
        if let Some(status) = self.status {
            write!(f, ": the server answered {}", name(status))?;
        }
        if let Some(seconds) = self.retry_after_s {
            write!(f, " with Retry-After: {seconds} s")?;
        }
        if let Some(error) = &self.error {
            write!(f, " ({error})")?;
        }
        match self.browser_stops {
            0 => Ok(()),
            stops => write!(f, "; a browser would not have tried again for {stops} of them"),
        }
    }
}

/// Clients that a browser would have given up, while a script in a page may try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserStops {
    /// How many they are.
    pub clients: u64,
    /// At which status, and how many at each; see [`Attempts::browser_stops`].
    pub answers: BTreeMap<u16, u64>,
}

impl fmt::Display for BrowserStops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a browser would have given up {} clients: ", self.clients)?;
        (0..).zip(&self.answers).try_for_each(|(index, (status, clients))| {
            write!(f, "{}{clients} at {}", if index > 0 { ", " } else { "" }, name(*status))
        })
    }
}

/// A status with its reason phrase (RFC 9110 §15), where it is one that servers refuse with.
pub(super) fn name(status: u16) -> String {
    let reason = match status {
        0 => return "an answer that breaks the protocol".to_owned(),
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        410 => "Gone",
        425 => "Too Early",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => return status.to_string(),
    };
    format!("{status} {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(clients: u64, status: u16, seconds: u64) -> Attempts {
        let mut attempts = Attempts { retry_after_s: seconds, ..Attempts::default() };
        (0..clients).for_each(|_| attempts.out(status));
        attempts
    }

    #[test]
    fn more_than_one_client_in_a_hundred_makes_a_trial_invalid() {
        let one = refused(1, 503, 0);
        assert_eq!(one.invalid(100, None, None), None);
        assert!(matches!(one.warnings(100, None)[..], [Warning::AttemptsUsed(_)]));
        assert!(matches!(one.invalid(99, None, None), Some(Invalid::AttemptsUsed(_))));
        assert_eq!(one.warnings(99, None), []);
        assert_eq!(Attempts::default().invalid(1, None, None), None);
    }

    #[test]
    fn the_reason_that_most_met_is_told_with_what_the_server_asked_for() {
        let mut attempts = refused(3, 503, 60);
        attempts.merge(&refused(2, 0, 0));
        attempts.merge(&refused(1, 503, 90));
        attempts.browser_stops.insert(503, 4);
        let error = Some("client 0: no".to_owned());
        let invalid = attempts.invalid(200, error.as_ref(), None).unwrap();
        assert_eq!(
            invalid.to_string(),
            "6 of 200 clients have no attempt left: the server answered 503 Service Unavailable \
             with Retry-After: 90 s (client 0: no); a browser would not have tried again for 4 of \
             them"
        );
        assert!(invalid.remedy().starts_with("wait as long as the server asks for"));
        let cut_off = refused(9, 0, 0).invalid(200, error.as_ref(), None).unwrap();
        assert_eq!(cut_off.to_string(), "9 of 200 clients have no attempt left (client 0: no)");
        let alone = refused(1, 0, 0).invalid(20, None, None).unwrap();
        assert_eq!(alone.to_string(), "1 of 20 clients has no attempt left");
        let error = Some("client 0: it closed the connection".to_owned());
        let gone = refused(1, 0, 0).invalid(3, error.as_ref(), Some(Gone::WentAway)).unwrap();
        assert_eq!(
            gone.to_string(),
            "the server was there and went away: 1 of 3 clients has no attempt left (client 0: it \
             closed the connection)"
        );
        assert!(gone.remedy().contains("why it ended"));
    }

    #[test]
    fn whom_a_browser_would_have_given_up_is_told_by_status() {
        let mut attempts = Attempts { early_answers: 2, ..Attempts::default() };
        attempts.browser_stops.extend([(503, 7), (0, 1)]);
        let [early, stops] = &attempts.warnings(100, None)[..] else { panic!("two warnings") };
        assert_eq!(*early, Warning::EarlyAnswers { count: 2 });
        assert_eq!(
            stops.to_string(),
            "a browser would have given up 8 clients: 1 at an answer that breaks the protocol, \
             7 at 503 Service Unavailable"
        );
    }

    #[test]
    fn a_record_keeps_them() {
        let mut attempts = refused(2, 503, 60);
        attempts.browser_stops.insert(404, 1);
        let text = serde_json::to_string(&attempts).unwrap();
        assert_eq!(serde_json::from_str::<Attempts>(&text).unwrap(), attempts);
    }
}
