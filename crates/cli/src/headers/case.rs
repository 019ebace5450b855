//! From arguments to what is to be played: profiles, cookies, sizes. Refuses before anything
//! starts.

use anyhow::anyhow;
use pushbench_core::contender::Security;
use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::feed::payload::MAX_PAYLOAD;
use pushbench_core::units::Count;
use pushbench_core::{Contender, Delivery};
use pushbench_metrics::record::headers::PUSH;
use pushbench_protocol::headers::{self, HeaderProfile};
use serde::{Deserialize, Serialize};

use crate::args::HeadersArgs;
use crate::exit::Failure;
use crate::profile;

/// The fewest bytes of a message: messages are published by hand here, and their text stands
/// behind their number.
const LEAST_PAYLOAD: usize = SEQ_DIGITS + 1;

/// One header profile, ready to be played.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Case {
    /// With the cookies.
    pub(super) profile: HeaderProfile,
    /// How many bytes of them were added.
    pub(super) cookie_bytes: u64,
    pub(super) payload: usize,
    pub(super) delivery: Delivery,
}

impl Case {
    /// The case of a profile: its own body size and delivery, or `payload` and every message.
    fn new(profile: &HeaderProfile, cookie_bytes: u64, payload: usize) -> Result<Self, Failure> {
        let name = &profile.name;
        let payload = profile.body_bytes.unwrap_or(payload);
        if !(LEAST_PAYLOAD..=MAX_PAYLOAD).contains(&payload) {
            return Err(Failure::usage(anyhow!(
                "payload: {payload}B with profile {name} cannot be played; a message has \
                 {LEAST_PAYLOAD}B to 1MiB here, its number among them"
            )));
        }
        let delivery = profile.delivery.unwrap_or_default();
        let profile = profile::with_cookies(profile, cookie_bytes)?;
        Ok(Self { profile, cookie_bytes, payload, delivery })
    }

    /// The case of a built-in profile as it stands.
    pub(super) fn built_in(name: &str) -> Result<Self, Failure> {
        Self::new(&profile::read(name, None)?, 0, LEAST_PAYLOAD)
    }
}

/// Every profile with each size of cookies, in the order given.
pub(super) fn cases(args: &HeadersArgs) -> Result<Vec<Case>, Failure> {
    let built_in: Vec<String> = headers::names().map(str::to_owned).collect();
    let names = if args.profiles.is_empty() { &built_in } else { &args.profiles };
    let payload = usize::try_from(args.payload.0).unwrap_or(usize::MAX);
    let mut cases = Vec::new();
    for name in names {
        let profile = profile::read(name, None)?;
        for &Count(bytes) in &args.cookie_bytes {
            cases.push(Case::new(&profile, bytes, payload)?);
        }
    }
    Ok(cases)
}

/// The transports to play, in the order of tables: those asked for, and the push, to which all
/// are compared; in TLS where that is wanted.
pub(super) fn contenders(args: &HeadersArgs) -> Vec<Contender> {
    let asked = |contender: &Contender| {
        args.contenders.is_empty() || args.contenders.contains(contender) || *contender == PUSH
    };
    let security = if args.tls { Security::Tls } else { Security::Clear };
    let on_stack = |it: Contender| Contender { stack: it.stack.with_security(security), ..it };
    Contender::basic().filter(asked).map(on_stack).collect()
}
