//! The router at work: one thread that moves packets between the networks until it is told to stop.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_os::net::namespace::NetworkError;
use pushbench_os::time::clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::thread::set_current_timer_slack;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::network::{Backend, Network, SideCounts};
use crate::router::{Router, Side};

/// Packets that are taken from each side, and as many that are sent, before the other side and the
/// order to stop are looked after again: some 100 µs.
const TURN: u32 = 16;

const SIDES: [Side; 2] = [Side::Server, Side::Clients];

/// A router that cannot go on.
#[derive(Debug, Error)]
pub enum DriveError {
    /// The networks do not tell what they counted.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Waiting for packets failed.
    #[error("cannot wait for packets: the system refused")]
    Wait(#[source] io::Error),
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

/// Figures of a router's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How packets came to the router.
    pub backend: Backend,
    /// How long after the instant at which it was due each packet was given to its device.
    pub lateness: LatencyHistogram,
    /// Packets that came from the server.
    pub from_server: u64,
    /// Packets that came from the clients.
    pub from_clients: u64,
    /// Packets that were given to their device.
    pub forwarded: u64,
    /// Drops that nobody asked for, at the server's device.
    pub server: SideCounts,
    /// Drops that nobody asked for, at the clients' device.
    pub clients: SideCounts,
    /// How long the router was at work.
    pub elapsed: Duration,
}

impl Summary {
    /// Packets that are gone though no line dropped them. One is enough for what was measured to be
    /// untrue.
    #[must_use]
    pub const fn unasked_drops(&self) -> u64 {
        self.server.lost() + self.clients.lost()
    }
}

/// Moves packets until `stop` is readable or at its end.
///
/// # Errors
///
/// [`DriveError`] where a device is gone or does not tell what it counted.
pub fn drive(
    network: &mut Network,
    router: &mut Router,
    stop: impl AsFd,
) -> Result<Summary, DriveError> {
    // The kernel may wake this thread later by its timer slack, 50 µs unless it is told otherwise.
    set_current_timer_slack(NonZeroU64::new(1)).map_err(|error| DriveError::Wait(error.into()))?;
    let before = counts(network)?;
    let start = clock::now();
    let mut work = Work::default();
    loop {
        let wait = work.time_to_wait(router);
        let ready = look(network, &stop, wait).map_err(DriveError::Wait)?;
        if ready.stop {
            break;
        }
        work.ready = [work.ready[0] | ready.sides[0], work.ready[1] | ready.sides[1]];
        work.turn(network, router)?;
    }
    let [server, clients] = counts(network)?;
    Ok(Summary {
        backend: network.backend(),
        lateness: work.lateness,
        from_server: work.taken[0],
        from_clients: work.taken[1],
        forwarded: work.forwarded,
        server: server.since(&before[0]),
        clients: clients.since(&before[1]),
        elapsed: clock::now().saturating_since(start),
    })
}

fn counts(network: &mut Network) -> Result<[SideCounts; 2], NetworkError> {
    Ok([network.counts(Side::Server)?, network.counts(Side::Clients)?])
}

/// The work between two waits.
#[derive(Debug, Default)]
struct Work {
    /// Whether the sides may have packets, in the order of [`SIDES`].
    ready: [bool; 2],
    taken: [u64; 2],
    forwarded: u64,
    lateness: LatencyHistogram,
}

impl Work {
    /// How long nothing is to be done unless a packet comes; `None` for ever.
    fn time_to_wait(&self, router: &Router) -> Option<Duration> {
        if self.ready.contains(&true) {
            return Some(Duration::ZERO);
        }
        router.next_due().map(|due| due.saturating_since(clock::now()))
    }

    /// Takes a packet from each side in turn, and sends what is due in between.
    fn turn(&mut self, network: &mut Network, router: &mut Router) -> Result<(), DriveError> {
        for _ in 0..TURN {
            let mut now = clock::now();
            for (index, side) in SIDES.into_iter().enumerate() {
                if self.ready[index] {
                    self.ready[index] = self.take(index, side, network, router)?;
                    now = clock::now();
                }
            }
            self.send_due(now, network, router);
            if self.ready == [false; 2] {
                break;
            }
        }
        Ok(())
    }

    /// Takes a packet from a side. Whether there may be more.
    fn take(
        &mut self,
        index: usize,
        side: Side,
        network: &mut Network,
        router: &mut Router,
    ) -> Result<bool, DriveError> {
        let taken = &mut self.taken[index];
        let came = network.port(side).receive(|packet| {
            *taken += 1;
            router.packet(clock::now(), side, packet);
        });
        came.map_err(|source| DriveError::Device { side: name(side), source })
    }

    fn send_due(&mut self, mut now: MonoInstant, network: &mut Network, router: &mut Router) {
        for _ in 0..TURN {
            let Some(due_at) = router.next_due() else { return };
            let Some(due) = router.take_due(now) else { return };
            now = clock::now();
            self.lateness.record(now.saturating_since(due_at));
            let whole = network.port(due.to).send(router.bytes(&due));
            self.forwarded += u64::from(whole);
            router.sent(due, now);
        }
    }
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
    stop: bool,
}

/// Waits for packets, or the order to stop, for `timeout` at most.
///
/// `ppoll` waits to the nanosecond, as `epoll_pwait2` does from Linux 5.11 on.
fn look(network: &mut Network, stop: &impl AsFd, timeout: Option<Duration>) -> io::Result<Ready> {
    let timeout = timeout.map(|wait| Timespec {
        tv_sec: wait.as_secs().cast_signed(),
        tv_nsec: wait.subsec_nanos().into(),
    });
    let [server, clients] = network.ports();
    let mut fds = [
        PollFd::new(server, PollFlags::IN),
        PollFd::new(clients, PollFlags::IN),
        PollFd::new(stop, PollFlags::IN),
    ];
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    // An error is a reason to read too, which then says which it is.
    let [server, clients, stop] = fds.map(|fd| !fd.revents().is_empty());
    Ok(Ready { sides: [server, clients], stop })
}
