//! Header profiles by name or file, and what they imply for a scenario.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use pushbench_core::feed::payload::PayloadKind;
use pushbench_core::named::did_you_mean;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::units::ByteSize;
use pushbench_protocol::headers::{self, HeaderProfile, MAX_PROFILE_BYTES};
use pushbench_report::bounded;

use crate::exit::Failure;

/// The built-in profile of that name, or that of a file, relative to `folder`.
///
/// # Errors
///
/// A name that is no profile, a file that cannot be read, or a profile that is refused, with file
/// and line.
pub(crate) fn read(name: &str, folder: Option<&Path>) -> Result<HeaderProfile, Failure> {
    if let Some(profile) = HeaderProfile::built_in(name) {
        return Ok(profile);
    }
    let path = folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
    let looks_like_a_file = path.extension().is_some() || Path::new(name).components().count() > 1;
    if !looks_like_a_file && !path.is_file() {
        let known: Vec<&str> = headers::names().collect();
        return Err(Failure::usage(anyhow!(
            "unknown header profile `{name}`; built in are {}, or name a file{}",
            known.join(", "),
            did_you_mean(name, known.iter().copied())
        )));
    }
    let file = path.display();
    let text = bounded::read_text(&path, MAX_PROFILE_BYTES)
        .with_context(|| format!("cannot read header profile {file}"))
        .map_err(Failure::Usage)?;
    HeaderProfile::parse(&text).map_err(|error| Failure::usage(anyhow!("{file}: {error}")))
}

/// Puts the delivery and the size of messages that a profile states in place of the scenario's.
pub(crate) fn apply(profile: &HeaderProfile, scenario: &mut Scenario) {
    if let Some(delivery) = profile.delivery {
        scenario.delivery = delivery;
    }
    if let Some(bytes) = profile.body_bytes {
        scenario.payload = Values::One(ByteSize(bytes as u64));
        if bytes < scenario.feed.payload.min_bytes() {
            scenario.feed.payload = PayloadKind::Text;
        }
    }
}

/// The profile with the value of each request's cookie longer by `bytes`.
pub(crate) fn with_cookies(profile: &HeaderProfile, bytes: u64) -> Result<HeaderProfile, Failure> {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    profile.clone().with_cookie_bytes(length).map_err(|error| {
        Failure::usage(anyhow!("cookie_bytes: {bytes} with profile {}: {error}", profile.name))
    })
}

/// Checks that each of the scenario's cookies fits into a request of the profile.
pub(crate) fn check_cookies(profile: &HeaderProfile, scenario: &Scenario) -> Result<(), Failure> {
    let mut cookies = scenario.cookie_bytes.as_slice().iter();
    cookies.try_for_each(|bytes| with_cookies(profile, bytes.0).map(drop))
}
