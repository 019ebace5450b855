//! The proxy that stood between the clients of a trial and its server.

use pushbench_core::proxy::ProxyName;
use serde::{Deserialize, Serialize};

/// A proxy, as it was in a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyRecord {
    /// Its name.
    pub name: ProxyName,
    /// Its version, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The names that it gives in its answers.
    #[serde(default)]
    pub named: Named,
}

/// The header fields by which whoever answers names itself (RFC 9110 §7.6.3, §10.2.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// `Server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// `Via`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}
