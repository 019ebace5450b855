//! A point: one combination of settings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::{self, check_text};
use super::{ScenarioError, setting};
use crate::checked_when_read;
use crate::client::ClientKind;
use crate::compression::{Compression, LEVELS, WINDOW_BITS};
use crate::feed::payload::MAX_PAYLOAD;
use crate::feed::schedule::{check_rate, check_speed};
use crate::life::Life;
use crate::link::{Link, LinkName};
use crate::proxy::Via;
use crate::subject::SubjectName;
use crate::talk::Talk;
use crate::tls::{Tls, check_groups};
use crate::units::{Rate, Span};

/// One combination of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Point {
    /// Its number, from 1.
    pub id: u32,
    /// The settings in which it differs from the others, such as `clients=100 rate=10/s`; empty
    /// where it is the only one.
    pub label: String,
    /// Subscribers.
    pub clients: u32,
    /// The rate as given; within a burst that of the burst; of a replay, the mean.
    pub rate: Rate,
    /// Messages each second in the long run.
    pub rate_hz: f64,
    /// Size of a payload; of a replay, the mean.
    pub payload_bytes: f64,
    /// The period of short polls.
    pub poll_interval: Span,
    /// How long the server is asked to hold a long poll.
    pub long_poll_timeout: Span,
    /// Bytes by which each request's `Cookie` is longer than its profile has it.
    #[serde(default)]
    pub cookie_bytes: u32,
    /// How many times faster than recorded; 1 without a trace.
    pub speed: f64,
    /// The settings that the contenders in TLS may agree on.
    #[serde(default)]
    pub tls: Tls,
    /// How the contenders with a coding compress.
    #[serde(default)]
    pub compression: Compression,
    /// The link between server and clients; loopback without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// The name of the link that the settings of `link` started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_name: Option<LinkName>,
    /// The way that clients take to the server.
    #[serde(default, skip_serializing_if = "Via::is_direct")]
    pub via: Via,
    /// The server.
    #[serde(default, skip_serializing_if = "SubjectName::is_own")]
    pub subject: SubjectName,
    /// How the clients talk; they only listen to the feed without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk: Option<Talk>,
    /// The silence after which its streams get a comment or a ping; zero sends none.
    #[serde(default, skip_serializing_if = "no_time")]
    pub heartbeat: Span,
    /// The life of its connections.
    #[serde(default, skip_serializing_if = "Life::is_usual")]
    pub life: Life,
    /// The program that plays the clients.
    #[serde(default, skip_serializing_if = "ClientKind::is_native")]
    pub client: ClientKind,
    /// The server ran already, so that the settings that are [its alone](super::Axis::is_known_at) are not
    /// known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server_runs_already: bool,
}

checked_when_read!(Point);

const fn no_time(span: &Span) -> bool {
    span.0.is_zero()
}

impl Point {
    /// A point whose settings are still to be chosen.
    #[must_use]
    pub fn numbered(id: u32) -> Self {
        Self {
            id,
            label: String::new(),
            clients: 1,
            rate: Rate::ONE,
            rate_hz: 0.0,
            payload_bytes: 0.0,
            poll_interval: Span(Duration::ZERO),
            long_poll_timeout: Span(Duration::ZERO),
            cookie_bytes: 0,
            speed: 1.0,
            tls: Tls::default(),
            compression: Compression::default(),
            link: None,
            link_name: None,
            via: Via::Direct,
            subject: SubjectName::default(),
            talk: None,
            heartbeat: Span(Duration::ZERO),
            life: Life::default(),
            client: ClientKind::Native,
            server_runs_already: false,
        }
    }

    /// Checks what the types of its settings cannot.
    ///
    /// # Errors
    ///
    /// The first setting that no scenario spans, by its key.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let within = |key, value: f64, most: f64| match (0.0..=most).contains(&value) {
            true => Ok(()),
            false => Err(setting(key, format!("{value:?} is not within 0 and {most}"))),
        };
        if self.id == 0 {
            return Err(setting("id", "a point's number is at least 1"));
        }
        if !check::CLIENTS.contains(&u64::from(self.clients)) {
            let problem = format!("{} is not within 1 and 1000k", self.clients);
            return Err(setting("clients", problem));
        }
        check_text("label", &self.label)?;
        check_text("subject", self.subject.as_str())?;
        check_rate(self.rate).map_err(|why| setting("rate", why.problem))?;
        check_speed(self.speed).map_err(|why| setting("speed", why.problem))?;
        // A replay was not always held to the rates of other schedules.
        within("rate_hz", self.rate_hz, 1e12)?;
        #[expect(clippy::cast_precision_loss, reason = "1 MiB")]
        within("payload_bytes", self.payload_bytes, MAX_PAYLOAD as f64)?;
        check::check_poll_interval(self.poll_interval)
            .map_err(|why| setting("poll_interval", why))?;
        check::check_long_poll_timeout(self.long_poll_timeout)
            .map_err(|why| setting("long_poll_timeout", why))?;
        check::check_heartbeat(self.heartbeat).map_err(|why| setting("heartbeat", why))?;
        check::check_cookie(u64::from(self.cookie_bytes))
            .map_err(|why| setting("cookie_bytes", why))?;
        let Compression { level, window_bits, threshold } = self.compression;
        check_groups(&self.tls.groups, &self.tls.versions)
            .map_err(|why| setting("tls.groups", why))?;
        check::check_number(level.into(), &LEVELS)
            .map_err(|why| setting("compression.level", why))?;
        check::check_number(window_bits.into(), &WINDOW_BITS)
            .map_err(|why| setting("compression.window_bits", why))?;
        check::check_largest(threshold).map_err(|why| setting("compression.threshold", why))?;
        self.check_link()
    }
}
