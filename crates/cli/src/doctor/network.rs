//! The checks of the doctor for emulated networks.

use pushbench_core::IpVersion;
use pushbench_metrics::observe::attendance::Precedence;
use pushbench_metrics::observe::device::Backend;
use pushbench_report::human;
use pushbench_run::packets::RouterSpeed;
use pushbench_run::player::link::{self, LinkError, Tried};

use super::check::{Check, CheckStatus};
use crate::run;

/// Packets that a router should move in a second beside the server: those of a stream to a thousand
/// clients, ten messages a second.
const FEW_PACKETS: f64 = 20_000.0;

const GROUP: &str = "network";
const NAME: &str = "emulated links";

/// Whether there can be a link between server and clients here (`run --delay` and the like), and what
/// its router can do.
pub(super) fn links() -> Vec<Check> {
    let found = |found| Check::new(GROUP, NAME, found);
    match link::try_out(&run::commands(), IpVersion::V4, 1) {
        Ok(tried) => vec![
            found(match tried.backend {
                Backend::Tun => "network namespaces, TUN devices",
                Backend::Veth => "network namespaces, virtual Ethernet",
            }),
            router(&tried),
        ],
        Err(LinkError::Refused(why)) => {
            vec![found("refused by the system").unless(false, CheckStatus::Cannot, why)]
        }
        Err(error) => {
            vec![found("failed").unless(false, CheckStatus::Cannot, error.to_string())]
        }
    }
}

/// The router's precedence, and how many packets it moves.
fn router(tried: &Tried) -> Check {
    let moves = tried.speed.map_or_else(
        || "few packets".to_owned(),
        |RouterSpeed { alone, beside_server }| {
            format!(
                "{} packets/s on a core of its own, {} beside the server",
                human::count(alone as u64),
                human::count(beside_server as u64)
            )
        },
    );
    let precedence = tried.precedence.unwrap_or(Precedence::Normal);
    let is_fast = tried.speed.is_some_and(|speed| speed.beside_server >= FEW_PACKETS);
    Check::new(GROUP, "router of a link", format!("{precedence}, {moves}"))
        .limited_unless(is_fast, "leave the machine idle, or use a faster one")
        .limited_unless(
            precedence == Precedence::RealTime,
            "let it have real-time priority: be root, have CAP_SYS_NICE, or `ulimit -r 1`",
        )
}
