//! When the kernel had what a socket gives: software receive stamps (`SO_TIMESTAMPING`).
//!
//! The kernel stamps each packet as it comes in, and a read of a TCP socket can ask for the stamp
//! of the last packet that it took bytes from. So **a stamp speaks for the last byte of a read**,
//! and says of the bytes before it only that they were there by then.
//!
//! On loopback a packet is received while its sender is still in `write`, whatever the receiving process
//! does meanwhile; where the machine is busy, soon after.
//!
//! Stamps are of the wall clock. [`ClockOffset`] takes them to the monotonic clock, by which all
//! else is told. Both clocks run at the same rate, the kernel disciplines them together, so their
//! offset is one number, until somebody *sets* the wall clock: [`ClockOffset::has_stepped`]
//! tells, given one offset from before and one from after.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::instant::saturating_nanos;
use rustix::time::{ClockId, clock_gettime};

use crate::posix;
use crate::time::clock;

/// Pairs of readings that an offset is the best of.
const TRIES: usize = 16;

/// Asks the kernel for stamps on `socket`, for what it receives from now on.
///
/// # Errors
///
/// The error of `setsockopt`; `ENOPROTOOPT` where the kernel knows no such stamps.
pub fn enable(socket: impl AsFd) -> io::Result<()> {
    let flags = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    let flags = flags.cast_signed();
    posix::set_socket_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPING, flags)
}

/// The outcome of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// How many bytes; 0 at the end of the stream.
    pub length: usize,
    /// When the kernel received the last of them. `None` where it says nothing: stamps were not
    /// [enabled](enable), or not yet when those bytes came.
    pub stamp: Option<WallStamp>,
}

