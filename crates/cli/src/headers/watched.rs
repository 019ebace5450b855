//! A channel of the load generator, with what has to be known of it to see when it is at rest.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use pushbench_load::channel::{Channel, Moved};
use pushbench_os::net::tcp_info::TcpInfo;

/// How long an exchange may take.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// An open connection.
pub(super) struct WatchedChannel {
    channel: Channel,
    pub(super) peer: SocketAddr,
    /// The client's port.
    pub(super) port: u16,
    /// Bytes that the socket took and gave.
    pub(super) moved: Moved,
    /// The client will send no more.
    pub(super) finished: bool,
    /// The server has said that it will send no more.
    pub(super) ended: bool,
    /// Where data came last: how many ACKs without data had been sent before that was asked for
    /// or awaited, so that one more is due.
    pub(super) owes_ack: Option<u32>,
    acks_before: u32,
}

impl WatchedChannel {
    pub(super) fn open(peer: SocketAddr) -> anyhow::Result<Self> {
        let channel = Channel::connect_within(peer, LIMIT)
            .with_context(|| format!("cannot connect to {peer}"))?;
        let port = channel.local_addr()?.port();
        let (moved, owes_ack) = (Moved::default(), None);
        let (finished, ended, acks_before) = (false, false, 0);
        let mut channel =
            Self { channel, peer, port, moved, finished, ended, owes_ack, acks_before };
        channel.mark();
        Ok(channel)
    }

    /// The kernel's account of the connection.
    pub(super) fn tcp_info(&self) -> Option<TcpInfo> {
        self.channel.tcp_info().flatten()
    }

    /// Nothing is awaited of what came before.
    pub(super) fn mark(&mut self) {
        let info = self.tcp_info();
        self.acks_before = info.as_ref().and_then(acks_sent).unwrap_or(0);
        self.owes_ack = None;
    }

    /// Sends what the channel takes; how many bytes that are.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.channel.write(bytes, &mut self.moved).map(|written| written.taken)
    }

    /// Reads what there is; `None` at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let received = match self.channel.read(buffer, &mut self.moved) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset && self.finished => None,
            read => read?,
        };
        self.ended = received.is_none();
        if !self.ended && !self.finished {
            self.owes_ack = Some(self.acks_before);
        }
        Ok(received.map(|received| received.plaintext))
    }

    /// Sends no more.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        if !self.finished {
            self.channel.finish(&mut self.moved).context("cannot close the connection")?;
            self.finished = true;
        }
        Ok(())
    }
}

/// How many ACKs without data a connection's end has sent, by its own count.
pub(super) fn acks_sent(info: &TcpInfo) -> Option<u32> {
    Some(info.segments_out?.wrapping_sub(info.data_segments_out?))
}
