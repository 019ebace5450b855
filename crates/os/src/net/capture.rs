//! Packets of the loopback interface, seen one by one.
//!
//! A [`Capture`] is an `AF_PACKET` socket on `lo` (packet(7)) that passes TCP packets of given
//! ports, IPv4 and IPv6, to a closure. It takes the privilege `CAP_NET_RAW`, and tens of per
//! cent of the CPU time that the packets themselves take, part of it in the sender's context:
//! CPU figures of the same trial are no longer those of the transport.
//!
//! Each packet of `lo` passes twice, going out and coming in; it is counted as it comes in. The
//! kernel counts the packets for which its buffer had no room ([`CaptureReport::dropped`]): a
//! capture that dropped any is no measurement.
//!
//! One packet here may be several segments of TCP: see [`Packet`].

mod error;
pub(crate) mod filter;
mod packet;
mod reader;
mod socket;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::event::{EventfdFlags, eventfd};

pub use error::CaptureError;
pub use filter::PortFilter;
pub use packet::Packet;
pub use pushbench_protocol::ip::TcpFlags;

use reader::{Reader, Waker};
use socket::PacketSocket;

/// The kernel's buffer, in bytes: tens of thousands of packets, which wait there while the reader
/// has no core to run on. Without `CAP_NET_ADMIN` the kernel grants `net.core.rmem_max`.
const BUFFER: usize = 64 * 1024 * 1024;

/// The counts of a capture, from its start to its stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct CaptureReport {
    /// Packets that were passed to the closure.
    pub packets: u64,
    /// Packets that matched the filter, but for which the kernel's buffer had no room.
    pub dropped: u64,
    /// Packets that matched the filter and could not be read: longer than their length field
    /// can say ("BIG TCP").
    pub unreadable: u64,
}

impl CaptureReport {
    /// Whether every packet that matched the filter was passed on.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.dropped == 0 && self.unreadable == 0
    }
}

/// A running capture. Dropped without [`Capture::stop`], it ends by itself, unread.
#[derive(Debug)]
pub struct Capture {
    waker: Waker,
    /// `None` only once it was stopped.
    thread: Option<JoinHandle<io::Result<CaptureReport>>>,
}

impl Capture {
    /// Captures packets of `ports`: of all connections that open from now on, every one.
    ///
    /// `on_packet` runs on a thread of its own, in the order in which packets came in on each
    /// core. It must keep up: what it leaves waiting fills the kernel's buffer.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Privilege`] where this process has no `CAP_NET_RAW`, else which step the
    /// system refused.
    pub fn start(
        ports: &PortFilter,
        on_packet: impl FnMut(&Packet) + Send + 'static,
    ) -> Result<Self, CaptureError> {
        Self::start_with(ports, BUFFER, on_packet)
    }

    /// As [`Capture::start`], with a kernel buffer of `buffer` bytes.
    fn start_with(
        ports: &PortFilter,
        buffer: usize,
        on_packet: impl FnMut(&Packet) + Send + 'static,
    ) -> Result<Self, CaptureError> {
        let failed = |operation| move |source| CaptureError::from_io(operation, source);
        let socket = PacketSocket::open(ports, buffer)?;
        let waker = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(io::Error::from)
            .map_err(failed("make an event"))?;
        let waker = Waker::new(Arc::new(waker));
        let reader = Reader::new(socket, waker.clone(), on_packet);
        let thread = thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || reader.run())
            .map_err(failed("start a thread"))?;
        Ok(Self { waker, thread: Some(thread) })
    }

    /// Ends the capture, after what was sent before this call has been passed on.
    ///
    /// The kernel delivers a packet of `lo` soon after it was sent, but not within the same call
    /// if the core is busy. So this takes 50 ms more; what is sent in that time may be passed on
    /// too ([`Packet::at`] tells).
    ///
    /// # Errors
    ///
    /// [`CaptureError::System`] where reading failed while the capture ran: packets are missing.
    ///
    /// # Panics
    ///
    /// Where the closure did.
    pub fn stop(mut self) -> Result<CaptureReport, CaptureError> {
        self.waker.wake();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(report)) => {
                report.map_err(|source| CaptureError::from_io("read packets", source))
            }
            // Only this method takes the thread, and it takes the capture too.
            None => unreachable!("a capture is stopped once"),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.waker.wake();
    }
}

#[cfg(test)]
mod tests;
