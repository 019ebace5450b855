//! Settings: one table of all that a scenario says, with the flag of each and what it means to
//! whoever compares two runs.

use super::Axis;

/// Whether two runs have to agree on a setting, to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// They need not: it changes no figure, or no more than the luck of a trial does; or what only
    /// one of them has is left out.
    Needless,
    /// On the whole of it.
    Whole,
    /// At each point that is compared.
    ByPoint,
}

/// A setting's row: all that is said of it in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The key in a scenario: `feed.speed`.
    pub key: &'static str,
    /// The flag that overrides it, without dashes.
    pub flag: Option<&'static str>,
    /// Whether the flag takes a list, with commas.
    pub takes_list: bool,
    /// Whether runs have to agree on it.
    pub agreement: Agreement,
    /// The axis of its values, where a scenario may list several.
    pub axis: Option<Axis>,
}

const fn setting(key: &'static str, agreement: Agreement) -> Setting {
    Setting { key, flag: None, takes_list: false, agreement, axis: None }
}

const fn axis(axis: Axis, flag: &'static str) -> Setting {
    let setting = setting(axis.key(), Agreement::ByPoint).flag(flag);
    Setting { takes_list: true, axis: Some(axis), ..setting }
}

impl Setting {
    const fn flag(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }

    /// The setting of that key; one in a table of its own names goes by the table's.
    #[must_use]
    pub fn of(key: &str) -> Option<&'static Self> {
        let find = |key: &str| SETTINGS.iter().find(|setting| setting.key == key);
        find(key).or_else(|| find(key.split('.').next()?))
    }
}

/// The settings, in the order in which a scenario's record has them.
pub const SETTINGS: [Setting; 60] = {
    use Agreement::{Needless, Whole};
    [
        setting("name", Needless),
        setting("question", Needless),
        Setting { takes_list: true, ..setting("transports", Needless).flag("transport") },
        setting("delivery", Whole).flag("delivery"),
        axis(Axis::Clients, "clients"),
        axis(Axis::Rate, "rate"),
        setting("total_rate", Whole).flag("total-rate"),
        axis(Axis::Payload, "payload"),
        axis(Axis::PollInterval, "poll-interval"),
        axis(Axis::LongPollTimeout, "long-poll-timeout"),
        setting("headers", Whole).flag("headers"),
        axis(Axis::CookieBytes, "cookie-bytes"),
        setting("warmup", Whole).flag("warmup"),
        setting("duration", Whole).flag("duration"),
        setting("runs", Needless).flag("runs"),
        setting("floor", Needless),
        setting("seed", Needless).flag("seed"),
        setting("feed.schedule", Whole).flag("schedule"),
        setting("feed.payload", Whole).flag("payload-kind"),
        setting("feed.on", Whole).flag("on"),
        setting("feed.off", Whole).flag("off"),
        setting("feed.trace", Whole).flag("trace"),
        axis(Axis::Speed, "speed"),
        axis(Axis::TlsGroups, "tls-groups"),
        axis(Axis::TlsCertificate, "tls-certificate"),
        axis(Axis::TlsVersions, "tls-versions"),
        axis(Axis::TlsCipher, "tls-cipher"),
        axis(Axis::TlsResumption, "tls-resumption"),
        axis(Axis::CompressionLevel, "compression-level"),
        axis(Axis::CompressionWindow, "compression-window-bits"),
        axis(Axis::CompressionThreshold, "compression-threshold"),
        axis(Axis::LinkName, "link"),
        axis(Axis::Delay, "delay"),
        axis(Axis::Jitter, "jitter"),
        axis(Axis::Loss, "loss"),
        axis(Axis::LossBurst, "loss-burst"),
        axis(Axis::DownRate, "down"),
        axis(Axis::UpRate, "up"),
        axis(Axis::Queue, "queue"),
        axis(Axis::LoadDown, "load-down"),
        axis(Axis::LoadUp, "load-up"),
        axis(Axis::IpVersion, "ip-version"),
        setting("link.mtu", Whole),
        setting("link.scope", Whole),
        setting("link.reorder", Whole),
        axis(Axis::Via, "via"),
        axis(Axis::Subject, "subject"),
        axis(Axis::Talk, "talk"),
        axis(Axis::TalkRate, "talk-rate"),
        setting("talk.pace", Whole).flag("talk-pace"),
        axis(Axis::RoomSize, "room-size"),
        axis(Axis::Heartbeat, "heartbeat"),
        axis(Axis::Restart, "restart"),
        setting("restart.at", Whole).flag("restart-at"),
        axis(Axis::RestartDown, "restart-down"),
        axis(Axis::Churn, "churn"),
        axis(Axis::ChurnBurst, "churn-burst"),
        axis(Axis::Reconnect, "reconnect"),
        axis(Axis::Client, "client"),
        setting("thresholds", Needless).flag("threshold"),
    ]
};

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::client::ClientKind;
    use crate::life::{Halt, Reconnect};
    use crate::scenario::{Scenario, Values};
    use crate::talk::{Pace, Pattern};
    use crate::units::{Count, Rate, Span};

    /// A setting without a row has no flag, and nobody knows whether runs must agree on it.
    #[test]
    fn each_key_of_a_scenario_has_a_row_and_each_row_a_key() {
        let text = "total_rate = 100\nfloor = true\nheartbeat = \"15s\"\nvia = \"nginx\"\n[feed]\nschedule = \"burst\"\n\
                    [link]\nname = \"3g\"\ndelay = 0\njitter = 0\nloss = \"1%\"\nburst = 2\n\
                    down = \"1Mbit/s\"\nup = \"1Mbit/s\"\nqueue = \"1s\"\nmtu = 1400\n\
                    scope = \"shared\"\nreorder = false\nload_down = 1\nload_up = 1\n\
                    ip_version = \"ipv6\"\n[thresholds]\n\"*.lost\" = \"< 1\"";
        let mut scenario = Scenario::parse(text).unwrap();
        scenario.feed.trace = Some("t".to_owned());
        scenario.subject = Values::One("nchan".parse().unwrap());
        scenario.talk.pattern = Some(Values::One(Pattern::Chat));
        scenario.talk.rate = Values::One(Rate::from_hz(2.0).unwrap());
        scenario.talk.pace = Pace::Poisson;
        scenario.talk.room_size = Values::One(Count(3));
        scenario.restart.how = Some(Values::One(Halt::Kill));
        scenario.restart.at = Span(std::time::Duration::from_secs(1));
        scenario.restart.down = Values::One(Span(std::time::Duration::from_secs(1)));
        scenario.churn.burst = Values::One(Count(9));
        scenario.churn.rate = Some(Values::One(Rate::ONE));
        scenario.reconnect = Values::One(Reconnect::Browser);
        scenario.client = Values::One(ClientKind::Chromium);
        let Value::Object(mut written) = serde_json::to_value(&scenario).unwrap() else { panic!() };
        let mut within = Vec::new();
        for table in ["feed", "tls", "compression", "link", "talk", "restart", "churn"] {
            let Some(Value::Object(keys)) = written.remove(table) else { panic!("{table}") };
            within.extend(keys.keys().map(|key| format!("{table}.{key}")));
        }
        let mut written: Vec<String> = written.keys().cloned().chain(within).collect();
        let mut known = SETTINGS.map(|setting| setting.key.to_owned());
        written.sort();
        known.sort();
        assert_eq!(written, known);
    }

    #[test]
    fn each_axis_is_one_setting() {
        let axes: Vec<Axis> = SETTINGS.iter().filter_map(|setting| setting.axis).collect();
        assert_eq!(axes, Axis::ALL);
    }
}
