//! The check of the doctor for emulated networks.

use pushbench_core::link::Link;
use pushbench_metrics::observe::device::Backend;
use pushbench_run::player::link::{self, LinkError};

use super::check::{Check, CheckStatus};
use crate::run;

/// Whether there can be a link between server and clients here (`run --delay` and the like).
pub(super) fn link() -> Check {
    let checked = link::check(&run::commands().link, &Link::default(), 1);
    let check = |found| Check::new("network", "emulated links", found);
    match checked {
        Ok(Backend::Tun) => check("network namespaces, TUN devices"),
        Ok(Backend::Veth) => check("network namespaces, virtual Ethernet"),
        Err(LinkError::Refused(why)) => {
            check("refused by the system").unless(false, CheckStatus::Cannot, why)
        }
        Err(error) => check("failed").unless(false, CheckStatus::Cannot, error.to_string()),
    }
}
