//! Abilities that the kernel gives this process, found out by using them.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;
use std::{io, thread};

use crate::net::capture::{Capture, CaptureError, PortFilter};
use crate::net::rx_stamp::{self, KeptOn};
use crate::posix;
use crate::process::precedence;
use crate::time::clock;

/// How often receive stamps are asked for: the kernel begins with them a moment after the first
/// socket wants them.
const TRIES: u32 = 50;

/// How long a byte may take over loopback.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the kernel tells, for TCP over loopback, when it received what a read gives.
#[must_use]
pub fn receive_stamps() -> bool {
    (|| -> io::Result<bool> {
        let _kept = KeptOn::new()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut sender = TcpStream::connect(listener.local_addr()?)?;
        let (receiver, _) = listener.accept()?;
        receiver.set_read_timeout(Some(PATIENCE))?;
        rx_stamp::enable(&receiver)?;
        for _ in 0..TRIES {
            sender.write_all(b"x")?;
            // Waits for the byte; the stamp comes with a read that does not wait.
            receiver.peek(&mut [0])?;
            if rx_stamp::receive(&receiver, &mut [0; 8])?.stamp.is_some() {
                return Ok(true);
            }
            clock::sleep_until(clock::now() + Duration::from_millis(1));
        }
        Ok(false)
    })()
    .unwrap_or(false)
}

/// Whether packets of the loopback interface can be captured.
///
/// # Errors
///
/// Why not: usually a missing privilege.
pub fn packet_capture() -> Result<(), CaptureError> {
    // Port 9 (discard) is as good as any: nothing is expected on it.
    Capture::start(&PortFilter::new(&[9])?, |_| {}).map(drop)
}

/// Whether a thread may go before all normal ones, as a canary wants to.
#[must_use]
pub fn real_time() -> bool {
    // On a thread of its own, which takes its class with it when it ends.
    thread::spawn(|| posix::go_first(precedence::CANARY).is_ok()).join().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_stamps_what_it_receives_over_loopback() {
        assert!(receive_stamps());
    }

    #[test]
    fn what_takes_a_privilege_is_told_from_what_fails() {
        let can = packet_capture();
        assert!(matches!(can, Ok(()) | Err(CaptureError::Privilege { .. })), "{can:?}");
        // Who may capture is usually root, and who is not may yet be allowed real time.
        let _ = real_time();
        assert!(!goes_first());
    }

    /// Whether this thread has a real-time class, which only another one asked for.
    fn goes_first() -> bool {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        // Field 41 is the policy (proc_pid_stat(5)), 0 for a normal thread; the first here is 3.
        fields.split_ascii_whitespace().nth(38) != Some("0")
    }
}
