//! Scenarios as TOML, which reads back as the same settings.

use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

use super::{Scenario, ScenarioError};

impl Scenario {
    /// The TOML of all settings, those too that are the default.
    ///
    /// # Errors
    ///
    /// [`ScenarioError::Syntax`], where a value has no TOML.
    ///
    /// ```
    /// use pushbench_core::scenario::Scenario;
    ///
    /// let scenario = Scenario::parse("clients = [10, \"1k\"]\n[link]\ndelay = \"40ms\"")?;
    /// assert_eq!(Scenario::parse(&scenario.to_toml()?)?, scenario);
    /// # Ok::<(), pushbench_core::scenario::ScenarioError>(())
    /// ```
    pub fn to_toml(&self) -> Result<String, ScenarioError> {
        let syntax = |error: toml::ser::Error| ScenarioError::Syntax(error.to_string());
        // TOML's numbers end at 2⁶³ − 1 (§ Integer); larger seeds are text.
        let seed = i64::try_from(self.seed)
            .map_or_else(|_| toml::Value::String(self.seed.to_string()), toml::Value::Integer);
        let mut table = toml::Table::try_from(Self { seed: 0, ..self.clone() }).map_err(syntax)?;
        table.insert("seed".to_owned(), seed);
        // Of these two a file has one.
        if self.total_rate.is_some() {
            table.remove("rate");
        }
        toml::to_string(&table).map_err(syntax)
    }
}

/// A seed, as a number or as text.
pub(super) fn read_seed<'de, D: Deserializer<'de>>(reader: D) -> Result<u64, D::Error> {
    reader.deserialize_any(Seed)
}

struct Seed;

impl Visitor<'_> for Seed {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0")
    }

    fn visit_u64<E: Error>(self, seed: u64) -> Result<u64, E> {
        Ok(seed)
    }

    fn visit_i64<E: Error>(self, seed: i64) -> Result<u64, E> {
        u64::try_from(seed).map_err(|_| E::custom(format!("{seed} is below 0")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        text.parse().map_err(|_| E::custom(format!("`{text}` is no whole number below 2⁶⁴")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_back_as_they_were_written() {
        for text in [
            "",
            "clients = [1, \"2k\"]\nrate = [\"0.5/s\", \"10/s\"]\npayload = [\"64B\", \"1KiB\"]\nfloor = true",
            "total_rate = \"20k/s\"\nclients = [10, 20]",
            "transports = [\"websocket+tls+deflate\"]\n[tls]\ncertificate = [\"p256\", \"rsa-2048\"]\n\
             groups = [\"X25519\", \"secp256r1:X25519\"]\n[compression]\nlevel = [1, 9]",
            "via = [\"direct\", \"nginx-default\"]\nsubject = [\"pushbench\", \"nchan\"]",
            "transports = [\"sse\"]\n[link]\nname = [\"4g\"]\ndelay = { down = \"39ms\", up = \"38ms\" }\nloss = \"1%\"",
            "payload = \"200B\"\n[feed]\nschedule = \"burst\"\non = \"1500ms\"\noff = \"4s\"\npayload = \"quotes\"",
            "[thresholds]\n\"*.lost\" = \"< 1\"\n\"websocket.latency.p99\" = [\"< 50ms\", \"> 1us\"]",
            "[talk]\npattern = \"chat\"\nrate = \"2/s\"\nroom_size = 4",
            "[restart]\nhow = [\"kill\", \"term\"]\nat = \"1s\"",
            "heartbeat = [\"5s\", \"0s\"]\nclient = [\"native\", \"chromium\"]",
            "reconnect = [\"jitter\", \"browser\"]\n[churn]\nrate = 5",
        ] {
            let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let written = scenario.to_toml().unwrap();
            let read =
                Scenario::parse(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
            assert_eq!(read, scenario, "{written}");
        }
    }

    #[test]
    fn a_seed_beyond_tomls_numbers_is_text() {
        let scenario = Scenario { seed: u64::MAX, ..Scenario::default() };
        let written = scenario.to_toml().unwrap();
        assert!(written.contains("seed = \"18446744073709551615\""), "{written}");
        assert_eq!(Scenario::parse(&written).unwrap(), scenario);
        let json = serde_json::to_string(&scenario).unwrap();
        assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario);
        for (text, part) in [("seed = -1", "-1 is below 0"), ("seed = 'x'", "no whole number")] {
            let error = Scenario::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
