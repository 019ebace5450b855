//! The thread that empties the socket.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use pushbench_core::MonoInstant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};

use super::CaptureReport;
use super::packet::Packet;
use super::socket::PacketSocket;
use crate::posix::{Batch, Datagram};
use crate::time::clock;

/// How long packets gather once the socket is empty: waking for each would cost more than
/// reading it. A hundredth of the buffer at 100,000 packets a second.
const GATHER: Duration = Duration::from_millis(1);

/// How long after the stop packets may still be on their way through the kernel.
const SETTLE: Duration = Duration::from_millis(50);

/// Tells the reader to end.
#[derive(Debug, Clone)]
pub(super) struct Waker(Arc<OwnedFd>);

impl Waker {
    /// A waker by an eventfd, which stays readable once it was written to.
    pub(super) const fn new(event: Arc<OwnedFd>) -> Self {
        Self(event)
    }

    /// Wakes the reader, for good.
    pub(super) fn wake(&self) {
        // Fails only where the count would pass 2⁶⁴ − 2, and then it is readable too.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }
}

/// Passes packets on until it is woken.
pub(super) struct Reader<F> {
    socket: PacketSocket,
    waker: Waker,
    on_packet: F,
    batch: Batch,
    report: CaptureReport,
}

impl<F: FnMut(&Packet)> Reader<F> {
    /// A reader that has not begun.
    pub(super) fn new(socket: PacketSocket, waker: Waker, on_packet: F) -> Self {
        let report = CaptureReport::default();
        Self { socket, waker, on_packet, batch: Batch::new(), report }
    }

    /// Reads until woken and settled.
    pub(super) fn run(mut self) -> io::Result<CaptureReport> {
        const FOREVER: MonoInstant = MonoInstant(u64::MAX);
        let mut woken = false;
        while !woken {
            let mut fds = [
                PollFd::new(&self.waker.0, PollFlags::IN),
                PollFd::new(&self.socket, PollFlags::IN),
            ];
            wait(&mut fds, None)?;
            woken = !fds[0].revents().is_empty();
            self.drain(FOREVER)?;
            if !woken {
                woken = wait(&mut [PollFd::new(&self.waker.0, PollFlags::IN)], Some(GATHER))?;
            }
        }
        self.settle()?;
        self.report.dropped = self.socket.take_dropped()?;
        Ok(self.report)
    }

    /// Reads what arrives within [`SETTLE`].
    fn settle(&mut self) -> io::Result<()> {
        let end = clock::now() + SETTLE;
        loop {
            // Asked before reading, so that the last reading is after the end.
            let left = end.saturating_since(clock::now());
            self.drain(end)?;
            if left.is_zero() {
                return Ok(());
            }
            wait(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(left.min(GATHER)))?;
        }
    }

    /// Reads until the socket is empty, or a packet arrived later than `end`.
    fn drain(&mut self, end: MonoInstant) -> io::Result<()> {
        loop {
            let received = match self.batch.receive(self.socket.as_fd()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                received => received?,
            };
            let now = Clocks::read();
            let mut latest = MonoInstant(0);
            for datagram in received {
                latest = now.instant_of(&datagram);
                if let Some(packet) = Packet::parse(latest, datagram.bytes) {
                    self.report.packets += 1;
                    (self.on_packet)(&packet);
                } else {
                    self.report.unreadable += 1;
                }
            }
            if latest > end {
                return Ok(());
            }
        }
    }
}

/// Waits until one of `fds` is ready or `limit` has passed; returns whether one is.
fn wait(fds: &mut [PollFd<'_>], limit: Option<Duration>) -> io::Result<bool> {
    // No limit here is longer than a second.
    let limit =
        limit.map(|limit| Timespec { tv_sec: 0, tv_nsec: i64::from(limit.subsec_nanos()) as _ });
    match poll(fds, limit.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The wall clock and the monotonic clock at the same moment.
struct Clocks {
    wall: Duration,
    monotonic: MonoInstant,
}

impl Clocks {
    fn read() -> Self {
        let wall = clock_gettime(ClockId::Realtime);
        // Neither clock tells a time before 1970, nor a negative part of a second.
        let wall = Duration::new(wall.tv_sec.max(0) as u64, wall.tv_nsec as u32);
        Self { wall, monotonic: clock::now() }
    }

    /// When `datagram` was received; now, where the kernel does not tell.
    fn instant_of(&self, datagram: &Datagram<'_>) -> MonoInstant {
        let received = datagram.received.unwrap_or(self.wall);
        let age = self.wall.saturating_sub(received).as_nanos() as u64;
        MonoInstant(self.monotonic.as_nanos().saturating_sub(age))
    }
}
