//! A socket on which the kernel takes requests about one network's devices.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

use super::message::{Reply, Request, replies};
use crate::net::namespace::NetworkError;
use crate::posix;

/// How long the kernel may take for an answer, which it usually gives before the request returns.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most that the kernel says at once.
const LARGEST: usize = 1 << 16;

/// A connection to the kernel about the network that its thread was in when it was opened.
#[derive(Debug)]
pub(super) struct RouteSocket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl RouteSocket {
    pub(super) fn open() -> Result<Self, NetworkError> {
        let failed = |source| NetworkError::System { operation: "open a netlink socket", source };
        Self::connected().map_err(failed)
    }

    fn connected() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let fd = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        set_socket_timeout(&fd, Timeout::Recv, Some(PATIENCE))?;
        // An answer repeats the request's header alone, and may have words; since Linux 4.12.
        for option in [libc::NETLINK_CAP_ACK, libc::NETLINK_EXT_ACK] {
            posix::set_socket_option(fd.as_fd(), libc::SOL_NETLINK, option, 1)?;
        }
        Ok(Self { fd, sequence: 0, buffer: vec![0; LARGEST] })
    }

    /// Has the kernel do what `request` says; `operation` is for the error.
    pub(super) fn ask(&mut self, operation: &str, request: Request) -> Result<(), NetworkError> {
        self.ask_for(operation, request, |_| {})
    }

    /// The same, with each object that the answer has handed to `read`.
    pub(super) fn ask_for(
        &mut self,
        operation: &str,
        request: Request,
        read: impl FnMut(&[u8]),
    ) -> Result<(), NetworkError> {
        let failed = |source| kernel(operation, source, "");
        match self.exchange(request, read).map_err(failed)? {
            None => Ok(()),
            Some((errno, words)) => {
                Err(kernel(operation, io::Error::from_raw_os_error(errno), &words))
            }
        }
    }

    /// `None` once it is done, or the error's number and words.
    fn exchange(
        &mut self,
        request: Request,
        mut read: impl FnMut(&[u8]),
    ) -> io::Result<Option<(i32, String)>> {
        self.sequence += 1;
        let request = request.finish(self.sequence);
        sendto(&self.fd, &request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        loop {
            let (length, _) = rustix::io::retry_on_intr(|| {
                recv(&self.fd, &mut self.buffer[..], RecvFlags::empty())
            })?;
            for reply in replies(&self.buffer[..length], self.sequence) {
                match reply {
                    Reply::Object(object) => read(object),
                    Reply::Done => return Ok(None),
                    Reply::Refused(errno, words) => return Ok(Some((errno, words))),
                }
            }
        }
    }
}

fn kernel(operation: &str, source: io::Error, words: &str) -> NetworkError {
    if source.raw_os_error() == Some(libc::EPERM) {
        return NetworkError::of_privilege("set up a network", "CAP_NET_ADMIN", source);
    }
    let told = if words.is_empty() { String::new() } else { format!(" ({words})") };
    NetworkError::Kernel { operation: operation.to_owned(), told, source }
}
