//! The least that a receiver of a stream can do: wait, read, count bytes. Where the plan has
//! connections in TLS, it opens each record where it stands.

use std::io;
use std::net::TcpStream;

use pushbench_core::feed::message::Content;
use pushbench_core::feed::payload::Payload;
use pushbench_core::security::ClientSecurity;
use pushbench_core::{Contender, Seq, Transport};
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::record::control::{LoadPlan, TrialTiming};
use pushbench_protocol::{chunked, sse};
use pushbench_tls::{Connector, Opener, Stream};
use tungstenite::protocol::frame::FrameHeader;

use super::{Part, Sockets, ask, dial, subscribe};
use crate::session::Sessions;

/// Counts the bytes of a stream, and tells messages from them by their mean length.
#[derive(Debug)]
pub struct Receiver {
    payload: Payload,
    mean: f64,
    connector: Option<Connector>,
    /// One for each client whose connection is in TLS.
    openers: Vec<Opener>,
}

impl Receiver {
    /// A receiver of text messages that carry `payload`.
    #[must_use]
    pub const fn new(payload: Payload) -> Self {
        Self { payload, mean: 1.0, connector: None, openers: Vec::new() }
    }

    /// Opens a connection in TLS, and subscribes.
    fn connect_secured(
        &mut self,
        plan: &LoadPlan,
        security: &ClientSecurity,
        sessions: &Sessions,
        client: u32,
    ) -> io::Result<TcpStream> {
        let connector = match &mut self.connector {
            Some(connector) => connector,
            none => {
                let connector = Connector::new(security).map_err(io::Error::other)?;
                none.insert(connector.giving_keys_out())
            }
        };
        let layer = connector.layer(&connector.client());
        let mut stream = Stream::open(layer, dial(plan, client)?)?;
        ask(&mut stream, sessions, client)?;
        let (socket, _, opener) = stream.into_bare()?;
        self.openers.push(opener);
        Ok(socket)
    }
}

/// Reads all that the socket of client `index` has, and opens it.
#[inline]
fn open_all(sockets: &mut Sockets, index: usize, opener: &mut Opener) -> io::Result<u64> {
    let mut total = 0;
    loop {
        let kept = opener.put_back(&mut sockets.buffer);
        let end = kept + sockets.read(index, kept)?;
        total += opener.open(&mut sockets.buffer[..end])?;
        if end < sockets.buffer.len() {
            return Ok(total);
        }
    }
}

impl Part for Receiver {
    fn connect(
        &mut self,
        plan: &LoadPlan,
        sessions: &Sessions,
        client: u32,
    ) -> io::Result<TcpStream> {
        match &plan.security {
            None => subscribe(plan, sessions, client),
            Some(security) => self.connect_secured(plan, security, sessions, client),
        }
    }

    fn begin(&mut self, plan: &LoadPlan, timing: &TrialTiming) -> io::Result<()> {
        self.mean = mean_length(plan.contender, timing, &self.payload);
        Ok(())
    }

    fn ready(&mut self, sockets: &mut Sockets, index: usize) -> io::Result<u64> {
        if let Some(opener) = self.openers.get_mut(index) {
            return open_all(sockets, index, opener);
        }
        let mut total = 0;
        loop {
            let length = sockets.read(index, 0)?;
            total += length as u64;
            // A read that leaves room in the buffer has emptied the socket.
            if length < sockets.buffer.len() {
                return Ok(total);
            }
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bytes of one trial, and a number of messages, which is no larger"
    )]
    fn end(&self, counted: u64, measured: &mut Measured) {
        measured.counters.messages_in_window = (counted as f64 / self.mean).round() as u64;
    }
}

/// Mean length on the wire of the messages that are due in the window.
#[expect(clippy::cast_precision_loss, reason = "bytes and messages of one trial")]
fn mean_length(contender: Contender, timing: &TrialTiming, payload: &Payload) -> f64 {
    let (mut total, mut event, mut wire) = (0, Vec::new(), Vec::new());
    for number in timing.window.first.0..=timing.window.last.0 {
        let payload = payload.render(timing.seed, Seq(number));
        wire.clear();
        if contender.transport == Transport::Sse {
            event.clear();
            sse::push(&mut event, Seq(number), Content::Text, &payload);
            chunked::push(&mut wire, &event);
        } else {
            total += FrameHeader::default().len(payload.len() as u64);
            wire.extend_from_slice(&payload);
        }
        total += wire.len();
    }
    total as f64 / timing.window.len() as f64
}
