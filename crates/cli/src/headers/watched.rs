//! A channel of the load generator, with what has to be known of it to see when it is at rest.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pushbench_load::channel::{Channel, ClientEnd, Layer, Moved};
use pushbench_metrics::record::headers::TlsBytes;
use pushbench_os::net::tcp_info::TcpInfo;

use super::secured::SecuredBytes;

/// How long an exchange may take where the network takes no time.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// How long to wait where no channel has anything.
pub(super) const PAUSE: Duration = Duration::from_micros(100);

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
    /// Its security; nothing in clear.
    pub(super) secured: Option<SecuredBytes>,
}

impl WatchedChannel {
    /// Opens a connection, secured by `layer` if that is one, within `limit`.
    pub(super) fn open(
        peer: SocketAddr,
        layer: Option<Layer<ClientEnd>>,
        limit: Duration,
    ) -> anyhow::Result<Self> {
        let cannot = || format!("cannot connect to {peer}");
        let mut channel = Channel::connect_within(layer, peer, limit).with_context(cannot)?;
        let mut moved = Moved::default();
        let secured = secure(&mut channel, &mut moved, limit).with_context(cannot)?;
        let port = channel.local_addr()?.port();
        let (finished, ended, owes_ack, acks_before) = (false, false, None, 0);
        let mut channel =
            Self { channel, peer, port, moved, finished, ended, owes_ack, acks_before, secured };
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
        let written = self.channel.write(bytes, &mut self.moved)?;
        if let Some(secured) = &mut self.secured {
            secured.bytes.records += (written.sealed - written.taken) as u64;
        }
        Ok(written.taken)
    }

    /// Reads what there is; `None` at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let read = self.channel.read(buffer, &mut self.moved);
        if let Some(secured) = &mut self.secured {
            secured.read(&read, self.channel.take_overhead().received);
        }
        let received = match read {
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
        if self.finished {
            return Ok(());
        }
        match self.channel.finish(&mut self.moved) {
            // The other end has left, and a good-bye was answered with a reset.
            Err(error) if error.kind() == ErrorKind::NotConnected && self.ended => {}
            finished => finished.context("cannot close the connection")?,
        }
        if let Some(secured) = &mut self.secured {
            secured.bytes.alerts += self.channel.take_overhead().sent;
        }
        self.finished = true;
        Ok(())
    }

    /// Whether a session could be resumed after this connection, or none is to be.
    pub(super) fn is_settled(&self) -> bool {
        self.secured.as_ref().is_none_or(|secured| secured.bytes.tickets > 0)
    }

    /// The bytes so far that secure it.
    pub(super) fn tls(&self) -> TlsBytes {
        self.secured.as_ref().map(|secured| secured.bytes).unwrap_or_default()
    }
}

/// Agrees upon what secures a connection; the bytes of that.
fn secure(
    channel: &mut Channel,
    moved: &mut Moved,
    limit: Duration,
) -> io::Result<Option<SecuredBytes>> {
    let deadline = Instant::now() + limit;
    while !channel.secure(moved)? {
        if Instant::now() > deadline {
            return Err(ErrorKind::TimedOut.into());
        }
        thread::sleep(PAUSE);
    }
    // They are told of here.
    channel.take_overhead();
    Ok(channel.agreed().map(|agreed| SecuredBytes::new(&agreed, *moved)))
}

/// How many ACKs without data a connection's end has sent, by its own count.
pub(super) fn acks_sent(info: &TcpInfo) -> Option<u32> {
    Some(info.segments_out?.wrapping_sub(info.data_segments_out?))
}
