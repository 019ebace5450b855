//! The router at work: one thread that moves packets between the networks, and looks after orders.

mod attendance;
mod work;

use std::io;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::device::{RouterMeasured, SideCounts};
use pushbench_os::net::namespace::NetworkError;
use pushbench_os::process::precedence::Hold;
use pushbench_os::time::clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::thread::set_current_timer_slack;
use thiserror::Error;

use crate::network::Network;
use crate::router::{Router, Side};

use self::attendance::Attendant;
use self::work::Work;

/// A router that cannot go on.
#[derive(Debug, Error)]
pub enum DriveError {
    /// The networks do not tell what they counted.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Waiting for packets failed.
    #[error("cannot wait for packets: the system refused")]
    Wait(#[source] io::Error),
    /// An order cannot be read.
    #[error("cannot read an order of the parent process")]
    Orders(#[source] io::Error),
    /// A device is gone, or down.
    #[error(
        "cannot take packets from the network of {side}: its device is gone or down; leave the \
         devices of a link alone while it is in use"
    )]
    Device {
        /// The side.
        side: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

/// Moves packets, with `hold` on its core, until the one who gives orders says that it is enough: each time `orders` is readable
/// or at its end, `obey` reads what is there, and either goes on or tells when the trial's drain
/// ended.
///
/// # Errors
///
/// [`DriveError`] where a device is gone or does not tell what it counted, and what `obey` fails with.
pub fn drive<O: AsFd>(
    hold: Hold,
    network: &mut Network,
    router: &mut Router,
    orders: &mut O,
    mut obey: impl FnMut(&mut O, &mut Router) -> io::Result<ControlFlow<MonoInstant>>,
) -> Result<RouterMeasured, DriveError> {
    // The kernel may wake this thread later by its timer slack, 50 µs unless it is told otherwise.
    set_current_timer_slack(NonZeroU64::new(1)).map_err(|error| DriveError::Wait(error.into()))?;
    let before = counts(network)?;
    let start = clock::now();
    let mut work = Work::default();
    let mut attendant = Attendant::since(start, hold);
    let closing = loop {
        let wait = work.time_to_wait(router);
        let ready = look(network, &*orders, wait).map_err(DriveError::Wait)?;
        if ready.orders
            && let ControlFlow::Break(closing) = obey(orders, router).map_err(DriveError::Orders)?
        {
            break closing;
        }
        work.note(ready.sides);
        let turn = work.turn(network, router);
        turn.map_err(|(side, source)| DriveError::Device { side: name(side), source })?;
        attendant.look(router);
    };
    attendant.lap(clock::now(), router);
    let [server, clients] = counts(network)?;
    Ok(RouterMeasured {
        backend: network.backend(),
        link: router.counts(closing),
        waiting: router.waiting() as u64,
        forwarded: work.forwarded(),
        server: server.since(&before[0]),
        clients: clients.since(&before[1]),
        elapsed: clock::now().saturating_since(start),
        cpu: attendant.cpu(),
        longest_wait: attendant.longest_wait(),
        attendance: attendant.end(),
    })
}

fn counts(network: &mut Network) -> Result<[SideCounts; 2], NetworkError> {
    Ok([network.counts(Side::Server)?, network.counts(Side::Clients)?])
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Server => "the server",
        Side::Clients => "the clients",
    }
}

/// Events that [`look`] saw.
struct Ready {
    sides: [bool; 2],
    orders: bool,
}

/// Waits for packets, or an order, for `timeout` at most.
///
/// `ppoll` waits to the nanosecond, as `epoll_pwait2` does from Linux 5.11 on.
fn look(network: &mut Network, orders: &impl AsFd, timeout: Option<Duration>) -> io::Result<Ready> {
    let timeout = timeout.map(|wait| Timespec {
        tv_sec: wait.as_secs().cast_signed(),
        tv_nsec: wait.subsec_nanos().into(),
    });
    let [server, clients] = network.ports();
    let mut fds = [
        PollFd::new(server, PollFlags::IN),
        PollFd::new(clients, PollFlags::IN),
        PollFd::new(orders, PollFlags::IN),
    ];
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    // An error is a reason to read too, which then says which it is.
    let [server, clients, orders] = fds.map(|fd| !fd.revents().is_empty());
    Ok(Ready { sides: [server, clients], orders })
}
