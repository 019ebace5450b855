//! The published claim of 871 bytes against 2, and whether it comes out again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ContenderBytes, HeaderCase, Level, POLL, PUSH};

/// Characters of headers of a poll by the published count, both ways.
pub const PUBLISHED_POLL: u64 = 871;

/// Bytes of a WebSocket frame's header by the published count.
pub const PUBLISHED_PUSH: u64 = 2;

/// By how much a measured bit rate may differ from what it is computed as, of itself.
pub const TOLERANCE: f64 = 0.01;

/// The published claim, played at its own scale where this machine can.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The profile's own poll and push, of which what is computed is made.
    pub case: HeaderCase,
    /// How often each client polls, and a message is published.
    pub period: Duration,
    /// The published numbers of clients.
    pub use_cases: Vec<UseCase>,
}

impl Claim {
    /// The bit rate of `bytes` for each client and period, for so many clients, bit/s.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "bytes of an exchange are below 2⁵³")]
    pub fn computed(&self, bytes: u64, clients: u32) -> f64 {
        bytes as f64 * 8.0 * f64::from(clients) / self.period.as_secs_f64()
    }

    /// The claim's poll.
    #[must_use]
    pub fn poll(&self) -> Option<&ContenderBytes> {
        self.case.row(POLL)
    }

    /// The claim's push.
    #[must_use]
    pub fn push(&self) -> Option<&ContenderBytes> {
        self.case.row(PUSH)
    }

    /// By how much the headers that a use case's polls moved differ from those of one poll times
    /// all polls, of the latter; `None` where it was not run.
    #[must_use]
    pub fn deviation(&self, use_case: &UseCase) -> Option<f64> {
        let expected = self.computed(self.poll()?.exchange.http_bytes(), use_case.clients);
        Some(use_case.polls.http_bits()? / expected - 1.0)
    }

    /// Whether the claim came out again: its characters exactly, and what was run within
    /// [`TOLERANCE`], in trials that are valid.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults().is_empty()
    }

    /// Why the claim did not come out again, a line for each reason.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let characters = self.poll().map(|row| row.exchange.at(Level::Characters));
        let mut faults: Vec<String> = Vec::new();
        if characters != Some(PUBLISHED_POLL) {
            let played = characters.map_or("none".to_owned(), |count| count.to_string());
            faults.push(format!(
                "the poll has {played} characters of headers, the published one {PUBLISHED_POLL}"
            ));
        }
        faults.extend(self.use_cases.iter().flat_map(|use_case| self.faults_of(use_case)));
        faults
    }

    fn faults_of(&self, use_case: &UseCase) -> Vec<String> {
        let of = |what: &str| format!("use case {}, {what}", use_case.name);
        let sides = [("polling", &use_case.polls), ("WebSocket", &use_case.pushes)];
        let unsound = sides.into_iter().filter(|(_, moved)| !moved.is_sound());
        let mut faults: Vec<String> = unsound
            .map(|(what, moved)| format!("{}: not valid: {}", of(what), moved.notes().join("; ")))
            .collect();
        if let Some(by) = self.deviation(use_case).filter(|by| by.abs() > TOLERANCE) {
            let (by, most) = (by * 100.0, TOLERANCE * 100.0);
            let polls = of("polling");
            faults.push(format!(
                "{polls}: headers differ by {by:+.2} % from those of one poll times all polls, at \
                 most {most} % may"
            ));
        }
        faults
    }

    /// Whether what was run of a use case's polls is valid and within [`TOLERANCE`].
    #[must_use]
    pub fn is_borne_out_by_polls(&self, use_case: &UseCase) -> bool {
        let deviation = self.deviation(use_case);
        use_case.polls.is_sound() && deviation.is_none_or(|by| by.abs() <= TOLERANCE)
    }
}

/// One published number of clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UseCase {
    /// As published: `A`, `B`, `C`.
    pub name: String,
    /// Clients, each with a poll or a message each period.
    pub clients: u32,
    /// Bytes that polling moved, or why they were not measured.
    pub polls: WindowBytes,
    /// The same of WebSocket.
    pub pushes: WindowBytes,
}

/// A window's bytes of one transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowBytes {
    /// It was run, and counted at the sockets; IP by the kernel.
    Measured {
        /// The window's length.
        window: Duration,
        /// How many times slower than the claim's the clients' pace was; bit rates are for the
        /// claim's pace, so many times what moved.
        #[serde(default = "claimed_pace")]
        slower: u32,
        /// Request and status lines and headers, both ways, bodies excluded.
        http_bytes: u64,
        /// Framing.
        framing_bytes: u64,
        /// All layers at the level of IP; `None` where the kernel did not tell.
        ip_bytes: Option<u64>,
        /// Notes to read before believing it, or why the trial is not valid.
        notes: Vec<String>,
        /// Whether the trial is valid.
        valid: bool,
    },
    /// It was not run.
    Computed {
        /// The reason.
        why: String,
    },
}

const fn claimed_pace() -> u32 {
    1
}

impl WindowBytes {
    /// How many times slower than the claim's the clients' pace was; 1 where it was not run.
    #[must_use]
    pub const fn slower(&self) -> u32 {
        match self {
            Self::Measured { slower, .. } => *slower,
            Self::Computed { .. } => claimed_pace(),
        }
    }

    /// Headers, bit/s; `None` where it was not run.
    #[must_use]
    pub fn http_bits(&self) -> Option<f64> {
        self.bits(|bytes| Some(bytes.0))
    }

    /// Notes to read before believing it, or why the trial is not valid.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        match self {
            Self::Measured { notes, .. } => notes.clone(),
            Self::Computed { .. } => Vec::new(),
        }
    }

    /// Framing, bit/s.
    #[must_use]
    pub fn framing_bits(&self) -> Option<f64> {
        self.bits(|bytes| Some(bytes.1))
    }

    /// All of it in IP packets, bit/s.
    #[must_use]
    pub fn ip_bits(&self) -> Option<f64> {
        self.bits(|bytes| bytes.2)
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes of a window are below 2⁵³")]
    fn bits(&self, which: impl Fn((u64, u64, Option<u64>)) -> Option<u64>) -> Option<f64> {
        let Self::Measured { window, slower, http_bytes, framing_bytes, ip_bytes, .. } = self
        else {
            return None;
        };
        let bytes = which((*http_bytes, *framing_bytes, *ip_bytes))?;
        Some(bytes as f64 * 8.0 * f64::from(*slower) / window.as_secs_f64())
    }

    /// Whether it was run in a valid trial, or not run at all.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        matches!(self, Self::Computed { .. } | Self::Measured { valid: true, .. })
    }
}
