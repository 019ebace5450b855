//! Axes: the settings that a scenario may list several values of, and so the ways in which its
//! points differ. One table of all of them.

mod further;
mod rows;

use self::rows::{Row, TABLE};
use super::{Point, Scenario};
use crate::contender::Contender;

/// A setting that may have a list of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Subscribers.
    Clients,
    /// Messages in a unit of time.
    Rate,
    /// Size of a payload.
    Payload,
    /// The period of short polls.
    PollInterval,
    /// How long the server is asked to hold a long poll.
    LongPollTimeout,
    /// Bytes of cookies beside the header profile's.
    CookieBytes,
    /// How many times faster than recorded.
    Speed,
    /// Groups of TLS.
    TlsGroups,
    /// The key of the server's certificate.
    TlsCertificate,
    /// Versions of TLS.
    TlsVersions,
    /// The cipher of TLS.
    TlsCipher,
    /// Whether sessions of TLS are resumed.
    TlsResumption,
    /// How hard a compressor tries.
    CompressionLevel,
    /// How far it looks back.
    CompressionWindow,
    /// The size from which it is used.
    CompressionThreshold,
    /// The name of the link.
    LinkName,
    /// How long a packet is under way in one direction.
    Delay,
    /// By how much that may differ.
    Jitter,
    /// The share of packets that are lost.
    Loss,
    /// How many are lost in a row.
    LossBurst,
    /// The rate of a line from server to client.
    DownRate,
    /// The rate of a line from client to server.
    UpRate,
    /// How much may wait in front of a line.
    Queue,
    /// Connections beside the feed that fill the line from server to client.
    LoadDown,
    /// Connections beside the feed that fill the line from client to server.
    LoadUp,
    /// The version of IP over a link.
    IpVersion,
    /// The way that clients take to the server.
    Via,
    /// The server.
    Subject,
    /// Who hears what a client says.
    Talk,
    /// Messages that each client says in a unit of time.
    TalkRate,
    /// Clients in a room.
    RoomSize,
    /// The silence after which a server shows streams that it is there.
    Heartbeat,
    /// How the server goes within the window, and another comes in its place.
    Restart,
    /// How long nobody listens then.
    RestartDown,
    /// How often clients leave, and others come in their place.
    Churn,
    /// How many leave at once.
    ChurnBurst,
    /// How long clients wait before they connect again.
    Reconnect,
    /// The program that plays the clients.
    Client,
}

/// The unit of [`Axis::value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisUnit {
    /// Things.
    Count,
    /// A rate, each second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// Microseconds.
    Micros,
    /// A factor.
    Factor,
    /// Percent.
    Percent,
    /// Bits each second.
    BitsPerSecond,
    /// None: its values are names, and have no order.
    Name,
}

impl Axis {
    /// All, in the order of columns and labels; the last one turns fastest from point to point.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Clients; TABLE.len()];
        let mut place = 0;
        while place < TABLE.len() {
            assert!(TABLE[place].axis as usize == place, "the table is in the order of the type");
            all[place] = TABLE[place].axis;
            place += 1;
        }
        all
    };

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The key in a scenario: `feed.speed`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.row().key
    }

    /// The column that it has in every CSV file whose lines are of a point, with its unit.
    #[must_use]
    pub const fn column(self) -> &'static str {
        self.row().column
    }

    /// The title of an axis of a chart.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// The words for a value, with `{}` for its number and `{s}` for the ending of a plural.
    #[must_use]
    pub const fn words(self) -> &'static str {
        self.row().words
    }

    /// The unit of its [value](Self::value).
    #[must_use]
    pub const fn unit(self) -> AxisUnit {
        self.row().unit
    }

    /// Whether `contender` has the setting; to others it means nothing.
    #[must_use]
    pub fn is_read_by(self, contender: Contender) -> bool {
        (self.row().is_read_by)(contender)
    }

    /// Whether its value at `point` is what was measured: a server that runs already has a
    /// certificate and a level of compression of its own, and an application a rate and sizes that
    /// nobody says.
    #[must_use]
    pub const fn is_known_at(self, point: &Point) -> bool {
        match self {
            Self::TlsCertificate | Self::CompressionLevel => !point.server_runs_already,
            Self::Rate => point.rate_hz > 0.0,
            Self::Payload => point.payload_bytes > 0.0,
            _ => true,
        }
    }

    /// Its value at `point`, in its unit; no number where it is a name.
    #[must_use]
    pub fn value(self, point: &Point) -> f64 {
        (self.row().value)(point)
    }

    /// Its value at `point`, in the unit of its column.
    #[must_use]
    pub fn field(self, point: &Point) -> String {
        match self.unit() {
            AxisUnit::Name => self.text(point),
            _ => {
                let field = (self.row().field)(point);
                // Of a link, where there is none.
                if field.is_nan() { String::new() } else { field.to_string() }
            }
        }
    }

    /// Its value at `point`, as a scenario may spell it.
    #[must_use]
    pub fn text(self, point: &Point) -> String {
        (self.row().text)(point)
    }

    /// The first value that `scenario` lists, as a scenario may spell it.
    pub(super) fn first(self, scenario: &Scenario) -> String {
        let mut point = Point::numbered(1);
        self.choose(scenario, 0, &mut point);
        self.text(&point)
    }

    /// How many values `scenario` lists.
    pub(super) fn len(self, scenario: &Scenario) -> usize {
        (self.row().len)(scenario)
    }

    /// Gives `point` the value at place `at` of the list of `scenario`.
    pub(super) fn choose(self, scenario: &Scenario, at: usize, point: &mut Point) {
        (self.row().choose)(scenario, at, point);
    }

    /// `poll=1s`.
    pub(super) fn label(self, point: &Point) -> String {
        format!("{}={}", self.row().label, self.text(point))
    }
}
