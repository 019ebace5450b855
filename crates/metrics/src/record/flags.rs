//! Flags of a run that are no settings of its scenario: with both it can be repeated.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Flags beside the scenario. A path or command of the machine is not among it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flags {
    /// Packets were to be captured: `--capture`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub capture: bool,
    /// No message was to be stamped: `--no-stamps`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_stamps: bool,
    /// Trials that a busy machine disturbed were to be kept: `--allow-busy`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_busy: bool,
    /// Processes were to be kept on no cores: `--no-pin`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_pin: bool,
    /// Server processes that were asked for: `--server-processes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_processes: Option<u64>,
    /// Load processes that were asked for: `--load-processes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_processes: Option<u64>,
    /// How much later than due each message was to be published: `--publish-delay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_delay: Option<Duration>,
}

impl Flags {
    /// Whether none was given.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The flags as they are typed.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let Self { capture, no_stamps, allow_busy, no_pin, .. } = *self;
        let given = [
            ("--capture", capture),
            ("--no-stamps", no_stamps),
            ("--allow-busy", allow_busy),
            ("--no-pin", no_pin),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        let mut words: Vec<String> = given.map(|(flag, _)| flag.to_owned()).collect();
        let counts = [
            ("--server-processes", self.server_processes),
            ("--load-processes", self.load_processes),
        ];
        let counts =
            counts.into_iter().filter_map(|(flag, count)| Some(format!("{flag} {}", count?)));
        words.extend(counts);
        let delay = self.publish_delay;
        words.extend(delay.map(|delay| format!("--publish-delay {}us", delay.as_micros())));
        words
    }
}