/// Reads from a stream socket, without blocking, and takes the kernel's stamp along.
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`] where nothing waits; else what `recvmsg` answers.
#[inline]
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let read = posix::receive_stamped(socket.as_fd(), buffer)?;
    let stamp = read.received.map(|since_epoch| WallStamp(saturating_nanos(since_epoch)));
    Ok(Received { length: read.length, stamp })
}

/// An instant of the wall clock, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallStamp(pub u64);

/// Keeps the kernel stamping for as long as it lives.
///
/// While no socket wants stamps the kernel takes none, and it changes its own code, on all cores,
/// with the first that does and after the last. Where stamped connections come and go that would
/// be time and again.
#[derive(Debug)]
pub struct KeptOn {
    _socket: UdpSocket,
}

impl KeptOn {
    /// Has the kernel stamp packets from now on; it takes a moment to begin.
    ///
    /// # Errors
    ///
    /// Where there is no socket to be had, or no stamps: see [`enable`].
    pub fn new() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        enable(&socket)?;
        Ok(Self { _socket: socket })
    }
}

/// How far the wall clock is ahead of the monotonic one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockOffset {
    /// Nanoseconds; negative where the wall clock stands before its zero plus the uptime.
    pub nanos: i64,
    /// How far that may be from the truth: half the time that the readings took.
    pub bound: Duration,
}

impl ClockOffset {
    /// Reads both clocks, the wall clock between two readings of the other, and takes the closest
    /// of several such triples.
    #[must_use]
    pub fn now() -> Self {
        let triples = (0..TRIES).map(|_| {
            let before = clock::now().as_nanos();
            let wall = wall_now().0;
            (before, wall, clock::now().as_nanos())
        });
        let (before, wall, after) =
            triples.min_by_key(|(before, _, after)| after - before).unwrap_or_default();
        let middle = before.midpoint(after);
        Self {
            nanos: wall.wrapping_sub(middle).cast_signed(),
            bound: Duration::from_nanos((after - before).div_ceil(2)),
        }
    }

    /// A stamp on the monotonic clock, as near as [`bound`](Self::bound).
    #[inline]
    #[must_use]
    pub const fn to_monotonic(&self, stamp: WallStamp) -> MonoInstant {
        MonoInstant(stamp.0.wrapping_sub(self.nanos.cast_unsigned()))
    }

    /// Whether the wall clock was set between `self` and `later`, by more than the two bounds
    /// leave in doubt.
    #[must_use]
    pub fn has_stepped(&self, later: &Self) -> bool {
        let doubt = self.bound + later.bound;
        u128::from(self.nanos.abs_diff(later.nanos)) > doubt.as_nanos()
    }
}

/// The present instant of `CLOCK_REALTIME`.
fn wall_now() -> WallStamp {
    let time = clock_gettime(ClockId::Realtime);
    // A wall clock before 1970 gives stamps before it too, which nobody asks for.
    WallStamp((time.tv_sec.max(0) as u64) * 1_000_000_000 + time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nodelay(true).unwrap();
        (server, client)
    }

    /// Reads once something is there.
    fn read(client: &TcpStream, buffer: &mut [u8]) -> Received {
        let deadline = clock::now() + Duration::from_secs(10);
        loop {
            match receive(client, buffer) {
                Ok(received) => return received,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}"),
            }
            assert!(clock::now() < deadline, "nothing came");
            std::thread::yield_now();
        }
    }

    /// The kernel begins to stamp a moment after it was asked to.
    fn kept_on() -> KeptOn {
        let kept = KeptOn::new().unwrap();
        let (mut server, client) = pair();
        enable(&client).unwrap();
        let deadline = clock::now() + Duration::from_secs(10);
        loop {
            server.write_all(b"x").unwrap();
            if read(&client, &mut [0; 8]).stamp.is_some() {
                return kept;
            }
            assert!(clock::now() < deadline, "the kernel does not stamp");
        }
    }

    #[test]
    fn a_stamp_lies_within_the_write_that_sent_the_bytes() {
        let _kept = kept_on();
        let (mut server, client) = pair();
        enable(&client).unwrap();
        let offset = ClockOffset::now();
        for message in [&b"one"[..], b"two", b"three"] {
            let before = clock::now();
            server.write_all(message).unwrap();
            let after = clock::now();
            // However late it is read.
            let read_at = after + Duration::from_millis(50);
            clock::sleep_until(read_at);
            let mut buffer = [0; 64];
            let received = read(&client, &mut buffer);
            assert_eq!(&buffer[..received.length], message);
            let at = offset.to_monotonic(received.stamp.unwrap());
            assert!(at + offset.bound >= before, "{at} is before {before}");
            // A loaded machine may deliver after `write` has returned.
            assert!(at < read_at, "{at} is of the read, not of the packet");
        }
    }

    #[test]
    fn of_several_packets_in_a_read_the_last_speaks() {
        let _kept = kept_on();
        let (mut server, client) = pair();
        enable(&client).unwrap();
        server.write_all(b"first").unwrap();
        let between = clock::now() + Duration::from_millis(3);
        clock::sleep_until(between);
        server.write_all(b"second").unwrap();
        let mut buffer = [0; 64];
        let mut length = 0;
        let mut last = None;
        while length < b"firstsecond".len() {
            let received = read(&client, &mut buffer[length..]);
            (length, last) = (length + received.length, received.stamp);
        }
        assert_eq!(&buffer[..length], b"firstsecond");
        let offset = ClockOffset::now();
        assert!(offset.to_monotonic(last.unwrap()) + offset.bound >= between);
    }

    #[test]
    fn without_asking_there_is_no_stamp() {
        let (mut server, client) = pair();
        server.write_all(b"plain").unwrap();
        let mut buffer = [0; 64];
        assert_eq!(read(&client, &mut buffer), Received { length: 5, stamp: None });
        drop(server);
        assert_eq!(read(&client, &mut buffer).length, 0);
    }

    #[test]
    fn the_offset_takes_the_wall_clock_to_the_monotonic_one() {
        let offset = ClockOffset::now();
        let (before, wall, after) = (clock::now(), wall_now(), clock::now());
        let converted = offset.to_monotonic(wall);
        assert!(converted + offset.bound >= before && converted <= after + offset.bound);
        assert!(offset.bound < Duration::from_millis(1), "{offset:?}");
    }

    #[test]
    fn a_step_is_more_than_the_bounds_leave_in_doubt() {
        let bound = Duration::from_nanos(50);
        let at = |nanos| ClockOffset { nanos, bound };
        assert!(!at(1_000).has_stepped(&at(1_100)) && !at(1_100).has_stepped(&at(1_000)));
        assert!(at(1_000).has_stepped(&at(1_101)) && at(1_000).has_stepped(&at(-5)));
    }
}
