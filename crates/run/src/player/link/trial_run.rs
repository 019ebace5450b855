//! A link that is tried before anything is measured: whether this system gives it to this user, and how
//! many packets its router moves.

use std::time::Duration;

use pushbench_core::IpVersion;
use pushbench_core::link::{Link, Scope};
use pushbench_core::units::BitRate;
use pushbench_metrics::observe::attendance::Precedence;
use pushbench_metrics::observe::device::Backend;
use pushbench_metrics::record::control::Place;
use pushbench_os::time::clock;

use super::{LinkError, LinkSide};
use crate::packets::RouterSpeed;
use crate::player::Commands;
use crate::player::cross::CrossSide;

/// How long a transfer takes packets to the router: thousands, of which each costs about the same.
const TRIED_FOR: Duration = Duration::from_millis(200);

/// The line of that transfer: more than any router moves, and less than memory holds.
const LINE: u64 = 10_000_000_000;

/// Findings about the links that there can be here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tried {
    /// How packets come to a router.
    pub backend: Backend,
    /// The precedence of a router over others that want its core.
    pub precedence: Option<Precedence>,
    /// How many packets it moves; `None` where so few came that it cannot be told.
    pub speed: Option<RouterSpeed>,
}

/// Tries a link of this version of IP for so many clients, with a transfer of TCP over it as fast as it goes: a fifth of a
/// second, and what the processes take to start. A packet of a transfer costs the router about what one
/// of the feed does: nine tenths of it are the kernel's, for each packet.
///
/// # Errors
///
/// [`LinkError::Refused`] says what the system does not give, and the remedy.
pub fn try_out(
    commands: &Commands,
    ip_version: IpVersion,
    clients: u32,
) -> Result<Tried, LinkError> {
    let down = BitRate::from_bits(LINE);
    let link = Link { scope: Scope::Shared, down, load_down: 1, ip_version, ..Link::default() };
    let mut side = LinkSide::start(&commands.link, &Place::default(), &link, clients, 0)?;
    let backend = side.backend;
    let mut cross = CrossSide::start(&commands.cross, &link, side.network())?;
    let start = clock::now();
    let end = start + TRIED_FOR;
    side.set_phases(start, start..end)?;
    if let Some(cross) = &mut cross {
        cross.set_phases(start, start..end)?;
    }
    clock::sleep_until(end);
    // Its processes end with it, and nothing comes any more.
    drop(cross);
    let measured = side.stop(end)?;
    let precedence = measured.attendance.precedence;
    Ok(Tried { backend, precedence, speed: RouterSpeed::of(&measured) })
}
