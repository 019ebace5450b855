//! Findings about a proxy: what of a transport does not pass it, and what it makes of what does.

use std::fmt;
use std::time::Duration;

use pushbench_core::proxy::ProxyName;
use serde::{Deserialize, Serialize};

use super::attempts;
use crate::record::proxy::ProxyRecord;

/// Messages that come this many at a time, and more, are held back by somebody.
pub const LUMP_MESSAGES: f64 = 1.5;

/// A finding about a proxy: no fault of the instrument, and of the server only where it says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProxyFinding {
    /// The proxy.
    pub proxy: ProxyName,
    /// Its version, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its fault.
    pub fault: ProxyFault,
}

/// A fault of a proxy towards a transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProxyFault {
    /// Every client is refused, so that there is nothing to measure.
    Refuses {
        /// The status that they are answered.
        status: u16,
        /// The first error of a client: what was asked for, and what was said.
        error: Option<String>,
    },
    /// Messages that were due one by one come several at a time.
    Lumps {
        /// How many, on average.
        messages: f64,
        /// How long passes from one time to the next.
        each: Duration,
    },
}

impl ProxyFinding {
    /// A finding about the proxy of a trial.
    #[must_use]
    pub fn of(proxy: &ProxyRecord, fault: ProxyFault) -> Self {
        Self { proxy: proxy.name, version: proxy.version.clone(), fault }
    }

    /// The remedy: the lines that its configuration lacks.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.proxy.remedy()
    }
}

impl fmt::Display for ProxyFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.proxy)?;
        self.version.iter().try_for_each(|version| write!(f, " ({version})"))?;
        match &self.fault {
            ProxyFault::Refuses { status, error } => {
                write!(
                    f,
                    " does not carry it: every client was answered {}",
                    attempts::name(*status)
                )?;
                if *status == UPGRADE_REQUIRED {
                    f.write_str(", since it does not pass `Upgrade` on")?;
                }
                error.iter().try_for_each(|error| write!(f, " ({error})"))
            }
            ProxyFault::Lumps { messages, each } => write!(
                f,
                " holds messages back: they came {messages:.1} at a time, each {:.0} ms",
                each.as_secs_f64() * 1e3
            ),
        }
    }
}

/// The status of a server that was to switch protocols and was not asked to (RFC 9110 §15.5.22).
const UPGRADE_REQUIRED: u16 = 426;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_the_proxy_its_version_and_the_lines_that_help() {
        let proxy = ProxyRecord {
            name: "nginx-default".parse().unwrap(),
            version: Some("1.22.1".to_owned()),
            named: Default::default(),
        };
        let refused = ProxyFinding::of(&proxy, ProxyFault::Refuses { status: 426, error: None });
        assert_eq!(
            refused.to_string(),
            "nginx-default (1.22.1) does not carry it: every client was answered 426 Upgrade \
             Required, since it does not pass `Upgrade` on"
        );
        assert!(refused.remedy().contains("proxy_set_header Upgrade $http_upgrade;"));
        let lumps = ProxyFault::Lumps { messages: 5.04, each: Duration::from_millis(250) };
        let lumps = ProxyFinding::of(&proxy, lumps).to_string();
        assert!(lumps.ends_with("they came 5.0 at a time, each 250 ms"), "{lumps}");
    }
}
